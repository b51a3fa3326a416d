"""Failed sign-ins by the minute, counted once for all processes of a fleet. Bounds are the service's."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from bridge.store.tables import attempt


def count(tx: Connection, keys: Sequence[str], minute: int) -> None:
    """One more failure under each key."""
    insert = sqlite.insert if tx.dialect.name == "sqlite" else postgresql.insert
    for key in sorted(keys):  # always in one order: no two transactions wait for each other
        one_more = insert(attempt).values(key=key, minute=minute, count=1)
        tx.execute(
            one_more.on_conflict_do_update(
                index_elements=[attempt.c.key, attempt.c.minute],
                set_={"count": attempt.c.count + one_more.excluded.count},
            )
        )


def since(tx: Connection, key: str, minute: int) -> int:
    """How many failed in this minute and after it."""
    wanted = select(func.coalesce(func.sum(attempt.c.count), 0))
    return int(tx.execute(wanted.where(attempt.c.key == key, attempt.c.minute >= minute)).scalar_one())


def forget(tx: Connection, before: int) -> int:
    """Drop what is older than that minute; returns how many rows went."""
    return tx.execute(delete(attempt).where(attempt.c.minute < before)).rowcount
