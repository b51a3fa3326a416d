"""Booking events, as the photographer makes, changes and puts them away.

An event is a page on which clients choose a session. Its days are named with their blocks, or left to the
opening hours (``openings``). What the rules mean is decided in ``bridge.slots``, what people type is read by
``booking_plans``; its single days and slots are ``booking_days``'.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bridge.errors import Invalid, NotAllowed, NotFound
from bridge.service import Bridge, client_sessions
from bridge.service.booking_plans import Plan, coordinates, days_of, optional, sunny_days, within
from bridge.service.bookings import LONGEST, MOST_CHARACTERS
from bridge.service.openings import job_type
from bridge.store import booking_events, people, places
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
    values = _values(tx, user, plan)
    where = None if values["latitude"] is None else (values["latitude"], values["longitude"])
    event_id = booking_events.create(
        tx,
        user_id=user.id,
        studio_id=user.studio_id,
        slug=_free_slug(values["title"], booking_events.slugs(tx, user.studio_id)),
        days=days_of(plan, where, ZoneInfo(user.time_zone)),
        created=now,
        **values,
    )
    return booking_events.get(tx, event_id)


def edit(tx: Connection, event: EventRow, user: UserRow, plan: Plan) -> EventRow:
    """Everything but the dates, which have calls of their own; where they follow the sun they go on to.
    Sessions that are booked stay as they are. Raises Invalid."""
    values = _values(tx, user, plan)
    if values["sun"]:
        where = None if values["latitude"] is None else (values["latitude"], values["longitude"])
        named = [date.fromisoformat(day) for day in event.days or ()]
        if not named:
            raise Invalid("Sessions that follow the sun need dates. Add dates first.")
        zone = ZoneInfo(user.time_zone)
        values["days"] = sunny_days(named, plan.sun, plan.sessions, plan.length, plan.gap, where, zone)
    elif event.days is not None:
        shortest = min(
            (closes - opens for parts in event.days.values() for opens, closes in parts["open"]),
            default=values["length"],
        )
        if shortest < values["length"]:
            raise Invalid(
                f"A session of {plan.length} minutes does not fit into the shortest block, which takes "
                f"{shortest // 60}. Make that block longer first."
            )
    booking_events.set_(tx, event.id, **values)
    return booking_events.get(tx, event.id)


def duplicate(tx: Connection, event: EventRow, now: datetime) -> EventRow:
    """The same once more, at an address of its own; nothing is offered there until it is enabled."""
    values = {name: getattr(event, name) for name in _COPIED}
    slug = _free_slug(event.title, booking_events.slugs(tx, event.studio_id))
    return booking_events.get(
        tx, booking_events.create(tx, **values, slug=slug, status="disabled", hidden_starts=[], created=now)
    )


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


def sessions(bridge: Bridge, email: str) -> list[Mapping[str, Any]]:
    """Who booked through the user's pages, the newest first. Raises NotFound."""
    with bridge.db.reading() as tx:
        user = people.user_by_email(tx, email)
        rows = booking_events.clients_of_user(tx, user.id)
        found = [client_sessions.find(tx, row.id) for row in rows]
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


def _values(tx: Connection, user: UserRow, plan: Plan) -> dict[str, Any]:
    title, where = " ".join(plan.title.split()), coordinates(plan.latitude, plan.longitude)
    place, address = plan.place.strip(), plan.address.strip()
    if plan.place_id is not None:
        known = places.mine(tx, user.id, plan.place_id)
        place, address = known.name, known.address
        if known.latitude is not None and known.longitude is not None:
            where = known.latitude, known.longitude
    if not title:
        raise Invalid("A booking page needs a name, such as “Spring mini-sessions”.")
    for name, text in (("title", title), ("place", place), ("place", address), ("notes", plan.description)):
        if len(text) > MOST_CHARACTERS[name]:
            raise Invalid(f"The {name} must stay under {MOST_CHARACTERS[name]:,} characters.")
    return {
        "title": title,
        "place": place,
        "address": address,
        "place_id": plan.place_id,
        "latitude": where and where[0],
        "longitude": where and where[1],
        "sun": plan.sun,
        "job_type": job_type(plan.job_type),
        "description": plan.description.strip(),
        "length": 60 * within("A session takes", plan.length, 1, LONGEST, "minutes"),
        "gap": 60 * within("The gap between sessions is", plan.gap, 0, LONGEST, "minutes"),
        "before": 60 * within("The time kept free before is", plan.before, 0, LONGEST, "minutes"),
        "after": 60 * within("The time kept free after is", plan.after, 0, LONGEST, "minutes"),
        "notice": 60 * within("The notice is", plan.notice, 0, 60 * 24 * 366, "minutes"),
        "furthest": optional("The furthest day is", plan.furthest, 0, 1000, "days ahead"),
        "per_day": optional("The most a day is", plan.per_day, 1, 1000, "sessions"),
        "per_week": optional("The most a week is", plan.per_week, 1, 1000, "sessions"),
        "hold": 60 * within("A hold lasts", plan.hold, 0, 60 * 24 * 30, "minutes"),
    }


#: What a duplicate takes over.
_COPIED = (
    *("user_id", "studio_id", "title", "place", "address", "place_id", "latitude", "longitude", "sun"),
    *("job_type", "description", "days", "length", "gap", "before", "after", "notice", "furthest"),
    *("per_day", "per_week", "hold"),
)


def _free_slug(title: str, used: set[str]) -> str:
    """Readable in an address: ``spring-mini-sessions``, with a number if the studio had one before."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-") or "sessions"
    if slug not in used:
        return slug
    return next(f"{slug}-{number}" for number in range(2, len(used) + 3) if f"{slug}-{number}" not in used)
