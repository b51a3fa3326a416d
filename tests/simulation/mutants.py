"""Deliberate faults of the engine, each as a patch. The simulation must catch every one of them.

A mutant that no schedule catches would mean that the simulation looks away; ``test_mutants`` plays each
against seeds that are known to catch it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from bridge.ports import Entry
from bridge.service import undo
from bridge.store import conflicts, objects, pairings, passes
from bridge.store.tables import EPOCH
from bridge.sync import observe, one_pass, plan
from bridge.sync.apply import here, read_back
from bridge.sync.plan import table
from tests.simulation.far_provider import FarProvider

Patch = Callable[[pytest.MonkeyPatch], None]
MUTANTS: dict[str, Patch] = {}


def mutant(patch: Patch) -> Patch:
    MUTANTS[patch.__name__.replace("_", " ")] = patch
    return patch


# --- looking ---------------------------------------------------------------------------------------


@mutant
def the_guard_lets_everything_pass(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(one_pass, "guard", lambda *_, **__: [])


@mutant
def absence_in_a_delta_is_taken_for_deletion(patch: pytest.MonkeyPatch) -> None:
    changes = FarProvider.changes
    patch.setattr(
        FarProvider,
        "changes",
        lambda self, calendar, cursor: replace(changes(self, calendar, cursor), complete=True),
    )


@mutant
def deletions_in_a_delta_are_not_seen(patch: pytest.MonkeyPatch) -> None:
    changes = FarProvider.changes
    patch.setattr(
        FarProvider,
        "changes",
        lambda self, calendar, cursor: replace(changes(self, calendar, cursor), gone=frozenset()),
    )
    patch.setattr(one_pass.Pass, "_wants_full_listing", lambda self, context, _: context.link.cursor is None)


@mutant
def nothing_is_ever_listed_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(one_pass.Pass, "_wants_full_listing", lambda self, context, _: context.link.cursor is None)


@mutant
def our_own_deletions_are_not_seen(patch: pytest.MonkeyPatch) -> None:
    since = objects.changed_since
    patch.setattr(objects, "changed_since", lambda *words: replace(since(*words), deleted=()))


@mutant
def a_rename_is_taken_for_a_deletion_and_a_new_event(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(observe.Looker, "_took_over", lambda self, row: row.base_tag is None and row.flight is None)


@mutant
def our_changes_during_a_pass_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    remember = one_pass.Pass._remember

    def later(self: Any, work: Any, observation: Any, *words: Any) -> None:
        with self.db.reading() as tx:
            observation.bookings_seq = seq_now(tx, work.context.bookings.id)
            if work.context.mirror:
                observation.mirror_seq = seq_now(tx, work.context.mirror.id)
        remember(self, work, observation, *words)

    patch.setattr(one_pass.Pass, "_remember", later)


def seq_now(tx: Any, calendar_id: int) -> int:
    from bridge.store import calendars

    return calendars.get(tx, calendar_id).seq


@mutant
def the_cursor_is_kept_before_the_work_is_done(patch: pytest.MonkeyPatch) -> None:
    from bridge.store import links

    survey = one_pass.survey_sides

    def early(db: Any, context: Any, *words: Any, **named: Any) -> Any:
        observation = survey(db, context, *words, **named)
        with db.writing() as tx:
            links.set_(tx, context.link.id, cursor=observation.cursor, listed_at=named_now(context))
        return observation

    def named_now(context: Any) -> Any:
        return context.link.listed_at or context.account.created

    patch.setattr(one_pass, "survey_sides", early)


# --- deciding --------------------------------------------------------------------------------------


@mutant
def no_memory_of_the_write_in_flight(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(observe, "_flight", lambda row: None)


@mutant
def the_first_write_is_forgotten_when_another_follows(patch: pytest.MonkeyPatch) -> None:
    decide = table.decide
    patch.setattr(one_pass, "decide", lambda *words: replace(decide(*words), between=None))


@mutant
def the_hub_is_compared_with_their_base(patch: pytest.MonkeyPatch) -> None:
    merge = table.merge
    patch.setattr(
        table, "merge", lambda _, hub, theirs, remote, prefer: merge(theirs, hub, theirs, remote, prefer)
    )


@mutant
def the_whole_object_wins_instead_of_the_group(patch: pytest.MonkeyPatch) -> None:
    merge = table.merge

    def whole(base_hub: str, hub: str, base_remote: str, remote: str, prefer: Any) -> Any:
        if hub != base_hub and remote != base_remote:
            return merge(remote, hub, remote, remote, prefer)
        return merge(base_hub, hub, base_remote, remote, prefer)

    patch.setattr(table, "merge", whole)


@mutant
def a_deletion_wins_over_an_edit(patch: pytest.MonkeyPatch) -> None:
    there, here = table.gone_there, table.gone_here

    def unedited(item: plan.Item) -> plan.Item:
        assert item.base is not None
        hub = replace(item.hub, etag=item.base.etag) if item.hub else None
        remote = replace(item.remote, tag=item.base.tag) if item.remote and item.base.tag else item.remote
        return replace(item, hub=hub, remote=remote)

    patch.setattr(table, "gone_there", lambda item, *words: there(unedited(item), *words))
    patch.setattr(table, "gone_here", lambda item, *words: here(unedited(item), *words))


@mutant
def a_booking_deleted_over_there_is_deleted_here(patch: pytest.MonkeyPatch) -> None:
    there = table.gone_there
    patch.setattr(table, "gone_there", lambda item, *words: there(replace(item, kind="block"), *words))


@mutant
def a_cancelled_booking_stays_over_there(patch: pytest.MonkeyPatch) -> None:
    hub = observe._hub
    patch.setattr(observe, "_hub", lambda stored: (found := hub(stored)) and replace(found, cancelled=False))


# --- writing ---------------------------------------------------------------------------------------


@mutant
def the_losing_text_is_thrown_away(patch: pytest.MonkeyPatch) -> None:
    put = objects.put
    patch.setattr(conflicts, "add", lambda *_, **__: 0)
    patch.setattr(passes, "journal", lambda *_, **__: 0)
    patch.setattr(
        objects,
        "put",
        lambda *words, **named: put(*words, **{**named, "journal": named["actor"][:4] != "pass"}),
    )


@mutant
def what_was_sent_is_taken_for_what_is_stored(patch: pytest.MonkeyPatch) -> None:
    remember = read_back.ReadBack.remember

    def unread(self: Any, written: Sequence[Any]) -> None:
        for sent in written:
            if sent.answer is not None:
                sent.answer = Entry(sent.href, sent.answer.tag, sent.action.text)
        remember(self, written)

    patch.setattr(read_back.ReadBack, "remember", unread)


@mutant
def a_lost_create_is_sent_again_under_a_new_name(patch: pytest.MonkeyPatch) -> None:
    chance, remote = Random(1), observe._remote
    patch.setattr(here, "derived_key", lambda *_: f"{chance.getrandbits(64):x}")
    patch.setattr(
        observe,
        "_remote",
        lambda sight, row, texts: None if row and row.base_tag is None else remote(sight, row, texts),
    )


@mutant
def our_object_is_overwritten_though_it_changed_meanwhile(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(here.Here, "_expect", lambda *_: None)


@mutant
def a_write_expects_the_newest_tag_instead_of_the_one_it_was_planned_on(patch: pytest.MonkeyPatch) -> None:
    put = FarProvider.put

    def careless(self: FarProvider, calendar: str, href: str, text: str, expect: str | None) -> Entry:
        current = self.far.calendars[calendar].objects.get(href)
        return put(self, calendar, href, text, current[0] if current else None)

    patch.setattr(FarProvider, "put", careless)


@mutant
def a_mirror_holds_our_spelling_instead_of_their_bytes(patch: pytest.MonkeyPatch) -> None:
    put, put_new = objects.put, objects.put_new

    def respelt(text: str) -> str:
        return text.replace("X-FOREIGN;X-P=1", 'X-FOREIGN;X-P="1"')

    def put_respelt(tx: Any, calendar_id: int, href: str, text: str, **named: Any) -> Any:
        text = respelt(text) if named["actor"].startswith("pass:") else text
        return put(tx, calendar_id, href, text, **named)

    def put_new_respelt(tx: Any, calendar_id: int, texts: dict[str, str], **named: Any) -> Any:
        return put_new(tx, calendar_id, {href: respelt(text) for href, text in texts.items()}, **named)

    patch.setattr(objects, "put", put_respelt)
    patch.setattr(objects, "put_new", put_new_respelt)


@mutant
def what_a_merge_leaves_out_of_the_other_side_is_dropped(patch: pytest.MonkeyPatch) -> None:
    write = table.write_merged

    def one_sided(*words: Any) -> plan.Decision:
        decision = write(*words)
        here = tuple(a for a in decision.actions if isinstance(a, plan.PutHub))
        return replace(decision, actions=here) if here else decision

    patch.setattr(table, "write_merged", one_sided)


# --- what only single operations bring to light ------------------------------------------------------


@mutant
def a_name_is_used_again_after_a_deletion(patch: pytest.MonkeyPatch) -> None:
    named = observe.derived_key
    patch.setattr(
        here, "derived_key", lambda ours, uid, born, generation: named(ours, uid, EPOCH, generation)
    )


@mutant
def a_delta_is_trusted_to_tell_what_came_and_went(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pairings, "unproven", lambda *_: [])


@mutant
def an_undo_leaves_their_side_as_it_is(patch: pytest.MonkeyPatch) -> None:
    decide = undo.decide
    patch.setattr(undo, "decide", lambda *words: replace(decide(*words), there=None))
