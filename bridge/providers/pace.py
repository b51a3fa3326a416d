"""How many requests a provider wants in a while, and how all processes of a fleet keep to it together.

One bucket an account. How full it is, is kept where all processes see it (``Take``: the store's
``accounts.take_turns``); a process takes turns from it in portions, and what one connection leaves over is
for the next. A bucket holds half of what is allowed and refills with the other half, so that no minute,
wherever it begins, sees more. The numbers are the provider table's. That one pass of an account runs at a
time, and so one request, is for the store's leases to see to; pauses that a provider asks for are
``patience``'s.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from threading import Lock
from time import monotonic, sleep

from bridge.providers.guard import Guard, origin
from bridge.providers.kinds import KINDS

#: Turns are taken for as many seconds of a provider's patience; the seconds until the bucket has them.
Take = Callable[[float, float], float]
#: Turns that were taken are good for so long, in seconds.
KEPT = 60.0
#: A full bucket is taken in so many portions, where there is that much in it.
PORTIONS = 30


@dataclass(frozen=True, slots=True)
class Rate:
    """No more than ``many`` requests in ``seconds``."""

    many: int
    seconds: float

    @property
    def burst(self) -> int:
        """So many at once, after a rest."""
        return max(1, self.many // 2)

    @property
    def interval(self) -> float:
        """Seconds in which one more is allowed."""
        return self.seconds / (self.many - self.burst or 1)

    @property
    def portion(self) -> int:
        return max(1, self.burst // PORTIONS)


#: For a server that says nothing, and is not the administrator's own.
POLITE = Rate(600, 60)


def every(seconds: float) -> Rate:
    """One request in so many seconds."""
    return Rate(1, seconds)


def rate_at(url: str, guard: Guard) -> Rate | None:
    """What the table says about the host of an address, else politeness; None for a host of the
    administrator's own: as many as you like."""
    _, host, port = origin(url)
    return _table().get(host) or (None if guard.allows(host, port) else POLITE)


def rate_of(kind: str) -> Rate | None:
    """What the table says about a provider: so many requests of one account in a minute."""
    many = KINDS[kind].per_minute
    return Rate(many, 60) if many else None


class Turns:
    """One account's turns in this process; ``take`` gets more."""

    def __init__(self, take: Take):
        self._take = take
        self._left = 0
        self._until = 0.0
        self._lock = Lock()

    def next(self, rate: Rate, pause: Callable[[float], None]) -> float:
        """Wait until it is our turn; the seconds that it took."""
        with self._lock:
            waited = 0.0
            if not self._left or monotonic() > self._until:
                waited = self._take(rate.portion * rate.interval, rate.burst * rate.interval)
                if waited:
                    pause(waited)
                self._left, self._until = rate.portion, monotonic() + KEPT
            self._left -= 1
            return waited


class Pace:
    """One connection's: what ``rate`` allows, None: as many requests as you like. Without ``turns`` it is a
    first contact, which nobody else knows of yet."""

    def __init__(self, rate: Rate | None, turns: Turns | None = None, pause: Callable[[float], None] = sleep):
        self._rate = rate
        self._turns = turns or Turns(_alone())
        self._pause = pause

    def wait(self) -> float:
        """Wait until it is our turn; the seconds that it took."""
        return 0.0 if self._rate is None else self._turns.next(self._rate, self._pause)


def _alone() -> Take:
    """A bucket of one's own."""
    spent = monotonic()

    def take(cost: float, depth: float) -> float:
        nonlocal spent
        now = monotonic()
        spent = max(spent, now) + cost
        return max(0.0, spent - now - depth)

    return take


@cache
def _table() -> dict[str, Rate]:
    return {origin(kind.start)[1]: every(kind.every) for kind in KINDS.values() if kind.every}
