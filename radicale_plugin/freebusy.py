"""Free-busy of one calendar (RFC 4791 7.10), from the occurrence index: when, never what.

Transparent and cancelled events leave the time free, tentative ones make it BUSY-TENTATIVE; an override
speaks for itself. All-day events count in the calendar's zone.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bridge.errors import Invalid
from bridge.ical.occurrences import occurrences
from bridge.ical.text import Component, Line, parse
from bridge.store.calendars import CalendarRow
from bridge.store.horizon import FIRST, LAST
from bridge.store.shown import Shown
from radicale_plugin.answers import Answer
from radicale_plugin.filters import window
from radicale_plugin.properties import Asking, zone_of
from radicale_plugin.query import in_range
from radicale_plugin.xmlbody import CALDAV

Period = tuple[int, int]

#: As a line that is not folded; a folded or a second one (of an alarm, say) is left to the parser.
_SAYS = re.compile(r"^(TRANSP|STATUS)(?:;[^:\r\n]*)?:([^\r\n]*)\r?$(?!\n[ \t])", re.MULTILINE | re.IGNORECASE)


def answer(asking: Asking, tx: Connection, calendar: CalendarRow, query: ET.Element) -> Answer:
    """The answer to a ``C:free-busy-query`` (``xmlbody`` has checked its time-range)."""
    text = render(tx, calendar, query, asking.runtime.bridge.clock.now())
    return 200, {"Content-Type": "text/calendar; charset=utf-8"}, text.encode(), None


def render(tx: Connection, calendar: CalendarRow, query: ET.Element, now: datetime) -> str:
    """The VFREEBUSY."""
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
    zone = zone_of(calendar)
    indexed = zone.key == calendar.time_zone
    for stored in in_range(tx, calendar, start, end, zone):
        single = _single(stored) if indexed else None
        for kind, (starts, ends) in _read(stored.text, start, end, zone) if single is None else single:
            if ends > starts:
                yield kind, (max(starts, start), min(ends, end))


def _single(stored: Shown) -> list[tuple[str, Period]] | None:
    """For an event that does not repeat, from what the store knows; None if it must be read."""
    if (
        stored.recurring
        or stored.starts is None
        or stored.ends is None
        or stored.text.count("BEGIN:VEVENT") != 1
    ):
        return None
    found = _SAYS.findall(stored.text)
    said = {name.upper(): value.strip().upper() for name, value in found}
    if len(said) != len(found):
        return None
    kind = _kind(said.get("TRANSP", ""), said.get("STATUS", ""))
    return [] if kind is None else [(kind, (stored.starts, stored.ends))]


def _read(text: str, start: int, end: int, zone: ZoneInfo) -> Iterator[tuple[str, Period]]:
    try:
        tree = parse(text)
        spans = occurrences(tree, start, end, zone)
    except Invalid:
        return  # its times can't be read: it keeps nothing busy, and spoils no answer
    kinds = [
        _kind(event.value("TRANSP") or "", event.value("STATUS") or "") for event in tree.components("VEVENT")
    ]
    for span in spans:
        kind = kinds[span.component]
        if kind is not None:
            yield kind, (span.starts, span.ends)


def _kind(transparency: str, status: str) -> str | None:
    """FBTYPE (RFC 5545 3.2.9); None if the event leaves its time free."""
    if transparency.strip().upper() == "TRANSPARENT":
        return None
    match status.strip().upper():
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
