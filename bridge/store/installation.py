"""The one row about this installation: who we are in markers and tokens, and where we were last served."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from bridge.store.db import Database
from bridge.store.tables import installation

ONLY = 1


@dataclass(frozen=True, slots=True)
class InstallationRow:
    uid: str
    generation: int
    public_url: str | None


def find(tx: Connection) -> InstallationRow | None:
    """The row, or None before the first start."""
    columns = installation.c
    row = tx.execute(select(columns.uid, columns.generation, columns.public_url)).first()
    return InstallationRow(*row) if row else None


def ensure(db: Database, now: datetime) -> InstallationRow:
    """The row; made with a random uid at the very first start, whichever process comes first."""
    with db.reading() as tx:
        if found := find(tx):
            return found
    try:
        with db.writing() as tx:
            values = {"id": ONLY, "uid": secrets.token_hex(8), "generation": 1, "created": now}
            tx.execute(insert(installation).values(values))
    except IntegrityError:
        pass  # another process was faster
    with db.reading() as tx:
        row = find(tx)
    assert row is not None
    return row


def remember_public_url(tx: Connection, url: str) -> None:
    """Where we are reached; what every printed link starts with unless the settings say otherwise."""
    tx.execute(
        update(installation).where(installation.c.public_url.is_distinct_from(url)).values(public_url=url)
    )
