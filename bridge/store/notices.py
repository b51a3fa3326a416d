"""Notices: what a user should know, in a sentence, until they put it away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update

from bridge.store.prepared import Prepared, made
from bridge.store.rows import columns
from bridge.store.tables import notice


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """One notice. ``kind``: booking-restored, old-subscription ...; ``uid``: the object it is about."""

    id: int
    user_id: int
    kind: str
    uid: str | None
    message: str
    at: datetime
    dismissed: datetime | None


_NOTICE = select(*columns(NoticeRow, notice))
_same_kind = select(notice.c.id).where(
    notice.c.user_id == bindparam("user_id"), notice.c.kind == bindparam("kind"), notice.c.dismissed.is_(None)
)
_ABOUT = Prepared(_same_kind.where(notice.c.uid == bindparam("uid")).limit(1))
_SAYING = Prepared(
    _same_kind.where(notice.c.uid.is_(None), notice.c.message == bindparam("message")).limit(1)
)
_ADD = Prepared(insert(notice).returning(notice.c.id))
_SET = Prepared(update(notice).where(notice.c.id == bindparam("row_id")))


def add(
    tx: Connection, user_id: int, kind: str, message: str, *, now: datetime, uid: str | None = None
) -> int:
    """Tell the user, once: the same notice still standing is brought up to date instead of repeated.

    Returns its id."""
    values = {"user_id": user_id, "kind": kind, "uid": uid, "message": message, "at": now}
    found = (_SAYING if uid is None else _ABOUT).first(tx, values)
    if found is None:
        return made(_ADD, tx, values)
    _SET.run(tx, {"message": message, "at": now, "row_id": found[0]})
    return int(found[0])


def standing(tx: Connection, user_id: int) -> list[NoticeRow]:
    """Not yet put away, newest first."""
    wanted = _NOTICE.where(notice.c.user_id == user_id, notice.c.dismissed.is_(None)).order_by(
        notice.c.at.desc()
    )
    return [NoticeRow(*row) for row in tx.execute(wanted)]


def of_kind(tx: Connection, user_id: int, kind: str) -> list[NoticeRow]:
    """All of one kind, put away or not."""
    wanted = _NOTICE.where(notice.c.user_id == user_id, notice.c.kind == kind)
    return [NoticeRow(*row) for row in tx.execute(wanted.order_by(notice.c.id))]


def dismiss(tx: Connection, user_id: int, notice_id: int, now: datetime) -> None:
    """Put away; nothing happens for another user's."""
    mine = update(notice).where(notice.c.id == notice_id, notice.c.user_id == user_id)
    tx.execute(mine.values(dismissed=now))


def withdraw(tx: Connection, user_id: int, kind: str, now: datetime, uid: str | None = None) -> None:
    """It is no longer true (about that object): put away by ourselves."""
    wanted = update(notice).where(
        notice.c.user_id == user_id, notice.c.kind == kind, notice.c.dismissed.is_(None)
    )
    if uid is not None:
        wanted = wanted.where(notice.c.uid == uid)
    tx.execute(wanted.values(dismissed=now))
