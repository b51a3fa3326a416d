"""Who may still try passwords: bounds on failed sign-ins, per address and per user.

Counted in the store, for all processes together (``bridge.service.attempts``). A device that has signed in
here before is never held up, however many others guess from its network or at its user's name. A credential
never seen before is not even looked up while its address is over the bound; while its user is, a right one is
let in: guessers from elsewhere lock nobody out, and no number of guesses finds 99 random bits.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from typing import TYPE_CHECKING

from bridge.errors import StoreError
from bridge.service import attempts
from bridge.service.attempts import Counted
from bridge.service.people import verify_device
from radicale_plugin.recent import Recent

if TYPE_CHECKING:
    from bridge.service import Bridge

log = logging.getLogger("picsello_bridge.dav")

#: Failed sign-ins per minute. An address may be a whole office behind one router.
PER_ADDRESS = 60
PER_USER = 20
#: How long a credential that worked stays known, in seconds.
KNOWN = 24 * 3600


class Gate:
    """Failed sign-ins of the last minute, and credentials that have worked."""

    def __init__(self, bridge: Bridge, per_address: int = PER_ADDRESS, per_user: int = PER_USER):
        self._bridge = bridge
        self._per_address = ((per_address, 1),)
        self._per_user = ((per_user, 1),)
        self._known: Recent[bytes, bool] = Recent(KNOWN, 20_000)
        self._key = secrets.token_bytes(32)

    def wait(self, address: str, login: str, password: str) -> int:
        """Seconds until this credential may be tried; 0: now."""
        if self._known.get(self._digest(login, password)):
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
        """Remember a right one (as a keyed digest that dies with the process)."""
        self._known.put(self._digest(login, password), True)

    def _is_right(self, login: str, password: str) -> bool:
        with self._bridge.db.reading() as tx:
            return verify_device(tx, self._bridge.vault, login, password) is not None

    def _counted(self, address: str, login: str) -> tuple[Counted, Counted]:
        return Counted("dav", address, self._per_address), Counted("dav of", login, self._per_user)

    def _digest(self, login: str, password: str) -> bytes:
        said = f"{login.strip().lower()}\0{password}".encode()
        return hashlib.blake2b(said, key=self._key, digest_size=32).digest()
