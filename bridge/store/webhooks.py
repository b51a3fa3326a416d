"""Webhooks: addresses that are told when a user's bookings change. Sending is left to the service.

A webhook remembers the ``seq`` of the bookings calendar up to which it has been told, so what is still to be
told is found in the change log, however long the other side was away.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select, update

from bridge.errors import NotFound
from bridge.store.rows import columns
from bridge.store.tables import calendar, webhook


@dataclass(frozen=True, slots=True)
class WebhookRow:
    """One address; see the table for what the columns mean."""

    id: int
    user_id: int
    url: str
    nonce: str
    seq: int
    failures: int
    next_try: datetime | None
    delivered: datetime | None
    tried: datetime | None
    answer: str | None
    created: datetime


_WEBHOOK = select(*columns(WebhookRow, webhook))


def add(tx: Connection, user_id: int, url: str, nonce: str, seq: int, now: datetime) -> int:
    """It will be told what comes after ``seq``. Returns its id."""
    values = {"user_id": user_id, "url": url, "nonce": nonce, "seq": seq, "created": now}
    return int(tx.execute(insert(webhook).returning(webhook.c.id), values).scalar_one())


def of_user(tx: Connection, user_id: int) -> list[WebhookRow]:
    """Oldest first."""
    rows = tx.execute(_WEBHOOK.where(webhook.c.user_id == user_id).order_by(webhook.c.id))
    return [WebhookRow(*row) for row in rows]


def get(tx: Connection, user_id: int, webhook_id: int) -> WebhookRow:
    """Raises NotFound, also for another user's."""
    row = tx.execute(_WEBHOOK.where(webhook.c.id == webhook_id, webhook.c.user_id == user_id)).first()
    if row is None:
        raise NotFound("There is no such webhook.")
    return WebhookRow(*row)


def behind(tx: Connection, now: datetime, limit: int = 20) -> list[WebhookRow]:
    """Those that have something to be told and may be tried now; the longest waiting first."""
    wanted = (
        _WEBHOOK.join(calendar, calendar.c.user_id == webhook.c.user_id)
        .where(
            calendar.c.kind == "bookings",
            calendar.c.seq > webhook.c.seq,
            or_(webhook.c.next_try.is_(None), webhook.c.next_try <= now),
        )
        .order_by(webhook.c.tried.is_not(None), webhook.c.tried, webhook.c.id)
        .limit(limit)
    )
    return [WebhookRow(*row) for row in tx.execute(wanted)]


def claim(tx: Connection, row: WebhookRow, until: datetime) -> bool:
    """Take it for one delivery: nobody else tries it before ``until``. False: somebody else was faster."""
    unchanged = webhook.c.next_try.is_(None) if row.next_try is None else webhook.c.next_try == row.next_try
    mine = update(webhook).where(webhook.c.id == row.id, webhook.c.seq == row.seq, unchanged)
    return bool(tx.execute(mine.values(next_try=until)).rowcount)


def set_(tx: Connection, webhook_id: int, **values: Any) -> None:
    """Remember what came of a delivery."""
    tx.execute(update(webhook).where(webhook.c.id == webhook_id).values(**values))


def remove(tx: Connection, webhook_id: int) -> None:
    tx.execute(delete(webhook).where(webhook.c.id == webhook_id))
