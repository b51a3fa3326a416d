"""When two VTIMEZONEs say the same.

Apple, Google and Microsoft write the same zone in different words: with history or without, by rule or
by a list of dates. So definitions are compared by what clocks do in the years that matter. Telling the
time in a zone is left to ``zones``.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bridge.errors import Invalid
from bridge.ical.moments import definition_value
from bridge.ical.recurrence import Rule
from bridge.ical.text import Component
from bridge.ical.times import parse_moment, parse_offset


def definition(calendar: Component, tzid: str) -> Component | None:
    """The VTIMEZONE of that TZID."""
    for zone in calendar.components("VTIMEZONE"):
        if zone.value("TZID") == tzid:
            return zone
    return None


def same_rules(one: Component, other: Component, first: int, last: int) -> bool:
    """Whether clocks under both definitions agree throughout the years ``first`` to ``last``."""
    if definition_value(one) == definition_value(other):
        return True
    try:
        return _offsets(one, first, last) == _offsets(other, first, last)
    except Invalid:
        return False


def _offsets(zone: Component, first: int, last: int) -> list[tuple[datetime, timedelta]]:
    """The offset at the start of the first year and every change up to the end of the last, in UTC."""
    start, end = datetime(first, 1, 1), datetime(last + 1, 1, 1)  # noqa: DTZ001 - UTC, kept naive
    changes: list[tuple[datetime, timedelta, timedelta]] = []
    for part in zone.components():
        before, after = (
            parse_offset(part.value("TZOFFSETFROM") or ""),
            parse_offset(part.value("TZOFFSETTO") or ""),
        )
        changes += [(wall - before, before, after) for wall in _onsets(part, before, start, end)]
    changes.sort(key=lambda change: change[0])
    offset = changes[0][1] if changes else timedelta(0)
    opening, kept = offset, []
    for moment, _, after in changes:
        if moment <= start:
            opening = offset = after
        elif moment < end and after != offset:
            kept.append((moment, after))
            offset = after
    return [(start, opening), *kept]


def _onsets(part: Component, before: timedelta, start: datetime, end: datetime) -> list[datetime]:
    """The wall times at which a STANDARD or DAYLIGHT part begins: its first, and those near the window."""
    onset = _wall(part.value("DTSTART") or "")
    found = [onset]
    for line in part.lines("RDATE"):
        found += [_wall(item.partition("/")[0]) for item in line.value.split(",")]
    for line in part.lines("RRULE"):
        rule = Rule.parse(line.value)
        floor, ceiling = start - timedelta(days=400), end
        if rule.until is not None:
            until = _wall(rule.until) + (before if rule.until.upper().endswith("Z") else timedelta(0))
            ceiling = min(ceiling, until)
            floor = onset if until < start else floor  # the last one holds for ever after
        found += rule.instances(onset, floor, ceiling)
    return found


def _wall(value: str) -> datetime:
    return parse_moment(value, None, lambda _: UTC, UTC).wall
