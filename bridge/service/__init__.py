"""The use-cases: what a user or administrator can do, one function each. Command line, pages and CalDAV
plugin share them.

Functions that stand for a whole use-case take the bridge first and open their own transactions; those
that are part of a caller's write take its transaction. They refuse with a sentence (``bridge.errors``)
and return plain values; how these are shown is left to the callers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bridge.config import Settings
    from bridge.ports import Clock, Provider
    from bridge.store.db import Database
    from bridge.sync.engine import Engine
    from bridge.vault import Vault


class Bridge(Protocol):
    """What use-cases need of ``bridge.wiring.Bridge``, which stands above them."""

    @property
    def settings(self) -> Settings: ...
    @property
    def db(self) -> Database: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def vault(self) -> Vault: ...
    @property
    def installation(self) -> str: ...
    @property
    def public_url(self) -> str: ...
    def connect(self, account_id: int) -> Provider: ...
    def engine(self) -> Engine: ...
    def enqueue(self, link_id: int) -> None: ...
