"""What is on a user's calendars in a span of time: bookings, blocks, mirrored events, every occurrence.

Read from the store alone, never from a provider: a provider that is away empties no page.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bridge.errors import Invalid
from bridge.ical.occurrences import occurrences
from bridge.ical.text import Component, parse
from bridge.store import calendars, links, objects
from bridge.store.calendars import CalendarRow

#: The property Apple's clients keep a calendar's colour in.
COLOR = "{http://apple.com/ns/ical/}calendar-color"


@dataclass(frozen=True, slots=True)
class Shown:
    """A calendar as the legend names it. ``color`` as its owner gave it, if at all."""

    id: int
    kind: str  # bookings | mirror
    title: str
    color: str | None


@dataclass(frozen=True, slots=True)
class Happening:
    """One occurrence, in the user's zone; ``ends`` is exclusive: midnight after the last day if all-day."""

    calendar: Shown
    kind: str  # booking | block | foreign
    uid: str
    title: str
    place: str
    status: str  # CONFIRMED | TENTATIVE | CANCELLED
    starts: datetime
    ends: datetime
    all_day: bool
    recurring: bool


def shown(tx: Connection, user_id: int) -> list[Shown]:
    """The user's calendars, bookings first."""
    colors = {link.mirror_id: link.color for link in links.of_user(tx, user_id) if link.mirror_id is not None}
    return [_shown(row, colors.get(row.id)) for row in calendars.of_user(tx, user_id)]


def between(tx: Connection, user_id: int, start: datetime, end: datetime, zone: ZoneInfo) -> list[Happening]:
    """Everything that touches [start, end), earliest first; all-day events lead their day."""
    first, last = int(start.timestamp()), int(end.timestamp())
    found = [
        happening
        for calendar in shown(tx, user_id)
        for stored in objects.in_range(tx, calendar.id, first, last)
        if not stored.hidden and stored.component == "VEVENT"
        for happening in _happenings(calendar, stored, first, last, zone)
    ]
    return sorted(found, key=lambda one: (max(one.starts, start), not one.all_day, one.title.casefold()))


def _shown(row: CalendarRow, color: str | None) -> Shown:
    return Shown(row.id, row.kind, row.title, row.props.get(COLOR) or color)


def _happenings(
    calendar: Shown, stored: objects.StoredObject, first: int, last: int, zone: ZoneInfo
) -> Iterator[Happening]:
    whole = parse(stored.text)
    events = list(whole.components("VEVENT"))
    try:
        spans = occurrences(whole, first, last, zone)
    except Invalid:  # kept as it came, though nobody can tell when it is
        return
    for span in spans:
        event = events[span.component]  # an override describes itself
        yield Happening(
            calendar,
            stored.kind,
            stored.uid,
            _plain(event, "SUMMARY"),
            _plain(event, "LOCATION"),
            _plain(event, "STATUS").strip().upper() or "CONFIRMED",
            datetime.fromtimestamp(span.starts, zone),
            datetime.fromtimestamp(span.ends, zone),
            span.all_day,
            stored.recurring,
        )


def _plain(event: Component, name: str) -> str:
    line = event.first(name)
    return line.text if line is not None else ""
