"""What a feed reads of each booking: kept when it is written, gone with it, and never a condition for it."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, select

from bridge.ical.published import piece
from bridge.store import pieces, tables
from bridge.store.pieces import Pieces
from tests.store.studio import Studio, epoch, event

YEARS = epoch("2026-01-01T00:00"), epoch("2028-01-01T00:00")
OWN_ZONE = (
    "BEGIN:VTIMEZONE\r\nTZID:Studio\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\n"
    "TZOFFSETFROM:+0300\r\nTZOFFSETTO:+0300\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
)


def shown(studio: Studio, *, busy_only: bool = False, window: tuple[int, int] = YEARS) -> Pieces:
    with studio.db.reading() as tx:
        return pieces.shown(tx, studio.bookings, *window, busy_only=busy_only)


def kept(studio: Studio) -> int:
    with studio.db.reading() as tx:
        return len(tx.execute(select(tables.piece.c.object_id)).all())


def test_it_follows_what_is_written(studio: Studio) -> None:
    studio.put("shoot.ics", event("a", "First"))
    studio.put("shoot.ics", event("a", "Second", ";TZID=America/New_York:20260512T100000"))
    read = shown(studio)
    (events,) = read.pieces
    assert events.startswith("BEGIN:VEVENT\r\nUID:a\r\n")
    assert events.endswith("SUMMARY:Second\r\nEND:VEVENT\r\n")
    assert (read.zones, read.texts) == ({"America/New_York "}, [])
    assert (read.first, read.last) == (epoch("2026-05-12T14:00"), epoch("2026-05-12T15:00"))
    (times,) = shown(studio, busy_only=True).pieces
    assert "SUMMARY:Busy" in times
    assert "Second" not in times


def test_it_goes_with_its_event(studio: Studio) -> None:
    studio.put("shoot.ics", event())
    assert kept(studio) == 1
    studio.delete("shoot.ics")
    assert (kept(studio), shown(studio)) == (0, Pieces([], set(), [], None, None))


def test_a_zone_of_its_own_is_read_with_the_text(studio: Studio) -> None:
    studio.put("shoot.ics", event())
    text = event("shoot-1", "Shoot", ";TZID=Studio:20260511T100000")
    text = text.replace("BEGIN:VEVENT", OWN_ZONE + "BEGIN:VEVENT", 1)
    studio.put("shoot.ics", text)
    assert piece(text) is None
    assert (shown(studio).pieces, shown(studio).texts, kept(studio)) == ([], [text], 0)


def test_a_store_that_has_none_is_read_by_its_texts(studio: Studio) -> None:
    studio.put("shoot.ics", event())
    with studio.db.writing() as tx:
        tx.execute(delete(tables.piece))
    assert (shown(studio).pieces, shown(studio).texts) == ([], [event()])


def test_calendars_that_no_feed_reads_keep_none(studio: Studio) -> None:
    studio.put("shoot.ics", event(), studio.mirror())
    assert kept(studio) == 0


@pytest.mark.parametrize(("status", "told"), [("CANCELLED", 1), ("CONFIRMED", 0)])
def test_of_what_is_hidden_only_what_is_off_is_told(studio: Studio, status: str, told: int) -> None:
    studio.put("shoot.ics", event("a", "Shoot", ":20260511T100000Z", f"STATUS:{status}"), hidden=True)
    assert len(shown(studio).pieces) == told


@pytest.mark.parametrize(
    ("since", "until", "told"),
    [
        ("2026-05-11T11:00", "2027-01-01T00:00", 1),
        ("2026-05-11T11:01", "2027-01-01T00:00", 0),
        ("2026-01-01T00:00", "2026-05-11T10:00", 0),
        ("2026-01-01T00:00", "2026-05-11T10:01", 1),
    ],
)
def test_only_what_meets_the_window(studio: Studio, since: str, until: str, told: int) -> None:
    studio.put("shoot.ics", event("a", "Shoot", ":20260511T100000Z"))
    assert len(shown(studio, window=(epoch(since), epoch(until))).pieces) == told
