"""Every IANA zone over every transition of 2020 to 2037: what goes there and comes back is unchanged.

*There* is any reader that knows nothing but our VTIMEZONE: the zone gets a name that nobody knows, so its
definition alone counts. *Back* is the same moment, wall time and date.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pytest

from bridge.ical.build import booking_text, moved
from bridge.ical.fields import changed
from bridge.ical.occurrences import enclosing
from bridge.ical.text import parse
from bridge.ical.vtimezone import read_vtimezone, vtimezone

FIRST, LAST = date(2020, 1, 1), date(2037, 12, 31)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ZONES = sorted(
    name
    for name in available_timezones() - {"Factory", "posixrules", "localtime"}
    if not name.startswith(("right/", "posix/", "SystemV/"))
)
SLICES = 8


@cache
def transitions(name: str) -> tuple[datetime, ...]:
    """The moments at which the offset changes, found by halving weeks."""
    info = ZoneInfo(name)
    found: list[datetime] = []
    at = datetime(FIRST.year, 1, 1, tzinfo=UTC)
    while at.year <= LAST.year:
        after = at + timedelta(days=7)
        offset = at.astimezone(info).utcoffset()
        while offset != after.astimezone(info).utcoffset():
            low, high = at, after
            while high - low > timedelta(seconds=1):
                middle = (low + (high - low) / 2).replace(microsecond=0)
                if middle.astimezone(info).utcoffset() == offset:
                    low = middle
                else:
                    high = middle
            found.append(high)
            at, offset = high, high.astimezone(info).utcoffset()
        at = after
    return tuple(found)


def behaviours() -> list[str]:
    """One zone for each way that clocks go in these years: most names are old names of others."""
    known: dict[object, str] = {}
    for name in ZONES:
        info = ZoneInfo(name)
        changes = transitions(name)
        offsets = tuple(
            at.astimezone(info).utcoffset() for at in (datetime(2020, 1, 1, tzinfo=UTC), *changes)
        )
        known.setdefault((changes, offsets), name)
    return list(known.values())


@pytest.mark.parametrize("part", range(SLICES))
def test_every_zone_over_every_transition_there_and_back(part: int) -> None:
    for name in ZONES[part::SLICES]:
        info = ZoneInfo(name)
        there = read_vtimezone(vtimezone(name, FIRST, LAST))
        for transition in transitions(name):
            for moment in (
                transition - DAY,
                transition - HOUR,
                transition - timedelta(seconds=1),
                transition,
            ):
                wall = moment.astimezone(there).replace(tzinfo=None)
                assert wall == moment.astimezone(info).replace(tzinfo=None), (name, moment)
                for fold in (0, 1):
                    again = wall.replace(fold=fold)
                    assert there.utcoffset(again) == info.utcoffset(again), (name, again)
            after = (transition + HOUR).astimezone(there).replace(tzinfo=None)
            assert after == (transition + HOUR).astimezone(info).replace(tzinfo=None), (name, transition)


@pytest.mark.parametrize("part", range(SLICES))
def test_a_booking_at_every_transition_is_read_alike_with_and_without_the_name(part: int) -> None:
    """Timed and all day, and moved there and back.

    No end lies in an hour that comes twice: as a wall time it means the first one (RFC 5545 3.3.5).
    """
    for name in behaviours()[part::SLICES]:
        info = ZoneInfo(name)
        for transition in transitions(name) or (datetime(2030, 6, 1, 12, tzinfo=UTC),):
            start = (transition - 4 * HOUR).astimezone(info)
            text = booking_text("1@zone", "Shoot", start, duration=8 * HOUR, zone=info, now=NOW)
            expected = (int(start.timestamp()), int(start.timestamp()) + 8 * 3600)
            assert enclosing(text, UTC)[:2] == expected, name
            if f"TZID:{name}\r\n" in text:
                nameless = text.replace(f"TZID:{name}\r\n", "TZID:Nowhere\r\n").replace(
                    f"TZID={name}:", "TZID=Nowhere:"
                )
                assert enclosing(nameless, UTC)[:2] == expected, name
            away = moved(text, start + DAY, None, NOW, info)
            assert changed(text, away)
            assert not changed(text, moved(away, start, None, NOW, info)), name

            day = transition.astimezone(info).date()
            whole = booking_text("2@zone", "Fair", day, end=day + DAY, zone=info, now=NOW)
            assert f"DTSTART;VALUE=DATE:{day:%Y%m%d}\r\n" in whole
            assert parse(whole).serialize() == whole
            begin = datetime(day.year, day.month, day.day, tzinfo=info)
            assert enclosing(whole, info)[0] == int(begin.timestamp()), name
            assert not changed(whole, moved(moved(whole, day + DAY, None, NOW, info), day, None, NOW, info))
