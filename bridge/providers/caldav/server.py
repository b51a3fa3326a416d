"""One signed-in account at a CalDAV server: its home, and what was learnt about the server on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from bridge.errors import CalendarGone, ProviderError
from bridge.ports import Capabilities
from bridge.providers.caldav.client import Client
from bridge.providers.caldav.discovery import find_home
from bridge.providers.caldav.paths import member, path_of
from bridge.providers.caldav.refusals import read_refused
from bridge.providers.caldav.xml import Multistatus, Response
from bridge.providers.guard import origin

#: Told the profile whenever something new was found out about the server.
Learnt = Callable[[Mapping[str, Any]], None]


class Server:
    """The calendars below ``home``.

    ``profile`` is what was learnt about the server and is worth keeping between passes: ``auth`` (basic or
    digest), ``single`` (the home is one calendar), ``sync`` (False: no sync-collection), ``trust`` (False:
    any token is answered), ``conditional`` (False: conditions of writes are not honoured),
    ``raw`` (True: hrefs in answers are not percent-encoded), ``start`` (where the home was found from, on
    another host), ``home`` (where it has moved to since), ``others`` (further homes).
    """

    def __init__(self, client: Client, home: str, profile: Mapping[str, Any], learnt: Learnt):
        self.client = client
        self.home = home
        self._profile = dict(profile)
        self._learnt = learnt
        self._looked_again = False
        #: Characters of the largest object of the batch that was read last; None before the first.
        self.largest: int | None = None

    @property
    def host(self) -> str:
        return self.client.host

    @property
    def capabilities(self) -> Capabilities:
        """What the profile says of the port's questions."""
        return Capabilities(
            conditional_writes=self._profile.get("conditional", True),
            sync_token=self._profile.get("sync", True),
            trusts_token=self._profile.get("trust", True),
        )

    @property
    def profile(self) -> dict[str, Any]:
        """What is worth keeping, JSON-safe."""
        auth = self.client.auth_type
        return {**self._profile, **({"auth": auth} if auth else {})}

    def learn(self, name: str, value: Any) -> None:
        """Note something about the server, and tell it."""
        self._profile[name] = value
        self._learnt(self.profile)

    def url(self, href: str) -> str:
        """The absolute address of an href of the home."""
        return self.client.url(self.home, href)

    def member(self, calendar: str, response: Response) -> str | None:
        """The href of the object that a response is about; None if it is about none of the calendar."""
        href = path_of(response.href)
        return member(calendar, quote(href) if self._profile.get("raw") else href)

    def children(self, body: bytes) -> Iterator[Response]:
        """What the home holds, further homes included, with the properties asked for."""
        depth = "0" if self._profile.get("single") else "1"
        answer = self.client.xml("PROPFIND", self.home, body, depth)
        if answer.status != 207 and self.moved():
            answer = self.client.xml("PROPFIND", self.home, body, depth)
        if answer.status != 207:
            raise read_refused(answer)
        yield from Multistatus(answer)
        for other in self._profile.get("others", ()):
            answer = self.client.xml("PROPFIND", self.url(other), body, depth)
            if answer.status == 207:  # a shared home may go; the user's own stays
                yield from Multistatus(answer)

    def own(self, calendar: str, body: bytes) -> Response:
        """The calendar's own properties. Raises ``CalendarGone`` if it is none any more."""
        answer = self.client.xml("PROPFIND", self.url(calendar), body)
        if answer.status != 207:
            raise read_refused(answer)
        for response in Multistatus(answer):
            if response.status in (None, 200):
                return response
        raise CalendarGone(
            f"This calendar no longer exists at {self.host}. Choose another one, or disconnect it."
        )

    def moved(self) -> bool:
        """Whether the home is on another host by now, asked once where it was found by way of another one:
        iCloud moves accounts between its partitions, and says 404 or 403 at the old one."""
        start = self._profile.get("start")
        if start is None or self._looked_again:
            return False
        self._looked_again = True
        try:
            home = find_home(self.client, start)
        except ProviderError:
            return False
        if origin(home.url) == origin(self.home):
            return False
        self.home = home.url
        self.learn("home", home.url)
        return True
