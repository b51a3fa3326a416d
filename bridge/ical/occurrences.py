"""When an object happens: the occurrences of its VEVENTs as seconds since 1970.

Exact over overrides (moved in or out of the window, RANGE=THISANDFUTURE), EXDATE, RDATE with dates,
times and periods, all-day and floating events in the reader's zone, DURATION, zero length and no end.
The rules are those of recurring-ical-events, the oracle of the property test; where the two differ, a
comment says so. As there, an event's length is wall time: 22:00-06:00 stays so across a clock change.

Work is bounded: a rule by ``recurrence.STEPS``, one answer by ``MOST`` occurrences.
Components other than VEVENT have no occurrences here.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import islice

from bridge.errors import Invalid
from bridge.ical.recurrence import Rule
from bridge.ical.text import Component, tree
from bridge.ical.times import EPOCH, Moment, parse_duration, parse_moment, seconds, shifted
from bridge.ical.zones import Zones

#: Occurrences in one answer; an hourly event of two years. Later ones in the window are left out.
MOST = 20_000

_ZERO = timedelta(0)
_DAY = timedelta(days=1)
#: No zone is further from UTC; bounds a window in wall time.
_OFFSETS = timedelta(days=1, hours=2)


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """One occurrence: ``[starts, ends)`` in seconds since 1970, equal for zero length.

    ``recurrence_id`` names the instance in its series (None if the object does not repeat): UTC form
    ``20240501T100000Z``, or ``20240501`` for all-day and ``20240501T100000`` for floating events.
    ``component`` is the index, among the object's VEVENTs, of the one that describes this occurrence.
    """

    starts: int
    ends: int
    recurrence_id: str | None = None
    all_day: bool = False
    component: int = 0


@dataclass(slots=True)
class _Event:
    """The times of one VEVENT."""

    index: int
    start: Moment
    length: timedelta  # wall time
    instance: Moment | None  # RECURRENCE-ID
    and_future: bool
    sequence: int

    @property
    def span(self) -> tuple[int, int]:
        return self.at(self.start.wall, self.length)

    def at(self, wall: datetime, length: timedelta) -> tuple[int, int]:
        starts = self.start.at(wall)
        return starts, starts if length == _ZERO else max(starts, self.start.at(shifted(wall, length)))


@dataclass(slots=True)
class _Series:
    """An object's times: the master's rules, and its overrides by instant and by wall time."""

    master: _Event | None = None
    rules: list[Rule] = field(default_factory=list)
    extra: dict[datetime, timedelta | None] = field(default_factory=dict)  # RDATE in the master's wall time
    excluded: set[int] = field(default_factory=set)
    excluded_walls: set[datetime] = field(default_factory=set)
    excluded_days: set[datetime] = field(default_factory=set)
    overrides: dict[int, _Event] = field(default_factory=dict)

    @property
    def recurring(self) -> bool:
        return bool(self.rules or self.extra or self.overrides)


def occurrences(source: str | Component, start: int, end: int, zone: tzinfo) -> list[Span]:
    """The occurrences that overlap ``[start, end)`` (seconds since 1970), ordered by time.

    One of zero length counts if it lies in the window. ``zone`` is that of all-day and floating events.
    At most ``MOST``. Raises ``Invalid`` if DTSTART or a rule can't be read.
    """
    series = _read(tree(source), zone)
    return sorted(islice(_between(series, start, end), MOST))


def enclosing(source: str | Component, zone: tzinfo) -> tuple[int | None, int | None, bool]:
    """``(starts, ends, recurring)``: a range that holds every occurrence, in seconds since 1970.

    ``starts`` is None if the object has no VEVENT with a time; ``ends`` is None, beside a start, if the
    series has no end (or a COUNT too large to count). ``recurring``: more than one plain event.
    """
    series = _read(tree(source), zone)
    spans = [event.span for event in series.overrides.values()]
    endless = False
    if series.master is not None:
        spans.append(series.master.span)
        length = max([series.master.length, *(e.length for e in series.overrides.values() if e.and_future)])
        moves = [_moved_by(event) for event in series.overrides.values() if event.and_future] + [_ZERO]
        for wall, own in series.extra.items():
            spans.append(series.master.at(wall, length if own is None else own))
        for rule in series.rules:
            last = _last(rule, series.master)
            if last is None:
                endless = True
            else:
                for move in moves:
                    spans.append(series.master.at(shifted(last, move), length))
        first = shifted(series.master.start.wall, min(moves))
        spans.append(series.master.at(first, _ZERO))
    if not spans:
        return None, None, False
    return min(s for s, _ in spans), None if endless else max(e for _, e in spans), series.recurring


# --- reading ----------------------------------------------------------------------------------------


def _read(calendar: Component, zone: tzinfo) -> _Series:
    zones = Zones(calendar, zone)
    series = _Series()
    master_lines: Component | None = None
    for index, component in enumerate(calendar.components("VEVENT")):
        event = _event(component, index, zones)
        if event is None:
            continue
        if event.instance is None:
            if series.master is None or event.sequence > series.master.sequence:
                series.master, master_lines = event, component
        else:
            key = event.instance.instant
            known = series.overrides.get(key)
            if known is None or event.sequence > known.sequence:
                series.overrides[key] = event
    if series.master is not None and master_lines is not None:
        _read_rules(series, series.master, master_lines, zones)
    return series


def _moment(component: Component, name: str, zones: Zones) -> Moment | None:
    line = component.first(name)
    if line is None or not line.value.strip():
        return None
    return parse_moment(line.value, line.param("TZID"), zones.get, zones.fallback)


def _event(component: Component, index: int, zones: Zones) -> _Event | None:
    instance = _moment(component, "RECURRENCE-ID", zones)
    start = _moment(component, "DTSTART", zones) or instance
    if start is None:
        return None
    end = _moment(component, "DTEND", zones)
    duration = component.value("DURATION")
    if end is not None:
        # in another zone than DTSTART only the time that passes can be compared
        if end.zone is start.zone:
            length = end.wall - start.wall
        else:
            length = timedelta(seconds=end.instant - start.instant)
    elif duration is not None:
        length = parse_duration(duration)
    else:
        length = _DAY if start.is_date else _ZERO
    sequence = (component.value("SEQUENCE") or "").strip()
    named = component.first("RECURRENCE-ID")
    return _Event(
        index=index,
        start=start,
        length=max(length, _ZERO),  # recurring-ical-events swaps an end before the start; we drop the end
        instance=instance,
        and_future=named is not None and (named.param("RANGE") or "").upper() == "THISANDFUTURE",
        sequence=int(sequence) if sequence.isdecimal() else -1,
    )


def _read_rules(series: _Series, master: _Event, component: Component, zones: Zones) -> None:
    for item in component.items:
        if isinstance(item, Component):
            continue
        if item.name == "RRULE":
            series.rules.append(Rule.parse(item.value))
        elif item.name in ("RDATE", "EXDATE"):
            for value in filter(None, (part.strip() for part in item.value.split(","))):
                head, _, tail = value.partition("/")
                moment = parse_moment(head, item.param("TZID"), zones.get, zones.fallback)
                if item.name == "RDATE":
                    own = _period_length(moment, tail, zones, item.param("TZID")) if tail else None
                    series.extra[_wall_like(moment, master.start)] = own
                elif moment.is_date:
                    series.excluded_days.add(moment.wall)
                else:
                    series.excluded.add(moment.instant)
                    if moment.floating or master.start.floating:
                        series.excluded_walls.add(moment.wall)


def _period_length(start: Moment, end: str, zones: Zones, tzid: str | None) -> timedelta:
    if end[:1] in "+-Pp":
        return max(parse_duration(end), _ZERO)
    until = parse_moment(end, tzid, zones.get, zones.fallback)
    if until.zone is start.zone:
        return max(until.wall - start.wall, _ZERO)
    return timedelta(seconds=max(until.instant - start.instant, 0))


def _wall_like(moment: Moment, model: Moment) -> datetime:
    """A moment as wall time in the series' own zone."""
    if moment.zone is model.zone or moment.floating:
        return moment.wall
    try:
        return moment.wall.replace(tzinfo=moment.zone).astimezone(model.zone).replace(tzinfo=None, fold=0)
    except OverflowError:
        return moment.wall


