"""When tasks and journal entries take place (RFC 4791 9.9), told by what is known of events.

A task or entry is read as the event that it would be, so that repetition, exceptions and zones mean the same;
what is special are the ends: a task may lack either, and a task without any time is always there.
"""

from __future__ import annotations

from datetime import UTC, tzinfo

from bridge.errors import Invalid
from bridge.ical.occurrences import Span, occurrences
from bridge.ical.text import Component, Line, tree
from bridge.ical.times import parse_moment

#: The components that may have times, beside events.
KINDS = ("VTODO", "VJOURNAL")

_DATES = ("DTSTART", "DUE", "DURATION")


def takes_place(source: str | Component, start: int, end: int, zone: tzinfo) -> bool:
    """Whether a task or entry of this object meets ``[start, end)`` (seconds since 1970); ``zone`` is that of
    dates and floating times. False if its times can't be read."""
    calendar = tree(source)
    parts = timed(calendar)
    undated = [part for part in parts if not any(part.first(name) for name in _DATES)]
    if any(_undated(part, start, end) for part in undated if part.first("RECURRENCE-ID") is None):
        return True
    try:
        spans = occurrences(as_events(calendar), start - 1, end + 1, zone)
    except Invalid:
        return False
    return any(_meets(parts[span.component], span, start, end) for span in spans)


def timed(calendar: Component) -> list[Component]:
    """The components that may have times, in the order in which ``Span.component`` counts ``as_events``."""
    return [part for part in calendar.components() if part.name == "VEVENT" or part.name in KINDS]


def as_events(calendar: Component) -> Component:
    """The calendar with an event in the place of each task and entry, in their order and with their times."""
    items = [
        _as_event(item) if isinstance(item, Component) and item.name in KINDS else item
        for item in calendar.items
    ]
    return Component(calendar.name, items, calendar.begin, calendar.end)


def _as_event(part: Component) -> Component:
    if part.name == "VJOURNAL":
        return Component("VEVENT", part.items, part.begin, part.end)
    due = part.first("DUE")
    lines: list[Line | Component] = []
    for item in part.items:
        if isinstance(item, Line) and item.name == "DUE":
            name = "DTEND" if part.first("DTSTART") else "DTSTART"
            lines.append(Line.make(name, item.value, _params(item)))
        else:
            lines.append(item)
    if part.first("DURATION") is None and (due is None or part.first("DTSTART") is None):
        lines.append(Line.make("DURATION", "PT0S"))  # a moment, though it be a date
    return Component("VEVENT", lines, part.begin, part.end)


def _params(line: Line) -> list[tuple[str, str]]:
    return [(name, value) for name, _ in line.params if (value := line.param(name)) is not None]


def _meets(part: Component, span: Span, start: int, end: int) -> bool:
    """The row of RFC 4791 9.9's table that speaks of this kind of times."""
    starts, ends = span.starts, span.ends
    if part.name != "VTODO":
        return start <= starts < end if starts == ends else start < ends and end > starts
    if part.first("DTSTART") is None:
        return start < starts <= end  # only DUE
    if part.first("DURATION") is not None:
        return start <= ends and (end > starts or end >= ends)
    if part.first("DUE") is not None:
        return (start < ends or start <= starts) and (end > starts or end >= ends)
    return start <= starts < end


def _undated(part: Component, start: int, end: int) -> bool:
    """A task without times: from its creation to its completion; an entry without a date is nowhere."""
    if part.name != "VTODO":
        return False
    created, completed = _instant(part, "CREATED"), _instant(part, "COMPLETED")
    if completed is not None:
        first = completed if created is None else created
        return start <= max(first, completed) and end >= min(first, completed)
    return created is None or end > created


def _instant(part: Component, name: str) -> int | None:
    """CREATED and COMPLETED are in UTC."""
    value = part.value(name)
    try:
        return None if value is None else parse_moment(value, None, lambda _tzid: UTC, UTC).instant
    except Invalid:
        return None
