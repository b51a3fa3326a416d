"""Conflicts: groups of an object that both sides had changed, with both texts, until the user is content.

Who wins is decided by ``bridge.sync.plan``; this only remembers, so that the loser can be put back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from bridge.errors import NotFound
from bridge.store.rows import columns
from bridge.store.tables import conflict


@dataclass(frozen=True, slots=True)
class ConflictRow:
    """One group of one object. ``winner``: ours, theirs, or ask (it waits); ``resolved``: what the user
    chose, or SUPERSEDED."""

    id: int
    user_id: int
    link_id: int
    calendar_id: int
    pass_id: int | None
    uid: str
    instance: str | None
    group: str
    ours: str
    theirs: str
    winner: str
    resolved: str | None
    at: datetime


#: ``resolved`` of a conflict over whose values both sides went again: a newer one is in its place.
SUPERSEDED = "superseded"

_CONFLICT = select(*columns(ConflictRow, conflict))


def add(
    tx: Connection,
    user_id: int,
    *,
    link_id: int,
    calendar_id: int,
    pass_id: int,
    uid: str,
    instance: str | None,
    group: str,
    ours: str,
    theirs: str,
    winner: str,
    now: datetime,
) -> int:
    """Remember one. An older one about the same group of the same object is superseded, not overwritten: of
    what lost then this may be the last copy, where the answer to the write that went over it was lost."""
    values = {"pass_id": pass_id, "ours": ours, "theirs": theirs, "winner": winner, "at": now}
    same = (
        (conflict.c.link_id == link_id)
        & (conflict.c.calendar_id == calendar_id)
        & (conflict.c.uid == uid)
        & conflict.c.instance.is_not_distinct_from(instance)
        & (conflict.c.group == group)
        & conflict.c.resolved.is_(None)
    )
    again = (conflict.c.ours == ours) & (conflict.c.theirs == theirs)
    found = tx.execute(select(conflict.c.id).where(same, again)).scalar()
    if found is not None:
        tx.execute(update(conflict).where(conflict.c.id == found).values(values))
        return int(found)
    tx.execute(update(conflict).where(same).values(resolved=SUPERSEDED))
    key = {"user_id": user_id, "link_id": link_id, "calendar_id": calendar_id, "uid": uid}
    about = {"instance": instance, "group": group}
    return int(tx.execute(insert(conflict).returning(conflict.c.id), key | about | values).scalar_one())


def of_user(tx: Connection, user_id: int, *, open_only: bool = True) -> list[ConflictRow]:
    """Newest first."""
    wanted = _CONFLICT.where(conflict.c.user_id == user_id)
    if open_only:
        wanted = wanted.where(conflict.c.resolved.is_(None))
    return [ConflictRow(*row) for row in tx.execute(wanted.order_by(conflict.c.id.desc()))]


def get(tx: Connection, user_id: int | None, conflict_id: int) -> ConflictRow:
    """Raises NotFound, also for another user's. ``user_id`` None: whoever's it is, for the administrator."""
    wanted = _CONFLICT.where(conflict.c.id == conflict_id)
    row = tx.execute(wanted if user_id is None else wanted.where(conflict.c.user_id == user_id)).first()
    if row is None:
        raise NotFound(f"There is no conflict {conflict_id}.")
    return ConflictRow(*row)


def resolve(tx: Connection, conflict_id: int, choice: str) -> None:
    tx.execute(update(conflict).where(conflict.c.id == conflict_id).values(resolved=choice))
