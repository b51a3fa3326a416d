"""Who may still try passwords: bounds on failed sign-ins, per address and per user.

Counts in this process's memory. A device that has signed in here before is never held up, however many
others guess from its network or at its user's name; a credential never seen before is not even looked up
while its address or user is over the bound.
"""

from __future__ import annotations

import hashlib
import math
import secrets
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from radicale_plugin.recent import Recent

#: Failed sign-ins per minute. An address may be a whole office behind one router.
PER_ADDRESS = 60
PER_USER = 20
#: How long a credential that worked stays known, in seconds.
KNOWN = 24 * 3600


class Gate:
    """Failed sign-ins of the last minute, and credentials that have worked."""

    def __init__(self, per_address: int = PER_ADDRESS, per_user: int = PER_USER):
        self._windows = MovingWindowRateLimiter(MemoryStorage())
        self._per_address = RateLimitItemPerMinute(per_address)
        self._per_user = RateLimitItemPerMinute(per_user)
        self._known: Recent[bytes, bool] = Recent(KNOWN, 20_000)
        self._key = secrets.token_bytes(32)

    def wait(self, address: str, login: str, password: str) -> int:
        """Seconds until this credential may be tried; 0: now."""
        if self._known.get(self._digest(login, password)):
            return 0
        over = [
            self._windows.get_window_stats(bound, *key).reset_time - time.time()
            for bound, key in self._keys(address, login)
            if not self._windows.test(bound, *key)
        ]
        return max(1, math.ceil(max(over))) if over else 0

    def failed(self, address: str, login: str) -> None:
        """Count a wrong password."""
        for bound, key in self._keys(address, login):
            self._windows.hit(bound, *key)

    def succeeded(self, login: str, password: str) -> None:
        """Remember a right one (as a keyed digest that dies with the process)."""
        self._known.put(self._digest(login, password), True)

    def _keys(self, address: str, login: str) -> list[tuple[RateLimitItemPerMinute, tuple[str, str]]]:
        user = hashlib.sha256(login.strip().lower().encode()).hexdigest()  # any length of login, one of key
        return [(self._per_address, ("address", address)), (self._per_user, ("user", user))]

    def _digest(self, login: str, password: str) -> bytes:
        said = f"{login.strip().lower()}\0{password}".encode()
        return hashlib.blake2b(said, key=self._key, digest_size=32).digest()
