"""Accounts: a user's sign-ins at providers, their secrets (sealed) and how they fare.

Lookups for people go by user. Opening the secret is the vault's business, back-off the engine's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Select,
    bindparam,
    case,
    delete,
    insert,
    select,
    type_coerce,
    update,
)

from bridge.errors import NotFound
from bridge.store.prepared import Prepared
from bridge.store.rows import columns
from bridge.store.tables import EPOCH, MILLISECOND, account

#: A bucket that claims to be fuller than this was filled by a clock that has since been set back.
LONGEST_DEBT = 5 * 60_000  # milliseconds


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One account. ``state``: healthy, retrying, needs-sign-in or parked; ``conflict`` None: by kind."""

    id: int
    user_id: int
    provider: str
    label: str
    url: str
    username: str
    secret: bytes | None = field(repr=False)
    conflict: str | None
    mail: bool
    profile: Mapping[str, Any]
    state: str
    state_reason: str | None
    state_since: datetime | None
    failures: int
    next_try: datetime | None
    created: datetime


_ACCOUNT: Select[Any] = select(*columns(AccountRow, account))
_BY_ID = Prepared(_ACCOUNT.where(account.c.id == bindparam("id")), AccountRow)
_SET = Prepared(update(account).where(account.c.id == bindparam("row_id")))


def bind(account_id: int) -> str:
    """What the vault binds an account's secret to."""
    return f"account:{account_id}"


def create(
    tx: Connection,
    user_id: int,
    provider: str,
    *,
    label: str,
    url: str = "",
    username: str = "",
    profile: Mapping[str, Any] | None = None,
    now: datetime,
) -> int:
    """Returns the id; then seal the secret, bound to it, and ``set_`` it in the same transaction."""
    values = {
        "user_id": user_id,
        "provider": provider,
        "label": label,
        "url": url,
        "username": username,
        "profile": dict(profile or {}),
        "created": now,
    }
    return int(tx.execute(insert(account).returning(account.c.id), values).scalar_one())


def get(tx: Connection, account_id: int) -> AccountRow:
    """Raises NotFound. For engine and administrator; people's requests use ``of_user`` or ``mine``."""
    return _there(_BY_ID.first(tx, {"id": account_id}), account_id)


def mine(tx: Connection, user_id: int, account_id: int) -> AccountRow:
    """Raises NotFound, also for another user's."""
    row = tx.execute(_ACCOUNT.where(account.c.id == account_id, account.c.user_id == user_id)).first()
    return _there(None if row is None else AccountRow(*row), account_id)


def of_user(tx: Connection, user_id: int) -> list[AccountRow]:
    rows = tx.execute(_ACCOUNT.where(account.c.user_id == user_id).order_by(account.c.id))
    return [AccountRow(*row) for row in rows]


def everybody(tx: Connection) -> list[AccountRow]:
    """Every account of the installation, for the administrator."""
    return [AccountRow(*row) for row in tx.execute(_ACCOUNT.order_by(account.c.id))]


def find(tx: Connection, user_id: int, provider: str, url: str, username: str) -> AccountRow | None:
    """The user's account of that sign-in: the same one is not added twice."""
    same = (account.c.user_id == user_id, account.c.provider == provider)
    row = tx.execute(_ACCOUNT.where(*same, account.c.url == url, account.c.username == username)).first()
    return None if row is None else AccountRow(*row)


def set_(tx: Connection, account_id: int, **values: Any) -> None:
    """Change columns of one account."""
    _SET.run(tx, values | {"row_id": account_id})


def replace_secret(tx: Connection, account_id: int, known: bytes, secret: bytes) -> bool:
    """Keep a renewed secret, unless another one than ``known`` was put there meanwhile."""
    still = update(account).where(account.c.id == account_id, account.c.secret == known)
    return tx.execute(still.values(secret=secret)).rowcount == 1


def set_state(
    tx: Connection,
    account_id: int,
    state: str,
    reason: str | None = None,
    *,
    now: datetime,
    failures: int = 0,
    next_try: datetime | None = None,
) -> None:
    """How it fares, since now unless it fared so already."""
    values = {"state": state, "state_reason": reason, "failures": failures, "next_try": next_try}
    tx.execute(
        update(account).where(account.c.id == account_id, account.c.state != state).values(state_since=now)
    )
    tx.execute(update(account).where(account.c.id == account_id).values(values))


#: In milliseconds.
_spent = type_coerce(account.c.spent_until, BigInteger)
_now, _longest, _cost = (bindparam(name, type_=BigInteger) for name in ("now", "longest", "cost"))
_TAKE = (
    update(account)
    .where(account.c.id == bindparam("row_id"))
    .values(spent_until=case((_spent > _longest, _longest), (_spent > _now, _spent), else_=_now) + _cost)
    .returning(_spent)
)


def take_turns(tx: Connection, account_id: int, cost: float, depth: float, now: datetime) -> float:
    """Requests that are paid off in ``cost`` seconds are going to be made, by whatever process; the seconds
    to wait before, where the bucket holds what is paid off in ``depth`` seconds. Nothing for an account that
    is gone."""
    at = (now - EPOCH) // MILLISECOND
    values = {"row_id": account_id, "now": at, "longest": at + LONGEST_DEBT, "cost": round(cost * 1000)}
    until = tx.execute(_TAKE, values).scalar()
    return 0.0 if until is None else max(0.0, (until - at) / 1000 - depth)


def remove(tx: Connection, account_id: int) -> None:
    """The account with its links and pairings; mirrors stay until ``calendars.remove``."""
    tx.execute(delete(account).where(account.c.id == account_id))


def _there(row: AccountRow | None, account_id: int) -> AccountRow:
    if row is None:
        raise NotFound(f"There is no account {account_id}. See `picsello-bridge account list`.")
    return row
