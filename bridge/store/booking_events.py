"""Client booking: opening hours, booking events, and who booked what. Rules live in ``bridge.service``.

Lookups for people go by studio and slug, or by user, so that tenants stay apart. When a booked session
takes place says its object alone; these rows say who booked it, and what is still to be told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, func, insert, or_, select, update

from bridge.errors import NotFound
from bridge.store.calendars import CalendarRow
from bridge.store.rows import columns
from bridge.store.tables import booking_event, client_booking, object_, occurrence, opening, place, studio

#: A day, divided: ``{"open": [[opens, closes]], "breaks": [...], "hidden": [...]}``, seconds by the wall.
DayParts = Mapping[str, Sequence[Sequence[int]]]


@dataclass(frozen=True, slots=True)
class Opening:
    """What holds for all of a user's availability. ``hours`` by weekday ("0": Monday); None: always open."""

    hours: Mapping[str, Sequence[Sequence[int]]] | None = None
    closed: Sequence[Sequence[str]] = ()
    tentative_blocks: bool = True
    private_before: int = 0
    private_after: int = 0
    buffers: Mapping[str, Sequence[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EventRow:
    """A booking event; durations in seconds, ``studio`` is its slug. See ``tables.booking_event``."""

    id: int
    user_id: int
    studio_id: int
    slug: str
    title: str
    place: str
    description: str
    status: str
    days: Mapping[str, DayParts] | None
    hidden_starts: Sequence[int]
    length: int
    gap: int
    before: int
    after: int
    notice: int
    furthest: int | None
    per_day: int | None
    per_week: int | None
    hold: int
    job_type: str
    address: str
    place_id: int | None
    latitude: float | None
    longitude: float | None
    sun: str
    created: datetime
    studio: str
    studio_name: str


@dataclass(frozen=True, slots=True)
class ClientRow:
    """Who booked the object ``uid`` of a calendar through an event's page."""

    id: int
    event_id: int
    calendar_id: int
    uid: str
    name: str
    email: str
    phone: str
    time_zone: str
    status: str
    expires: datetime | None
    mail: str | None
    mail_tries: int
    mail_after: datetime | None
    created: datetime


_EVENT: Select[Any] = select(
    *columns(EventRow, booking_event, stop=-2), studio.c.slug.label("studio"), studio.c.name
).join(studio, studio.c.id == booking_event.c.studio_id)
_CLIENT: Select[Any] = select(*columns(ClientRow, client_booking))
_OPENING = select(*columns(Opening, opening)).where(opening.c.user_id == bindparam("user_id"))
_EXPIRED = _CLIENT.where(
    client_booking.c.status == "held", client_booking.c.expires <= bindparam("now")
).order_by(client_booking.c.id)
_BUFFERS = (
    select(
        booking_event.c.id,
        booking_event.c.job_type,
        booking_event.c.before,
        booking_event.c.after,
        func.coalesce(place.c.before, 0),
        func.coalesce(place.c.after, 0),
    )
    .outerjoin(place, place.c.id == booking_event.c.place_id)
    .where(booking_event.c.user_id == bindparam("user_id"))
)
_BOOKED = (
    select(occurrence.c.object_id, client_booking.c.event_id)
    .join(object_, object_.c.id == occurrence.c.object_id)
    .join(
        client_booking,
        and_(client_booking.c.calendar_id == object_.c.calendar_id, client_booking.c.uid == object_.c.uid),
    )
    .where(
        occurrence.c.calendar_id == bindparam("calendar_id"),
        occurrence.c.starts >= bindparam("floor"),
        occurrence.c.starts < bindparam("end"),
        occurrence.c.ends > bindparam("start"),
    )
)
#: A mail server that refuses for good is not asked for ever.
MOST_TRIES = 8


# --- opening hours ---------------------------------------------------------------------------------


def opening_of(tx: Connection, user_id: int) -> Opening:
    """What the user decided, or always open."""
    row = tx.execute(_OPENING, {"user_id": user_id}).first()
    return Opening() if row is None else Opening(*row)


def set_opening(tx: Connection, user_id: int, **values: Any) -> None:
    """Change some of it."""
    if tx.execute(update(opening).where(opening.c.user_id == user_id).values(values)).rowcount == 0:
        tx.execute(insert(opening), {"user_id": user_id, **values})


# --- events ----------------------------------------------------------------------------------------


def create(tx: Connection, **values: Any) -> int:
    """A new event; returns its id."""
    return int(tx.execute(insert(booking_event).returning(booking_event.c.id), values).scalar_one())


def get(tx: Connection, event_id: int) -> EventRow:
    """Raises NotFound."""
    row = tx.execute(_EVENT.where(booking_event.c.id == event_id)).first()
    if row is None:
        raise NotFound(f"There is no booking event {event_id}. See `picsello-bridge event list`.")
    return EventRow(*row)


def find(tx: Connection, studio_slug: str, slug: str) -> EventRow | None:
    """The event at this address."""
    row = tx.execute(_EVENT.where(studio.c.slug == studio_slug, booking_event.c.slug == slug)).first()
    return None if row is None else EventRow(*row)


def of_studio(tx: Connection, studio_slug: str) -> list[EventRow]:
    """The active events of a studio, oldest first."""
    wanted = _EVENT.where(studio.c.slug == studio_slug, booking_event.c.status == "active")
    return [EventRow(*row) for row in tx.execute(wanted.order_by(booking_event.c.id))]


def of_user(tx: Connection, user_id: int) -> list[EventRow]:
    """All events of a user, oldest first."""
    wanted = _EVENT.where(booking_event.c.user_id == user_id).order_by(booking_event.c.id)
    return [EventRow(*row) for row in tx.execute(wanted)]


def mine(tx: Connection, user_id: int, event_id: int) -> EventRow:
    """Raises NotFound, also for somebody else's."""
    row = tx.execute(_EVENT.where(booking_event.c.id == event_id, booking_event.c.user_id == user_id)).first()
    if row is None:
        raise NotFound("There is no such booking page.")
    return EventRow(*row)


def slugs(tx: Connection, studio_id: int) -> set[str]:
    """Every address that the studio ever gave to an event."""
    return set(
        tx.execute(select(booking_event.c.slug).where(booking_event.c.studio_id == studio_id)).scalars()
    )


def set_(tx: Connection, event_id: int, **values: Any) -> None:
    """Change columns."""
    tx.execute(update(booking_event).where(booking_event.c.id == event_id).values(values))


# --- who booked ------------------------------------------------------------------------------------


def add_client(tx: Connection, **values: Any) -> int:
    """A session was booked; returns the row's id."""
    return int(tx.execute(insert(client_booking).returning(client_booking.c.id), values).scalar_one())


def client(tx: Connection, client_id: int) -> ClientRow:
    """Raises NotFound."""
    row = tx.execute(_CLIENT.where(client_booking.c.id == client_id)).first()
    if row is None:
        raise NotFound("This booking does not exist (any more).")
    return ClientRow(*row)


def clients_of_user(tx: Connection, user_id: int) -> list[ClientRow]:
    """Who booked through any of the user's pages, the newest first."""
    wanted = _CLIENT.join(booking_event, booking_event.c.id == client_booking.c.event_id).where(
        booking_event.c.user_id == user_id
    )
    return [ClientRow(*row) for row in tx.execute(wanted.order_by(client_booking.c.id.desc()).limit(1000))]


def clients_between(tx: Connection, event_id: int, start: int, end: int) -> list[ClientRow]:
    """Who booked a session of the event that begins in ``[start, end)``, in that order."""
    same = and_(client_booking.c.calendar_id == object_.c.calendar_id, client_booking.c.uid == object_.c.uid)
    wanted = (
        _CLIENT.join(object_, same)
        .where(client_booking.c.event_id == event_id, object_.c.starts >= start, object_.c.starts < end)
        .order_by(object_.c.starts, client_booking.c.id)
    )
    return [ClientRow(*row) for row in tx.execute(wanted)]


def ahead(tx: Connection, user_id: int, now: int) -> dict[int, int]:
    """How many sessions of each of the user's events are still to come (held ones count)."""
    same = and_(client_booking.c.calendar_id == object_.c.calendar_id, client_booking.c.uid == object_.c.uid)
    wanted = (
        select(client_booking.c.event_id, func.count().label("number"))
        .join(object_, same)
        .join(booking_event, booking_event.c.id == client_booking.c.event_id)
        .where(
            booking_event.c.user_id == user_id,
            object_.c.starts >= now,
            object_.c.status != "CANCELLED",
            client_booking.c.status.in_(("held", "reserved", "confirmed")),
        )
        .group_by(client_booking.c.event_id)
    )
    return {row.event_id: row.number for row in tx.execute(wanted)}


def client_of(tx: Connection, calendar_id: int, uid: str) -> ClientRow | None:
    """Who booked the object."""
    wanted = _CLIENT.where(client_booking.c.calendar_id == calendar_id, client_booking.c.uid == uid)
    row = tx.execute(wanted).first()
    return None if row is None else ClientRow(*row)


def set_client(tx: Connection, client_id: int, **values: Any) -> None:
    """Change columns."""
    tx.execute(update(client_booking).where(client_booking.c.id == client_id).values(values))


def expired(tx: Connection, now: datetime) -> list[ClientRow]:
    """Holds whose time is over."""
    return [ClientRow(*row) for row in tx.execute(_EXPIRED, {"now": now})]


def to_mail(tx: Connection, now: datetime, limit: int = 20) -> list[ClientRow]:
    """Those who are to be told something now, the longest waiting first."""
    wanted = _CLIENT.where(
        client_booking.c.mail.is_not(None),
        client_booking.c.mail_tries < MOST_TRIES,
        or_(client_booking.c.mail_after.is_(None), client_booking.c.mail_after <= now),
    )
    return [ClientRow(*row) for row in tx.execute(wanted.order_by(client_booking.c.id).limit(limit))]


def claim_mail(tx: Connection, row: ClientRow, again: datetime) -> bool:
    """Take a mail on, unless somebody else did; should it fail, it is due ``again``."""
    mine = update(client_booking).where(
        client_booking.c.id == row.id,
        client_booking.c.mail == row.mail,
        client_booking.c.mail_tries == row.mail_tries,
    )
    values = {"mail_tries": row.mail_tries + 1, "mail_after": again}
    return tx.execute(mine.values(values)).rowcount == 1


def mailed(tx: Connection, row: ClientRow) -> None:
    """It was sent; anything that became due since stays due."""
    done = update(client_booking).where(client_booking.c.id == row.id, client_booking.c.mail == row.mail)
    tx.execute(done.values(mail=None, mail_tries=0, mail_after=None))


# --- buffers ---------------------------------------------------------------------------------------


def buffers(tx: Connection, user_id: int, by_type: Mapping[str, Sequence[int]]) -> dict[int, tuple[int, int]]:
    """The free seconds that sessions of each of the user's events want before and after them: the most that
    the event itself, its job type and its place ask for."""
    found = {}
    for event_id, job_type, before, after, there, thereafter in tx.execute(_BUFFERS, {"user_id": user_id}):
        early, late = by_type.get(job_type, (0, 0))
        found[event_id] = (max(before, there, early), max(after, thereafter, late))
    return found


def booked(tx: Connection, calendar: CalendarRow, start: int, end: int) -> dict[int, int]:
    """Through which event each object was booked that takes place in ``[start, end)``, by its number."""
    asked = {"calendar_id": calendar.id, "start": start, "end": end, "floor": start - calendar.longest}
    return {row.object_id: row.event_id for row in tx.execute(_BOOKED, asked)}
