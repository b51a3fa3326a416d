"""Free-busy of one calendar (RFC 4791 7.10), from the occurrence index: when, never what.

Transparent and cancelled events leave the time free, tentative ones make it BUSY-TENTATIVE; an override
speaks for itself. All-day events count in the user's zone.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bridge.errors import Invalid
from bridge.ical.occurrences import occurrences
from bridge.ical.text import Component, Line, parse
from bridge.store import objects
from bridge.store.calendars import CalendarRow
from bridge.store.horizon import FIRST, LAST
from radicale_plugin.filters import window
from radicale_plugin.xmlbody import CALDAV

Period = tuple[int, int]


def render(tx: Connection, calendar: CalendarRow, query: ET.Element, now: datetime) -> str:
    """The VFREEBUSY for a ``C:free-busy-query`` (``xmlbody`` has checked its time-range)."""
    time_range = query.find(CALDAV + "time-range")
    start, end = (None, None) if time_range is None else window(time_range)
    if start is None or end is None:
        raise Invalid("A free-busy query needs a start and an end.", "valid-filter")
    busy: dict[str, list[Period]] = {}
    for kind, period in _busy(tx, calendar, max(start, FIRST), min(end, LAST)):
        busy.setdefault(kind, []).append(period)
    lines = [
        Line.make("DTSTAMP", _utc(int(now.timestamp()))),
        Line.make("DTSTART", _utc(start)),
        Line.make("DTEND", _utc(end)),
    ]
    for kind, periods in sorted(busy.items()):
        for starts, ends in _merged(periods):
            lines.append(Line.make("FREEBUSY", f"{_utc(starts)}/{_utc(ends)}", [("FBTYPE", kind)]))
    head = [Line.make("VERSION", "2.0"), Line.make("PRODID", "-//picsello-bridge//CalDAV//EN")]
    return Component.make("VCALENDAR", [*head, Component.make("VFREEBUSY", lines)]).serialize()


def _busy(tx: Connection, calendar: CalendarRow, start: int, end: int) -> Iterator[tuple[str, Period]]:
    zone = ZoneInfo(calendar.time_zone)
    for stored in objects.in_range(tx, calendar.id, start, end):
        try:
            tree = parse(stored.text)
            spans = occurrences(tree, start, end, zone)
        except Invalid:
            continue  # its times can't be read: it keeps nothing busy, and spoils no answer
        kinds = [_kind(event) for event in tree.components("VEVENT")]
        for span in spans:
            kind = kinds[span.component]
            if kind is not None and span.ends > span.starts:
                yield kind, (max(span.starts, start), min(span.ends, end))


def _kind(event: Component) -> str | None:
    """FBTYPE (RFC 5545 3.2.9); None if the event leaves its time free."""
    if (event.value("TRANSP") or "").strip().upper() == "TRANSPARENT":
        return None
    match (event.value("STATUS") or "").strip().upper():
        case "CANCELLED":
            return None
        case "TENTATIVE":
            return "BUSY-TENTATIVE"
    return "BUSY"


def _merged(periods: list[Period]) -> list[Period]:
    """Overlapping and touching ones together, in order."""
    merged: list[Period] = []
    for starts, ends in sorted(periods):
        if merged and starts <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], ends))
        else:
            merged.append((starts, ends))
    return merged


def _utc(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y%m%dT%H%M%SZ}"
