"""A client books, moves or cancels a session, exactly once however many try.

A slot is judged and taken in one transaction, under the locks of all calendars that could close it; what the
page showed before is only a hint. The booking is an object like any other, so calendars, feeds and linked
accounts follow by themselves. A hold is a tentative booking with an end.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bridge.errors import Invalid, NotAllowed, NotFound, Refused
from bridge.ical import build
from bridge.ical.marker import OWN_BOOKING
from bridge.service import Bridge, availability, client_sessions, clients, freshness
from bridge.service.client_sessions import Session
from bridge.service.clients import Client
from bridge.slots.offer import Slot, nearest
from bridge.slots.rules import Why
from bridge.store import booking_events, calendars, objects
from bridge.store.booking_events import ClientRow, EventRow
from bridge.store.people import UserRow

ACTOR = "client"

#: What binds the photographer, too, who may otherwise go beyond the rules of the page.
_BINDS_OWNER = frozenset({Why.PAST, Why.NOT_OFFERED, Why.BUSY})

#: How far around a taken slot the nearest free ones are looked for.
NEAR = 31 * 86_400


class Taken(Refused):
    """Somebody was faster, or the time is no longer free. ``nearest``: free slots around it."""

    def __init__(self, message: str, nearest: Sequence[Slot] = ()):
        super().__init__(message)
        self.nearest = nearest


def slots(
    bridge: Bridge, event: EventRow, user: UserRow, first: int, last: int, *, but: Collection[str] = ()
) -> list[Slot]:
    """The slots that begin in ``[first, last)`` and are on offer, free or taken. None of a disabled event."""
    if event.status != "active" or last <= first:
        return []
    release_expired(bridge)
    with bridge.db.reading() as tx:
        rules = availability.rules_of(tx, event, user)
        found = availability.offer(tx, bridge, user, rules, first, last, but=but, named=False)
    return [slot for slot in found.slots(first, last) if slot.offered]


def take(
    bridge: Bridge, event: EventRow, user: UserRow, start: int, client: Client, *, owner: bool = False
) -> Session:
    """Book the slot that starts at ``start``; the ``owner`` reserves it for the client, without an end.
    Raises Taken, and Invalid for what can't be booked as asked."""
    client = clients.checked(client, user, name_only=owner)
    freshness.read(bridge, user.id)
    release_expired(bridge)
    now = bridge.clock.now()
    uid = f"{secrets.token_hex(16)}{OWN_BOOKING}"
    try:
        with bridge.db.writing() as tx:
            calendar_id = _lock(tx, user)
            event = booking_events.get(tx, event.id)
            slot = _judged(tx, bridge, event, user, start, owner=owner)
            held = event.hold > 0 and not owner
            state = "reserved" if owner else "held" if held else "confirmed"
            zone = ZoneInfo(user.time_zone)
            text = build.booking_text(
                uid,
                f"{client.name}: {event.title}",
                datetime.fromtimestamp(slot.starts, zone),
                duration=timedelta(seconds=slot.ends - slot.starts),
                zone=zone,
                place=", ".join(filter(None, (event.place, event.address))),
                notes=clients.notes(client, event),
                status="CONFIRMED" if state == "confirmed" else "TENTATIVE",
                now=now,
            )
            href = objects.href_for(uid)
            stored = objects.put(tx, calendar_id, href, text, kind="booking", actor=ACTOR, now=now)
            client_id = booking_events.add_client(
                tx,
                event_id=event.id,
                calendar_id=calendar_id,
                uid=uid,
                name=client.name,
                email=client.email,
                phone=client.phone,
                time_zone=client.time_zone,
                status=state,
                expires=now + timedelta(seconds=event.hold) if held else None,
                mail="booked" if bridge.settings.smtp_url and not owner else None,
                created=now,
            )
            session = client_sessions.find(tx, client_id)
    except Taken as taken:
        raise _with_nearest(bridge, event, user, start, taken) from None
    _told(bridge, stored.due)
    return session


def move(bridge: Bridge, client_id: int, start: int, *, owner: bool = False) -> Session:
    """Give a session another slot of its event; the old one is free again. Raises as ``take``."""
    with bridge.db.reading() as tx:
        known = client_sessions.find(tx, client_id)
    freshness.read(bridge, known.user.id)
    release_expired(bridge)
    now = bridge.clock.now()
    try:
        with bridge.db.writing() as tx:
            calendar_id = _lock(tx, known.user)
            session = client_sessions.find(tx, client_id)
            stored = _changeable(tx, bridge, session, owner)
            slot = _judged(tx, bridge, session.event, session.user, start, but={stored.uid}, owner=owner)
            zone = ZoneInfo(session.user.time_zone)
            at, length = datetime.fromtimestamp(slot.starts, zone), timedelta(seconds=slot.ends - slot.starts)
            text = build.moved(stored.text, at, length, now, zone)
            written = objects.put(
                tx, calendar_id, stored.href, text, actor=ACTOR, now=now, hidden=stored.hidden
            )
            _to_mail(tx, bridge, session, "moved")
            session = client_sessions.find(tx, client_id)
    except Taken as taken:
        raise _with_nearest(bridge, known.event, known.user, start, taken, {known.row.uid}) from None
    _told(bridge, written.due)
    return session


