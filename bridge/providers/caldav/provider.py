"""``bridge.ports.Provider`` over CalDAV. ``listing`` tells what changed, ``texts`` reads, ``writing`` writes;
``server`` is what they stand on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bridge.errors import CalendarGone, NotPermitted
from bridge.ports import Capabilities, Changes, Entry, RemoteCalendar
from bridge.providers.caldav import calendars as homes
from bridge.providers.caldav import listing, making, texts, writing
from bridge.providers.caldav.client import Client
from bridge.providers.caldav.paths import new_name
from bridge.providers.caldav.server import Learnt, Server


class CalDAVProvider:
    """One account's calendars below ``home``; ``profile`` is described at ``Server``."""

    def __init__(
        self,
        client: Client,
        home: str,
        profile: Mapping[str, Any] | None = None,
        learnt: Learnt = lambda _: None,
    ):
        self._server = Server(client, home, profile or {}, learnt)

    @property
    def capabilities(self) -> Capabilities:
        return self._server.capabilities

    @property
    def requests(self) -> int:
        return self._server.client.http.requests

    @property
    def profile(self) -> dict[str, Any]:
        """What is worth keeping of what was learnt about the server, JSON-safe."""
        return self._server.profile

    def calendars(self) -> list[RemoteCalendar]:
        return list(homes.listed(self._server.children(homes.LISTING)))

    def make_calendar(self, name: str) -> RemoteCalendar:
        return making.make(self._server, name)

    def survey(self) -> Mapping[str, str] | None:
        return dict(homes.cursors(self._server.children(homes.SURVEY))) or None

    def changes(self, calendar: str, cursor: str | None) -> Changes:
        try:
            return listing.changes(self._server, calendar, cursor)
        except (CalendarGone, NotPermitted):
            if not self._server.moved():
                raise
            return listing.changes(self._server, calendar, cursor)

    def fetch(self, calendar: str, hrefs: Sequence[str]) -> Iterator[Entry]:
        return texts.fetch(self._server, calendar, hrefs)

    def put(self, calendar: str, href: str, text: str, expect: str | None) -> Entry:
        return writing.put(self._server, calendar, href, text, expect)

    def delete(self, calendar: str, href: str, expect: str) -> None:
        writing.delete(self._server, calendar, href, expect)

    def new_href(self, calendar: str, key: str) -> str:
        return calendar + new_name(key)

    def close(self) -> None:
        self._server.client.close()
