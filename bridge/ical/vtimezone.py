"""VTIMEZONE both ways (RFC 5545 3.6.5): the rules of a custom one as a ``tzinfo``, and the compact
definition that we write beside an IANA TZID.

Which TZID is read with which definition is left to ``zones``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import islice
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bridge.errors import Invalid
from bridge.ical.recurrence import WEEKDAYS, Rule
from bridge.ical.text import Component, escape, parse
from bridge.ical.times import parse_moment, parse_offset, shifted

#: A definition's rules are followed to this year; later times keep the last offset.
LAST_YEAR = 2200
#: No honest definition has more changes of offset.
MOST_ONSETS = 2000

_ZERO = timedelta(0)
_DAY = timedelta(days=1)
_ORIGIN = datetime(1970, 1, 1)  # noqa: DTZ001 - wall time
_MODERN = datetime(1950, 1, 1)  # noqa: DTZ001
_EARLIEST, _LATEST = date(1900, 1, 1), date(9970, 12, 31)
_STEP = timedelta(days=4)  # no zone changes its offset twice within this
_PATTERN = timedelta(days=5 * 366)  # what it takes to see a yearly pattern


class Onset(NamedTuple):
    """A change of offset: ``utc`` is when (naive), ``wall`` the local time it happens at, before it."""

    utc: datetime
    before: timedelta
    after: timedelta
    name: str
    daylight: bool

    @property
    def wall(self) -> datetime:
        return self.utc + self.before


# --- reading ----------------------------------------------------------------------------------------


class CustomZone(tzinfo):
    """The zone that a VTIMEZONE's own rules describe. Immutable; gaps and overlaps as in PEP 495."""

    def __init__(self, tzid: str, onsets: list[Onset]):
        self.tzid = tzid
        self._onsets = onsets
        self._utc = [onset.utc for onset in onsets]
        # wall times from which the new offset holds: for the first reading of a time (fold 0) it begins
        # when both clocks have passed the onset, for the second (fold 1) as soon as either has
        self._first = [shifted(onset.utc, max(onset.before, onset.after)) for onset in onsets]
        self._second = [shifted(onset.utc, min(onset.before, onset.after)) for onset in onsets]

    def __repr__(self) -> str:
        return f"CustomZone({self.tzid!r})"

    def _at(self, walls: list[datetime], moment: datetime) -> timedelta:
        index = bisect_right(walls, moment) - 1
        return self._onsets[index].after if index >= 0 else self._onsets[0].before

    def utcoffset(self, when: datetime | None) -> timedelta | None:
        if when is None:
            return None
        return self._at(self._second if when.fold else self._first, when.replace(tzinfo=None, fold=0))

    def dst(self, when: datetime | None) -> timedelta | None:  # noqa: ARG002 - nobody needs to know
        return _ZERO

    def tzname(self, when: datetime | None) -> str:  # noqa: ARG002
        return self.tzid

    def fromutc(self, when: datetime) -> datetime:
        utc = when.replace(tzinfo=None, fold=0)
        wall = utc + self._at(self._utc, utc)
        first = wall - self._at(self._first, wall) == utc
        return wall.replace(tzinfo=self, fold=0 if first else 1)


@lru_cache(maxsize=512)
def read_vtimezone(text: str) -> CustomZone:
    """The zone that one VTIMEZONE component describes; cached by its text alone, never by its name.

    Raises ``Invalid`` if it has no usable observance."""
    component = parse(f"BEGIN:VCALENDAR\r\n{text.rstrip()}\r\nEND:VCALENDAR\r\n")
    definition = next(component.components("VTIMEZONE"))
    onsets: list[Onset] = []
    for observance in definition.components():
        if observance.name in ("STANDARD", "DAYLIGHT"):
            onsets.extend(_onsets(observance))
    if not onsets:
        raise Invalid("The VTIMEZONE defines no offset.", "valid-calendar-data")
    onsets.sort()
    return CustomZone(definition.value("TZID") or "", onsets)


