"""Providers that want no more than so many requests in a while, and how we keep to it.

One bucket an account and place, shared by all connections of this process, so that two calendars of one
account do not ask twice as often; that only one process is at work in an account is for the store's leases to
see to. The numbers are the provider table's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from time import sleep, time
from typing import TYPE_CHECKING

from bridge.providers.guard import origin
from bridge.providers.kinds import KINDS

if TYPE_CHECKING:
    from limits.strategies import MovingWindowRateLimiter

#: So many requests in so many seconds.
Rate = tuple[int, int]


class Pace:
    """What ``rate`` allows this user at this place; None: as many requests as you like."""

    def __init__(self, rate: Rate | None, place: str, user: str, pause: Callable[[float], None] = sleep):
        self._rate = rate
        self._key = (place, user)
        self._pause = pause

    @classmethod
    def of(cls, url: str, user: str, pause: Callable[[float], None] = sleep) -> Pace:
        """What the table says about the host of an address: one request in so many seconds."""
        host = origin(url)[1]
        return cls(_table().get(host), host, user, pause)

    @classmethod
    def of_kind(cls, kind: str, url: str, user: str, pause: Callable[[float], None] = sleep) -> Pace:
        """What the table says about a provider: so many requests a minute, at the address it has for us."""
        many = KINDS[kind].per_minute
        _, host, port = origin(url)
        return cls((many, 60) if many else None, f"{host}:{port}", user, pause)

    def wait(self) -> float:
        """Wait until it is our turn; the seconds that it took."""
        if self._rate is None:
            return 0.0
        from limits import RateLimitItemPerSecond  # only few providers want it

        rate, waited = RateLimitItemPerSecond(*self._rate), 0.0
        while not _buckets().hit(rate, *self._key):
            turn = _buckets().get_window_stats(rate, *self._key).reset_time
            left = min(max(turn - time(), 0.05), rate.get_expiry())
            self._pause(left)
            waited += left
        return waited


def every(seconds: float) -> Rate:
    """One request in so many seconds."""
    return 1, max(1, round(seconds))


@cache
def _buckets() -> MovingWindowRateLimiter:
    from limits.storage import MemoryStorage
    from limits.strategies import MovingWindowRateLimiter

    return MovingWindowRateLimiter(MemoryStorage())


@cache
def _table() -> dict[str, Rate]:
    return {origin(kind.start)[1]: every(kind.every) for kind in KINDS.values() if kind.every}
