"""The time that is taken, told by the index alone, is the time that is taken by this and that."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from sqlalchemy import Connection

from bridge.store import busy, calendars
from bridge.store.calendars import CalendarRow
from tests.booking.conftest import DAY, Studio, at, ics
from tests.booking.test_agreement import calendar_of

ME = {"anna@studio.example"}


def told_apart(tx: Connection, calendar: CalendarRow, start: int, end: int, *, tentative: bool) -> set[int]:
    rows = busy.between(tx, calendar, start, end, ME)
    counted = [row for row in rows if tentative or not row.tentative]
    return {minute for row in counted for minute in minutes(max(row.starts, start), min(row.ends, end))}


def minutes(start: int, end: int) -> range:
    return range(start, end, 60)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("day", ["2027-03-27", "2034-03-25"])  # inside the index, and beyond it
def test_stretches_are_what_takes_time_without_saying_what(studio: Studio, seed: int, day: str) -> None:
    mirror, texts = studio.mirror(), calendar_of(seed)
    for number in range(15):
        studio.put(next(texts).replace("\r\nUID:", f"\r\nUID:{number}-"), calendar=mirror)
    with studio.bridge.db.reading() as tx:
        calendar = calendars.get(tx, mirror)
        for days in (1, 3):
            start, end = at("00:00", day), at("00:00", day) + days * 86_400
            for tentative in (True, False):
                found = busy.stretches(tx, calendar, start, end, ME, tentative=tentative)
                assert all(one[1] < other[0] for one, other in pairwise(found))
                taken = {minute for one in found for minute in minutes(max(one[0], start), min(one[1], end))}
                assert taken == told_apart(tx, calendar, start, end, tentative=tentative)


def test_a_month_that_was_looked_at_shows_what_changed_since(studio: Studio) -> None:
    event, dice = studio.event(), Random(5)
    mirror = studio.mirror()
    assert studio.free(event) == ["09:00", "10:00", "11:00", "12:00"]
    for number in dice.sample(range(4), 4):
        hours = f"{9 + number:02}0000"
        lines = (f"DTSTART:20261205T{hours}Z", "DURATION:PT10M")
        studio.put(ics(f"private-{number}", *lines), calendar=mirror)
        berlin = f"{10 + number:02}:00"
        assert berlin not in studio.free(event)
    assert studio.free(event) == ["09:00"]


def test_time_around_private_events_is_kept_free_if_the_studio_wants_it(studio: Studio) -> None:
    mirror, event = studio.mirror(), studio.event()
    studio.put(ics("dentist", f"DTSTART:{DAY.replace('-', '')}T100000Z", "DURATION:PT1H"), calendar=mirror)
    assert studio.free(event) == ["09:00", "10:00", "12:00"]
    studio.open(private_before=15 * 60)
    assert studio.free(event) == ["09:00", "12:00"]
    studio.open(private_before=0, private_after=30 * 60)
    assert studio.free(event) == ["09:00", "10:00"]


def test_a_job_type_keeps_its_own_time_free_around_its_sessions(studio: Studio) -> None:
    studio.open(buffers={"wedding": [3600, 7200]})
    weddings, minis = studio.event("Weddings", job_type="wedding"), studio.event("Minis")
    studio.book(weddings, "10:00")
    assert studio.free(minis) == []
    assert studio.free(weddings) == []
