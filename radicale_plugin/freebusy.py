"""Free-busy of one calendar (RFC 4791 7.10), from the occurrence index: when, never what.

What an event does to its time is decided in ``bridge.ical.busy``, as for the booking pages. All-day events
count in the calendar's zone.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bridge.errors import Invalid
from bridge.ical.busy import Taken, taken
from bridge.ical.text import Component, Line
from bridge.store.busy import BusyRow, between
from bridge.store.calendars import CalendarRow
from bridge.store.horizon import FIRST, LAST
from radicale_plugin.answers import Answer
from radicale_plugin.filters import window
from radicale_plugin.properties import Asking, zone_of
from radicale_plugin.query import in_range
from radicale_plugin.xmlbody import CALDAV

Period = tuple[int, int]


def answer(asking: Asking, tx: Connection, calendar: CalendarRow, query: ET.Element) -> Answer:
    """The answer to a ``C:free-busy-query`` (``xmlbody`` has checked its time-range)."""
    text = render(tx, calendar, query, asking.request.user, asking.runtime.bridge.clock.now())
    return 200, {"Content-Type": "text/calendar; charset=utf-8"}, text.encode(), None


def render(tx: Connection, calendar: CalendarRow, query: ET.Element, me: str, now: datetime) -> str:
    """The VFREEBUSY; ``me`` is the address under which the user is invited."""
    time_range = query.find(CALDAV + "time-range")
    start, end = (None, None) if time_range is None else window(time_range)
    if start is None or end is None:
        raise Invalid("A free-busy query needs a start and an end.", "valid-filter")
    busy: dict[str, list[Period]] = {}
    for kind, period in _busy(tx, calendar, max(start, FIRST), min(end, LAST), me):
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


def _busy(
    tx: Connection, calendar: CalendarRow, start: int, end: int, me: str
) -> Iterator[tuple[str, Period]]:
    zone = zone_of(calendar)
    found: Iterable[BusyRow | Taken] = (
        between(tx, calendar, start, end, {me})
        if zone.key == calendar.time_zone
        else _read(tx, calendar, start, end, zone, me)
    )
    for one in found:
        starts, ends = max(one.starts, start), min(one.ends, end)
        if ends > starts:
            yield "BUSY-TENTATIVE" if one.tentative else "BUSY", (starts, ends)


def _read(
    tx: Connection, calendar: CalendarRow, start: int, end: int, zone: ZoneInfo, me: str
) -> Iterator[Taken]:
    """Where the index's zone is not the calendar's, every text is read."""
    for stored in in_range(tx, calendar, start, end, zone):
        try:
            yield from taken(stored.text, start, end, zone, {me})
        except Invalid:
            continue  # its times can't be read: it keeps nothing busy, and spoils no answer


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
