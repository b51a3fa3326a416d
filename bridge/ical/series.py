"""What one object says about its times: the master's rules, additions and exceptions, and the overrides.

Only reading; ``occurrences`` expands it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo

from bridge.ical.recurrence import Rule
from bridge.ical.text import Component
from bridge.ical.times import Moment, parse_duration, parse_moment, seconds, shifted
from bridge.ical.zones import Zones

ZERO = timedelta(0)
_DAY = timedelta(days=1)


@dataclass(slots=True)
class Event:
    """The times of one VEVENT. ``index`` counts the object's VEVENTs; ``length`` is wall time."""

    index: int
    start: Moment
    length: timedelta
    instance: Moment | None  # RECURRENCE-ID
    and_future: bool
    sequence: int

    @property
    def span(self) -> tuple[int, int]:
        """``[starts, ends)`` in seconds since 1970."""
        return self.at(self.start.wall, self.length)

    def at(self, wall: datetime, length: timedelta) -> tuple[int, int]:
        """The same for another wall time and length in the same zone."""
        starts = self.start.at(wall)
        return starts, starts if length == ZERO else max(starts, self.start.at(shifted(wall, length)))

    def fringe(self, wall: datetime, length: timedelta) -> tuple[int, int]:
        """A span that holds ``at(wall, length)``, and what it would be without a gap in the hours before.

        Where clocks go forward, 02:50 is read as a later moment than 03:10: of several instances in such a
        night the first by wall time need not be the first, nor the last the last."""
        starts, ends = self.at(wall, length)
        last = shifted(wall, length)
        day_before = shifted(last, -_DAY)
        elapsed = (last - day_before) // timedelta(seconds=1)
        early = seconds(wall, self.start.zone, fold=1)
        return min(starts, early), max(ends, self.start.at(day_before) + elapsed)

    @property
    def moved_by(self) -> timedelta:
        """How far an override's start is from its RECURRENCE-ID: RANGE=THISANDFUTURE shifts all that
        follow by as much."""
        if self.instance is None:
            return ZERO
        return _between(self.instance, self.start)


@dataclass(slots=True)
class Series:
    """An object's times. Instants are seconds since 1970, walls are in the master's zone.

    ``extra`` maps RDATEs to their own length, if they are PERIODs; ``overrides`` are by the instant of
    the instance that they replace.
    """

    master: Event | None = None
    rules: list[Rule] = field(default_factory=list)
    extra: dict[datetime, timedelta | None] = field(default_factory=dict)
    excluded: set[int] = field(default_factory=set)
    excluded_walls: set[datetime] = field(default_factory=set)
    excluded_days: set[datetime] = field(default_factory=set)
    overrides: dict[int, Event] = field(default_factory=dict)

    @property
    def recurring(self) -> bool:
        return bool(self.rules or self.extra or self.overrides)

    def excludes(self, wall: datetime, instant: int) -> bool:
        """Is this instance of the master taken out by EXDATE? A DATE takes out all of its day."""
        return (
            instant in self.excluded
            or wall in self.excluded_walls
            or (bool(self.excluded_days) and _midnight(wall) in self.excluded_days)
        )

    def drops(self, override: Event, instant: int) -> bool:
        """Is this override taken out by EXDATE? A DATE only takes out those of all-day series."""
        if instant in self.excluded:
            return True
        instance = override.instance
        return instance is not None and (
            instance.wall in self.excluded_walls or (instance.is_date and instance.wall in self.excluded_days)
        )


def read(calendar: Component, zone: tzinfo) -> Series:
    """The times of all VEVENTs; ``zone`` is that of dates and floating times. Of several components for
    the same instance the one with the highest SEQUENCE counts. Raises ``Invalid``."""
    zones = Zones(calendar, zone)
    series = Series()
    overrides: list[Event] = []
    lines: Component | None = None
    for index, component in enumerate(calendar.components("VEVENT")):
        event = _event(component, index, zones)
        if event is None:
            continue
        if event.instance is not None:
            overrides.append(event)
        elif series.master is None or event.sequence > series.master.sequence:
            series.master, lines = event, component
    for event in overrides:
        key = _instance_key(event, series.master)
        known = series.overrides.get(key)
        if known is None or event.sequence > known.sequence:
            series.overrides[key] = event
    if series.master is not None and lines is not None:
        _read_rules(series, series.master, lines, zones)
    return series


