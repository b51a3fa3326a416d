"""Booking events and opening hours, as the photographer sets them up.

An event is a page on which clients choose a session. Its days are named with their blocks, or left to the
opening hours. What the rules mean is decided in ``bridge.slots``, what people type read by ``booking_plans``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bridge.errors import Invalid, NotAllowed, NotFound
from bridge.ical.zones import parse_local
from bridge.service import Bridge, client_booking
from bridge.service.availability import rules_of
from bridge.service.booking_plans import WEEKDAYS, Plan, days_of, optional, spelled, stretch, week_of, within
from bridge.service.bookings import LONGEST, MOST_CHARACTERS
from bridge.slots.offer import starts_between
from bridge.store import booking_events, people
from bridge.store.booking_events import EventRow
from bridge.store.people import UserRow

#: What the status may become, and from which calls.
STATUSES = ("active", "disabled", "archived")


def add(tx: Connection, user: UserRow, plan: Plan, now: datetime) -> EventRow:
    """A new, active event. Raises Invalid, and NotAllowed if the user's bookings live elsewhere."""
    if user.source != "studio":
        raise NotAllowed(
            f"The bookings of {user.email} come from another source ({user.source}). "
            "Make the booking page there."
        )
    title = " ".join(plan.title.split())
    if not title:
        raise Invalid("A booking page needs a name, such as “Spring mini-sessions”.")
    for name, text in (("title", title), ("place", plan.place), ("notes", plan.description)):
        if len(text) > MOST_CHARACTERS[name]:
            raise Invalid(f"The {name} must stay under {MOST_CHARACTERS[name]:,} characters.")
    event_id = booking_events.create(
        tx,
        user_id=user.id,
        studio_id=user.studio_id,
        slug=_free_slug(title, booking_events.slugs(tx, user.studio_id)),
        title=title,
        place=plan.place.strip(),
        description=plan.description.strip(),
        days=days_of(plan),
        length=60 * within("A session takes", plan.length, 1, LONGEST, "minutes"),
        gap=60 * within("The gap between sessions is", plan.gap, 0, LONGEST, "minutes"),
        before=60 * within("The time kept free before is", plan.before, 0, LONGEST, "minutes"),
        after=60 * within("The time kept free after is", plan.after, 0, LONGEST, "minutes"),
        notice=60 * within("The notice is", plan.notice, 0, 60 * 24 * 366, "minutes"),
        furthest=optional("The furthest day is", plan.furthest, 0, 1000, "days ahead"),
        per_day=optional("The most a day is", plan.per_day, 1, 1000, "sessions"),
        per_week=optional("The most a week is", plan.per_week, 1, 1000, "sessions"),
        hold=60 * within("A hold lasts", plan.hold, 0, 60 * 24 * 30, "minutes"),
        created=now,
    )
    return booking_events.get(tx, event_id)


def url(bridge: Bridge, event: EventRow) -> str:
    """The address that clients are given."""
    return f"{bridge.public_url}/book/{event.studio}/{event.slug}"


def list_(bridge: Bridge, email: str) -> list[Mapping[str, Any]]:
    """The user's events, oldest first. Raises NotFound."""
    with bridge.db.reading() as tx:
        rows = booking_events.of_user(tx, people.user_by_email(tx, email).id)
    return [
        {
            "event": row.id,
            "name": row.title,
            "status": row.status,
            "dates": sorted(row.days) if row.days is not None else [],
            "length": row.length // 60,
            "gap": row.gap // 60,
            "place": row.place,
            "url": url(bridge, row),
        }
        for row in rows
    ]


def set_status(tx: Connection, event_id: int, status: str) -> EventRow:
    """Disable, enable or archive it; sessions already booked stay. Raises NotFound, NotAllowed."""
    found = booking_events.get(tx, event_id)
    if found.status == "archived" and status != "archived":
        raise NotAllowed("This booking page is archived. Make a new one instead.")
    booking_events.set_(tx, event_id, status=status)
    return booking_events.get(tx, event_id)


def set_hidden(tx: Connection, event_id: int, start: str, hidden: bool) -> EventRow:
    """Show the slot that begins then as taken, or open it again. Raises NotFound, Invalid."""
    event = booking_events.get(tx, event_id)
    user = people.user_by_id(tx, event.user_id)
    moment = int(parse_local(start, user.time_zone).timestamp())
    if moment not in starts_between(rules_of(tx, event, user), moment, moment + 1):
        raise Invalid(f"No session of {event.title} begins at {start.strip()[:40]}.")
    starts = set(event.hidden_starts) - {moment} | ({moment} if hidden else set())
    booking_events.set_(tx, event_id, hidden_starts=sorted(starts))
    return booking_events.get(tx, event_id)


def sessions(bridge: Bridge, email: str) -> list[Mapping[str, Any]]:
    """Who booked through the user's pages, the newest first. Raises NotFound."""
    with bridge.db.reading() as tx:
        user = people.user_by_email(tx, email)
        rows = booking_events.clients_of_user(tx, user.id)
        found = [client_booking.find(tx, row.id) for row in rows]
    zone = ZoneInfo(user.time_zone)
    return [
        {
            "booking": one.row.id,
            "event": one.event.id,
            "uid": one.row.uid,
            "name": one.row.name,
            "email": one.row.email,
            "phone": one.row.phone,
            "status": one.state,
            "start": None if one.starts is None else datetime.fromtimestamp(one.starts, zone).isoformat(),
        }
        for one in found
    ]


def at(tx: Connection, studio: str, slug: str) -> tuple[EventRow, UserRow]:
    """The event at this address, and whose it is. Raises NotFound, also for an archived one."""
    found = booking_events.find(tx, studio, slug)
    if found is None or found.status == "archived":
        raise NotFound("There is no booking page at this address (any more).")
    return found, people.user_by_id(tx, found.user_id)


def set_opening(
    tx: Connection,
    user: UserRow,
    *,
    hours: Sequence[str] | None = None,
    closed: Sequence[str] | None = None,
    tentative_blocks: bool | None = None,
) -> None:
    """Change what holds for all of the user's availability; None leaves it as it is.

    ``hours``: ``mon=09:00-17:00`` each, none: always open; ``closed``: a date or ``first..last`` each.
    """
    values: dict[str, Any] = {}
    if hours is not None:
        values["hours"] = week_of(hours)
    if closed is not None:
        values["closed"] = [stretch(one) for one in closed]
    if tentative_blocks is not None:
        values["tentative_blocks"] = tentative_blocks
    if values:
        booking_events.set_opening(tx, user.id, **values)


def opening(tx: Connection, user: UserRow) -> dict[str, list[str]]:
    """The same, as ``set_opening`` takes it."""
    row = booking_events.opening_of(tx, user.id)
    hours = [
        f"{WEEKDAYS[int(weekday)]}={spelled(opens)}-{spelled(closes)}"
        for weekday, parts in sorted((row.hours or {}).items())
        for opens, closes in parts
    ]
    closed = [first if first == last else f"{first}..{last}" for first, last in row.closed]
    return {"hours": hours, "closed": closed, "tentative": ["busy" if row.tentative_blocks else "free"]}


def _free_slug(title: str, used: set[str]) -> str:
    """Readable in an address: ``spring-mini-sessions``, with a number if the studio had one before."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-") or "sessions"
    if slug not in used:
        return slug
    return next(f"{slug}-{number}" for number in range(2, len(used) + 3) if f"{slug}-{number}" not in used)
