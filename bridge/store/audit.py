"""The audit log: who changed what may be done in a user's name. Its words are the service's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from bridge.store.rows import columns
from bridge.store.tables import audit


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One entry. ``user_id``: whom it concerns; ``actor``: who did it; ``address``: from where, if known."""

    id: int
    user_id: int
    action: str
    detail: str
    actor: str
    address: str
    at: datetime


_AUDIT = select(*columns(AuditRow, audit))


def add(
    tx: Connection, user_id: int, action: str, *, detail: str, actor: str, address: str, now: datetime
) -> None:
    """One more entry; there is no way to change one."""
    values = {
        "user_id": user_id,
        "action": action,
        "detail": detail,
        "actor": actor,
        "address": address,
        "at": now,
    }
    tx.execute(insert(audit), values)


def of_user(tx: Connection, user_id: int, limit: int = 100) -> list[AuditRow]:
    """Newest first."""
    wanted = _AUDIT.where(audit.c.user_id == user_id).order_by(audit.c.id.desc()).limit(limit)
    return [AuditRow(*row) for row in tx.execute(wanted)]


def forget(tx: Connection, before: datetime) -> int:
    """Drop what is older; returns how many entries went."""
    return tx.execute(delete(audit).where(audit.c.at < before)).rowcount
