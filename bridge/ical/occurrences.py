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
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import islice

from bridge.ical.recurrence import Rule
from bridge.ical.series import ZERO, Event, Series, read, until_wall
from bridge.ical.text import Component, tree
from bridge.ical.times import EPOCH, FIRST, LAST, Moment, shifted

#: Occurrences in one answer; an hourly event of two years. Later ones in the window are left out.
MOST = 20_000

#: No zone is further from UTC; bounds a window in wall time.
_OFFSETS = timedelta(days=1, hours=2)
_LOWEST, _HIGHEST = int((FIRST - EPOCH).total_seconds()), int((LAST - EPOCH).total_seconds())


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


def occurrences(source: str | Component, start: int, end: int, zone: tzinfo) -> list[Span]:
    """The occurrences that overlap ``[start, end)`` (seconds since 1970), ordered by time.

    One of zero length counts if it lies in the window. ``zone`` is that of all-day and floating events.
    At most ``MOST``. Raises ``Invalid`` if DTSTART or a rule can't be read.
    """
    series = read(tree(source), zone)
    return sorted(islice(_between(series, start, end), MOST))


def enclosing(source: str | Component, zone: tzinfo) -> tuple[int | None, int | None, bool]:
    """``(starts, ends, recurring)``: a range that holds every occurrence, in seconds since 1970.

    ``starts`` is None if the object has no VEVENT with a time; ``ends`` is None, beside a start, if the
    series has no end (or a COUNT too large to count). ``recurring``: more than one plain event.
    """
    series = read(tree(source), zone)
    spans = [event.span for event in series.overrides.values()]
    endless = False
    master = series.master
    if master is not None:
        followers = [event for event in series.overrides.values() if event.and_future]
        longest = max([master.length, *(event.length for event in followers)])
        walls: dict[datetime, timedelta | None] = {master.start.wall: None, **series.extra}
        for rule in series.rules:
            last = _last(rule, master)
            if last is None:
                endless = True
            else:
                walls.setdefault(last, None)
        span = master.fringe if any(rule.dense for rule in series.rules) else master.at
        for move in [ZERO, *(event.moved_by for event in followers)]:
            for wall, own in walls.items():
                spans.append(span(shifted(wall, move), longest if own is None else own))
    if not spans:
        return None, None, False
    starts, ends = min(first for first, _ in spans), max(after for _, after in spans)
    return starts, None if endless else ends, series.recurring


def _between(series: Series, start: int, end: int) -> Iterator[Span]:
    for key, event in series.overrides.items():
        span = event.span
        if _overlaps(span, start, end) and not series.drops(event, key):
            instance = event.instance or event.start
            yield Span(*span, _instance_name(instance, instance.wall, key), event.start.is_date, event.index)
    master = series.master
    if master is None:
        return
    all_day = master.start.is_date
    # the master governs until the first RANGE=THISANDFUTURE, which governs until the next
    followers = sorted((key, event) for key, event in series.overrides.items() if event.and_future)
    keys = [key for key, _ in followers]
    governing = [master, *(event for _, event in followers)]
    moves = [ZERO, *(event.moved_by for _, event in followers)]
    # an occurrence that reaches into the window may have begun, or have been moved from, outside of it
    longest = max([event.length for event in governing] + [own for own in series.extra.values() if own])
    floor, ceiling = _wall_window(start, end, master.start.zone)
    floor, ceiling = shifted(floor, -longest - max(moves)), shifted(ceiling, -min(moves))
    for wall in _walls(series, master, floor, ceiling):
        key = master.start.at(wall)
        if key in series.overrides or series.excludes(wall, key):
            continue
        turn = bisect_left(keys, key)
        own = series.extra.get(wall)
        length = governing[turn].length if own is None else own
        span = master.at(shifted(wall, moves[turn]), length)
        if _overlaps(span, start, end):
            name = _instance_name(master.start, wall, key) if series.recurring else None
            yield Span(*span, name, all_day, governing[turn].index)


def _overlaps(span: tuple[int, int], start: int, end: int) -> bool:
    starts, ends = span
    return start <= starts < end if starts == ends else starts < end and start < ends


def _wall_window(start: int, end: int, zone: tzinfo) -> tuple[datetime, datetime]:
    """A window in wall time that holds ``[start, end]`` whatever the zone's offset."""
    floor = EPOCH + timedelta(seconds=min(max(start, _LOWEST), _HIGHEST))
    ceiling = EPOCH + timedelta(seconds=min(max(end, _LOWEST), _HIGHEST))
    margin = ZERO if zone is UTC else _OFFSETS
    return shifted(floor, -margin), shifted(ceiling, margin)


def _walls(series: Series, master: Event, floor: datetime, ceiling: datetime) -> Iterator[datetime]:
    """The wall times of DTSTART, RDATE and every RRULE within the window, each once."""
    seen: set[datetime] = set()
    untils = [until_wall(rule, master.start) for rule in series.rules]
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


def _last(rule: Rule, master: Event) -> datetime | None:
    """The rule's last wall time; None if it has none, or none that can be found within bounds."""
    start = master.start.wall
    until = until_wall(rule, master.start)
    if until is None and rule.count is None:
        return None
    ceiling = LAST if until is None else until
    if rule.count is not None:
        counted, last = 0, start
        for counted, last in enumerate(rule.instances(start, start, ceiling), 1):  # noqa: B007
            pass
        return last if counted >= rule.count or until is not None or not counted else None
    back = timedelta(days=7)
    while True:  # look back from UNTIL, ever further
        floor = max(start, shifted(ceiling, -back))
        found = list(islice(rule.instances(start, floor, ceiling), MOST))
        if found and len(found) < MOST:
            return found[-1]
        if found or floor == start or back.days > 10_000:
            return max(start, ceiling)
        back *= 4


def _instance_name(model: Moment, wall: datetime, instant: int) -> str:
    if model.is_date:
        return f"{wall.year:04}{wall:%m%d}"
    if model.floating:
        return f"{wall.year:04}{wall:%m%dT%H%M%S}"
    utc = shifted(EPOCH, timedelta(seconds=instant))
    return f"{utc.year:04}{utc:%m%dT%H%M%S}Z"
