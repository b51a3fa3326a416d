"""Providers that want their requests far apart, and how we keep to it.

One bucket an account and host, shared by all connections of this process, so that two calendars of one
account do not ask twice as often. The numbers are the provider table's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from time import sleep, time

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from bridge.providers.guard import origin
from bridge.providers.kinds import KINDS

_BUCKETS = MovingWindowRateLimiter(MemoryStorage())


class Pace:
    """At most one request every ``every`` seconds for this user at this host; 0: as many as you like."""

    def __init__(self, every: float, host: str, user: str, pause: Callable[[float], None] = sleep):
        self._item = RateLimitItemPerSecond(1, max(1, round(every))) if every else None
        self._key = (host, user)
        self._pause = pause

    @classmethod
    def of(cls, url: str, user: str, pause: Callable[[float], None] = sleep) -> Pace:
        """What the table says about the host of an address."""
        host = origin(url)[1]
        return cls(_table().get(host, 0.0), host, user, pause)

    def wait(self) -> float:
        """Wait until it is our turn; the seconds that it took."""
        waited = 0.0
        while self._item is not None and not _BUCKETS.hit(self._item, *self._key):
            turn = _BUCKETS.get_window_stats(self._item, *self._key).reset_time
            left = min(max(turn - time(), 0.05), self._item.get_expiry())
            self._pause(left)
            waited += left
        return waited


@cache
def _table() -> dict[str, float]:
    return {origin(kind.start)[1]: kind.every for kind in KINDS.values() if kind.every}
