"""When an alarm rings: its trigger, and its repetitions, at each occurrence (RFC 5545 3.6.6)."""

from __future__ import annotations

from datetime import UTC, timedelta, tzinfo

from bridge.errors import Invalid
from bridge.ical.occurrences import occurrences
from bridge.ical.tasks import as_events
from bridge.ical.text import Component
from bridge.ical.times import parse_duration, parse_moment

#: Repetitions that are looked at; a real alarm has a handful.
MOST = 1_000


def rings(calendar: Component, part: int, alarm: Component, start: int, end: int, zone: tzinfo) -> bool:
    """Whether ``alarm``, which stands in the ``part``-th of ``tasks.timed(calendar)``, rings in
    ``[start, end)``, seconds since 1970. False if its times can't be read."""
    try:
        return any(start <= moment < end for moment in _moments(calendar, part, alarm, start, end, zone))
    except Invalid:
        return False


def _moments(
    calendar: Component, part: int, alarm: Component, start: int, end: int, zone: tzinfo
) -> set[int]:
    trigger = alarm.first("TRIGGER")
    if trigger is None:
        return set()
    rounds = [number * _gap(alarm) for number in range(_repeats(alarm) + 1)]
    if (trigger.param("VALUE") or "").upper() == "DATE-TIME":
        at = parse_moment(trigger.value, None, lambda _tzid: UTC, UTC).instant
        return {at + later for later in rounds}
    offset = _seconds(parse_duration(trigger.value))
    at_end = (trigger.param("RELATED") or "").upper() == "END"
    around = start - offset - max(rounds), end - offset
    spans = occurrences(as_events(calendar), around[0] - 1, around[1] + 1, zone)
    anchors = {span.ends if at_end else span.starts for span in spans if span.component == part}
    return {anchor + offset + later for anchor in anchors for later in rounds}


def _repeats(alarm: Component) -> int:
    value = (alarm.value("REPEAT") or "").strip()
    return min(int(value), MOST) if value.isascii() and value.isdigit() and len(value) < 10 else 0


def _gap(alarm: Component) -> int:
    value = alarm.value("DURATION")
    return 0 if value is None else _seconds(parse_duration(value))


def _seconds(length: timedelta) -> int:
    return length // timedelta(seconds=1)
