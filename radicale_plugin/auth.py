"""Radicale's ``[auth]``: an e-mail address and the app password of one device.

Passwords for the web pages are not accepted here: a phone keeps what it is told, so it is told only
what can be revoked alone. Whether a device password is right is ``bridge.service.people``'s to say, at every
request: one that was revoked is out at once, whichever process is asked.
"""

from __future__ import annotations

import logging
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from radicale.auth import AuthContext, BaseAuth
from radicale.config import Configuration

from bridge.errors import StoreError
from bridge.service import people
from bridge.store.people import touch_device
from radicale_plugin import capture, runtime
from radicale_plugin.recent import Recent

log = logging.getLogger("picsello_bridge.dav")

#: How often a device's last use is written down, in seconds.
TOUCHED = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is asking: the user's address (as stored) and the device."""

    email: str
    device_id: int

    @property
    def actor(self) -> str:
        """As the change log and the journal spell it."""
        return f"device:{self.device_id}"


#: Who signed this context's request. None: nobody.
identity: ContextVar[Identity | None] = ContextVar("identity", default=None)


class Auth(BaseAuth):
    """Loaded by name: ``[auth] type = radicale_plugin.auth``."""

    def __init__(self, configuration: Configuration):
        super().__init__(configuration)
        self._runtime = runtime.of(configuration)
        self._touched: Recent[int, bool] = Recent(TOUCHED, 10_000)

    def get_external_login(self, environ: Any) -> tuple[()]:
        """Takes no part in signing in; it is the one place before the body is read where Radicale shows a
        plugin the request, so the client's own bytes are caught from here on."""
        identity.set(None)
        capture.begin(environ)
        return ()

    def sign_in(self, login: str, password: str, address: str) -> Identity | None:
        """Who it is, if the password is a device's of theirs; also said in ``identity``. The front has asked
        the gate whether it may be tried."""
        found = self._ask(login, password)
        identity.set(found)
        if found is None:
            self._runtime.gate.failed(address, login)
        else:
            self._runtime.gate.succeeded(login, password)
        return found

    def _login_ext(self, login: str, password: str, context: AuthContext) -> str:
        address = context.remote_addr or "unknown"
        if self._runtime.gate.wait(address, login, password):
            return ""
        found = self.sign_in(login, password, address)
        return found.email if found else ""

    def _ask(self, login: str, password: str) -> Identity | None:
        bridge = self._runtime.bridge
        with self._runtime.transaction("r") as tx:
            verified = people.verify_device(tx, bridge.vault, login, password)
        if verified is None:
            return None
        found = Identity(verified.email, verified.device_id)
        self._touch(found)
        return found

    def _touch(self, found: Identity) -> None:
        if self._touched.get(found.device_id):
            return
        self._touched.put(found.device_id, True)
        try:
            with self._runtime.transaction("w") as tx:
                touch_device(tx, found.device_id, self._runtime.bridge.clock.now())
        except StoreError:  # nobody is turned away because a date could not be written
            log.warning("could not note the use of device %s", found.device_id)

    def _sleep_for_constant_exec_time(self, time_ns_begin: int) -> None:
        """A sleep here would hold a thread, and Radicale's grows to the slowest failure it ever saw. The
        comparison is of MACs and looks a row up by index, whatever is wrong with the password."""
