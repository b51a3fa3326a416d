"""Calendars: the collections we serve. Lookups for people always go by user, so that tenants stay apart.

What is in a calendar belongs to ``objects``; which remote calendar a mirror shows, to ``links``.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, func, insert, select, update

from bridge.errors import AlreadyThere, NotAllowed, NotFound
from bridge.store.prepared import Prepared
from bridge.store.rows import columns
from bridge.store.tables import calendar, installation, user
from bridge.store.times import window

BOOKINGS = "bookings"

#: The kind of a calendar that its owner made here: it is in nobody's sync, and closes no slots.
PERSONAL = "personal"
#: What a personal calendar may hold; the others hold events.
COMPONENTS = ("VEVENT", "VTODO", "VJOURNAL")
#: The property that says which of them it does, joined by commas; set once, when it is made.
_COMPONENTS = "{urn:ietf:params:xml:ns:caldav}supported-calendar-component-set"
#: Personal calendars of one user.
MOST_PERSONAL = 200


@dataclass(frozen=True, slots=True)
class CalendarRow:
    """One calendar. ``seq`` moves with every change that clients may see; ``installation_generation`` and
    ``generation`` make tokens of another store, or of a time before a restore, recognisable."""

    id: int
    user_id: int
    name: str
    kind: str
    title: str
    editable: bool
    props: Mapping[str, str]
    seq: int
    pruned_seq: int
    generation: int
    horizon_start: int
    horizon_end: int
    longest: int
    modified: datetime
    time_zone: str
    installation_generation: int

    @property
    def components(self) -> tuple[str, ...]:
        """The kinds of objects that clients may put into it."""
        said = self.props.get(_COMPONENTS) if self.kind == PERSONAL else None
        return tuple(said.split(",")) if said else ("VEVENT",)


_installation = select(func.coalesce(func.max(installation.c.generation), 0)).scalar_subquery()


def query() -> Select[Any]:
    """Selects what ``CalendarRow`` holds."""
    wanted = columns(CalendarRow, calendar, stop=-2)
    return select(*wanted, user.c.time_zone, _installation).join(user, user.c.id == calendar.c.user_id)


_of_id = query().where(calendar.c.id == bindparam("id"))
_BY_ID = Prepared(_of_id, CalendarRow)
_MOVED_ON = Prepared(update(calendar).where(calendar.c.id == bindparam("row_id")))
_LOCKED = Prepared(_of_id.with_for_update(of=calendar), CalendarRow)
_BY_NAME = Prepared(
    query().where(calendar.c.user_id == bindparam("user_id"), calendar.c.name == bindparam("name")),
    CalendarRow,
)
_OF_USER = query().where(calendar.c.user_id == bindparam("user_id")).order_by(calendar.c.id)
_of_email = query().where(user.c.email == bindparam("email")).order_by(calendar.c.id)
_OF_EMAIL = Prepared(_of_email, CalendarRow)
_OF_EMAIL_NAMED = Prepared(_of_email.where(calendar.c.name == bindparam("name")), CalendarRow)


def create(
    tx: Connection,
    user_id: int,
    name: str,
    *,
    kind: str,
    title: str,
    now: datetime,
    editable: bool = True,
    props: Mapping[str, str] | None = None,
) -> int:
    """A new, empty calendar; returns its id. Raises AlreadyThere if the user has one of that name."""
    if by_name(tx, user_id, name) is not None:
        raise AlreadyThere(f"There is already a calendar called {name!r}.")
    start, end = window(now)
    values = {
        "user_id": user_id,
        "name": name,
        "kind": kind,
        "title": title,
        "editable": editable,
        "props": dict(props or {}),
        "generation": secrets.randbelow(2**31 - 1) + 1,
        "horizon_start": start,
        "horizon_end": end,
        "modified": now,
    }
    return int(tx.execute(insert(calendar).returning(calendar.c.id), values).scalar_one())


def create_personal(
    tx: Connection,
    user_id: int,
    name: str,
    *,
    title: str,
    components: Collection[str],
    props: Mapping[str, str],
    now: datetime,
) -> int:
    """A calendar of the user's own beside the bookings; ``props`` as clients set them. Raises AlreadyThere,
    NotAllowed (there are too many)."""
    if sum(row.kind == PERSONAL for row in of_user(tx, user_id)) >= MOST_PERSONAL:
        raise NotAllowed(f"There are {MOST_PERSONAL} calendars already. Delete one that you no longer need.")
    held = ",".join(component for component in COMPONENTS if component in components)
    said = {**props, _COMPONENTS: held}
    return create(tx, user_id, name, kind=PERSONAL, title=title, now=now, props=said)


def get(tx: Connection, calendar_id: int) -> CalendarRow:
    """Raises NotFound."""
    row = _BY_ID.first(tx, {"id": calendar_id})
    if row is None:
        raise NotFound("This calendar does not exist (any more).")
    return row


def lock(tx: Connection, calendar_id: int) -> CalendarRow:
    """The calendar, and the sole right to change it until the transaction ends.

    The first statement of any write to its objects; links and pairings are touched after it, never before.
    Whoever needs two calendars locks them in the order of their ids. Raises NotFound.
    """
    row = _LOCKED.first(tx, {"id": calendar_id})
    if row is None:
        raise NotFound("This calendar does not exist (any more).")
    return row


def moved_on(tx: Connection, row: CalendarRow, seq: int, now: datetime, *, longest: int = 0) -> None:
    """Its objects changed, up to ``seq``; ``row`` is as it was locked. ``longest``: the longest occurrence
    among what was written, in seconds."""
    values = {"row_id": row.id, "seq": seq, "modified": now, "longest": max(longest, row.longest)}
    _MOVED_ON.run(tx, values)


def by_name(tx: Connection, user_id: int, name: str) -> CalendarRow | None:
    """The user's calendar with that path segment."""
    return _BY_NAME.first(tx, {"user_id": user_id, "name": name})


def bookings(tx: Connection, user_id: int) -> CalendarRow:
    """The user's bookings calendar. Raises NotFound."""
    found = by_name(tx, user_id, BOOKINGS)
    if found is None:
        raise NotFound("This user has no bookings calendar.")
    return found


def of_user(tx: Connection, user_id: int) -> list[CalendarRow]:
    """All calendars of a user, the bookings first (they were made first)."""
    return [CalendarRow(*row) for row in tx.execute(_OF_USER, {"user_id": user_id})]


def of_email(tx: Connection, email: str, name: str | None = None) -> list[CalendarRow]:
    """A CalDAV home in one query: the calendars (or the one called ``name``) of the user of that address."""
    if name is None:
        return _OF_EMAIL.all(tx, {"email": email})
    return _OF_EMAIL_NAMED.all(tx, {"email": email, "name": name})


def set_editable(tx: Connection, calendar_id: int, editable: bool) -> None:
    """Whether clients may change its objects (a mirror's role *edits*)."""
    tx.execute(update(calendar).where(calendar.c.id == calendar_id).values(editable=editable))


def set_title(tx: Connection, calendar_id: int, title: str) -> None:
    tx.execute(update(calendar).where(calendar.c.id == calendar_id).values(title=title))


def remove(tx: Connection, calendar_id: int) -> None:
    """The calendar and everything in it. Its id is never used again, so no old token fits a new calendar."""
    tx.execute(delete(calendar).where(calendar.c.id == calendar_id))
