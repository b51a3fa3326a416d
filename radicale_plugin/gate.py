"""Who may still try passwords: bounds on failed sign-ins, per address and per user.

Counted in the store, for all processes together (``bridge.service.attempts``). A device that has signed in
here before is never held up, however many others guess from its network or at its user's name. A credential
never seen before is not even looked up while its address is over the bound; while its user is, a right one is
let in: guessers from elsewhere lock nobody out, and no number of guesses finds 99 random bits.
"""

from __future__ import annotations

import hashlib
import logging
import mmap
import secrets
import time
from typing import TYPE_CHECKING

from bridge.errors import StoreError
from bridge.service import attempts
from bridge.service.attempts import Counted
from bridge.service.people import verify_device

if TYPE_CHECKING:
    from bridge.service import Bridge

log = logging.getLogger("picsello_bridge.dav")

#: Failed sign-ins per minute. An address may be a whole office behind one router.
PER_ADDRESS = 60
PER_USER = 20
#: How long a credential that worked stays known at least, in seconds; twice as long at most.
KNOWN = 24 * 3600


class Gate:
    """Failed sign-ins of the last minute, and credentials that have worked."""

    def __init__(self, bridge: Bridge, per_address: int = PER_ADDRESS, per_user: int = PER_USER):
        self._bridge = bridge
        self._per_address = ((per_address, 1),)
        self._per_user = ((per_user, 1),)
        self._known = _Known()

    def wait(self, address: str, login: str, password: str) -> int:
        """Seconds until this credential may be tried; 0: now."""
        if self._known.has(login, password):
            return 0
        by_address, by_user = self._counted(address, login)
        held = attempts.wait(self._bridge, by_address)
        if not held:
            held = attempts.wait(self._bridge, by_user)
            if held and self._is_right(login, password):
                return 0
        return held

    def failed(self, address: str, login: str) -> None:
        """Count a wrong password."""
        try:
            attempts.failed(self._bridge, *self._counted(address, login))
        except StoreError as error:  # it is refused all the same
            log.warning("a wrong password could not be counted: %s", error)

    def succeeded(self, login: str, password: str) -> None:
        """Remember a right one."""
        self._known.add(login, password)

    def _is_right(self, login: str, password: str) -> bool:
        with self._bridge.db.reading() as tx:
            return verify_device(tx, self._bridge.vault, login, password) is not None

    def _counted(self, address: str, login: str) -> tuple[Counted, Counted]:
        return Counted("dav", address, self._per_address), Counted("dav of", login, self._per_user)


class _Known:
    """Credentials that have worked, for all processes that fork from the one that makes it: keyed digests,
    which die with them. Of two that share a place, the later stays: the other is but a stranger again."""

    _PLACES = 32_768

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._digests = memoryview(mmap.mmap(-1, 8 * self._PLACES)).cast("Q")

    def add(self, login: str, password: str) -> None:
        digest = self._digest(login, password, _period())
        self._digests[digest % self._PLACES] = digest

    def has(self, login: str, password: str) -> bool:
        now = _period()
        digests = (self._digest(login, password, period) for period in (now, now - 1))
        return any(self._digests[digest % self._PLACES] == digest for digest in digests)

    def _digest(self, login: str, password: str, period: int) -> int:
        said = f"{period}\0{login.strip().lower()}\0{password}".encode()
        return int.from_bytes(hashlib.blake2b(said, key=self._key, digest_size=8).digest(), "big")


def _period() -> int:
    return int(time.time() // KNOWN)
