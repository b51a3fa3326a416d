"""Bounds on failed sign-ins, shared by every process of a fleet: they are counted in the store.

A ``Counted`` is one thing that failures are counted for: an address, a user name, each with its bounds. What
is counted for is kept as a digest. Two ways to use them:

- ``admit`` before a try that is slow (a person's password): counts it at once, so that no burst of tries in
  parallel slips through; ``refund`` it if the password was right.
- ``wait`` before and ``failed`` after a try that is quick and hopeless (a random app password).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection

from bridge.ports import Clock
from bridge.store import attempts
from bridge.store.db import Database

#: The longest window there is, in minutes.
DAY = 24 * 60


class Ground(Protocol):
    """What counting needs of an open bridge."""

    @property
    def db(self) -> Database: ...
    @property
    def clock(self) -> Clock: ...


@dataclass(frozen=True, slots=True)
class Counted:
    """Failures of ``what`` at ``place``; ``bounds``: ``(most, minutes)``, each to be kept."""

    place: str
    what: str
    bounds: Sequence[tuple[int, int]]

    @property
    def key(self) -> str:
        """As the store spells it: any length of name, one of key."""
        said = f"{self.place}\0{self.what.strip().lower()}"
        return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:40]


def admit(bridge: Ground, *counted: Counted) -> int:
    """0: the try may be made, and is counted. Else the seconds to wait; nothing is counted."""
    now = bridge.clock.now()
    keys = [one.key for one in counted]
    with bridge.db.writing() as tx:
        attempts.count(tx, keys, _minute(now))
        wait = _wait(tx, now, counted, 1)
        if wait:
            attempts.count(tx, keys, _minute(now), by=-1)
    return wait


def refund(bridge: Ground, *counted: Counted) -> None:
    """The try that was admitted did not fail."""
    with bridge.db.writing() as tx:
        attempts.count(tx, [one.key for one in counted], _minute(bridge.clock.now()), by=-1)


def wait(bridge: Ground, *counted: Counted) -> int:
    """Seconds until a try may be made; 0: now."""
    with bridge.db.reading() as tx:
        return _wait(tx, bridge.clock.now(), counted)


def failed(bridge: Ground, *counted: Counted) -> None:
    """A try that may be made failed."""
    with bridge.db.writing() as tx:
        attempts.count(tx, [one.key for one in counted], _minute(bridge.clock.now()))


def forget(bridge: Ground) -> None:
    """Drop what no bound looks at any more."""
    with bridge.db.writing() as tx:
        attempts.forget(tx, _minute(bridge.clock.now()) - DAY)


def _wait(tx: Connection, now: datetime, counted: Sequence[Counted], mine: int = 0) -> int:
    """``mine``: tries of our own that are counted already and may be made within the bound."""
    return max(
        _until(tx, now, one.key, most + mine, minutes) for one in counted for most, minutes in one.bounds
    )


def _until(tx: Connection, now: datetime, key: str, most: int, minutes: int) -> int:
    """Seconds until fewer than ``most`` were counted in the last so many minutes."""
    found = attempts.since(tx, key, _minute(now) - minutes + 1)
    total, until = sum(count for _, count in found), 0
    for minute, count in found:
        if total < most:
            break
        total, until = total - count, (minute + minutes) * 60
    return max(1, until - int(now.timestamp())) if until else 0


def _minute(now: datetime) -> int:
    return int(now.timestamp()) // 60
