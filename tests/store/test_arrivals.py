"""Many new objects at once leave exactly what one after the other would have left."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from bridge.errors import Invalid, NotFound, Stale
from bridge.store import objects
from bridge.store.tables import change, journal, object_, occurrence, piece
from tests.store.studio import Studio, event

TEXTS = {
    "a.ics": event("a", "Dentist"),
    "b.ics": event("b", "Yoga", ":20260512T080000Z", "RRULE:FREQ=WEEKLY;COUNT=30", "DURATION:PT3H"),
    "c.ics": event("c", "Größe 👰", ";VALUE=DATE:20260513"),
}


def arrive(studio: Studio, calendar: int, texts: dict[str, str] = TEXTS, kind: str = "foreign") -> list[str]:
    with studio.db.writing() as tx:
        return list(objects.put_new(tx, calendar, texts, kind=kind, actor="device:1", now=studio.now))


def left(studio: Studio, calendar: int) -> dict[str, list[tuple[Any, ...]]]:
    """Every row about the calendar's objects, but for ids, moments, and which calendar it is."""
    without = {"id", "object_id", "calendar_id", "created", "modified", "at"}
    tables = {
        table.name: [column for column in table.c if column.name not in without]
        for table in (object_, occurrence, change, journal)
    }
    with studio.db.reading() as tx:
        found: dict[str, list[tuple[Any, ...]]] = {
            name: sorted(
                (
                    tuple(row)
                    for row in tx.execute(select(*columns).where(columns[0].table.c.calendar_id == calendar))
                ),
                key=repr,
            )
            for name, columns in tables.items()
        }
        pieces = select(object_.c.href, piece.c.events).join(piece, piece.c.object_id == object_.c.id)
        found["piece"] = sorted(map(tuple, tx.execute(pieces.where(object_.c.calendar_id == calendar))))
    row = studio.calendar(calendar)
    found["calendar"] = [(row.seq, row.longest)]
    return found


@pytest.mark.parametrize("kind", ["foreign", "block"])
def test_they_leave_what_single_writes_leave(studio: Studio, kind: str) -> None:
    together = studio.bookings if kind == "block" else studio.mirror("together")
    other = Studio.opened(studio.db, "ben@studio.example")
    single = other.bookings if kind == "block" else other.mirror("single")
    etags = arrive(studio, together, kind=kind)
    for href, text in TEXTS.items():
        other.put(href, text, single, kind=kind)
    found, expected = left(studio, together), left(other, single)
    for name in ("journal",):  # whose it is, is theirs
        found[name] = [row[1:] for row in found[name]]
        expected[name] = [row[1:] for row in expected[name]]
    assert found == expected
    assert len(found["occurrence"]) == 32
    assert etags == [stored.etag for href in TEXTS if (stored := studio.get(href, together))]


def test_they_follow_what_is_there(studio: Studio) -> None:
    mirror = studio.mirror()
    studio.put("first.ics", event("first"), mirror)
    before = studio.calendar(mirror).seq
    arrive(studio, mirror)
    with studio.db.reading() as tx:
        delta = objects.changed_since(tx, mirror, before)
    assert [(row.href, row.seq) for row in delta.changed] == [
        (href, before + number) for number, href in enumerate(TEXTS, 1)
    ]
    assert studio.calendar(mirror).seq == before + 3


@pytest.mark.parametrize(
    ("there", "text"),
    [("a.ics", event("other")), ("other.ics", event("a"))],
    ids=["the address is taken", "the UID is taken"],
)
def test_one_that_is_here_by_now_stops_all(studio: Studio, there: str, text: str) -> None:
    mirror = studio.mirror()
    studio.put(there, text, mirror)
    before = left(studio, mirror)
    with pytest.raises(Stale):
        arrive(studio, mirror)
    assert left(studio, mirror) == before


@pytest.mark.parametrize(
    ("texts", "refused"),
    [
        ({"a.ics": event("a"), "b.ics": event("a", "Again")}, Stale),
        ({"a.ics": event("a"), "b.ics": "no calendar"}, Invalid),
        ({"a.ics": event("a"), "b.ics": event("b", "half a character \ud83d")}, Invalid),
        ({"a.ics": event("a"), "b.ics": event("")}, Invalid),
    ],
    ids=["twice the same UID", "no iCalendar", "no Unicode", "no UID"],
)
def test_one_that_cannot_be_kept_stops_all(
    studio: Studio, texts: dict[str, str], refused: type[Exception]
) -> None:
    mirror = studio.mirror()
    with pytest.raises(refused):
        arrive(studio, mirror, texts)
    assert left(studio, mirror)["object"] == []


def test_there_must_be_such_a_calendar(studio: Studio) -> None:
    with pytest.raises(NotFound):
        arrive(studio, 4711)


def test_links_that_carry_the_calendar_are_due(studio: Studio) -> None:
    link = studio.link(writes=True)
    arrive(studio, studio.bookings, kind="block")
    assert studio.due(link) == studio.now
