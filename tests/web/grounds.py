"""The studios that the scenes are set in, each made and served when a scene first needs it.

``fresh`` (nobody yet), ``empty`` (Anna, nothing else), ``full`` (something of everything), ``shop`` (booking
pages), ``running`` (a first sync), ``stopped``, ``linked`` (bookings come from Picsello's link), ``picsello``
(from its database), ``locked`` and ``unlocked`` (with a second step of signing in, and where one may be
turned on), ``shown`` (a good week, for the README).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from bridge.config import Settings
from bridge.service import (
    people,
)
from bridge.web import make_app, progress
from bridge.wiring import Bridge
from tests.web.chromium import served
from tests.web.conftest import ANNA, Clock
from tests.web.furnish import FURNISH, READY

Running = TypeVar("Running")
PASSWORD = "a good password"


def _at_rest() -> None:
    """There is nothing to do first."""


@dataclass(frozen=True)
class Ground:
    """A studio that is being served. ``names``: what addresses of scenes may mention; ``ready``: called
    before somebody comes to it."""

    base: str
    bridge: Bridge
    names: dict[str, str] = field(default_factory=dict)
    ready: Callable[[], None] = _at_rest


class Grounds:
    """The studios, each made and served when a scene first needs it. Close it at the end."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._open = ExitStack()
        self._made: dict[str, Ground] = {}
        lasts, progress.LASTS_SECONDS = (
            progress.LASTS_SECONDS,
            0.1,
        )  # a page is at rest when no stream is open
        self._open.callback(setattr, progress, "LASTS_SECONDS", lasts)

    def __getitem__(self, name: str) -> Ground:
        if name not in self._made:
            settings = Settings(self._folder / name, allow_hosts=frozenset({"127.0.0.1"}))
            if name != "fresh":
                settings = replace(settings, smtp_url="smtp://127.0.0.1:9", mail_from=ANNA)
            bridge = Bridge.open(settings, Clock())
            self._open.callback(bridge.db.close)
            app, names, ready = make_app(bridge), dict[str, str](), _at_rest
            if name != "fresh":
                anna = people.add_user(
                    bridge, ANNA, time_zone="Europe/Berlin", password=PASSWORD, studio="anna"
                )
                names = FURNISH[name](self, bridge, anna, app)
                if name in READY:
                    ready = partial(READY[name], bridge, anna, names)
            base = self._open.enter_context(served(app))
            self._made[name] = Ground(base, bridge, names, ready)
        return self._made[name]

    def folder(self, name: str) -> Path:
        """A place for a server of a studio's."""
        return self._folder / name

    def keep(self, server: AbstractContextManager[Running]) -> Running:
        """Start it, and end it with the rest."""
        return self._open.enter_context(server)

    def close(self) -> None:
        """End every server."""
        self._open.close()
