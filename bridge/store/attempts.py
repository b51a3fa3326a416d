"""Failed sign-ins by the minute, counted once for all processes of a fleet. Bounds are the service's."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from bridge.store.tables import attempt


def count(tx: Connection, keys: Sequence[str], minute: int, by: int = 1) -> None:
    """So many more failures under each key. What is read after it in the same transaction is exact: whoever
    else counts under these keys waits for its end."""
    insert = sqlite.insert if tx.dialect.name == "sqlite" else postgresql.insert
    for key in sorted(keys):  # always in one order: no two transactions wait for each other
        one_more = insert(attempt).values(key=key, minute=minute, count=by)
        tx.execute(
            one_more.on_conflict_do_update(
                index_elements=[attempt.c.key, attempt.c.minute],
                set_={"count": attempt.c.count + one_more.excluded.count},
            )
        )


def since(tx: Connection, key: str, minute: int) -> list[tuple[int, int]]:
    """``(minute, failures)`` from that minute on, oldest first."""
    wanted = select(attempt.c.minute, attempt.c.count).where(attempt.c.key == key, attempt.c.minute >= minute)
    return [(at, found) for at, found in tx.execute(wanted.order_by(attempt.c.minute))]


def forget(tx: Connection, before: int) -> int:
    """Drop what is older than that minute; returns how many rows went."""
    return tx.execute(delete(attempt).where(attempt.c.minute < before)).rowcount
