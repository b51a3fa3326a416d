"""Channels: what providers promised to tell us about, one a link at most, and when to renew the promise."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from bridge.store.rows import columns
from bridge.store.tables import channel, link


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """A link's channel. ``name`` None: there is none, and ``look_at`` says when to try again."""

    link_id: int
    name: str | None
    resource: str
    address: str
    expires: datetime | None
    look_at: datetime
    noticed: datetime | None


_CHANNEL = select(*columns(ChannelRow, channel))


def get(tx: Connection, link_id: int) -> ChannelRow | None:
    """The link's channel, if it ever had one."""
    row = tx.execute(_CHANNEL.where(channel.c.link_id == link_id)).first()
    return None if row is None else ChannelRow(*row)


def named(tx: Connection, name: str) -> ChannelRow | None:
    """The channel that a notice speaks of."""
    row = tx.execute(_CHANNEL.where(channel.c.name == name)).first()
    return None if row is None else ChannelRow(*row)


def of_account(tx: Connection, account_id: int) -> list[ChannelRow]:
    """The channels there are of an account's links."""
    wanted = _CHANNEL.join(link, link.c.id == channel.c.link_id)
    rows = tx.execute(wanted.where(link.c.account_id == account_id, channel.c.name.is_not(None)))
    return [ChannelRow(*row) for row in rows]


def claim(tx: Connection, link_id: int, now: datetime, until: datetime) -> bool:
    """Take on to look after a link's channel until then, unless it is not time yet, or somebody does."""
    if get(tx, link_id) is None:
        tx.execute(insert(channel).values(link_id=link_id, look_at=until))
        return True
    mine = update(channel).where(channel.c.link_id == link_id, channel.c.look_at <= now)
    return tx.execute(mine.values(look_at=until)).rowcount == 1


def keep(
    tx: Connection,
    link_id: int,
    *,
    name: str,
    resource: str,
    address: str,
    expires: datetime,
    look_at: datetime,
) -> None:
    """The channel that the link has from now on."""
    values = {"name": name, "resource": resource, "address": address, "expires": expires, "look_at": look_at}
    tx.execute(update(channel).where(channel.c.link_id == link_id).values(values))


def look_at(tx: Connection, link_id: int, at: datetime) -> None:
    """When to look after it next."""
    tx.execute(update(channel).where(channel.c.link_id == link_id).values(look_at=at))


def lost(tx: Connection, link_id: int, now: datetime) -> None:
    """The provider gave it up: there is none, and one is to be asked for at once."""
    tx.execute(update(channel).where(channel.c.link_id == link_id).values(name=None, look_at=now))


def noticed(tx: Connection, link_id: int, now: datetime) -> None:
    """A notice led to a pass."""
    tx.execute(update(channel).where(channel.c.link_id == link_id).values(noticed=now))