# --- expanding --------------------------------------------------------------------------------------


def _wall_window(start: int, end: int, zone: tzinfo) -> tuple[datetime, datetime]:
    """A window in wall time that holds ``[start, end]`` whatever the zone's offset."""
    limit = int((datetime.max - EPOCH).total_seconds())
    low = int((datetime.min - EPOCH).total_seconds())
    floor = EPOCH + timedelta(seconds=min(max(start, low), limit))
    ceiling = EPOCH + timedelta(seconds=min(max(end, low), limit))
    margin = _ZERO if zone is UTC else _OFFSETS
    return shifted(floor, -margin), shifted(ceiling, margin)


def _within(span: tuple[int, int], start: int, end: int) -> bool:
    starts, ends = span
    return start <= starts < end if starts == ends else starts < end and start < ends


def _between(series: _Series, start: int, end: int) -> Iterator[Span]:
    master = series.master
    if master is not None and not series.recurring:
        if _within(master.span, start, end) and not _is_excluded(
            series, master.start.wall, master.start.instant
        ):
            yield Span(*master.span, None, master.start.is_date, master.index)
        return
    for key, event in series.overrides.items():
        if key not in series.excluded and _within(event.span, start, end):
            yield Span(
                *event.span,
                _instance_name(event.instance or event.start, key),
                event.start.is_date,
                event.index,
            )
    if master is None:
        return
    followers = sorted((key, event) for key, event in series.overrides.items() if event.and_future)
    keys = [key for key, _ in followers]
    # an occurrence that reaches into the window may have begun, or have been moved from, outside of it
    governing = [master, *(event for _, event in followers)]
    lengths = [event.length for event in governing] + [own for own in series.extra.values() if own]
    moves = [_moved_by(event) for _, event in followers] + [_ZERO]
    floor, ceiling = _wall_window(start, end, master.start.zone)
    floor = shifted(floor, -max(lengths) - max(moves))
    ceiling = shifted(ceiling, -min(moves))
    for wall in _walls(series, master, floor, ceiling):
        key = master.start.at(wall)
        if key in series.overrides or _is_excluded(series, wall, key):
            continue
        position = bisect_left(keys, key)
        event = governing[position]
        begins = shifted(wall, moves[position - 1]) if position else wall
        length = series.extra.get(wall) or event.length
        span = master.at(begins, length)
        if _within(span, start, end):
            yield Span(*span, _instance_name(master.start, key, wall), master.start.is_date, event.index)


