"""A session that a client booked, as it stands now, and which time it has.

The object in the calendar says when it takes place and may have been changed anywhere; the row of who booked
says the rest. How a session comes about and changes is ``client_booking``'s business.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bridge.ical.series import read
from bridge.ical.text import parse
from bridge.store import booking_events, objects, passes, people
from bridge.store.booking_events import ClientRow, EventRow
from bridge.store.people import UserRow

#: A session in one of these states takes place unless something happens.
LIVE = ("held", "reserved", "confirmed")


@dataclass(frozen=True, slots=True)
class Session:
    """A booked session as it stands now. ``state``: held, reserved, confirmed, cancelled or expired;
    ``starts`` and ``ends`` in seconds since 1970, None once nothing is left of it."""

    row: ClientRow
    event: EventRow
    user: UserRow
    state: str
    starts: int | None
    ends: int | None
    text: str | None


def find(tx: Connection, client_id: int) -> Session:
    """The session as it stands now. Raises NotFound."""
    row = booking_events.client(tx, client_id)
    event = booking_events.get(tx, row.event_id)
    user = people.user_by_id(tx, event.user_id)
    stored = objects.by_uid(tx, row.calendar_id, row.uid, with_hidden=True)
    if stored is None:
        state = row.status if row.status == "expired" else "cancelled"
        return Session(row, event, user, state, None, None, None)
    state = "cancelled" if stored.status == "CANCELLED" else row.status
    if state in ("held", "reserved") and stored.status == "CONFIRMED":
        state = "confirmed"  # in Picsello, or in a calendar
    starts, ends = _when(stored.text, user)
    return Session(row, event, user, state, starts, ends, stored.text)


def remembered(tx: Connection, session: Session) -> Session:
    """The session with its last times, from the journal: of a hold that is over nothing else is left. As it
    is where it still has them, or where the journal has forgotten it."""
    if session.starts is not None:
        return session
    known = passes.journal_of(tx, session.user.id, uid=session.row.uid, limit=3)
    text = next((row.before for row in known if row.before is not None), None)
    if text is None:
        return session
    starts, ends = _when(text, session.user)
    return replace(session, starts=starts, ends=ends)


def _when(text: str, user: UserRow) -> tuple[int, int] | tuple[None, None]:
    master = read(parse(text), ZoneInfo(user.time_zone)).master
    return (None, None) if master is None else master.span
