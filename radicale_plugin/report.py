"""Objects as a report shows them: expanded series (RFC 4791 9.6.5), and a whole calendar in one text.

Both work on lines: what is not about time stays as the client wrote it. A ``C:expand`` is taken out of the
request before Radicale sees it, for Radicale would expand every event of the calendar with its parser.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from bridge.errors import Invalid
from bridge.ical.occurrences import Span, occurrences
from bridge.ical.text import Component, Line, escape, parse
from bridge.store.objects import StoredObject
from radicale_plugin.filters import window
from radicale_plugin.xmlbody import CALDAV

#: Instances in one answer, over all its objects; more is refused (RFC 4791 7.8).
MOST = 50_000

#: What an instance has of its own, and so not from the component that describes it.
_TIMES = frozenset({"DTSTART", "DTEND", "DURATION", "RRULE", "EXRULE", "RDATE", "EXDATE", "RECURRENCE-ID"})
_PRODID = "-//picsello-bridge//CalDAV//EN"


@dataclass(slots=True)
class Expansion:
    """The window of a ``C:expand``, in seconds since 1970, and how much may still come."""

    start: int
    end: int
    left: int = field(default_factory=lambda: MOST)

    def of(self, stored: StoredObject, time_zone: str) -> str | None:
        """The object's instances in the window as an object of their own; None if there are none. What is
        no event stays as it is."""
        if stored.component != "VEVENT":
            return stored.text
        zone = ZoneInfo(time_zone)
        spans = _spans(stored.text, self.start, self.end, zone)
        self.left -= len(spans)
        if self.left < 0:
            raise Invalid("This asks for too many events at once.", "number-of-matches-within-limits")
        if not spans:
            return None
        calendar = parse(stored.text)
        events = list(calendar.components("VEVENT"))
        calendar.items = [
            item
            for item in calendar.items
            if isinstance(item, Line) or item.name not in ("VEVENT", "VTIMEZONE")
        ]
        calendar.items += [_instance(events[span.component], span, zone) for span in spans]
        return calendar.serialize()


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


def _spans(text: str, start: int, end: int, zone: ZoneInfo) -> list[Span]:
    try:
        return occurrences(text, start, end, zone)
    except Invalid:
        return []  # an object whose times can't be read takes place never; it must not spoil the report


def _instance(event: Component, span: Span, zone: ZoneInfo) -> Component:
    """One instance: its own times in UTC (a date stays a date), everything else from its component."""
    lines = [_time("DTSTART", span.starts, span, zone), _time("DTEND", span.ends, span, zone)]
    if span.recurrence_id is not None:
        dated = [("VALUE", "DATE")] if len(span.recurrence_id) == len("20240131") else []
        lines.append(Line.make("RECURRENCE-ID", span.recurrence_id, dated))
    rest = [item for item in event.items if not (isinstance(item, Line) and item.name in _TIMES)]
    return Component(event.name, [*lines, *rest], event.begin, event.end)


def _time(name: str, moment: int, span: Span, zone: ZoneInfo) -> Line:
    if span.all_day:
        day = datetime.fromtimestamp(moment, zone)
        return Line.make(name, f"{day.year:04}{day:%m%d}", [("VALUE", "DATE")])
    at = datetime.fromtimestamp(moment, UTC)
    return Line.make(name, f"{at.year:04}{at:%m%dT%H%M%SZ}")


def whole_calendar(title: str, texts: Iterable[str]) -> str:
    """All objects in one VCALENDAR, each zone definition once (by TZID: the first of that name stays)."""
    zones: dict[str, str] = {}
    pieces: list[str] = []
    for text in texts:
        try:
            calendar = parse(text)
        except Invalid:
            continue
        for component in calendar.components():
            written = component.serialize().replace("\r\n", "\n").replace("\n", "\r\n")
            if component.name == "VTIMEZONE":
                zones.setdefault(component.value("TZID") or "", written)
            else:
                pieces.append(written)
    head = Component.make("VCALENDAR", [Line.make("VERSION", "2.0"), Line.make("PRODID", _PRODID)])
    head.items.append(Line.make("X-WR-CALNAME", escape(title)))
    begin, end = head.serialize().removesuffix(head.end), head.end
    return "".join([begin, *zones.values(), *pieces, end])
