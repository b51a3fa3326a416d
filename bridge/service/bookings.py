"""Bookings of the built-in source: add, list, move, cancel.

Each is one write through ``store.objects``, inside the caller's transaction, so the journal, the change
log and the linked calendars follow by themselves. Blocks (events that the photographer made without a
job) live in the same calendar: they are listed and can be moved here too.

A cancelled booking is kept here as ``STATUS:CANCELLED``, listed and never lost, but hidden: it is gone from
every calendar app and every linked calendar, and takes no time. A cancelled block is simply deleted.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bridge.errors import Invalid, NotAllowed, NotFound
from bridge.ical import build
from bridge.ical.facts import facts
from bridge.ical.marker import OWN_BOOKING
from bridge.ical.series import Event, read
from bridge.ical.text import Component, parse
from bridge.ical.zones import parse_local
from bridge.store import calendars, objects
from bridge.store.objects import StoredObject
from bridge.store.people import UserRow

#: Minutes; the longest is Picsello's own limit (design, section 4.5).
SHORTEST, LONGEST = 1, 720

STATUSES = ("confirmed", "tentative")

#: Characters; far more than anybody needs, and far less than what calendar apps choke on.
MOST_CHARACTERS = {"title": 500, "place": 1_000, "notes": 50_000}

_YEARS = range(1970, 2200)


def add(
    tx: Connection,
    user: UserRow,
    title: str,
    start: str,
    minutes: int,
    place: str,
    notes: str,
    status: str,
    now: datetime,
    *,
    actor: str = "command",
) -> tuple[str, str]:
    """Put a booking on the user's calendar; returns its UID and href.

    ``start`` is ISO 8601, in the user's zone unless it carries an offset; ``minutes`` is time that passes.
    Raises Invalid, and NotAllowed if the user's bookings live elsewhere.
    """
    if user.source != "studio":
        raise NotAllowed(
            f"The bookings of {user.email} come from another source ({user.source}). Add this one there."
        )
    if not title.strip():
        raise Invalid("A booking needs a title, such as the client's name.")
    for name, text in (("title", title), ("place", place), ("notes", notes)):
        if len(text) > MOST_CHARACTERS[name]:
            raise Invalid(f"The {name} must stay under {MOST_CHARACTERS[name]:,} characters.")
    if status not in STATUSES:
        raise Invalid(f"The status “{status[:20]}” is unknown. Use {' or '.join(STATUSES)}.")
    uid = f"{secrets.token_hex(16)}{OWN_BOOKING}"
    href = objects.href_for(uid)
    text = build.booking_text(
        uid,
        title,
        _start(start, user),
        duration=_duration(minutes),
        zone=ZoneInfo(user.time_zone),
        place=place,
        notes=notes,
        status=status,
        now=now,
    )
    calendar = calendars.bookings(tx, user.id)
    objects.put(tx, calendar.id, href, text, kind="booking", actor=actor, now=now)
    return uid, href


def list_(tx: Connection, user: UserRow) -> list[Mapping[str, Any]]:
    """The user's bookings and blocks, earliest first, cancelled and hidden ones included.

    Rows: ``uid, href, title, start, end, zone, status, place, kind, all_day, recurring, hidden``. ``start``
    and ``end`` are ISO 8601 with the offset of ``zone``, the one the event is written in; for all-day
    events dates, ``end`` exclusive; of a series those of its first date. None if they can't be read.
    """
    calendar = calendars.bookings(tx, user.id)
    zone = ZoneInfo(user.time_zone)
    stored = sorted(
        objects.all_objects(tx, calendar.id, with_hidden=True), key=lambda row: (row.starts or 0, row.uid)
    )
    return [_row(row, zone) for row in stored if row.component == "VEVENT"]


def one(tx: Connection, user: UserRow, uid: str) -> Mapping[str, Any] | None:
    """The row of one booking or block, as in ``list_``; None if there is none of that UID."""
    found = objects.by_uid(tx, calendars.bookings(tx, user.id).id, uid, with_hidden=True)
    return _row(found, ZoneInfo(user.time_zone)) if found and found.component == "VEVENT" else None


def move(
    tx: Connection,
    user: UserRow,
    uid: str,
    start: str,
    minutes: int | None,
    now: datetime,
    *,
    actor: str = "command",
) -> None:
    """Give a booking or block another time, and another length if ``minutes`` is given.

    Raises NotFound, Invalid (also for a series: which dates?), NotAllowed for a cancelled one.
    """
    found = _find(tx, user, uid)
    if found.status == "CANCELLED":
        raise NotAllowed("This booking is cancelled. Add a new one instead.")
    duration = None if minutes is None else _duration(minutes)
    text = build.moved(found.text, _start(start, user), duration, now, ZoneInfo(user.time_zone))
    objects.put(tx, found.calendar_id, found.href, text, actor=actor, now=now, hidden=found.hidden)


def cancel(tx: Connection, user: UserRow, uid: str, now: datetime, *, actor: str = "command") -> None:
    """Cancel a booking, or delete a block; a booking that is cancelled already stays as it is.

    Raises NotFound."""
    found = _find(tx, user, uid)
    if found.kind != "booking":
        objects.delete(tx, found.calendar_id, found.href, actor=actor, now=now)
        return
    text = build.with_status(found.text, "CANCELLED", now)
    objects.put(tx, found.calendar_id, found.href, text, actor=actor, now=now, hidden=True)


def _find(tx: Connection, user: UserRow, uid: str) -> StoredObject:
    calendar = objects.lock(tx, calendars.bookings(tx, user.id).id)
    found = objects.by_uid(tx, calendar.id, uid, with_hidden=True)
    if found is None or found.component != "VEVENT":
        raise NotFound(f"There is no booking {uid[:80]} in the calendar of {user.email}.")
    return found


def _start(start: str, user: UserRow) -> datetime:
    found = parse_local(start, user.time_zone)
    if found.year not in _YEARS:
        raise Invalid(f"{start.strip()[:40]} is in the year {found.year}. Check the date.")
    return found


def _duration(minutes: int) -> timedelta:
    if not SHORTEST <= minutes <= LONGEST:
        raise Invalid(f"A booking takes {SHORTEST} to {LONGEST} minutes, not {minutes}.")
    return timedelta(minutes=minutes)


def _row(stored: StoredObject, zone: ZoneInfo) -> Mapping[str, Any]:
    calendar = parse(stored.text)
    known = facts(calendar)
    event = _first(calendar, zone)
    start, end, zone_name = _when(event, zone)
    return {
        "uid": stored.uid,
        "href": stored.href,
        "title": known.summary,
        "start": start,
        "end": end,
        "zone": zone_name,
        "status": stored.status.lower(),
        "place": known.location,
        "kind": stored.kind,
        "all_day": event is not None and event.start.is_date,
        "recurring": stored.recurring,
        "hidden": stored.hidden,
    }


def _first(calendar: Component, zone: ZoneInfo) -> Event | None:
    """The master, or the first override of an object that has none; None if its times can't be read."""
    try:
        series = read(calendar, zone)
    except Invalid:
        return None
    return series.master or min(series.overrides.values(), key=lambda event: event.span, default=None)


def _when(event: Event | None, zone: ZoneInfo) -> tuple[str | None, str | None, str]:
    if event is None:
        return None, None, zone.key
    try:
        if event.start.is_date:
            first = event.start.wall.date()
            return first.isoformat(), (first + timedelta(days=event.length.days)).isoformat(), zone.key
        own = ZoneInfo("UTC") if event.start.zone is UTC else event.start.zone
        shown = own if isinstance(own, ZoneInfo) else zone  # a custom zone has no name for others
        start, end = (datetime.fromtimestamp(at, shown).isoformat() for at in event.span)
    except (OverflowError, ValueError):  # before the year 1 or after 9999 once in another zone
        return None, None, zone.key
    return start, end, shown.key
