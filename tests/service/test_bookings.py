"""Bookings of the built-in source: what a photographer may ask for, and what becomes of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar
from sqlalchemy import Connection

from bridge.errors import Invalid, NotAllowed, NotFound
from bridge.ical.build import with_status
from bridge.service import bookings
from bridge.store import objects, passes, people
from bridge.store.db import Database
from bridge.store.objects import StoredObject
from bridge.store.people import UserRow
from tests.store.studio import Studio, event

ANNA = "anna@studio.example"
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
LATER = datetime(2026, 5, 5, 12, tzinfo=UTC)
ADD: dict[str, Any] = {
    "title": "Anna & Ben",
    "start": "2026-05-08T14:30",
    "minutes": 90,
    "place": "Schlosspark",
    "notes": "Bring rings",
    "status": "confirmed",
}


@dataclass
class Desk:
    """Anna at the command line; each call is a transaction of its own."""

    studio: Studio

    def _do(self, call: Callable[[Connection, UserRow], Any]) -> Any:
        with self.studio.db.writing() as tx:
            return call(tx, people.user_by_email(tx, ANNA))

    def add(self, **given: Any) -> str:
        uid, self.href = self._do(lambda tx, user: bookings.add(tx, user, **ADD | {"now": NOW} | given))
        return uid

    def move(self, uid: str, start: str, minutes: int | None = None) -> None:
        self._do(lambda tx, user: bookings.move(tx, user, uid, start, minutes, LATER))

    def cancel(self, uid: str) -> None:
        self._do(lambda tx, user: bookings.cancel(tx, user, uid, LATER))

    def rows(self) -> list[Mapping[str, Any]]:
        return self._do(bookings.list_)

    def get(self, uid: str) -> StoredObject | None:
        return self._do(lambda tx, _: objects.by_uid(tx, self.studio.bookings, uid, with_hidden=True))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    db = Database(f"sqlite:///{tmp_path}/bridge.db")
    db.migrate()
    yield Desk(Studio.opened(db, ANNA))
    db.close()


def test_a_booking_is_in_the_calendar_as_clients_see_it(desk: Desk) -> None:
    uid = desk.add(notes="Bring: rings; flowers,\nand Köhler's dog")
    assert re.fullmatch(r"[0-9a-f]{32}@picsello-bridge", uid)
    assert desk.href == f"{uid}.ics"
    stored = desk.get(uid)
    assert (stored.kind, stored.status, stored.href) == ("booking", "CONFIRMED", desk.href)
    seen = Calendar.from_ical(stored.text).events[0]
    assert str(seen["SUMMARY"]) == "Anna & Ben"
    assert str(seen["DESCRIPTION"]) == "Bring: rings; flowers,\nand Köhler's dog"
    assert seen.start.isoformat() == "2026-05-08T14:30:00+02:00"
    assert seen.end.isoformat() == "2026-05-08T16:00:00+02:00"
    assert desk.studio.in_range("2026-05-08T12:00", "2026-05-08T13:00") == [desk.href]


def test_two_bookings_never_share_an_identity(desk: Desk) -> None:
    assert desk.add() != desk.add()
    assert len(desk.rows()) == 2


def test_the_linked_calendar_that_bookings_go_to_is_due_and_the_journal_tells(desk: Desk) -> None:
    link = desk.studio.link(writes=True)
    uid = desk.add()
    assert desk.studio.due(link) == NOW
    with desk.studio.db.reading() as tx:
        row = passes.journal_of(tx, desk.studio.user_id)[0]
    assert (row.uid, row.action, row.actor, row.before) == (uid, "create", "command", None)


def test_a_typed_offset_or_z_is_honoured_and_written_in_the_users_zone(desk: Desk) -> None:
    desk.add(start="2026-05-08T14:30Z")
    desk.add(start="2026-05-08T14:30-04:00")
    assert [row["start"] for row in desk.rows()] == ["2026-05-08T16:30:00+02:00", "2026-05-08T20:30:00+02:00"]


def test_the_listing_says_what_when_and_where(desk: Desk) -> None:
    uid = desk.add(status="tentative")
    assert [dict(row) for row in desk.rows()] == [
        {
            "uid": uid,
            "href": f"{uid}.ics",
            "title": "Anna & Ben",
            "start": "2026-05-08T14:30:00+02:00",
            "end": "2026-05-08T16:00:00+02:00",
            "zone": "Europe/Berlin",
            "status": "tentative",
            "place": "Schlosspark",
            "kind": "booking",
            "all_day": False,
            "recurring": False,
            "hidden": False,
        }
    ]


def test_the_listing_is_in_order_of_time_and_has_blocks_of_every_form(desk: Desk) -> None:
    desk.add(start="2026-07-01T10:00")
    desk.studio.put("day.ics", event("day", "Off", ";VALUE=DATE:20260601"))
    desk.studio.put("utc.ics", event("utc", "Call", ":20260501T080000Z"))
    desk.studio.put("custom.ics", event("custom", "Odd", ";TZID=Nowhere:20260801T100000"))
    desk.studio.put("old.ics", event("old", "Old", ":00010101T000000Z", "RRULE:FREQ=YEARLY;COUNT=2"))
    rows = {row["uid"]: row for row in desk.rows()}
    assert [row["title"] for row in desk.rows()] == ["Old", "Call", "Off", "Anna & Ben", "Odd"]
    day, utc, custom = rows["day"], rows["utc"], rows["custom"]
    assert (day["start"], day["end"], day["all_day"], day["kind"]) == (
        "2026-06-01",
        "2026-06-02",
        True,
        "block",
    )
    assert (utc["start"], utc["zone"]) == ("2026-05-01T08:00:00+00:00", "UTC")
    assert (custom["start"], custom["zone"]) == ("2026-08-01T10:00:00+02:00", "Europe/Berlin")
    assert rows["old"]["recurring"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"title": " \n"}, "needs a title"),
        ({"title": "x" * 501}, "title must stay under 500 characters"),
        ({"notes": "x" * 50_001}, "notes must stay under 50,000"),
        ({"minutes": 0}, "1 to 720 minutes, not 0"),
        ({"minutes": 721}, "1 to 720 minutes, not 721"),
        ({"minutes": -5}, "1 to 720 minutes, not -5"),
        ({"start": "soon"}, "no date and time"),
        ({"start": "2026-05-08"}, "no date and time"),
        ({"start": "2026-03-29T02:30"}, "02:30 does not exist on 2026-03-29 in Europe/Berlin"),
        ({"start": "9026-05-08T14:30"}, "in the year 9026"),
        ({"status": "maybe"}, "Use confirmed or tentative"),
        ({"status": "cancelled"}, "Use confirmed or tentative"),
        ({"title": "half a character \udcc3"}, "characters that do not exist"),
    ],
)
def test_what_cannot_be_booked_is_refused_in_a_sentence(
    desk: Desk, given: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(Invalid, match=sentence):
        desk.add(**given)
    assert desk.rows() == []


def test_a_moved_booking_keeps_its_length_and_its_identity(desk: Desk) -> None:
    uid = desk.add()
    before = desk.get(uid)
    desk.move(uid, "2026-05-09T10:00")
    after = desk.get(uid)
    assert (after.href, after.uid, after.kind) == (before.href, before.uid, "booking")
    assert after.etag != before.etag
    row = desk.rows()[0]
    assert (row["start"], row["end"]) == ("2026-05-09T10:00:00+02:00", "2026-05-09T11:30:00+02:00")
    assert desk.studio.in_range("2026-05-08T00:00", "2026-05-09T00:00") == []


def test_a_move_may_give_another_length(desk: Desk) -> None:
    uid = desk.add()
    desk.move(uid, "2026-05-09T10:00", 30)
    assert desk.rows()[0]["end"] == "2026-05-09T10:30:00+02:00"
    with pytest.raises(Invalid, match="720"):
        desk.move(uid, "2026-05-09T10:00", 1000)


def test_a_move_of_what_is_not_there_or_repeats_or_is_off_is_refused(desk: Desk) -> None:
    with pytest.raises(NotFound, match=r"no booking nobody@x in the calendar of anna@studio\.example"):
        desk.move("nobody@x", "2026-05-09T10:00")
    desk.studio.put("s.ics", event("s", "Class", ":20260501T080000Z", "RRULE:FREQ=WEEKLY"))
    with pytest.raises(Invalid, match="repeats"):
        desk.move("s", "2026-05-09T10:00")
    uid = desk.add()
    desk.cancel(uid)
    with pytest.raises(NotAllowed, match="cancelled"):
        desk.move(uid, "2026-05-09T10:00")


def test_a_cancelled_booking_is_kept_but_in_no_calendar(desk: Desk) -> None:
    uid = desk.add()
    before = desk.get(uid)
    desk.cancel(uid)
    after = desk.get(uid)
    assert (after.status, after.hidden) == ("CANCELLED", True)
    assert after.text == with_status(before.text, "CANCELLED", LATER)
    assert desk.rows()[0]["status"] == "cancelled"


def test_cancelling_twice_changes_nothing_more(desk: Desk) -> None:
    uid = desk.add()
    desk.cancel(uid)
    once = desk.get(uid)
    desk.cancel(uid)
    assert desk.get(uid) == once


def test_a_cancelled_block_is_gone(desk: Desk) -> None:
    desk.studio.put("b.ics", event("b", "Dentist"))
    desk.cancel("b")
    assert desk.rows() == []


def test_what_was_hidden_in_the_calendar_stays_hidden(desk: Desk) -> None:
    uid = desk.add()
    stored = desk.get(uid)
    desk.studio.put(stored.href, stored.text, hidden=True)
    desk.move(uid, "2026-05-09T10:00")
    assert desk.get(uid).hidden
    assert desk.rows()[0]["hidden"]


def test_bookings_of_another_source_are_added_there(desk: Desk) -> None:
    with desk.studio.db.writing() as tx:
        people.set_user(tx, desk.studio.user_id, source="picsello")
    with pytest.raises(NotAllowed, match="picsello"):
        desk.add()