def _moved_by(event: _Event) -> timedelta:
    """How far RANGE=THISANDFUTURE shifts the instances that follow."""
    if event.instance is None:
        return _ZERO
    if event.instance.zone is event.start.zone:
        return event.start.wall - event.instance.wall
    return timedelta(seconds=event.start.instant - event.instance.instant)


def _walls(series: _Series, master: _Event, floor: datetime, ceiling: datetime) -> Iterator[datetime]:
    """The wall times of DTSTART, RDATE and every RRULE within the window, each once."""
    seen: set[datetime] = set()
    untils = [_until(rule, master.start) for rule in series.rules]
    finite = [until for until in untils if until is not None]
    # DTSTART counts even where it does not fit the rule, unless every UNTIL lies before it
    fixed = [] if finite and master.start.wall > max(finite) else [master.start.wall]
    for wall in (*fixed, *series.extra):
        if floor <= wall <= ceiling and wall not in seen:
            seen.add(wall)
            yield wall
    for rule, until in zip(series.rules, untils, strict=True):
        last = ceiling if until is None else min(ceiling, until)
        for wall in rule.instances(master.start.wall, floor, last):
            if wall not in seen:
                seen.add(wall)
                yield wall


def _until(rule: Rule, start: Moment) -> datetime | None:
    """UNTIL as wall time in DTSTART's zone.

    It should be a DATE for all-day events, floating for floating ones, else UTC (RFC 5545 3.3.10). What
    does not fit is read as recurring-ical-events does: of the value only the date counts for all-day
    events, only the wall time for floating ones; a DATE means the beginning of that day.
    """
    if rule.until is None:
        return None
    until = parse_moment(rule.until, None, lambda _tzid: start.zone, start.zone)
    if start.is_date:
        return until.wall.replace(hour=0, minute=0, second=0)
    return until.wall if start.floating else _wall_like(until, start)


def _last(rule: Rule, master: _Event) -> datetime | None:
    """The rule's last wall time; None if it has none, or none that can be found within bounds."""
    start = master.start.wall
    until = _until(rule, master.start)
    if until is None and rule.count is None:
        return None
    ceiling = datetime.max if until is None else until
    if rule.count is not None:
        times = 0
        last = start
        for last in rule.instances(start, start, ceiling):  # noqa: B007 - the last one is wanted
            times += 1
        return last if times >= rule.count or until is not None or times == 0 else None
    back = timedelta(days=7)
    while True:  # look back from UNTIL, ever further
        floor = max(start, shifted(ceiling, -back))
        found = list(islice(rule.instances(start, floor, ceiling), MOST))
        if len(found) == MOST:
            return ceiling
        if found or floor == start:
            return found[-1] if found else start
        back *= 4


def _is_excluded(series: _Series, wall: datetime, key: int) -> bool:
    return (
        key in series.excluded
        or wall in series.excluded_walls
        or wall.replace(hour=0, minute=0, second=0) in series.excluded_days
    )


def _instance_name(model: Moment, key: int, wall: datetime | None = None) -> str:
    wall = model.wall if wall is None else wall
    if model.is_date:
        return f"{wall.year:04}{wall:%m%d}"
    if model.floating:
        return f"{wall.year:04}{wall:%m%dT%H%M%S}"
    utc = EPOCH + timedelta(seconds=key)
    return f"{utc.year:04}{utc:%m%dT%H%M%S}Z"