def _onsets(observance: Component) -> Iterator[Onset]:
    before = parse_offset(observance.value("TZOFFSETFROM") or "")
    after = parse_offset(observance.value("TZOFFSETTO") or "")
    start = parse_moment(observance.value("DTSTART") or "", None, _no_zone, UTC).wall
    walls = {start}
    for line in observance.lines("RDATE"):
        walls.update(
            parse_moment(item.partition("/")[0], None, _no_zone, UTC).wall for item in line.value.split(",")
        )
    last = datetime(LAST_YEAR, 1, 1)  # noqa: DTZ001 - local to the definition
    for line in observance.lines("RRULE"):
        rule = Rule.parse(line.value)
        until = last
        if rule.until:
            limit = parse_moment(rule.until, None, _no_zone, UTC)
            # UNTIL is in UTC; some write it in local time, without the Z
            until = min(last, limit.wall if limit.floating else shifted(limit.wall, before))
        # Outlook's rules begin in 1601; nobody asks for the offset of those days
        walls.update(islice(rule.instances(start, max(start, _MODERN), until), MOST_ONSETS))
    name, daylight = observance.value("TZNAME") or "", observance.name == "DAYLIGHT"
    return (Onset(shifted(wall, -before), before, after, name, daylight) for wall in walls)


def _no_zone(_tzid: str) -> tzinfo:
    return UTC


# --- writing ----------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def vtimezone(zone: str, first: date, last: date) -> str:
    """A VTIMEZONE with CRLF for an IANA zone, right from ``first`` to ``last`` inclusive at least (within the
    years 1900 to 9970; what holds there is taken to hold beyond).

    Changes of offset that follow a yearly pattern become one RRULE (open-ended if the pattern still
    holds ten years after); the others are listed by RDATE. A zone with nothing but summer and winter gets
    the two observances that every client understands, as if they had always been.
    """
    info = ZoneInfo(zone)
    first, last = (min(max(day, _EARLIEST), _LATEST) for day in (first, last))
    begin = datetime(first.year, first.month, first.day) - 2 * _DAY  # noqa: DTZ001
    end = datetime(last.year, last.month, last.day) + 3 * _DAY  # noqa: DTZ001
    end = max(end, begin + _PATTERN)
    lines = ["BEGIN:VTIMEZONE", f"TZID:{zone}"]
    patterns = list(_patterns(info, list(_changes(info, begin, end)), end))
    if len(patterns) == 2 and all(rule and "UNTIL" not in rule for _, rule in patterns):
        for group, rule in patterns:
            lines += _observance(_backdated(group[0], rule or ""), [], rule)
    else:
        lines += _observance(_initial(info, begin), [], None)
        for group, rule in patterns:
            lines += _observance(group[0], group[1:], rule)
    lines.append("END:VTIMEZONE")
    return "\r\n".join(lines) + "\r\n"


def _backdated(onset: Onset, rule: str) -> Onset:
    """The same change in the first year of the epoch, where such definitions customarily begin."""
    start = min(onset.wall, _ORIGIN.replace(hour=onset.wall.hour, minute=onset.wall.minute))
    wall = next(Rule.parse(rule).instances(start, start, onset.wall))
    return onset._replace(utc=wall - onset.before)


def _state(info: ZoneInfo, utc: datetime) -> tuple[timedelta, str, bool]:
    local = utc.replace(tzinfo=UTC).astimezone(info)
    offset, name, dst = local.utcoffset() or _ZERO, local.tzname() or "", local.dst() or _ZERO
    # RFC 5545 knows no negative saving; Ireland's winter "DST" of -1 h is its standard time
    return offset, name, dst > _ZERO


def _initial(info: ZoneInfo, begin: datetime) -> Onset:
    offset, name, daylight = _state(info, begin)
    return Onset(min(_ORIGIN, begin) - offset, offset, offset, name, daylight)


def _changes(info: ZoneInfo, begin: datetime, end: datetime) -> Iterator[Onset]:
    """The changes of offset within [begin, end) in UTC, found by halving each step that holds one."""
    at, state = begin, _state(info, begin)
    while at < end:
        after = at + _STEP
        following = _state(info, after)
        if following != state:
            low, high = at, after
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) // 2
                middle = middle.replace(microsecond=0)
                if _state(info, middle) == state:
                    low = middle
                else:
                    high = middle
            following = _state(info, high)
            yield Onset(high, state[0], following[0], following[1], following[2])
            after = high
        at, state = after, following


