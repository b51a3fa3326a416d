"""What is on a user's calendars in a span of time: bookings, blocks, mirrored events, every occurrence.

Read from the store alone, never from a provider: a provider that is away empties no page.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bridge.errors import Invalid, NotFound
from bridge.ical.occurrences import Span, occurrences
from bridge.ical.text import Component, parse
from bridge.store import calendars, contents, links, objects
from bridge.store.calendars import CalendarRow
from bridge.store.objects import StoredObject

#: The property Apple's clients keep a calendar's colour in.
COLOR = "{http://apple.com/ns/ical/}calendar-color"

#: Characters; longer texts are read anew each time instead of being kept.
USUAL = 8_000


@dataclass(frozen=True, slots=True)
class Shown:
    """A calendar as the legend names it. ``color`` as its owner gave it, if at all; ``editable``: its events
    may be changed here."""

    id: int
    kind: str  # bookings | mirror | personal
    title: str
    color: str | None
    editable: bool


@dataclass(frozen=True, slots=True)
class Told:
    """What one VEVENT says of itself. ``busy``: it takes time, so nothing should be booked over it."""

    title: str
    place: str
    notes: str
    status: str  # CONFIRMED | TENTATIVE | CANCELLED
    busy: bool


@dataclass(frozen=True, slots=True)
class Happening:
    """One occurrence, in the user's zone; ``ends`` is exclusive: midnight after the last day if all-day.

    ``object_id`` and ``etag`` are those of the object that it belongs to.
    """

    calendar: Shown
    object_id: int
    etag: str
    kind: str  # booking | block | foreign
    uid: str
    told: Told
    starts: datetime
    ends: datetime
    all_day: bool
    recurring: bool

    @property
    def movable(self) -> bool:
        """Whether it can be given another time here: one date of a series can't, nor what is off or only
        shown."""
        mine = self.kind != "foreign" or self.calendar.editable
        return mine and not self.recurring and self.told.status != "CANCELLED"


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
    return sorted(found, key=lambda one: (max(one.starts, start), not one.all_day, one.told.title.casefold()))


def one(tx: Connection, user_id: int, object_id: int) -> tuple[Shown, StoredObject]:
    """The user's event of that number and the calendar it is in. Raises NotFound."""
    mine = {calendar.id: calendar for calendar in shown(tx, user_id)}
    stored = contents.of_id(tx, mine, object_id)
    if stored is None or stored.component != "VEVENT":
        raise NotFound("This event does not exist (any more).")
    return mine[stored.calendar_id], stored


def occurrence(
    calendar: Shown, stored: StoredObject, at: datetime | None, zone: ZoneInfo
) -> Happening | None:
    """The date of the event that begins at ``at``, else its first; None if its times can't be read."""
    if stored.starts is None:
        return None
    first = stored.starts if at is None else int(at.timestamp())
    for start in (first, stored.starts):
        for happening in _happenings(calendar, stored, start, start + 1, zone):
            return happening
    return None


def _shown(row: CalendarRow, color: str | None) -> Shown:
    return Shown(row.id, row.kind, row.title, row.props.get(COLOR) or color, row.editable)


def _happenings(
    calendar: Shown, stored: StoredObject, first: int, last: int, zone: ZoneInfo
) -> Iterator[Happening]:
    try:
        usual = len(stored.text) <= USUAL
        if stored.recurring:
            read_series = _series if usual else _dates
            dates = read_series(stored.text, first, last, zone)
        else:  # it takes place once, so wherever one looks the answer is the same
            read = _single if usual else _single.__wrapped__
            dates = read(stored.text, stored.starts or 0, stored.ends, zone)
    except Invalid:  # kept as it came, though nobody can tell when it is
        return
    for span, told in dates:
        yield Happening(
            calendar,
            stored.id,
            stored.etag,
            stored.kind,
            stored.uid,
            told,
            datetime.fromtimestamp(span.starts, zone),
            datetime.fromtimestamp(span.ends, zone),
            span.all_day,
            stored.recurring,
        )


@lru_cache(maxsize=10_000)
def _single(text: str, starts: int, ends: int | None, zone: ZoneInfo) -> tuple[tuple[Span, Told], ...]:
    """As ``_dates``; kept, as people look at the same months again and again."""
    return _dates(text, starts, max(starts + 1, ends or 0), zone)


@lru_cache(maxsize=2_000)
def _series(text: str, first: int, last: int, zone: ZoneInfo) -> tuple[tuple[Span, Told], ...]:
    """As ``_dates``; kept for the windows that are looked at again and again."""
    return _dates(text, first, last, zone)


def _dates(text: str, first: int, last: int, zone: ZoneInfo) -> tuple[tuple[Span, Told], ...]:
    """The occurrences in a window, each with what it says of itself: an override describes itself."""
    whole = parse(text)
    events = list(whole.components("VEVENT"))
    return tuple((span, _told(events[span.component])) for span in occurrences(whole, first, last, zone))


def _told(event: Component) -> Told:
    status = _plain(event, "STATUS").strip().upper() or "CONFIRMED"
    busy = status != "CANCELLED" and _plain(event, "TRANSP").strip().upper() != "TRANSPARENT"
    return Told(
        _plain(event, "SUMMARY"), _plain(event, "LOCATION"), _plain(event, "DESCRIPTION"), status, busy
    )


def _plain(event: Component, name: str) -> str:
    line = event.first(name)
    return line.text if line is not None else ""
