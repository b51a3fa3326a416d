"""Sign-ins under way on a provider's own page: from the address we give out to the callback.

A request is found by what its ``state`` parameter was (kept as a MAC: who reads the table cannot finish one)
and is good once, for ``LIFE``. What the callback does is left to ``bridge.service.oauth``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from bridge.store.rows import columns
from bridge.store.tables import oauth_request

#: How long a user may take on the provider's page, and how long the outcome is kept for who waits for it.
LIFE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class RequestRow:
    """One sign-in. ``account_id``: the account that signs in again, later the one it became. ``verifier`` is
    sealed, bound to ``bind``. ``taken``: its callback came. ``outcome``: ``done``, or the sentence that says
    why not; None while it is under way. ``by_browser``: begun on our pages, by a signed-in user."""

    id: int
    state_mac: str
    user_id: int
    provider: str
    account_id: int | None
    verifier: bytes = field(repr=False)
    redirect_uri: str
    by_browser: bool
    created: datetime
    taken: datetime | None
    outcome: str | None


_REQUEST = select(*columns(RequestRow, oauth_request))


def bind(state_mac: str) -> str:
    """What the vault binds a request's verifier to."""
    return f"oauth:{state_mac}"


def add(
    tx: Connection,
    *,
    state_mac: str,
    user_id: int,
    provider: str,
    account_id: int | None,
    verifier: bytes,
    redirect_uri: str,
    by_browser: bool,
    now: datetime,
) -> int:
    """Returns the id. Requests that ran out are forgotten along the way."""
    tx.execute(delete(oauth_request).where(oauth_request.c.created < now - 2 * LIFE))
    values = {
        "state_mac": state_mac,
        "user_id": user_id,
        "provider": provider,
        "account_id": account_id,
        "verifier": verifier,
        "redirect_uri": redirect_uri,
        "by_browser": by_browser,
        "created": now,
    }
    return int(tx.execute(insert(oauth_request).returning(oauth_request.c.id), values).scalar_one())


def find(tx: Connection, state_mac: str, now: datetime) -> RequestRow | None:
    """The request that waits for a callback with this state."""
    waiting = _REQUEST.where(
        oauth_request.c.state_mac == state_mac,
        oauth_request.c.taken.is_(None),
        oauth_request.c.created > now - LIFE,
    )
    row = tx.execute(waiting).first()
    return None if row is None else RequestRow(*row)


def take(tx: Connection, request_id: int, now: datetime) -> bool:
    """Whether this callback is the first: a state is good once."""
    free = update(oauth_request).where(oauth_request.c.id == request_id, oauth_request.c.taken.is_(None))
    return tx.execute(free.values(taken=now)).rowcount == 1


def end(tx: Connection, request_id: int, outcome: str, account_id: int | None = None) -> None:
    """Note what came of it, for who waits."""
    values = {"outcome": outcome, **({} if account_id is None else {"account_id": account_id})}
    tx.execute(update(oauth_request).where(oauth_request.c.id == request_id).values(values))


def get(tx: Connection, request_id: int) -> RequestRow | None:
    row = tx.execute(_REQUEST.where(oauth_request.c.id == request_id)).first()
    return None if row is None else RequestRow(*row)
