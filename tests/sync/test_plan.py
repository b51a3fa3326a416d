"""The decision table of ``bridge.sync.plan``, row by row, as stories."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.ical.added import note
from bridge.ical.fields import changed
from bridge.ical.marker import marker, unmark
from bridge.sync.plan import (
    Agree,
    Base,
    DeleteHub,
    DeleteRemote,
    Flight,
    Forget,
    Hub,
    Item,
    Keep,
    Kind,
    Policy,
    PutHub,
    PutRemote,
    Remote,
    Restored,
    Tell,
    decide,
    describe,
    guard,
    marker_uid,
)
from tests.simulation.ledger import shown
from tests.sync.texts import UID, cancelled, event

POLICY = Policy(reads=True, edits=False, writes=True, installation="here")
HREF = "/far/1.ics"


def hub(text: str, etag: str = "e1", **how: bool) -> Hub:
    return Hub("1.ics", etag, text, **how)


def remote(text: str, tag: str = "t1") -> Remote:
    return Remote(HREF, tag, text)


def item(
    hub: Hub | None = None,
    remote: Remote | None = None,
    base: Base | None = None,
    kind: Kind = "booking",
    **more: object,
) -> Item:
    return Item(UID, kind, hub, remote, base, **more)  # type: ignore[arg-type]


AGREED = Base(event(), "e1", event(), "t1")


def kinds(found: Item, policy: Policy = POLICY) -> list[type]:
    return [type(action) for action in decide(found, policy).actions]


def test_a_new_booking_is_created_there_with_our_marker() -> None:
    (put,) = decide(item(hub(event())), POLICY).actions
    assert isinstance(put, PutRemote)
    assert put.expect is None
    mark = marker(put.text)
    assert mark is not None
    assert (mark.installation, marker_uid(mark.key)) == ("here", UID)
    assert unmark(put.text) == event()


def test_a_foreign_event_is_imported_byte_for_byte() -> None:
    (put,) = decide(item(None, remote(event()), kind="foreign"), POLICY).actions
    assert put == PutHub(event(), None)


def test_nothing_changed_means_nothing_to_do() -> None:
    assert decide(item(hub(event()), remote(event()), AGREED), POLICY).actions == ()


def test_a_new_tag_without_a_new_meaning_is_no_edit() -> None:
    restamped = event().replace("DTSTAMP:20260101T000000Z", "DTSTAMP:20260505T000000Z")
    assert kinds(item(hub(event()), remote(restamped, "t2"), AGREED)) == [Agree]


def test_a_move_here_goes_there_and_touches_nothing_else() -> None:
    theirs = event().replace("X-FOREIGN", "X-THEIRS:1\r\nX-FOREIGN")
    base = Base(event(), "e1", theirs, "t1")
    (put,) = decide(item(hub(event(when=7), "e2"), remote(theirs), base), POLICY).actions
    assert isinstance(put, PutRemote)
    assert put.expect == "t1"
    assert {group for _, group in changed(theirs, put.text)} == {"when"}


def test_a_new_title_there_comes_here() -> None:
    (put,) = decide(item(hub(event()), remote(event(title=9), "t2"), AGREED), POLICY).actions
    assert isinstance(put, PutHub)
    assert put.expect == "e1"
    assert shown(put.text)["title"] == 9


def test_both_sides_edited_different_groups_and_both_edits_live() -> None:
    decision = decide(item(hub(event(when=7), "e2"), remote(event(title=9), "t2"), AGREED), POLICY)
    here, there = decision.actions
    assert isinstance(here, PutHub)
    assert isinstance(there, PutRemote)
    assert shown(here.text) == shown(there.text) == {"title": 9, "place": 1, "notes": 1, "when": 7}
    assert decision.merged
    assert decision.conflicts == ()


def test_between_the_two_writes_their_edit_counts_as_known() -> None:
    """A crash after our side: the title came from there, so it must not look like ours the next time."""
    decision = decide(item(hub(event(when=7), "e2"), remote(event(title=9), "t2"), AGREED), POLICY)
    assert decision.between is not None
    here, _ = decision.actions
    assert isinstance(here, PutHub)
    later = item(hub(here.text, "e3"), remote(event(title=11), "t3"), decision.between)
    again = decide(later, POLICY)
    assert again.conflicts == ()
    assert shown(again.actions[0].text)["title"] == 11  # type: ignore[union-attr]


def test_between_the_two_writes_what_is_asked_about_stays_on_both_sides() -> None:
    """A crash after our side: their title was not taken over, so ours must not look like an edit of it."""
    policy = replace(POLICY, prefer_own="ask")
    decision = decide(
        item(hub(event(title=7, when=7), "e2"), remote(event(title=9), "t2"), AGREED),
        policy,
    )
    assert [conflict.name for conflict in decision.conflicts] == ["title"]
    assert decision.between is not None
    again = decide(
        item(hub(event(title=7, when=7), "e2"), remote(event(title=9), "t2"), decision.between), policy
    )
    (put,) = again.actions
    assert isinstance(put, PutRemote)
    assert (shown(put.text)["title"], shown(put.text)["when"]) == (9, 7)


@pytest.mark.parametrize(("kind", "winner"), [("booking", 7), ("block", 7), ("foreign", 9)])
def test_both_sides_edited_the_title_and_the_kind_decides(kind: Kind, winner: int) -> None:
    policy = replace(POLICY, edits=True)
    decision = decide(item(hub(event(title=7), "e2"), remote(event(title=9), "t2"), AGREED, kind), policy)
    assert [conflict.name for conflict in decision.conflicts] == ["title"]
    (put,) = decision.actions
    assert shown(put.text)["title"] == winner  # type: ignore[union-attr]


def test_ask_leaves_both_titles_and_says_so() -> None:
    policy = replace(POLICY, prefer_own="ask")
    decision = decide(item(hub(event(title=7), "e2"), remote(event(title=9), "t2"), AGREED), policy)
    assert len(decision.conflicts) == 1
    assert [type(action) for action in decision.actions] == [Agree]


def test_a_read_only_mirror_takes_their_bytes_even_if_only_the_stamps_changed() -> None:
    restamped = event().replace("DTSTAMP:20260101T000000Z", "DTSTAMP:20260505T000000Z")
    (put,) = decide(item(hub(event()), remote(restamped, "t2"), AGREED, "foreign"), POLICY).actions
    assert put == PutHub(restamped, "e1")


# --- deletions -------------------------------------------------------------------------------------


def test_a_booking_deleted_there_is_put_back_and_the_user_is_told() -> None:
    put, told = decide(item(hub(event()), None, AGREED), POLICY).actions
    assert isinstance(put, PutRemote)
    assert (put.expect, put.generation) == (None, 2)
    assert isinstance(told, Restored)


def test_policy_hide_leaves_a_deleted_booking_deleted_there() -> None:
    (agreed,) = decide(item(hub(event()), None, AGREED), replace(POLICY, on_delete="hide")).actions
    assert agreed == Agree(Base(event(), "e1", None, None))
    hidden = item(hub(event(title=3), "e2"), None, agreed.base)
    assert kinds(hidden) == [Agree]


def test_policy_cancel_cancels_a_booking_deleted_there() -> None:
    put, agreed = decide(item(hub(event()), None, AGREED), replace(POLICY, on_delete="cancel")).actions
    assert put == PutHub(event(), "e1", cancel=True)
    assert isinstance(agreed, Agree)


@pytest.mark.parametrize("kind", ["block", "foreign"])
def test_a_block_or_foreign_event_deleted_there_is_deleted_here(kind: Kind) -> None:
    assert kinds(item(hub(event()), None, AGREED, kind)) == [DeleteHub]


def test_a_block_deleted_here_is_deleted_there() -> None:
    assert decide(item(None, remote(event()), AGREED, "block"), POLICY).actions == (DeleteRemote("t1"),)


def test_a_cancelled_booking_goes_there() -> None:
    gone = item(hub(cancelled(event()), "e2", cancelled=True), remote(event()), AGREED)
    assert decide(gone, POLICY).actions == (DeleteRemote("t1"),)


def test_a_cancellation_taken_back_creates_it_there_again() -> None:
    withheld = Base(cancelled(event()), "e2", None, None)
    (put,) = decide(item(hub(event(), "e3"), None, withheld), POLICY).actions
    assert isinstance(put, PutRemote)
    assert put.generation == 2


def test_an_edit_there_wins_over_a_deletion_here() -> None:
    (put,) = decide(item(None, remote(event(title=9), "t2"), AGREED, "block"), POLICY).actions
    assert put == PutHub(event(title=9), None)


def test_an_edit_here_wins_over_a_deletion_there() -> None:
    (put,) = decide(item(hub(event(title=9), "e2"), None, AGREED, "block"), POLICY).actions
    assert isinstance(put, PutRemote)
    assert put.expect is None


def test_gone_on_both_sides_is_forgotten() -> None:
    assert kinds(item(None, None, AGREED, "block")) == [Forget]


def test_an_object_with_our_marker_that_we_do_not_know_is_left_alone() -> None:
    """Only a pairing entitles us to delete at a provider."""
    assert kinds(item(None, remote(event()), None, "block")) == []


# --- roles -----------------------------------------------------------------------------------------


def test_without_the_role_writes_what_we_pushed_is_taken_back() -> None:
    policy = replace(POLICY, writes=False)
    assert kinds(item(hub(event()), remote(event()), AGREED), policy) == [DeleteRemote]
    assert kinds(item(hub(event())), policy) == []


def test_a_mirror_that_may_be_edited_sends_edits_without_a_marker() -> None:
    policy = replace(POLICY, edits=True)
    (put,) = decide(item(hub(event(title=4), "e2"), remote(event()), AGREED, "foreign"), policy).actions
    assert isinstance(put, PutRemote)
    assert marker(put.text) is None


def test_a_read_only_mirror_never_writes_outward() -> None:
    assert kinds(item(hub(event(title=4), "e2"), remote(event()), AGREED, "foreign")) == [PutHub]


# --- the write in flight ---------------------------------------------------------------------------


def flying(text: str, hub_text: str, expect: str | None = "t1", etag: str = "e2") -> Flight:
    return Flight(text, hub_text, etag, expect)


def test_a_lost_answer_then_nothing_else_is_simply_remembered() -> None:
    sent = event(title=7)
    found = item(hub(sent, "e2"), remote(sent, "t2"), AGREED, flight=flying(sent, sent))
    assert decide(found, POLICY).actions == (Agree(Base(sent, "e2", sent, "t2")),)
    assert decide(found, POLICY).arrived


def test_a_lost_answer_then_an_edit_here_is_no_conflict() -> None:
    """Without the memory of the write in flight, their title would look like somebody's edit."""
    sent = event(title=7)
    found = item(hub(event(title=8), "e3"), remote(sent, "t2"), AGREED, flight=flying(sent, sent))
    decision = decide(found, POLICY)
    assert decision.conflicts == ()
    (put,) = decision.actions
    assert shown(put.text)["title"] == 8  # type: ignore[union-attr]


