"""What is in a calendar: reading objects. Writing them is left to ``objects``.

Hidden objects (on-delete policy *hide*) exist for the engine, not for clients: every reader leaves them
out unless asked ``with_hidden``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, false, select

from bridge.store.prepared import Prepared
from bridge.store.rows import batches, columns
from bridge.store.tables import object_


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object as it is kept. ``text`` is the original, byte for byte; ``etag`` has no quotes; ``starts``
    and ``ends`` enclose all occurrences in seconds since 1970 (ends None with a start: without end)."""

    id: int
    calendar_id: int
    href: str
    uid: str
    etag: str
    text: str
    component: str
    kind: str
    hidden: bool
    status: str
    starts: int | None
    ends: int | None
    recurring: bool
    seq: int
    created: datetime
    modified: datetime


class Listed(NamedTuple):
    """One object without its text."""

    href: str
    etag: str
    uid: str
    kind: str
    hidden: bool


SELECT = select(*columns(StoredObject, object_))
_IN_CALENDAR = SELECT.where(object_.c.calendar_id == bindparam("calendar_id"))
_VISIBLE = object_.c.hidden == false()

_of_href = _IN_CALENDAR.where(object_.c.href == bindparam("href"))
_GET_ANY = Prepared(_of_href, StoredObject)
_GET = Prepared(_of_href.where(_VISIBLE), StoredObject)
_of_uid = _IN_CALENDAR.where(object_.c.uid == bindparam("uid"))
_BY_UID_ANY = Prepared(_of_uid, StoredObject)
_BY_UID = Prepared(_of_uid.where(_VISIBLE), StoredObject)
_OF_ID = SELECT.where(
    object_.c.id == bindparam("object_id"),
    object_.c.calendar_id.in_(bindparam("calendar_ids", expanding=True)),
    _VISIBLE,
)
_MANY_ANY = _IN_CALENDAR.where(object_.c.href.in_(bindparam("hrefs", expanding=True)))
_MANY = _MANY_ANY.where(_VISIBLE)
_UIDS_ANY = _IN_CALENDAR.where(object_.c.uid.in_(bindparam("uids", expanding=True)))
_UIDS = _UIDS_ANY.where(_VISIBLE)
_ETAGS = select(object_.c.uid, object_.c.etag).where(
    object_.c.calendar_id == bindparam("calendar_id"), object_.c.uid.in_(bindparam("uids", expanding=True))
)
_ALL_ANY = _IN_CALENDAR.order_by(object_.c.id).execution_options(yield_per=500)
_ALL = _ALL_ANY.where(_VISIBLE)
_LISTING_ANY = select(*(object_.c[name] for name in Listed._fields)).where(
    object_.c.calendar_id == bindparam("calendar_id")
)
_LISTING = _LISTING_ANY.where(_VISIBLE)


_SAFE_UID = re.compile(r"[A-Za-z0-9][A-Za-z0-9@._-]{0,119}")


def href_for(uid: str) -> str:
    """The href we give an object that comes without one: readable where the UID allows, else a digest of
    it."""
    name = uid if _SAFE_UID.fullmatch(uid) else hashlib.sha256(uid.encode()).hexdigest()[:40]
    return f"{name}.ics"


def get(tx: Connection, calendar_id: int, href: str, *, with_hidden: bool = False) -> StoredObject | None:
    statement = _GET_ANY if with_hidden else _GET
    return statement.first(tx, {"calendar_id": calendar_id, "href": href})


def of_id(tx: Connection, calendar_ids: Iterable[int], object_id: int) -> StoredObject | None:
    """The visible object of that number, if it is in one of these calendars."""
    row = tx.execute(_OF_ID, {"calendar_ids": list(calendar_ids), "object_id": object_id}).first()
    return None if row is None else StoredObject(*row)


def get_many(
    tx: Connection, calendar_id: int, hrefs: Iterable[str], *, with_hidden: bool = False
) -> dict[str, StoredObject]:
    """By href; those that do not exist are missing."""
    found: dict[str, StoredObject] = {}
    for portion in batches(hrefs):
        rows = tx.execute(_MANY_ANY if with_hidden else _MANY, {"calendar_id": calendar_id, "hrefs": portion})
        found.update((row.href, StoredObject(*row)) for row in rows)
    return found


def by_uid(tx: Connection, calendar_id: int, uid: str, *, with_hidden: bool = False) -> StoredObject | None:
    statement = _BY_UID_ANY if with_hidden else _BY_UID
    return statement.first(tx, {"calendar_id": calendar_id, "uid": uid})


def by_uids(
    tx: Connection, calendar_id: int, uids: Iterable[str], *, with_hidden: bool = False
) -> dict[str, StoredObject]:
    """By UID; those that do not exist are missing."""
    found: dict[str, StoredObject] = {}
    for portion in batches(uids):
        rows = tx.execute(_UIDS_ANY if with_hidden else _UIDS, {"calendar_id": calendar_id, "uids": portion})
        found.update((row.uid, StoredObject(*row)) for row in rows)
    return found


def etags_by_uid(tx: Connection, calendar_id: int, uids: Iterable[str]) -> dict[str, str]:
    """The etags of these objects, the hidden ones too; those that do not exist are missing."""
    return {
        row.uid: row.etag
        for portion in batches(uids)
        for row in tx.execute(_ETAGS, {"calendar_id": calendar_id, "uids": portion})
    }


def all_objects(tx: Connection, calendar_id: int, *, with_hidden: bool = False) -> Iterator[StoredObject]:
    """Every object with its text, oldest first, streamed: leave the transaction open until done."""
    rows = tx.execute(_ALL_ANY if with_hidden else _ALL, {"calendar_id": calendar_id})
    return (StoredObject(*row) for row in rows)


def listing(tx: Connection, calendar_id: int, *, with_hidden: bool = False) -> list[Listed]:
    """Every object without its text, in no order."""
    statement = _LISTING_ANY if with_hidden else _LISTING
    return list(map(Listed._make, tx.execute(statement, {"calendar_id": calendar_id})))
