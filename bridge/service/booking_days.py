"""The single days and slots of a booking event, as the photographer sees and changes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bridge.errors import Invalid, NotAllowed
from bridge.ical.zones import parse_local
from bridge.service import Bridge, availability, client_sessions
from bridge.service.availability import Explained, rules_of
from bridge.service.booking_plans import MOST_DAYS, Plan, date_of, days_of, parts_of
from bridge.service.client_sessions import Session
from bridge.slots.days import day_of, instant
from bridge.slots.light import Light, light
from bridge.slots.offer import starts_between
from bridge.slots.rules import Why
from bridge.store import booking_events, people
from bridge.store.booking_events import EventRow
from bridge.store.people import UserRow


@dataclass(frozen=True, slots=True)
class Line:
    """One slot or session of a day, seconds since 1970. ``state``: open, hidden, held, reserved, confirmed,
    cancelled, or taken (``reasons`` say by what)."""

    starts: int
    ends: int
    state: str
    session: Session | None = None
    reasons: Sequence[Explained] = ()


def add(tx: Connection, event: EventRow, user: UserRow, plan: Plan) -> EventRow:
    """More dates, with their blocks; those that are there already get the new blocks. Raises Invalid."""
    where = where_of(event)
    new = days_of(plan, where, ZoneInfo(user.time_zone))
    if new is None:
        raise Invalid("Please give the date, such as 2027-05-08.")
    merged = {**(event.days or {}), **new}
    if len(merged) > MOST_DAYS:
        raise Invalid(f"A booking page may have {MOST_DAYS} dates, not {len(merged)}.")
    booking_events.set_(tx, event.id, days=dict(sorted(merged.items())))
    return booking_events.get(tx, event.id)


def change(
    tx: Connection,
    event: EventRow,
    day: str,
    blocks: Sequence[str],
    breaks: Sequence[str],
    hidden: Sequence[str],
) -> EventRow:
    """The blocks of one date. Sessions that are booked stay. Raises Invalid."""
    if event.days is None or day not in event.days:
        raise Invalid(f"{day[:20]} is no date of {event.title}.")
    if not blocks:
        raise Invalid("A date needs at least one block of time, such as 09:00-13:00. Or remove the date.")
    parts = parts_of(blocks, breaks, hidden, event.length // 60)
    booking_events.set_(tx, event.id, days={**event.days, day: parts})
    return booking_events.get(tx, event.id)


def remove(tx: Connection, event: EventRow, user: UserRow, day: str) -> EventRow:
    """Take a date off the page. Raises Invalid, NotAllowed while sessions are booked on it."""
    if event.days is None or day not in event.days:
        raise Invalid(f"{day[:20]} is no date of {event.title}.")
    if any(
        line.session and line.session.state in client_sessions.LIVE for line in _booked(tx, event, user, day)
    ):
        raise NotAllowed("Sessions are booked on this date. Move or cancel them first, then remove it.")
    left = {other: parts for other, parts in event.days.items() if other != day}
    if not left:
        raise NotAllowed(
            "A booking page that names its dates needs one. Disable or archive the page instead."
        )
    booking_events.set_(tx, event.id, days=left)
    return booking_events.get(tx, event.id)


def set_hidden(tx: Connection, event_id: int, start: str | int, hidden: bool) -> EventRow:
    """Show the slot that begins then as taken, or open it again. Raises NotFound, Invalid."""
    event = booking_events.get(tx, event_id)
    user = people.user_by_id(tx, event.user_id)
    moment = int(parse_local(start, user.time_zone).timestamp()) if isinstance(start, str) else start
    if moment not in starts_between(rules_of(tx, event, user), moment, moment + 1):
        raise Invalid(f"No session of {event.title} begins at {str(start).strip()[:40]}.")
    starts = set(event.hidden_starts) - {moment} | ({moment} if hidden else set())
    booking_events.set_(tx, event_id, hidden_starts=sorted(starts))
    return booking_events.get(tx, event_id)


def lines(tx: Connection, bridge: Bridge, event: EventRow, user: UserRow, day: date) -> list[Line]:
    """The day of an event: its sessions, and the slots that none of them takes, in order."""
    booked = _booked(tx, event, user, day.isoformat())
    live = [line for line in booked if line.state in client_sessions.LIVE]
    first, last = _bounds(day, user)
    offer = availability.offer(tx, bridge, user, rules_of(tx, event, user), first, last)
    found = list(booked)
    for slot in offer.slots(first, last):
        if any(line.starts < slot.ends and slot.starts < line.ends for line in live):
            continue
        whys = {reason.why for reason in slot.reasons}
        state = "open" if not whys else "hidden" if whys == {Why.HIDDEN} else "taken"
        reasons = availability.explained(tx, slot.reasons) if state == "taken" else ()
        found.append(Line(slot.starts, slot.ends, state, None, reasons))
    return sorted(found, key=lambda line: (line.starts, line.state == "cancelled"))


def light_of(event: EventRow, day: date, zone: ZoneInfo) -> Light | None:
    """The light on that day where the event takes place; None indoors."""
    where = where_of(event)
    return None if where is None else light(day, *where, zone)


def light_around(session: Session) -> Light | None:
    """The light of a session's day where it takes place, by the studio's clocks; None indoors, once nothing
    is left of it, and where the sun does not come near the horizon."""
    if session.starts is None:
        return None
    zone = ZoneInfo(session.user.time_zone)
    return light_of(session.event, day_of(session.starts, zone), zone) or None


def where_of(event: EventRow) -> tuple[float, float] | None:
    """The coordinates of its place."""
    if event.latitude is None or event.longitude is None:
        return None
    return event.latitude, event.longitude


def day_named(text: str) -> date:
    """A date from an address. Raises Invalid."""
    return date_of(text)


def _booked(tx: Connection, event: EventRow, user: UserRow, day: str) -> list[Line]:
    rows = booking_events.clients_between(tx, event.id, *_bounds(date.fromisoformat(day), user))
    sessions = [client_sessions.find(tx, row.id) for row in rows]
    return [
        Line(one.starts, one.ends, one.state, one)
        for one in sessions
        if one.starts is not None and one.ends is not None
    ]


def _bounds(day: date, user: UserRow) -> tuple[int, int]:
    zone = ZoneInfo(user.time_zone)
    return instant(day, 0, zone), instant(day + timedelta(days=1), 0, zone)
