"""How things stand, in numbers for whoever watches an installation: never whose, never what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, and_, func, select

from bridge.store.links import takes_part
from bridge.store.tables import account, calendar, client_booking, conflict, link, suggestion, webhook

#: Providers and states come from a few known words.
ByProvider = Sequence[tuple[str, str, int]]


def accounts(tx: Connection) -> ByProvider:
    """``(provider, state, how many)``."""
    return _grouped(tx, select(account.c.provider, account.c.state, func.count()))


def links(tx: Connection) -> ByProvider:
    """``(provider, state, how many)`` of the links that take part."""
    wanted = select(account.c.provider, link.c.state, func.count()).join(account).where(takes_part())
    return _grouped(tx, wanted)


def older(tx: Connection, now: datetime, than: timedelta) -> dict[str, int]:
    """By provider: links that should be in agreement, but were not since so long."""
    late = and_(link.c.released, link.c.held.is_(None), takes_part(), link.c.created <= now - than)
    never = func.coalesce(link.c.agreed_at, link.c.created) <= now - than
    wanted = select(account.c.provider, func.count().label("found")).join(link).where(late, never)
    return {row.provider: int(row.found) for row in tx.execute(wanted.group_by(account.c.provider))}


def oldest(tx: Connection, now: datetime) -> dict[str, float]:
    """By provider: seconds since the last full agreement of the link that has waited longest for one."""
    at = func.min(func.coalesce(link.c.agreed_at, link.c.created))
    wanted = select(account.c.provider, at.label("at")).join(link)
    wanted = wanted.where(link.c.released, link.c.held.is_(None), takes_part()).group_by(account.c.provider)
    return {
        provider: max(0.0, (now - moment).total_seconds())
        for provider, moment in tx.execute(wanted)
        if moment is not None
    }


def backlog(tx: Connection, now: datetime) -> tuple[int, float]:
    """How many links are due that may be tried, and for how many seconds the first of them has been."""
    may = account.c.next_try.is_(None) | (account.c.next_try <= now)
    wanted = select(func.count(), func.min(link.c.due_at)).join(account)
    wanted = wanted.where(
        link.c.due_at <= now, takes_part(), may, account.c.state.in_(("healthy", "retrying"))
    )
    count, first = tx.execute(wanted).one()
    return count, max(0.0, (now - first).total_seconds()) if first is not None else 0.0


def waiting(tx: Connection, now: datetime) -> dict[str, int]:
    """What waits for somebody: for the user (conflicts, approvals, held links), for another server (mails,
    webhooks)."""
    behind = select(func.count()).select_from(webhook).join(calendar, calendar.c.user_id == webhook.c.user_id)
    questions = {
        "conflicts": select(func.count()).where(conflict.c.resolved.is_(None), conflict.c.winner == "ask"),
        "approvals": select(func.count()).where(suggestion.c.answer.is_(None)),
        "held": select(func.count()).where(link.c.held.is_not(None)),
        "mails": select(func.count()).where(client_booking.c.mail.is_not(None)),
        "webhooks": behind.where(calendar.c.kind == "bookings", calendar.c.seq > webhook.c.seq),
        "failing_accounts": select(func.count()).where(account.c.next_try > now),
    }
    return {name: int(tx.execute(wanted).scalar_one()) for name, wanted in questions.items()}


def _grouped(tx: Connection, wanted: Select[Any]) -> ByProvider:
    first, second, *_ = wanted.selected_columns
    return [(one, two, count) for one, two, count in tx.execute(wanted.group_by(first, second))]
