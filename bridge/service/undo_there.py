"""Undo on the other side: one write at a time, each under its condition.

What is about to be sent is remembered first, so that the next ordinary pass understands whatever comes of
it: a refusal, a lost answer, a crash.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from bridge.errors import ObjectGone, ProviderError, TagMismatch, UnknownOutcome
from bridge.ical.marker import unmark
from bridge.ical.merge import first_merge
from bridge.service.undoing import Undoing
from bridge.store import objects, pairings, passes
from bridge.store.pairings import PairingRow
from bridge.sync.observe import derived_key
from bridge.sync.plan import Base, Hub
from bridge.sync.undo import DeleteThere, PutThere, Touched

#: Above the generations that passes reach by making objects again.
GENERATIONS = 1_000_000


@dataclass(frozen=True, slots=True)
class Prepared:
    """Where a write goes, and what to remember if it is refused, or once it is done."""

    href: str
    pairing_id: int | None
    before: PairingRow | None  # what was remembered until now
    hub: Hub | None


def prepare(
    work: Undoing,
    tx: Connection,
    one: Touched,
    step: PutThere | DeleteThere | None,
    hub: Hub | None,
    now: datetime,
) -> Prepared | None:
    """Remember what is about to be sent, so that the next pass understands whatever comes of it."""
    if step is None:
        return None
    assert one.there is not None and work.provider is not None
    row = pairings.by_uid(tx, work.link.id, one.calendar_id, one.uid)
    if isinstance(step, DeleteThere):
        if row is not None and hub is not None:
            pairings.settle(tx, row.id, hub=hub.text, etag=hub.etag, remote=None, tag=None)
        return Prepared(one.there.href, row.id if row else None, row, hub)
    if step.expect is not None:
        return Prepared(one.there.href, None, row, hub)
    if hub is None:
        text = _original(tx, work.user_id, one) or unmark(step.text)
        written = work.put_here(tx, one, text, None, now)
        # an edit that had not been carried there before the deletion is still to be carried
        known = first_merge(text, step.text, "theirs").hub
        hub = Hub(written.href, written.etag if known == text else "", known)
    stored = objects.by_uid(tx, one.calendar_id, one.uid, with_hidden=True)
    assert stored is not None
    generation = GENERATIONS + work.undone  # a name never used there, and the same if this is repeated
    key = derived_key(work.bridge.installation, one.uid, stored.created, generation)
    href = work.provider.new_href(work.link.remote_id, key)
    made = pairings.upsert(tx, work.link.id, one.calendar_id, one.uid, href, generation=generation)
    pairings.set_flight(tx, made, "put", hub=hub.text, etag=hub.etag, text=step.text, expect=None)
    return Prepared(href, made, None, hub)


def _original(tx: Connection, user_id: int, one: Touched) -> str | None:
    """What our side held before it was deleted here."""
    rows = passes.journal_of(tx, user_id, uid=one.uid, limit=50)
    gone = (row for row in rows if row.side == "hub" and row.calendar_id == one.calendar_id)
    last = next(gone, None)
    return last.before if last is not None and last.after is None else None


def send(work: Undoing, one: Touched, step: PutThere | DeleteThere, prepared: Prepared) -> None:
    """Send one write and remember what came of it. Trouble with one object never stops the others."""
    assert work.provider is not None
    calendar, written = work.link.remote_id, None
    try:
        if isinstance(step, DeleteThere):
            work.provider.delete(calendar, prepared.href, step.expect)
        else:
            written = work.provider.put(calendar, prepared.href, step.text, step.expect)
    except (TagMismatch, ObjectGone):
        work.left.append(f"“{one.title}” was changed in {work.link.name} just now, so it stays as it is.")
        _take_back(work, step, prepared)
        return
    except ProviderError as error:
        work.left.append(f"“{one.title}”: {error}")
        work.unfinished = True
        if not isinstance(error, UnknownOutcome):
            _take_back(work, step, prepared)
        return
    work.put_back.append(one)
    with work.bridge.db.writing() as tx:
        work.hold(tx)
        if written is not None and prepared.pairing_id is not None and prepared.hub is not None:
            base = Base(prepared.hub.text, prepared.hub.etag, written.text or _text(step), written.tag)
            pairings.settle(
                tx, prepared.pairing_id, hub=base.hub, etag=base.etag, remote=base.remote, tag=base.tag
            )
        elif written is None and prepared.hub is None and prepared.pairing_id is not None:
            pairings.forget(tx, prepared.pairing_id)
        _journal(tx, work, one, step, prepared.href)


def _text(step: PutThere | DeleteThere) -> str | None:
    return step.text if isinstance(step, PutThere) else None


def _take_back(work: Undoing, step: PutThere | DeleteThere, prepared: Prepared) -> None:
    """Nothing was written there: remember what was remembered before."""
    with work.bridge.db.writing() as tx:
        work.hold(tx)
        row = prepared.before
        if isinstance(step, DeleteThere) and row is not None and row.base_hub is not None:
            assert row.base_etag is not None
            pairings.settle(
                tx, row.id, hub=row.base_hub, etag=row.base_etag, remote=row.base_remote, tag=row.base_tag
            )
        elif row is None and prepared.pairing_id is not None:
            pairings.to_look_again(tx, prepared.pairing_id)


def _journal(tx: Connection, work: Undoing, one: Touched, step: PutThere | DeleteThere, href: str) -> None:
    assert one.there is not None
    after = _text(step)
    passes.journal(
        tx,
        user_id=work.user_id,
        pass_id=work.pass_id,
        link_id=work.link.id,
        calendar_id=one.calendar_id,
        side="remote",
        action="delete" if after is None else "update" if one.there.after is not None else "restore",
        uid=one.uid,
        href=href,
        before=one.there.after,
        after=after,
        actor=f"pass:{work.pass_id}",
        now=work.bridge.clock.now(),
    )
