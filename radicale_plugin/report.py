"""Expanded series (RFC 4791 9.6.5).

Works on lines: what is not about time stays as the client wrote it. A ``C:expand`` is taken out of the
request before Radicale sees it, for Radicale would expand every event of the calendar with its parser.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from bridge.errors import Invalid
from bridge.ical.occurrences import Span, occurrences
from bridge.ical.tasks import KINDS, as_events, timed
from bridge.ical.text import Component, Line, parse
from bridge.store.objects import StoredObject
from bridge.store.shown import Shown
from radicale_plugin.filters import window
from radicale_plugin.xmlbody import CALDAV

#: Instances in one answer, over all its objects; more is refused (RFC 4791 7.8).
MOST = 50_000

#: Characters; what longer objects expand to is made anew each time instead of being kept.
USUAL = 8_000

#: What an instance has of its own, and so not from the component that describes it.
_TIMES = frozenset(
    {"DTSTART", "DTEND", "DUE", "DURATION", "RRULE", "EXRULE", "RDATE", "EXDATE", "RECURRENCE-ID"}
)


@dataclass(slots=True)
class Expansion:
    """The window of a ``C:expand``, in seconds since 1970, and how much may still come."""

    start: int
    end: int
    left: int = field(default_factory=lambda: MOST)

    def of(self, stored: StoredObject | Shown, zone: ZoneInfo, *, indexed: bool = True) -> str | None:
        """The object's instances in the window as an object of their own; None if there are none. A task
        or entry that does not repeat stays as it is. ``indexed``: the store read its times in ``zone``."""
        if stored.component != "VEVENT" and stored.component not in KINDS:
            return stored.text
        single = single_event(stored, zone) if indexed else None
        if single is not None:
            starts, ends, text = single
            inside = (
                self.start <= starts < self.end if starts == ends else starts < self.end and self.start < ends
            )
            return text if inside else None
        expand = _expanded if len(stored.text) <= USUAL else _expanded.__wrapped__
        expanded, instances = expand(stored.text, self.start, self.end, zone)
        self.left -= instances
        if self.left < 0:
            raise Invalid("This asks for too many events at once.", "number-of-matches-within-limits")
        return expanded


@lru_cache(maxsize=1_000)
def _expanded(text: str, start: int, end: int, zone: ZoneInfo) -> tuple[str | None, int]:
    """The object's instances in ``[start, end)`` and how many there are: the text alone decides, and an app
    asks for the same month again and again. None: there are none, or its times can't be read, which must not
    spoil the report."""
    try:
        calendar = parse(text)
        spans = occurrences(as_events(calendar), start, end, zone)
    except Invalid:
        return None, 0
    parts = timed(calendar)
    if all(part.name in KINDS for part in parts) and all(span.recurrence_id is None for span in spans):
        return text, 1
    if not spans:
        return None, 0
    gone = {id(part) for part in (*parts, *calendar.components("VTIMEZONE"))}
    calendar.items = [item for item in calendar.items if id(item) not in gone]
    calendar.items += [_instance(parts[span.component], span, zone) for span in spans]
    return calendar.serialize(), len(spans)


_ZONES = re.compile(r"\r\nBEGIN:VTIMEZONE\r\n.*?\r\nEND:VTIMEZONE(?=\r\n)", re.DOTALL)
_MOVED = re.compile(r"\r\n(?:DTSTART|DTEND|DURATION)[;:][^\r\n]*(?:\r\n[ \t][^\r\n]*)*")
_START = re.compile(r"\r\nDTSTART(?:;[^:\r\n]*)?:(\d{8})(T\d{6}Z?)?\r\n(?![ \t])")
_BEGIN, _END = "\r\nBEGIN:VEVENT\r\n", "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
#: Whoever has one of these, or is not written in capitals, is read in full.
_UNUSUAL = re.compile(
    r"\r\n(?:RECURRENCE-ID|RRULE|EXRULE|RDATE|EXDATE)[;:]|\r\n[A-Za-z0-9-]*[a-z.][A-Za-z0-9-.]*[:;]"
)


def _nothing_after(alarms: str) -> bool:
    """Whether nothing but alarms comes after the first one began (``alarms`` is what follows its BEGIN:)."""
    between = alarms.count("\r\nEND:VALARM\r\nBEGIN:VALARM\r\n")
    return (
        alarms.startswith("VALARM\r\n")
        and alarms.endswith("\r\nEND:VALARM")
        and alarms.count("\r\nBEGIN:") == alarms.count("\r\nEND:VALARM\r\n") == between
    )


def single_event(stored: StoredObject | Shown, zone: ZoneInfo) -> tuple[int, int, str] | None:
    """``(starts, ends, text)`` of an event that does not repeat, its times put in UTC; None for whatever is
    written unusually: that takes reading it line by line, with the same outcome."""
    text, starts, ends = stored.text, stored.starts, stored.ends
    if stored.recurring or starts is None or ends is None or text.count("\n") != text.count("\r\n"):
        return None
    if text.count(_BEGIN) != 1 or not text.endswith(_END):
        return None
    head, _, event = text.partition(_BEGIN)
    own, nested, alarms = f"\r\n{event.removesuffix(_END)}".partition("\r\nBEGIN:")
    start = _START.search(own + "\r\n")
    if start is None or _UNUSUAL.search(own) or (nested and not _nothing_after(alarms)):
        return None
    span = Span(starts, ends, None, start[2] is None)
    times = _time("DTSTART", starts, span, zone).raw + _time("DTEND", ends, span, zone).raw
    return (
        starts,
        ends,
        "".join(
            (
                _ZONES.sub("", head + "\r\n").removesuffix("\r\n"),
                _BEGIN,
                times,
                _MOVED.sub("", own)[2:],
                nested,
                alarms,
                _END,
            )
        ),
    )


_expansion: ContextVar[Expansion | None] = ContextVar("expansion", default=None)


def expansion() -> Expansion | None:
    """What the report of this context wants expanded."""
    return _expansion.get()


@contextmanager
def expanding(root: ET.Element | None) -> Iterator[None]:
    """While Radicale answers a report: its expand, taken out of the request, is ours."""
    wanted = None
    for data in root.iter(CALDAV + "calendar-data") if root is not None else ():
        for expand in data.findall(CALDAV + "expand"):
            start, end = window(expand)
            if start is not None and end is not None:  # xmlbody refuses one without both
                wanted = Expansion(start, end)
            data.remove(expand)
    token = _expansion.set(wanted)
    try:
        yield
    finally:
        _expansion.reset(token)


def _instance(event: Component, span: Span, zone: ZoneInfo) -> Component:
    """One instance: its own times in UTC (a date stays a date), everything else from its component."""
    lines = [_time(name, moment, span, zone) for name, moment in _ends(event, span)]
    if span.recurrence_id is not None:
        dated = [("VALUE", "DATE")] if len(span.recurrence_id) == len("20240131") else []
        lines.append(Line.make("RECURRENCE-ID", span.recurrence_id, dated))
    rest = [item for item in event.items if not (isinstance(item, Line) and item.name in _TIMES)]
    return Component(event.name, [*lines, *rest], event.begin, event.end)


def _ends(event: Component, span: Span) -> list[tuple[str, int]]:
    """The properties that say when an instance is; a task has no more of them than its series."""
    if event.name != "VTODO":
        return [("DTSTART", span.starts), ("DTEND", span.ends)]
    given = [("DTSTART", span.starts)] if event.first("DTSTART") else []
    return [*given, ("DUE", span.ends)] if event.first("DUE") or event.first("DURATION") else given


def _time(name: str, moment: int, span: Span, zone: ZoneInfo) -> Line:
    if span.all_day:
        day = datetime.fromtimestamp(moment, zone)
        return Line.make(name, f"{day.year:04}{day:%m%d}", [("VALUE", "DATE")])
    at = datetime.fromtimestamp(moment, UTC)
    return Line.make(name, f"{at.year:04}{at:%m%dT%H%M%SZ}")
