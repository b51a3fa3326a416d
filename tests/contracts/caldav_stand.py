"""The test bed of a CalDAV server: a running server with the fault proxy before it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

from bridge.ports import Provider
from bridge.providers import connect, sign_in
from tests.contracts.stand import Calendar, Stand
from tests.servers.dav import Outside, Server
from tests.servers.fault import FaultProxy


class CalDAVStand(Stand):
    """``fill`` puts many objects into a calendar path at once; ``read_only``: the path of such a calendar;
    ``one_home``: a UID may be there once in all calendars together, so the last test's calendar goes first;
    ``tick``: seconds that tokens are counted in; ``kind`` and ``address``: of a house known by name."""

    def __init__(
        self,
        server: Server,
        faults: FaultProxy,
        fill: Callable[[str, Mapping[str, str]], None],
        *,
        read_only: str | None = None,
        one_home: bool = False,
        tick: float = 0.0,
        many: int = 5000,
        kind: str = "caldav",
        address: str | None = None,
    ):
        self.server = server
        self.faults = faults
        self._fill = fill
        self._read_only = read_only
        self._one_home = one_home
        self._tick = tick
        self.many = many
        self._last: Outside | None = None
        self.kind = kind
        self._allow = frozenset({faults.host_and_port} if address is None else ())
        typed = faults.url if address is None else address
        signed = sign_in(kind, typed, server.user, server.password, self._allow)
        self._home = signed.home_url
        self._profile: dict[str, Any] = signed.profile

    def provider(self) -> Provider:
        account = SimpleNamespace(provider=self.kind, url=self._home, username=self.server.user)
        return connect(
            account,
            self.server.password,
            allow_hosts=self._allow,
            profile=self._profile,
            learnt=self._profile.update,
        )

    def make_calendar(self, name: str, *, title: str, color: str) -> tuple[str, Calendar]:
        if self._one_home and self._last is not None and self._last.exists():
            self._last.drop()
        made = self._last = self.server.make_calendar(name, title=title.replace("&", "&amp;"), color=color)
        return made.path, made

    def read_only_calendar(self) -> str | None:
        return self._read_only

    def seed(self, calendar: str, texts: Mapping[str, str]) -> None:
        self._fill(unquote(calendar), texts)

    def lost_cursor(self, cursor: str) -> str:
        # its numbers are others: of a version, a calendar and an installation that never were
        ((kind, value),) = json.loads(cursor).items()
        value = "".join("9" if character.isdigit() else character for character in value)
        return json.dumps({kind: value})

    def settle(self) -> None:
        time.sleep(self._tick)