def _instance_key(event: Event, master: Event | None) -> int:
    instance = event.instance or event.start
    # a RECURRENCE-ID without zone is one of the master's own wall times
    model = master.start if instance.floating and master is not None else instance
    return model.at(instance.wall)


def _moment(component: Component, name: str, zones: Zones) -> Moment | None:
    line = component.first(name)
    if line is None or not line.value.strip():
        return None
    return parse_moment(line.value, line.param("TZID"), zones.get, zones.fallback)


def _event(component: Component, index: int, zones: Zones) -> Event | None:
    instance = _moment(component, "RECURRENCE-ID", zones)
    start = _moment(component, "DTSTART", zones) or instance
    if start is None:
        return None
    end = _moment(component, "DTEND", zones)
    duration = component.value("DURATION")
    if end is not None:
        length = _between(start, end)
    elif duration is not None:
        length = parse_duration(duration)
    else:
        length = _DAY if start.is_date else ZERO
    sequence = (component.value("SEQUENCE") or "").strip()
    named = component.first("RECURRENCE-ID")
    return Event(
        index=index,
        start=start,
        length=max(length, ZERO),  # recurring-ical-events swaps an end before the start; we drop the end
        instance=instance,
        and_future=named is not None and (named.param("RANGE") or "").upper() == "THISANDFUTURE",
        sequence=int(sequence) if sequence.isdecimal() and len(sequence) < 10 else -1,
    )


def _read_rules(series: Series, master: Event, component: Component, zones: Zones) -> None:
    for line in component.lines():
        if line.name == "RRULE":
            series.rules.append(Rule.parse(line.value))
        elif line.name in ("RDATE", "EXDATE"):
            tzid = line.param("TZID")
            for value in filter(None, (part.strip() for part in line.value.split(","))):
                head, _, tail = value.partition("/")
                moment = parse_moment(head, tzid, zones.get, zones.fallback)
                if line.name == "EXDATE":
                    _exclude(series, master, moment)
                else:
                    own = _period_length(moment, tail, tzid, zones) if tail else None
                    series.extra[_wall_like(moment, master.start)] = own


def _exclude(series: Series, master: Event, moment: Moment) -> None:
    if moment.is_date or master.start.is_date:
        series.excluded_days.add(_midnight(moment.wall))
    elif moment.floating or master.start.floating:
        series.excluded_walls.add(moment.wall)
    else:
        series.excluded.add(moment.instant)


def _period_length(start: Moment, end: str, tzid: str | None, zones: Zones) -> timedelta:
    if end[:1] in "+-Pp":
        return max(parse_duration(end), ZERO)
    return max(_between(start, parse_moment(end, tzid, zones.get, zones.fallback)), ZERO)


def _between(start: Moment, end: Moment) -> timedelta:
    """From one moment to another: wall time within a zone, else the time that passes."""
    if end.zone is start.zone:
        return end.wall - start.wall
    return timedelta(seconds=end.instant - start.instant)


def _midnight(wall: datetime) -> datetime:
    return wall.replace(hour=0, minute=0, second=0)


def _wall_like(moment: Moment, model: Moment) -> datetime:
    """A moment as wall time in the series' own zone; as a date for an all-day series."""
    wall = moment.wall
    if model.is_date:
        return _midnight(wall)
    if moment.zone is model.zone or moment.floating:
        return wall
    try:
        return wall.replace(tzinfo=moment.zone).astimezone(model.zone).replace(tzinfo=None, fold=0)
    except OverflowError:
        return wall


def until_wall(rule: Rule, start: Moment) -> datetime | None:
    """UNTIL as wall time in DTSTART's zone.

    It should be a DATE for all-day events, floating for floating ones, else UTC (RFC 5545 3.3.10). What
    does not fit is read as recurring-ical-events does: of the value only the date counts for all-day
    events, only the wall time for floating ones; a DATE means the beginning of that day.
    """
    if rule.until is None:
        return None
    until = parse_moment(rule.until, None, lambda _tzid: start.zone, start.zone)
    return until.wall if start.floating and not start.is_date else _wall_like(until, start)