def test_a_lost_create_then_a_deletion_here_deletes_it_there() -> None:
    sent = event()
    found = item(None, remote(sent, "t1"), None, "block", flight=flying(sent, sent, None, "e1"))
    decision = decide(found, POLICY)
    assert decision.actions == (DeleteRemote("t1"),)
    assert decision.between == Base(sent, "e1", sent, "t1")


def test_a_lost_create_that_somebody_then_edited_takes_over_the_edit() -> None:
    sent = decide(item(hub(event())), POLICY).actions[0].text  # type: ignore[union-attr]
    edited = remote(sent.replace("SUMMARY:t1", "SUMMARY:t9"), "t5")
    found = item(hub(event(place=4), "e2"), edited, None, flight=flying(sent, event(), None, "e1"))
    here, there = decide(found, POLICY).actions
    assert shown(here.text) == shown(there.text)  # type: ignore[union-attr]
    assert shown(here.text)["title"] == 9  # type: ignore[union-attr]


def test_a_write_that_never_left_is_planned_again() -> None:
    sent = event(title=7)
    found = item(hub(sent, "e2"), remote(event()), AGREED, flight=flying(sent, sent))
    assert kinds(found) == [PutRemote]
    assert not decide(found, POLICY).arrived


def test_a_lost_create_seen_deleted_again_is_a_deletion() -> None:
    sent = event()
    found = item(hub(sent), None, None, "block", flight=flying(sent, sent, None, "e1"), deletion_seen=True)
    assert kinds(found) == [DeleteHub]


