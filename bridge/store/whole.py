"""All that a pass must know before it looks at anything, in as few questions as can be: the link with its
account and their user, and the two calendars here. Each alone is the sibling modules' business."""

from __future__ import annotations

from typing import Any, TypeVar

from sqlalchemy import Connection, bindparam, or_, select

from bridge.errors import NotFound
from bridge.store import calendars
from bridge.store.accounts import AccountRow
from bridge.store.calendars import BOOKINGS, CalendarRow
from bridge.store.links import LinkRow
from bridge.store.people import UserRow
from bridge.store.prepared import Prepared
from bridge.store.rows import columns
from bridge.store.tables import account, calendar, link, studio, user

Found = TypeVar("Found")

_OF_LINK = columns(LinkRow, link, stop=-2)
_OF_ACCOUNT = columns(AccountRow, account)
_OF_USER = columns(UserRow, user, stop=-1)


def _told(*values: Any) -> tuple[LinkRow, AccountRow, UserRow]:
    its, theirs = len(_OF_LINK), len(_OF_LINK) + len(_OF_ACCOUNT)
    told = AccountRow(*values[its:theirs])
    return LinkRow(*(*values[:its], told.user_id, told.provider)), told, UserRow(*values[theirs:])


_LINK = Prepared(
    select(*_OF_LINK, *_OF_ACCOUNT, *_OF_USER, studio.c.slug)
    .select_from(link)
    .join(account, account.c.id == link.c.account_id)
    .join(user, user.c.id == account.c.user_id)
    .join(studio, studio.c.id == user.c.studio_id)
    .where(link.c.id == bindparam("id")),
    _told,
)
_SIDES = Prepared(
    calendars.query().where(
        calendar.c.user_id == bindparam("user_id"),
        or_(calendar.c.name == BOOKINGS, calendar.c.id == bindparam("mirror_id")),
    ),
    CalendarRow,
)
_SEQS = Prepared(
    select(calendar.c.id, calendar.c.seq).where(
        or_(calendar.c.id == bindparam("bookings_id"), calendar.c.id == bindparam("mirror_id"))
    )
)


def of_link(tx: Connection, link_id: int) -> tuple[LinkRow, AccountRow, UserRow]:
    """The link, its account, whose it is. Raises NotFound."""
    found = _LINK.first(tx, {"id": link_id})
    if found is None:
        raise NotFound("This linked calendar does not exist (any more).")
    return found


def sides(tx: Connection, user_id: int, mirror_id: int | None) -> tuple[CalendarRow, CalendarRow | None]:
    """The user's bookings, and the link's mirror if it has one. Raises NotFound."""
    rows = {row.id: row for row in _SIDES.all(tx, {"user_id": user_id, "mirror_id": mirror_id or 0})}
    mirror = None if mirror_id is None else _there(rows, mirror_id)
    bookings = next((row for row in rows.values() if row.name == BOOKINGS), None)
    if bookings is None:
        raise NotFound("This user has no bookings calendar.")
    return bookings, mirror


def seqs(tx: Connection, bookings_id: int, mirror_id: int | None) -> dict[int, int]:
    """How far both have come, by id. Raises NotFound."""
    found = dict(_SEQS.all(tx, {"bookings_id": bookings_id, "mirror_id": mirror_id or 0}))
    return {id_: _there(found, id_) for id_ in (bookings_id, mirror_id) if id_ is not None}


def _there(found: dict[int, Found], calendar_id: int) -> Found:
    if calendar_id not in found:
        raise NotFound("This calendar does not exist (any more).")
    return found[calendar_id]
