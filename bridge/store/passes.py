"""Passes and the journal: what ran, and before and after of every change on either side.

Undoing is left to the engine; this only remembers. Lookups for people go by user.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from bridge.errors import NotFound
from bridge.store.prepared import Prepared, made
from bridge.store.rows import columns
from bridge.store.tables import journal as journal_table
from bridge.store.tables import pass_


@dataclass(frozen=True, slots=True)
class PassRow:
    """One run of a link. ``finished`` None: running, or killed. ``outcome``: done, held or failed."""

    id: int
    link_id: int
    user_id: int
    started: datetime
    finished: datetime | None
    counts: Mapping[str, Any]
    outcome: str | None
    undone: datetime | None


@dataclass(frozen=True, slots=True)
class JournalRow:
    """One change. ``side``: hub or remote; ``before`` None: it was made; ``after`` None: it went;
    ``loser``: the text whose conflicting groups were overruled."""

    id: int
    user_id: int
    pass_id: int | None
    link_id: int | None
    calendar_id: int | None
    side: str
    action: str
    uid: str
    href: str
    before: str | None
    after: str | None
    loser: str | None
    actor: str
    at: datetime


_START = Prepared(insert(pass_).returning(pass_.c.id))
_SET = Prepared(update(pass_).where(pass_.c.id == bindparam("row_id")))
_APPEND = Prepared(insert(journal_table).returning(journal_table.c.id))
_APPEND_MANY = Prepared(insert(journal_table))
_PASS = select(*columns(PassRow, pass_))
_JOURNAL = select(*columns(JournalRow, journal_table))
_OF_USER = _PASS.where(pass_.c.user_id == bindparam("user_id"))


def start(tx: Connection, link_id: int, user_id: int, now: datetime) -> int:
    """A pass begins; returns its id."""
    values = {"link_id": link_id, "user_id": user_id, "started": now, "counts": {}}
    return made(_START, tx, values)


def finish(tx: Connection, pass_id: int, *, outcome: str, counts: Mapping[str, Any], now: datetime) -> None:
    """It ended: done, held or failed; ``counts`` as the report shows them."""
    values = {"finished": now, "outcome": outcome, "counts": dict(counts)}
    _SET.run(tx, values | {"row_id": pass_id})


def discard(tx: Connection, pass_id: int) -> None:
    """A pass that found nothing to do leaves no trace; its journal rows (there should be none) go with it."""
    tx.execute(delete(pass_).where(pass_.c.id == pass_id))


def mark_undone(tx: Connection, pass_id: int, now: datetime) -> None:
    _SET.run(tx, {"undone": now, "row_id": pass_id})


def get(tx: Connection, user_id: int | None, pass_id: int) -> PassRow:
    """Raises NotFound, also for another user's. ``user_id`` None: whoever's it is, for the administrator."""
    wanted = _PASS.where(pass_.c.id == pass_id)
    row = tx.execute(wanted if user_id is None else wanted.where(pass_.c.user_id == user_id)).first()
    if row is None:
        raise NotFound(f"There is no pass {pass_id}. See `picsello-bridge journal`.")
    return PassRow(*row)


def of_user(tx: Connection, user_id: int, *, link_id: int | None = None, limit: int = 100) -> list[PassRow]:
    """The last passes, newest first."""
    wanted = _OF_USER if link_id is None else _OF_USER.where(pass_.c.link_id == link_id)
    rows = tx.execute(wanted.order_by(pass_.c.id.desc()).limit(limit), {"user_id": user_id})
    return [PassRow(*row) for row in rows]


def journal(
    tx: Connection,
    *,
    user_id: int,
    side: str,
    action: str,
    uid: str,
    href: str,
    before: str | None,
    after: str | None,
    actor: str,
    now: datetime,
    pass_id: int | None = None,
    link_id: int | None = None,
    calendar_id: int | None = None,
    loser: str | None = None,
) -> int:
    """Remember one change; ``objects`` does so for the hub, the engine for the remote side. Returns
    its id."""
    values = {
        "user_id": user_id,
        "pass_id": pass_id,
        "link_id": link_id,
        "calendar_id": calendar_id,
        "side": side,
        "action": action,
        "uid": uid,
        "href": href,
        "before": before,
        "after": after,
        "loser": loser,
        "actor": actor,
        "at": now,
    }
    return made(_APPEND, tx, values)


def journal_new(
    tx: Connection,
    made: Iterable[tuple[str, str, str]],
    *,
    user_id: int,
    side: str,
    actor: str,
    now: datetime,
    pass_id: int | None,
    link_id: int | None,
    calendar_id: int,
) -> None:
    """Remember that these objects, ``(uid, href, text)``, were made."""
    same = {
        "user_id": user_id,
        "pass_id": pass_id,
        "link_id": link_id,
        "calendar_id": calendar_id,
        "side": side,
        "action": "create",
        "before": None,
        "loser": None,
        "actor": actor,
        "at": now,
    }
    _APPEND_MANY.run_many(tx, [{"uid": uid, "href": href, "after": text} for uid, href, text in made], same)


def changes_of(tx: Connection, pass_id: int) -> list[JournalRow]:
    """All that one pass changed, in the order in which it did."""
    wanted = _JOURNAL.where(journal_table.c.pass_id == pass_id).order_by(journal_table.c.id)
    return [JournalRow(*row) for row in tx.execute(wanted)]


def journal_of(
    tx: Connection,
    user_id: int,
    *,
    pass_id: int | None = None,
    uid: str | None = None,
    limit: int = 100,
) -> list[JournalRow]:
    """What was changed, newest first."""
    wanted = _JOURNAL.where(journal_table.c.user_id == user_id)
    if pass_id is not None:
        wanted = wanted.where(journal_table.c.pass_id == pass_id)
    if uid is not None:
        wanted = wanted.where(journal_table.c.uid == uid)
    rows = tx.execute(wanted.order_by(journal_table.c.id.desc()).limit(limit))
    return [JournalRow(*row) for row in rows]
