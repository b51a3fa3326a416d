"""API tokens: what programs sign in with. Making and hashing them is left to the service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from bridge.store.rows import columns
from bridge.store.tables import api_token


@dataclass(frozen=True, slots=True)
class TokenRow:
    """One token, without the token."""

    id: int
    user_id: int
    name: str
    scopes: Sequence[str]
    created: datetime
    expires: datetime | None
    last_used: datetime | None


_TOKEN = select(*columns(TokenRow, api_token))
_BY_MAC = _TOKEN.where(api_token.c.mac == bindparam("mac"))


def add(
    tx: Connection,
    user_id: int,
    name: str,
    scopes: Sequence[str],
    mac: str,
    now: datetime,
    expires: datetime | None,
) -> int:
    """Returns its id."""
    values = {
        "user_id": user_id,
        "name": name,
        "scopes": list(scopes),
        "mac": mac,
        "created": now,
        "expires": expires,
    }
    return int(tx.execute(insert(api_token).returning(api_token.c.id), values).scalar_one())


def of_user(tx: Connection, user_id: int) -> list[TokenRow]:
    """Oldest first."""
    rows = tx.execute(_TOKEN.where(api_token.c.user_id == user_id).order_by(api_token.c.id))
    return [TokenRow(*row) for row in rows]


def by_mac(tx: Connection, mac: str) -> TokenRow | None:
    """The token with this MAC, expired or not."""
    row = tx.execute(_BY_MAC, {"mac": mac}).first()
    return None if row is None else TokenRow(*row)


def touch(tx: Connection, token_id: int, now: datetime) -> None:
    """It was used."""
    tx.execute(update(api_token).where(api_token.c.id == token_id).values(last_used=now))


def remove(tx: Connection, token_id: int) -> None:
    tx.execute(delete(api_token).where(api_token.c.id == token_id))
