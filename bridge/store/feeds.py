"""One-way feeds: named addresses from which others read a user's bookings. Tokens are made in the service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from bridge.errors import NotFound
from bridge.store.prepared import Prepared
from bridge.store.rows import columns
from bridge.store.tables import feed


@dataclass(frozen=True, slots=True)
class FeedRow:
    """One address. ``nonce`` makes its token, with the installation's key; ``digest`` is the token's."""

    id: int
    user_id: int
    name: str
    detail: str
    past_months: int
    ahead_months: int | None
    nonce: str
    digest: str
    created: datetime
    fetched_at: datetime | None
    fetched_by: str | None


_FEED = select(*columns(FeedRow, feed))
_FETCHED = Prepared(update(feed).where(feed.c.id == bindparam("row_id")))
_BY_DIGEST = Prepared(_FEED.where(feed.c.digest == bindparam("digest")), FeedRow)


def add(
    tx: Connection, user_id: int, name: str, *, nonce: str, digest: str, now: datetime, **shows: Any
) -> int:
    """``shows``: detail, past_months, ahead_months. Returns its id."""
    values = {"user_id": user_id, "name": name, "nonce": nonce, "digest": digest, "created": now, **shows}
    return int(tx.execute(insert(feed).returning(feed.c.id), values).scalar_one())


def of_user(tx: Connection, user_id: int) -> list[FeedRow]:
    """Oldest first."""
    rows = tx.execute(_FEED.where(feed.c.user_id == user_id).order_by(feed.c.id))
    return [FeedRow(*row) for row in rows]


def get(tx: Connection, user_id: int, feed_id: int) -> FeedRow:
    """Raises NotFound, also for another user's."""
    row = tx.execute(_FEED.where(feed.c.id == feed_id, feed.c.user_id == user_id)).first()
    if row is None:
        raise NotFound("There is no such link.")
    return FeedRow(*row)


def by_digest(tx: Connection, digest: str) -> FeedRow | None:
    """The feed whose token has this digest."""
    return _BY_DIGEST.first(tx, {"digest": digest})


def rotate(tx: Connection, feed_id: int, nonce: str, digest: str) -> None:
    """Another token; nobody has fetched by it yet."""
    changed = {"nonce": nonce, "digest": digest, "fetched_at": None, "fetched_by": None}
    tx.execute(update(feed).where(feed.c.id == feed_id).values(changed))


def set_(tx: Connection, feed_id: int, **shows: Any) -> None:
    """Change what it shows: detail, past_months, ahead_months."""
    tx.execute(update(feed).where(feed.c.id == feed_id).values(shows))


def fetched(tx: Connection, feed_id: int, by: str, now: datetime) -> None:
    """Somebody read it."""
    _FETCHED.run(tx, {"row_id": feed_id, "fetched_at": now, "fetched_by": by})


def remove(tx: Connection, feed_id: int) -> None:
    tx.execute(delete(feed).where(feed.c.id == feed_id))
