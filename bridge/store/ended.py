"""Sessions of the pages that were signed out, until they would have ended by themselves."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from bridge.store.tables import ended_session

_ENDED = select(ended_session.c.until).where(ended_session.c.digest == bindparam("digest"))


def add(tx: Connection, session: str, until: datetime) -> None:
    """This one has ended; once more is as good as once."""
    insert = sqlite.insert if tx.dialect.name == "sqlite" else postgresql.insert
    tx.execute(insert(ended_session).values(digest=_digest(session), until=until).on_conflict_do_nothing())


def is_ended(tx: Connection, session: str) -> bool:
    return tx.execute(_ENDED, {"digest": _digest(session)}).first() is not None


def forget(tx: Connection, now: datetime) -> int:
    """Drop those that would be over anyway; returns how many went."""
    return tx.execute(delete(ended_session).where(ended_session.c.until <= now)).rowcount


def _digest(session: str) -> str:
    return hashlib.sha256(session.encode("utf-8", "surrogatepass")).hexdigest()
