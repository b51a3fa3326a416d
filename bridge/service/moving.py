"""Give an event another time from the pages, whichever calendar it is in; and make a block.

Bookings move by the rules of ``bookings``, everything else as if a calendar client had sent it
(``client_writes``). Which events can be moved at all is said by ``agenda.Happening.movable``.
"""

from __future__ import annotations

import secrets
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bridge.errors import Invalid, NotAllowed, Stale
from bridge.ical import build
from bridge.ical.marker import OWN_BOOKING
from bridge.ical.zones import parse_local
from bridge.service import agenda, bookings, client_writes
from bridge.store import calendars, objects
from bridge.store.objects import StoredObject
from bridge.store.people import UserRow

#: A block may close a season, not a century.
LONGEST_BLOCK = timedelta(days=366)


def move(
    tx: Connection,
    user: UserRow,
    object_id: int,
    start: str,
    end: str | None,
    *,
    etag: str,
    now: datetime,
    actor: str,
) -> StoredObject:
    """Move it to ``start``, and to another length if ``end`` is given; returns the event as it is then.

    Both are ISO 8601: a date for an all-day event (``end`` exclusive), else a time, in the user's zone unless
    it carries an offset. ``etag`` is that of the version the user has seen. Raises NotFound, Invalid, Stale,
    NotAllowed.
    """
    calendar, found = agenda.one(tx, user.id, object_id)
    objects.lock(tx, calendar.id)
    calendar, found = agenda.one(tx, user.id, object_id)
    if found.etag != etag:
        raise Stale("This event was changed in the meantime. Look at it again, then move it.")
    if found.status == "CANCELLED":
        raise NotAllowed("This event is cancelled, so it stays where it was.")
    zone = ZoneInfo(user.time_zone)
    begins = _moment(start, zone)
    length = None if end is None else _length(begins, _moment(end, zone))
    if found.kind == "booking" and isinstance(begins, datetime):
        minutes = None if length is None else round(length.total_seconds() / 60)
        bookings.move(tx, user, found.uid, begins.isoformat(), minutes, now, actor=actor)
    else:
        text = build.moved(found.text, begins, length, now, zone)
        row = calendars.get(tx, calendar.id)
        client_writes.put(tx, user, row, found.href, text, actor=actor, now=now)
    return agenda.one(tx, user.id, object_id)[1]


def block(
    tx: Connection, user: UserRow, title: str, start: str, end: str, *, now: datetime, actor: str
) -> str:
    """Close a time for bookings; returns the UID of the new block. ``start`` and ``end`` as in ``move``, for
    whole days both dates, ``end`` exclusive. Raises Invalid."""
    zone = ZoneInfo(user.time_zone)
    begins, after = _moment(start, zone), _moment(end, zone)
    if _length(begins, after) > LONGEST_BLOCK:
        raise Invalid("A block may be as long as a year, not longer.")
    if len(title) > bookings.MOST_CHARACTERS["title"]:
        raise Invalid(f"The title must stay under {bookings.MOST_CHARACTERS['title']} characters.")
    uid = f"{secrets.token_hex(16)}{OWN_BOOKING}"
    text = build.booking_text(uid, title.strip() or "Blocked", begins, end=after, zone=zone, now=now)
    row = calendars.bookings(tx, user.id)
    client_writes.put(tx, user, row, objects.href_for(uid), text, actor=actor, now=now)
    return uid


def _moment(iso: str, zone: ZoneInfo) -> date:
    """A date where a date is given, else an aware time."""
    try:
        return date.fromisoformat(iso.strip())
    except ValueError:
        return parse_local(iso, zone)


def _length(begins: date, after: date) -> timedelta:
    """How long it takes. Raises Invalid if it ends before it begins."""
    if isinstance(begins, datetime) != isinstance(after, datetime):
        raise Invalid("Give a time for the start and for the end, or a date for both.")
    if isinstance(begins, datetime) and isinstance(after, datetime):
        length = timedelta(seconds=after.timestamp() - begins.timestamp())
    else:
        length = after - begins
    if length <= timedelta():
        raise Invalid("The end must come after the start.")
    return length
