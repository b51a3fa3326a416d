"""What the plugin classes share: the open bridge, the transaction of this request, and who is asking.

Radicale builds its plugin objects itself, and some of them twice, so none of them owns anything.
Our own server hands a ``Runtime`` over; under ``python -m radicale`` it is opened once per data folder.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from bridge.config import Settings
from bridge.service import Bridge
from radicale_plugin.gate import Gate

if TYPE_CHECKING:
    from radicale.config import Configuration

log = logging.getLogger("picsello_bridge.dav")


@dataclass(slots=True)
class _Open:
    tx: Connection
    writes: bool
    changed: set[int] = field(default_factory=set)


#: The transaction of this context.
_open: ContextVar[_Open | None] = ContextVar("transaction", default=None)


def _nobody(calendar_id: int) -> None:
    """What is due stands in the store; a worker elsewhere looks by itself."""


@dataclass(frozen=True)
class Runtime:
    """An open bridge as the plugin sees it. ``on_change(calendar_id)`` is called after every commit that
    changed a calendar; it only makes the worker faster, since what is due stands in the store."""

    bridge: Bridge
    on_change: Callable[[int], None] = _nobody
    gate: Gate = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "gate", Gate(self.bridge))

    @property
    def max_object(self) -> int:
        """The largest object a client may store, in bytes (CALDAV:max-resource-size)."""
        return self.bridge.settings.max_resource_bytes

    @property
    def max_body(self) -> int:
        """The largest request body that is read at all. A third above the largest object: what lies between
        is answered with RFC 4791's precondition, what lies above with a plain 413."""
        return self.max_object + self.max_object // 3

    @contextmanager
    def transaction(self, mode: str) -> Iterator[Connection]:
        """One transaction (``r`` or ``w``): committed at the end, rolled back by an exception. Inside
        another one it is the outer one's, which must not be a reading one for a write."""
        outer = _open.get()
        if outer is not None:
            if mode == "w" and not outer.writes:
                raise RuntimeError("a write inside a reading transaction")
            yield outer.tx
            return
        db = self.bridge.db
        with db.writing() if mode == "w" else db.reading() as tx:
            here = _Open(tx, mode == "w")
            token = _open.set(here)
            try:
                yield tx
            finally:
                _open.reset(token)
        for calendar_id in here.changed:
            self._tell(calendar_id)

    def changed(self, calendar_id: int) -> None:
        """Remember that this transaction changed a calendar."""
        here = _open.get()
        if here is None:
            raise RuntimeError("a change outside of a transaction")
        here.changed.add(calendar_id)

    def _tell(self, calendar_id: int) -> None:
        try:
            self.on_change(calendar_id)
        except Exception:  # the change is committed: the client must hear so, whatever the hook does
            log.exception("could not wake the worker for calendar %s", calendar_id)


_runtimes: dict[tuple[str, str], Runtime] = {}
_runtimes_lock = Lock()


def of(configuration: Configuration) -> Runtime:
    """The runtime that ``front.make_dav_app`` put there, else one opened from the environment
    (``PICSELLO_BRIDGE_DATA``, ``PICSELLO_BRIDGE_DATABASE_URL`` ..., see ``bridge.config``), where the options
    ``data`` and ``database_url`` of ``[storage]`` win. Raises BridgeError kinds with a plain sentence."""
    given = _option(configuration, "runtime")
    if isinstance(given, Runtime):
        return given
    data, url = _option(configuration, "data") or "", _option(configuration, "database_url") or ""
    with _runtimes_lock:
        if (data, url) not in _runtimes:
            from bridge import wiring

            environ = dict(os.environ)
            if url:
                environ["PICSELLO_BRIDGE_DATABASE_URL"] = url
            _runtimes[data, url] = Runtime(wiring.Bridge.open(Settings.load(data or None, None, environ)))
        return _runtimes[data, url]


def _option(configuration: Configuration, name: str) -> Any:
    return configuration.get("storage", name) if name in configuration.options("storage") else None