def test_the_write_s_own_marker_tells_that_it_arrived_though_the_same_group_was_edited_since() -> None:
    first = decide(item(hub(event())), POLICY).actions[0]
    assert isinstance(first, PutRemote)
    base = Base(event(), "e1", first.text, "t1")
    second = decide(item(hub(event(title=7), "e2"), remote(first.text), base), POLICY).actions[0]
    assert isinstance(second, PutRemote)
    after = remote(second.text.replace("SUMMARY:t7", "SUMMARY:t9"), "t3")
    found = item(hub(event(title=7), "e2"), after, base, flight=flying(second.text, event(title=7)))
    decision = decide(found, POLICY)
    assert decision.conflicts == ()
    (put,) = decision.actions
    assert shown(put.text)["title"] == 9  # type: ignore[union-attr]


# --- the guard -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("deletions", "agreed", "waits"),
    [(5, 6, False), (6, 6, True), (6, 40, False), (9, 40, True), (0, 0, False)],
)
def test_more_than_five_and_a_fifth_gone_at_once_waits_for_the_user(
    deletions: int, agreed: int, waits: bool
) -> None:
    assert bool(guard(deletions, agreed, listing_empty=False)) is waits


def test_a_calendar_that_is_suddenly_empty_waits_for_the_user() -> None:
    assert "suddenly empty" in guard(0, 6, listing_empty=True)[0]
    assert guard(0, 5, listing_empty=True) == []


