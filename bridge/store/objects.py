"""THE module that changes objects: plugin, engine and commands all write through it.

Every write locks the calendar, changes the object and its occurrence rows, moves the calendar's ``seq``,
appends to the change log and the journal, and makes the links that must carry the change due: all in the
caller's transaction, so that either everything of it is seen or nothing. What a change means (policies,
merging) is left to the callers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, bindparam, insert, or_, select, update
from sqlalchemy import delete as sql_delete

from bridge.errors import Invalid, NotFound, Stale
from bridge.store import changes, links, passes, pieces
from bridge.store.arrivals import put_new
from bridge.store.calendars import CalendarRow, lock, moved_on
from bridge.store.changes import changed_since, parse_token, token
from bridge.store.contents import (
    Listed,
    StoredObject,
    all_objects,
    by_uid,
    by_uids,
    etags_by_uid,
    get,
    get_many,
    href_for,
    listing,
)
from bridge.store.horizon import extend_horizon, in_range, reindex, write_spans
from bridge.store.kept import etag_of, kept
from bridge.store.prepared import Prepared, made
from bridge.store.tables import calendar, object_

__all__ = [
    "Listed",
    "Stored",
    "StoredObject",
    "all_objects",
    "by_uid",
    "by_uids",
    "changed_since",
    "delete",
    "etag_of",
    "etags_by_uid",
    "extend_horizon",
    "get",
    "get_many",
    "href_for",
    "in_range",
    "listing",
    "lock",
    "move",
    "parse_token",
    "put",
    "put_new",
    "reindex",
    "set_props",
    "token",
]


@dataclass(frozen=True, slots=True)
class Stored:
    """What a write did. ``changed`` is False if the store held exactly this already; ``before`` is the text
    it replaced; ``due`` names the links that now have something to carry."""

    id: int
    href: str
    uid: str
    etag: str
    seq: int
    created: bool
    changed: bool
    before: str | None
    due: tuple[int, ...]


_ANOTHER = "This address already belongs to another event (another UID)."

_MEETS = Prepared(
    select(object_.c.href, object_.c.uid).where(
        object_.c.calendar_id == bindparam("calendar_id"),
        or_(object_.c.href == bindparam("href"), object_.c.uid == bindparam("uid")),
    )
)
_INSERT = Prepared(insert(object_).returning(object_.c.id))
_UPDATE = Prepared(update(object_).where(object_.c.id == bindparam("row_id")))
_DELETE = Prepared(sql_delete(object_).where(object_.c.id == bindparam("row_id")))
_SET_PROPS = Prepared(update(calendar).where(calendar.c.id == bindparam("row_id")))


def put(
    tx: Connection,
    calendar_id: int,
    href: str,
    text: str,
    *,
    actor: str,
    now: datetime,
    kind: str | None = None,
    zone: ZoneInfo | None = None,
    hidden: bool = False,
    pass_id: int | None = None,
    link_id: int | None = None,
    journal: bool = True,
    action: str | None = None,
    loser: str | None = None,
    fresh: bool = False,
) -> Stored:
    """Create or replace the object at ``href``; the same bytes again change nothing.

    ``kind`` (booking, block, foreign) stays as it is, or follows the calendar, if not given; ``zone``
    defaults to the user's. A write that hides the object is a deletion for clients. ``link_id`` names the
    link whose pass writes this: it need not be told. ``action`` and ``loser`` go to the journal. ``fresh``:
    the object must not exist yet, else Stale.

    Raises Invalid: ``no-uid-conflict`` if another href has the UID or this one had another, and what
    ``bridge.ical`` says of the text. NotFound: no such calendar.
    """
    row = lock(tx, calendar_id)
    old = None if fresh else get(tx, calendar_id, href, with_hidden=True)
    if old is not None and old.text == text and old.hidden == hidden and kind in (None, old.kind):
        return Stored(old.id, href, old.uid, old.etag, old.seq, False, False, old.text, ())
    etag, known, when = read = kept(text, row, zone)
    _check(tx, row, href, known.uid, old, fresh=fresh)
    seq = row.seq + 1
    kind = kind or (old.kind if old else "block" if row.kind == "bookings" else "foreign")
    values = read.columns(href, text, kind, seq, now, hidden=hidden)
    if old is None:
        created = {"calendar_id": calendar_id, "created": now}
        object_id = made(_INSERT, tx, values | created)
    else:
        object_id = old.id
        _UPDATE.run(tx, values | {"row_id": object_id})
    write_spans(tx, calendar_id, object_id, when, replace=old is not None)
    if row.kind == "bookings" and known.component == "VEVENT":  # feeds read no others
        pieces.write(tx, object_id, text, replace=old is not None)
    moved_on(tx, row, seq, now, longest=when.longest)
    changes.append(tx, calendar_id, seq, href, known.uid, deleted=hidden, actor=actor, now=now)
    before = old.text if old else None
    if journal:
        passes.journal(
            tx,
            user_id=row.user_id,
            pass_id=pass_id,
            link_id=link_id,
            calendar_id=calendar_id,
            side="hub",
            action=action or ("update" if old else "create"),
            uid=known.uid,
            href=href,
            before=before,
            after=text,
            loser=loser,
            actor=actor,
            now=now,
        )
    due = links.wake(tx, row, now, but=link_id)
    return Stored(object_id, href, known.uid, etag, seq, old is None, True, before, due)


def delete(
    tx: Connection,
    calendar_id: int,
    href: str,
    *,
    actor: str,
    now: datetime,
    pass_id: int | None = None,
    link_id: int | None = None,
    journal: bool = True,
    action: str = "delete",
) -> StoredObject:
    """Remove the object and leave a tombstone; returns what it was. Raises NotFound."""
    row = lock(tx, calendar_id)
    old = get(tx, calendar_id, href, with_hidden=True)
    if old is None:
        raise NotFound("This event does not exist (any more).")
    _DELETE.run(tx, {"row_id": old.id})
    moved_on(tx, row, row.seq + 1, now)
    changes.append(tx, calendar_id, row.seq + 1, href, old.uid, deleted=True, actor=actor, now=now)
    if journal:
        passes.journal(
            tx,
            user_id=row.user_id,
            pass_id=pass_id,
            link_id=link_id,
            calendar_id=calendar_id,
            side="hub",
            action=action,
            uid=old.uid,
            href=href,
            before=old.text,
            after=None,
            actor=actor,
            now=now,
        )
    links.wake(tx, row, now, but=link_id)
    return old


def move(
    tx: Connection,
    calendar_id: int,
    href: str,
    to_href: str,
    *,
    actor: str,
    now: datetime,
    to_calendar_id: int | None = None,
    kind: str | None = None,
) -> Stored:
    """Give the object another href, or another calendar (WebDAV MOVE); what was there before is replaced.

    The bytes and therefore the etag stay. ``kind`` is what it is in the other calendar. Raises NotFound, and
    Invalid (``no-uid-conflict``) if another object there has its UID.
    """
    target = calendar_id if to_calendar_id is None else to_calendar_id
    rows = {id_: lock(tx, id_) for id_ in sorted({calendar_id, target})}
    old = get(tx, calendar_id, href, with_hidden=True)
    if old is None:
        raise NotFound("This event does not exist (any more).")
    if (calendar_id, href) == (target, to_href):
        return Stored(old.id, href, old.uid, old.etag, old.seq, False, False, old.text, ())
    if get(tx, target, to_href, with_hidden=True) is not None:
        delete(tx, target, to_href, actor=actor, now=now)
    if calendar_id != target:
        _check(tx, rows[target], to_href, old.uid, None)
        delete(tx, calendar_id, href, actor=actor, now=now)
        return put(tx, target, to_href, old.text, actor=actor, now=now, kind=kind, hidden=old.hidden)
    row = lock(tx, calendar_id)
    changes.append(tx, calendar_id, row.seq + 1, href, old.uid, deleted=True, actor=actor, now=now)
    seq = row.seq + 2
    _UPDATE.run(tx, {"row_id": old.id, "href": to_href, "seq": seq})
    changes.append(tx, calendar_id, seq, to_href, old.uid, deleted=old.hidden, actor=actor, now=now)
    moved_on(tx, row, seq, now)
    # no link is due: an object is paired by its UID, its href here is nobody else's business
    return Stored(old.id, to_href, old.uid, old.etag, seq, False, True, old.text, ())


def set_props(tx: Connection, calendar_id: int, props: Mapping[str, str], now: datetime) -> int:
    """Replace the WebDAV properties that clients set; returns the new seq, for the ctag must move too."""
    row = lock(tx, calendar_id)
    if dict(row.props) == dict(props):
        return row.seq
    changed = {"props": dict(props), "seq": row.seq + 1, "modified": now}
    _SET_PROPS.run(tx, changed | {"row_id": calendar_id})
    return row.seq + 1


def _check(
    tx: Connection, row: CalendarRow, href: str, uid: str, old: StoredObject | None, *, fresh: bool = False
) -> None:
    """A UID belongs to one href of a calendar, and an href keeps its UID (RFC 4791 5.3.2.1)."""
    if old is not None:
        if old.uid == uid:
            return
        raise Invalid(_ANOTHER, "no-uid-conflict")
    for its_href, its_uid in _MEETS.all(tx, {"calendar_id": row.id, "href": href, "uid": uid}):
        if fresh and its_uid == uid:
            raise Stale("This event is here by now.")
        if its_uid == uid and its_href != href:
            raise Invalid(
                f"This calendar already has an event with the UID {uid}, at the address {its_href}.",
                "no-uid-conflict",
            )
        if its_href == href and its_uid != uid:
            raise Invalid(_ANOTHER, "no-uid-conflict")
