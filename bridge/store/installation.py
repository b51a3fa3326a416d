"""The installation: one row about this store itself."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, or_, select, update

from bridge.store.rows import columns
from bridge.store.tables import installation


@dataclass(frozen=True, slots=True)
class InstallationRow:
    """``uid`` goes into every marker we write at a provider; ``generation`` into every sync token;
    ``public_url`` is the address of the last serve; ``key_id`` names the key file that belongs to it;
    ``moved_to`` the store that took its place; ``tidied`` is when the daily housekeeping last began."""

    id: int
    uid: str
    generation: int
    public_url: str | None
    key_id: str | None
    moved_to: str | None
    tidied: datetime | None
    created: datetime


_ONE = select(*columns(InstallationRow, installation)).where(installation.c.id == 1)


def get(tx: Connection) -> InstallationRow | None:
    """None before the first start."""
    row = tx.execute(_ONE).first()
    return None if row is None else InstallationRow(*row)


def ensure(tx: Connection, now: datetime) -> InstallationRow:
    """The row, made at the first start."""
    found = get(tx)
    if found is None:
        found = InstallationRow(1, secrets.token_hex(8), 1, None, None, None, None, now)
        values = {"id": 1, "uid": found.uid, "generation": 1, "created": now}
        tx.execute(insert(installation).values(values))
    return found


def claim_tidying(tx: Connection, now: datetime, every: timedelta) -> bool:
    """Whether it is time for the daily housekeeping, and this process the one to do it. A moment to come was
    written by a clock that has since been set back."""
    last = installation.c.tidied
    due = or_(last.is_(None), last <= now - every, last > now + every)
    return tx.execute(update(installation).where(due).values(tidied=now)).rowcount == 1


def start_generation(tx: Connection, beyond: int = 0) -> None:
    """After a restore: no sync token handed out before it is good any more (design, section 4, rule 12), nor
    one of a generation up to ``beyond``."""
    row = get(tx)
    newest = max(row.generation if row else 0, beyond)
    tx.execute(update(installation).values(generation=newest + 1))


def set_public_url(tx: Connection, url: str) -> None:
    tx.execute(update(installation).values(public_url=url))


def set_key(tx: Connection, key_id: str) -> None:
    """From now on this key file belongs to the installation."""
    tx.execute(update(installation).values(key_id=key_id))


def set_moved(tx: Connection, to: str | None) -> None:
    """Everything lives elsewhere now: nothing is to be written here any more. None: here after all."""
    tx.execute(update(installation).values(moved_to=to))
