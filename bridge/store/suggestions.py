"""Suggestions: changes to bookings that wait for the user's answer (policy ``approve``).

Whether a change has to wait is decided by ``bridge.sync.plan`` and ``bridge.service.client_writes``, what an
answer does by ``bridge.service.approvals``; this only remembers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from bridge.errors import NotFound
from bridge.store.rows import columns
from bridge.store.tables import suggestion


@dataclass(frozen=True, slots=True)
class SuggestionRow:
    """One change. ``before`` and ``after`` are whole texts of the booking; ``actor`` is where the change came
    from, as in the journal; ``answer``: approved, declined, superseded (a newer one came), None: it waits."""

    id: int
    user_id: int
    calendar_id: int
    uid: str
    before: str
    after: str
    actor: str
    at: datetime
    answer: str | None


_SUGGESTION = select(*columns(SuggestionRow, suggestion))


def add(
    tx: Connection,
    user_id: int,
    *,
    calendar_id: int,
    uid: str,
    before: str,
    after: str,
    actor: str,
    now: datetime,
) -> int:
    """Remember one; older ones of the same booking that still wait are superseded. Returns its id."""
    about = {"user_id": user_id, "calendar_id": calendar_id, "uid": uid}
    older = update(suggestion).where(
        suggestion.c.calendar_id == calendar_id, suggestion.c.uid == uid, suggestion.c.answer.is_(None)
    )
    tx.execute(older.values(answer="superseded"))
    values = {"before": before, "after": after, "actor": actor, "at": now}
    return int(tx.execute(insert(suggestion).returning(suggestion.c.id), about | values).scalar_one())


def waiting(tx: Connection, user_id: int) -> list[SuggestionRow]:
    """Those without an answer, newest first."""
    wanted = _SUGGESTION.where(suggestion.c.user_id == user_id, suggestion.c.answer.is_(None))
    return [SuggestionRow(*row) for row in tx.execute(wanted.order_by(suggestion.c.id.desc()))]


def get(tx: Connection, user_id: int | None, suggestion_id: int) -> SuggestionRow:
    """Raises NotFound, also for another user's. ``user_id`` None: whoever's it is, for the administrator."""
    wanted = _SUGGESTION.where(suggestion.c.id == suggestion_id)
    row = tx.execute(wanted if user_id is None else wanted.where(suggestion.c.user_id == user_id)).first()
    if row is None:
        raise NotFound(f"There is no change {suggestion_id} that waits for approval.")
    return SuggestionRow(*row)


def answer(tx: Connection, suggestion_id: int, answer: str) -> None:
    tx.execute(update(suggestion).where(suggestion.c.id == suggestion_id).values(answer=answer))
