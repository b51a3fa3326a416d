"""Free-busy of one calendar (RFC 4791 7.10), from the occurrence index: when, never what.

What an event does to its time is decided in ``bridge.ical.busy``, as for the booking pages. All-day events
count in the calendar's zone.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import Connection

from bridge.errors import Invalid
from bridge.ical.busy import Takes, takes_of
from bridge.ical.occurrences import occurrences
from bridge.ical.text import Component, Line, parse
from bridge.store import shown
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
    for tentative, starts, ends in _taken(tx, calendar, start, end, me):
        starts, ends = max(starts, start), min(ends, end)
        if ends > starts:
            yield "BUSY-TENTATIVE" if tentative else "BUSY", (starts, ends)


def _taken(
    tx: Connection, calendar: CalendarRow, start: int, end: int, me: str
) -> Iterator[tuple[bool, int, int]]:
    """``(tentative, starts, ends)``. From the index where it reaches; what it leaves open is read, and of a
    series too dense to be listed only the first part: whoever asks about centuries must not keep us busy."""
    zone = zone_of(calendar)
    if zone.key != calendar.time_zone or start < calendar.horizon_start or end > calendar.horizon_end:
        texts = [stored.text for stored in in_range(tx, calendar, start, end, zone)]
    else:
        unsure = set()
        for span in shown.taken(tx, calendar.id, start - calendar.longest, start, end):
            if span.exact and span.takes != Takes.ASKS:
                yield span.takes == Takes.TENTATIVE, span.starts, span.ends
            else:
                unsure.add(span.object_id)
        texts = shown.texts_of(tx, unsure)
    for text in texts:
        try:
            tree = parse(text)
            spans = occurrences(tree, start, end, zone)
        except Invalid:
            continue  # its times can't be read: it keeps nothing busy, and spoils no answer
        kinds = [takes_of(event, {me}) for event in tree.components("VEVENT")]
        for found in spans:
            if kinds[found.component] is not Takes.FREE:
                yield kinds[found.component] is Takes.TENTATIVE, found.starts, found.ends


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