def _patterns(info: ZoneInfo, onsets: list[Onset], end: datetime) -> Iterator[tuple[list[Onset], str | None]]:
    """Group the changes: each group of like changes in one observance, with the RRULE that makes it."""
    alike: dict[tuple[object, ...], list[Onset]] = {}
    for onset in onsets:
        key = (onset.before, onset.after, onset.name, onset.daylight)
        alike.setdefault(key, []).append(onset)
    for group in alike.values():
        while group:
            run, rule = _yearly_run(group)
            if rule is None:
                run = _irregular(group)
                yield run, None
            else:
                final = run[-1]
                lasts = final is group[-1] and final.wall.year >= (end - 3 * _DAY).year - 1
                if not (lasts and _goes_on(info, final, rule, end)):
                    # a day late: some readers (dateutil) take UNTIL for local time and would drop the last
                    rule += f";UNTIL={final.utc + _DAY:%Y%m%dT%H%M%SZ}"
                yield run[:1], rule
            group = group[len(run) :]


def _yearly_run(group: list[Onset]) -> tuple[list[Onset], str | None]:
    """The longest run of the group's first changes, three at least, that one yearly rule makes."""
    best: tuple[list[Onset], str | None] = (group[:1], None)
    if len(group) < 3:
        return best
    first = group[0].wall
    month, day, weekday = first.month, first.day, first.weekday()
    length = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - first.replace(day=1)
    code = WEEKDAYS[weekday]
    candidates = [f"BYDAY=-1{code}"] if day > length.days - 7 else []
    candidates.append(f"BYDAY={(day - 1) // 7 + 1}{code}")
    # "the weekday on or after the n-th": seven days of the month, the change is on one of them
    for begin in range(max(1, day - 6), min(day, length.days - 6) + 1):
        candidates.append(f"BYMONTHDAY={','.join(str(begin + i) for i in range(7))};BYDAY={code}")
    candidates.append(f"BYMONTHDAY={day}")
    for candidate in candidates:
        rule = f"FREQ=YEARLY;BYMONTH={month};{candidate}"
        made = list(Rule.parse(rule).instances(first, first, group[-1].wall + 366 * _DAY))
        size = 0
        while size < min(len(group), len(made)) and group[size].wall == made[size]:
            size += 1
        if size >= 3 and size > len(best[0]):
            best = (group[:size], rule)
    return best


def _irregular(group: list[Onset]) -> list[Onset]:
    """The group's first changes up to where a yearly rule begins to hold."""
    size = 1
    while size < len(group) and _yearly_run(group[size:])[1] is None:
        size += 1
    return group[:size]


def _goes_on(info: ZoneInfo, final: Onset, rule: str, end: datetime) -> bool:
    """Does the rule still make the zone's changes in the ten years after?"""
    later = end + 3653 * _DAY
    expected = [
        onset.wall
        for onset in _changes(info, end, later)
        if (onset.before, onset.after) == (final.before, final.after)
    ]
    return list(Rule.parse(rule).instances(final.wall, end + _DAY, later)) == [
        wall for wall in expected if wall >= end + _DAY
    ]


def _observance(onset: Onset, more: list[Onset], rule: str | None) -> list[str]:
    kind = "DAYLIGHT" if onset.daylight else "STANDARD"
    lines = [f"BEGIN:{kind}", f"DTSTART:{onset.wall:%Y%m%dT%H%M%S}"]
    if rule:
        lines.append(f"RRULE:{rule}")
    lines += [f"RDATE:{other.wall:%Y%m%dT%H%M%S}" for other in more]
    if onset.name:
        lines.append(f"TZNAME:{escape(onset.name)}")
    lines += [f"TZOFFSETFROM:{_offset(onset.before)}", f"TZOFFSETTO:{_offset(onset.after)}", f"END:{kind}"]
    return lines


def _offset(length: timedelta) -> str:
    total = int(length.total_seconds())
    sign, total = ("-", -total) if total < 0 else ("+", total)
    text = f"{sign}{total // 3600:02}{total // 60 % 60:02}"
    return text + (f"{total % 60:02}" if total % 60 else "")