def test_the_preview_names_what_would_happen() -> None:
    decision = decide(item(hub(event(when=7), "e2"), remote(event()), AGREED), POLICY)
    assert describe(decision) == ["Change “t1” there (time)."]


# --- the source of bookings ---------------------------------------------------------------------------

SOURCE = replace(POLICY, reads=False, writes=False, source="write")


def with_reminder(text: str) -> str:
    alarm = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT15M\r\nDESCRIPTION:x\r\nEND:VALARM\r\n"
    return text.replace("END:VEVENT", alarm + "END:VEVENT")


def test_what_the_source_has_becomes_a_booking_here() -> None:
    assert decide(item(None, remote(event())), SOURCE).actions == (PutHub(event(), None),)


def test_a_booking_made_here_has_no_home_at_the_source() -> None:
    assert kinds(item(hub(event())), SOURCE) == []


def test_blocks_never_go_to_the_source() -> None:
    assert kinds(item(hub(event()), kind="block"), SOURCE) == []


def test_a_first_meeting_takes_the_sources_values() -> None:
    (put,) = decide(item(hub(event(when=7)), remote(event(title=9))), SOURCE).actions
    assert isinstance(put, PutHub)
    assert shown(put.text)["title"] == 9
    assert shown(put.text)["when"] == 1


def test_an_edit_goes_to_the_source_without_what_it_knows_nothing_of() -> None:
    edited = with_reminder(event(when=7))
    (put,) = decide(item(hub(edited, "e2"), remote(event()), AGREED), SOURCE).actions
    assert isinstance(put, PutRemote)
    assert {group for _, group in changed(event(), put.text)} == {"when"}
    assert marker(put.text) is None


def test_a_reminder_alone_is_the_calendars_own_affair() -> None:
    assert kinds(item(hub(with_reminder(event()), "e2"), remote(event()), AGREED), SOURCE) == [Agree]


def test_what_left_the_sources_calendar_is_cancelled_here_even_if_edited() -> None:
    put, agree = decide(item(hub(event(when=7), "e2"), None, AGREED), SOURCE).actions
    assert isinstance(put, PutHub)
    assert put.cancel
    assert isinstance(agree, Agree)
    assert agree.base.remote is None


def test_what_comes_back_to_the_source_comes_back_here() -> None:
    away = Base(cancelled(event()), "e2", None, None)
    back = item(hub(cancelled(event()), "e2", cancelled=True), remote(event()), away)
    (put,) = decide(back, SOURCE).actions
    assert isinstance(put, PutHub)
    assert not put.cancel
    assert "STATUS:CANCELLED" not in put.text


def test_a_cancellation_here_archives_it_there() -> None:
    found = item(hub(cancelled(event()), "e2", cancelled=True), remote(event()), AGREED)
    assert kinds(found, SOURCE) == [DeleteRemote, Tell]


def test_where_nothing_may_be_written_an_edit_goes_back_but_for_reminders() -> None:
    edited = with_reminder(event(when=7))
    found = item(hub(edited, "e2"), remote(event()), AGREED)
    (put,) = decide(found, replace(SOURCE, source="refuse")).actions
    assert isinstance(put, PutHub)
    assert shown(put.text)["when"] == 1
    assert "BEGIN:VALARM" in put.text


def test_an_overlay_stays_says_so_and_ends_once_the_source_agrees() -> None:
    local = replace(SOURCE, source="local")
    put, keep, tell = decide(item(hub(event(when=7), "e2"), remote(event()), AGREED), local).actions
    assert isinstance(put, PutHub)
    assert isinstance(keep, Keep)
    assert isinstance(tell, Tell)
    assert shown(put.text)["when"] == 7
    assert note(put.text) == tell.message
    assert "time" in (tell.message or "")

    standing = item(hub(put.text, "e3"), remote(event()), keep.base)
    assert kinds(standing, local) == []

    follow, done = decide(item(hub(put.text, "e3"), remote(event(when=7), "t2"), keep.base), local).actions
    assert isinstance(follow, PutHub)
    assert note(follow.text) is None
    assert not changed(follow.text, event(when=7))
    assert done == Tell(None)
