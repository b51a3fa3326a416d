"""Calendars that people make for themselves, beside the bookings: private events, tasks, journal entries.

They are kept here and nowhere else. No pass reads or writes them, they close no slots, and what a client does
to them has no rules but the format's. Only these are made and deleted by calendar apps.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import Connection

from bridge.errors import Invalid, NotAllowed
from bridge.store import calendars
from bridge.store.calendars import COMPONENTS, PERSONAL, CalendarRow
from bridge.store.people import UserRow

#: Characters of a name in addresses.
LONGEST_NAME = 250


def make(
    tx: Connection,
    user: UserRow,
    name: str,
    *,
    title: str,
    components: Collection[str] = COMPONENTS,
    props: Mapping[str, str],
    now: datetime,
) -> int:
    """A new calendar at that path segment; ``props`` as clients set them. Returns its id. Raises
    AlreadyThere, NotAllowed, Invalid (``supported-calendar-component``, or the name)."""
    unknown = sorted(set(components) - set(COMPONENTS))
    if unknown or not components:
        raise Invalid("A calendar holds events, tasks or journal entries.", "supported-calendar-component")
    if not 0 < len(name) <= LONGEST_NAME:
        raise Invalid(f"A calendar's address has 1 to {LONGEST_NAME} letters.")
    return calendars.create_personal(
        tx, user.id, name, title=title or name, components=components, props=props, now=now
    )


def remove(tx: Connection, calendar: CalendarRow) -> None:
    """The calendar and all that is in it. Raises NotAllowed for bookings and mirrors."""
    if calendar.kind != PERSONAL:
        raise NotAllowed(
            "This calendar can't be deleted in a calendar app: the bookings stay, and a linked calendar is "
            "disconnected in the calendar settings."
        )
    calendars.remove(tx, calendar.id)