def cancel(bridge: Bridge, client_id: int, *, owner: bool = False) -> Session:
    """Call a session off; its time is free again, and it is gone from every calendar, as after
    ``bookings.cancel``; a hold leaves nothing. A cancelled one stays so. Raises NotAllowed if it is too
    late, NotFound."""
    now = bridge.clock.now()
    with bridge.db.reading() as tx:
        user = client_sessions.find(tx, client_id).user
    with bridge.db.writing() as tx:
        calendar_id = _lock(tx, user)
        session = client_sessions.find(tx, client_id)
        if session.state in ("cancelled", "expired"):
            return session
        stored = _changeable(tx, bridge, session, owner)
        due: tuple[int, ...] = ()
        if session.state in ("held", "reserved"):
            objects.delete(tx, calendar_id, stored.href, actor=ACTOR, now=now)
        else:
            text = build.with_status(stored.text, "CANCELLED", now)
            put = objects.put(tx, calendar_id, stored.href, text, actor=ACTOR, now=now, hidden=True)
            due = put.due
        booking_events.set_client(tx, client_id, status="cancelled", expires=None)
        _to_mail(tx, bridge, session, "cancelled")
        session = client_sessions.find(tx, client_id)
    _told(bridge, due)
    return session


def confirm(bridge: Bridge, client_id: int) -> Session:
    """A hold or a reservation becomes a booking: it was paid, or the studio says so. Raises NotAllowed if it
    ran out."""
    release_expired(bridge)
    now = bridge.clock.now()
    with bridge.db.reading() as tx:
        user = client_sessions.find(tx, client_id).user
    with bridge.db.writing() as tx:
        calendar_id = _lock(tx, user)
        session = client_sessions.find(tx, client_id)
        if session.state == "confirmed":
            return session
        if session.state not in ("held", "reserved"):
            raise NotAllowed("This session is not held any more. Book it again, if it is still free.")
        stored = _object(tx, session.row)
        text = build.with_status(stored.text, "CONFIRMED", now)
        put = objects.put(tx, calendar_id, stored.href, text, actor=ACTOR, now=now, hidden=stored.hidden)
        booking_events.set_client(tx, client_id, status="confirmed", expires=None)
        _to_mail(tx, bridge, session, "booked")
        session = client_sessions.find(tx, client_id)
    _told(bridge, put.due)
    return session


def release_expired(bridge: Bridge) -> int:
    """Take off the holds whose time is over; returns how many. Cheap where there are none."""
    now = bridge.clock.now()
    with bridge.db.reading() as tx:
        found = booking_events.expired(tx, now)
    for row in found:
        with bridge.db.writing() as tx:
            objects.lock(tx, row.calendar_id)
            current = booking_events.client(tx, row.id)
            if current.status != "held" or current.expires is None or current.expires > now:
                continue  # confirmed meanwhile
            stored = objects.by_uid(tx, row.calendar_id, row.uid, with_hidden=True)
            if stored is not None and stored.status == "CONFIRMED":  # in Picsello, or in a calendar
                booking_events.set_client(tx, row.id, status="confirmed", expires=None)
                continue
            if stored is not None:
                objects.delete(tx, row.calendar_id, stored.href, actor=ACTOR, now=now)
            booking_events.set_client(tx, row.id, status="expired", expires=None)
    return len(found)


# --- inside ----------------------------------------------------------------------------------------


def _lock(tx: Connection, user: UserRow) -> int:
    """Nobody else may change what closes this user's slots until the transaction ends; returns the bookings
    calendar's id. The user's other sessions wait here, and so does a pass that brings an event in."""
    for calendar_id in sorted(calendar.id for calendar in availability.blocking(tx, user)):
        objects.lock(tx, calendar_id)
    return calendars.bookings(tx, user.id).id


def _judged(
    tx: Connection,
    bridge: Bridge,
    event: EventRow,
    user: UserRow,
    start: int,
    but: Collection[str] = (),
    *,
    owner: bool = False,
) -> Slot:
    """The slot, if it is free now. Raises Taken or Invalid."""
    if event.status != "active" and not owner:
        raise Invalid("This booking page takes no bookings at the moment.")
    rules = availability.rules_of(tx, event, user)
    slot = availability.offer(tx, bridge, user, rules, start, start + event.length, but=but).slot(start)
    if owner:
        slot = slot._replace(reasons=tuple(reason for reason in slot.reasons if reason.why in _BINDS_OWNER))
    if not slot.offered:
        raise Invalid(availability.WORDS[slot.reasons[0].why] + " Please choose one of the times shown.")
    if not slot.free:
        raise Taken("Somebody was faster: this time has just been taken.")
    return slot


def _with_nearest(
    bridge: Bridge, event: EventRow, user: UserRow, start: int, taken: Taken, but: Collection[str] = ()
) -> Taken:
    around = slots(bridge, event, user, start - NEAR, start + NEAR, but=but)
    return Taken(str(taken), nearest(around, start))


def _object(tx: Connection, row: ClientRow) -> objects.StoredObject:
    stored = objects.by_uid(tx, row.calendar_id, row.uid, with_hidden=True)
    if stored is None:
        raise NotFound("This session does not exist any more.")
    return stored


def _changeable(tx: Connection, bridge: Bridge, session: Session, owner: bool) -> objects.StoredObject:
    if session.state not in client_sessions.LIVE or session.starts is None:
        raise NotAllowed("This session is off already. Book a new one instead.")
    earliest = bridge.clock.now() + timedelta(seconds=session.event.notice)
    if session.starts <= earliest.timestamp() and not owner:
        raise NotAllowed("It is too late to change this online. Please call or write to the studio.")
    return _object(tx, session.row)


def _to_mail(tx: Connection, bridge: Bridge, session: Session, what: str) -> None:
    if bridge.settings.smtp_url and session.row.email:
        booking_events.set_client(tx, session.row.id, mail=what, mail_tries=0, mail_after=None)


def _told(bridge: Bridge, due: tuple[int, ...]) -> None:
    for link_id in due:
        bridge.enqueue(link_id)
