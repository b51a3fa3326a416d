"""Requests to a CalDAV server, by one user, through our guarded session.

How to sign in is found out by the ``caldav`` library (``library``). While a server lets us in the way it did
before, requests go without: loading the library takes longer than a pass that finds nothing new.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from httpx2 import BasicAuth, DigestAuth

from bridge.errors import Blocked, SignInNeeded, UnknownOutcome
from bridge.providers.caldav.refusals import preconditions, retry_later
from bridge.providers.guard import origin
from bridge.providers.http import AGENT, SAFE, Answer, Credentials, Http, same_house
from bridge.providers.patience import Patience

if TYPE_CHECKING:
    from bridge.providers.caldav.library import Library

XML = "application/xml; charset=utf-8"

#: What every request says unless it says otherwise; as the library has it.
HEADERS = {"User-Agent": AGENT, "Accept": "text/xml, text/calendar"}


class Client:
    """A signed-in connection to the server at ``url``, by one user."""

    def __init__(
        self,
        http: Http,
        url: str,
        username: str,
        password: str,
        auth_type: str | None = None,
        *,
        known: bool = False,
    ):
        """``known``: we were let in before, by ``auth_type`` (``basic`` or ``digest``; None: without being
        asked). Otherwise the server is asked."""
        self.http = http
        self.host = origin(url)[1]
        self._house = url
        self._patience = Patience()
        self._signing_in = (http, url, username, password)
        self._library: Library | None = None
        if not known:
            self._asking(auth_type)
        self._auth_type = auth_type
        self._auth = _credentials(auth_type, username, password)

    @property
    def auth_type(self) -> str | None:
        """How we signed in; None if the server never asked."""
        return self._library.auth_type if self._library else self._auth_type

    def insist(self) -> None:
        """Sign in without having been asked: for servers that answer strangers politely."""
        self._asking().insist()

    def request(
        self, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request, answered: any status but a refused sign-in or a plea for patience.

        A 401 or 403 is confirmed by a second try, because some servers say it in passing. Raises
        ``SignInNeeded``, ``RetryLater``, ``UnknownOutcome``, ``Blocked`` for whatever is another house's, and
        what ``Http.request`` raises.
        """
        self._ours(url, url)
        answer = self._patience.through(
            lambda: self._once(method, url, body, headers or {}), lambda answer: answer.status == 429
        )
        if answer.status in (401, 403) and not preconditions(answer):
            if answer.status == 401:
                self._asking().forget()  # the server may ask otherwise by now
                if "WWW-Authenticate" not in answer.headers:
                    self.insist()  # Yahoo turns strangers away without a word how to sign in
            answer = self._once(method, url, body, headers or {})
        if answer.status in (207, 401, 403) or method != "PROPFIND":  # looking around meets web pages, too
            self._ours(url, answer.url)
        if answer.status == 401:
            raise SignInNeeded(
                f"{self.host} does not accept this user name and password. Sign in again; "
                "many providers want an app-specific password here."
            )
        if answer.status in (502, 504) and method not in SAFE:
            raise UnknownOutcome(
                f"What stands before {self.host} lost its answer to a change. "
                "We look at it again before anything else."
            )
        if answer.status in (429, 502, 503, 504) or answer.status >= 520:
            raise retry_later(answer)
        return answer

    def xml(self, method: str, url: str, body: bytes, depth: str | None = "0") -> Answer:
        """PROPFIND or REPORT. A listing of depth infinity is never asked for."""
        headers = {"Content-Type": XML, "Accept": "application/xml, text/xml"}
        if depth is not None:
            headers["Depth"] = depth
        return self.request(method, url, body, headers)

    def url(self, base: str, href: str) -> str:
        """The absolute address of an href that ``base`` gave us. Raises ``Blocked`` if it leads elsewhere."""
        target = urljoin(base, href)
        if not same_house(base, target):
            raise Blocked(
                f"{origin(base)[1]} keeps these calendars at {origin(target)[1]}, where we do not send your "
                f"password unasked. If that is right, give {target} as the address."
            )
        return target

    def close(self) -> None:
        self.http.close()

    def _ours(self, asked: str, answered: str) -> None:
        """Nobody but the house that we sign in to is told the password, or believed."""
        if not (same_house(self._house, answered) and same_house(asked, answered)):
            raise Blocked(
                f"{origin(asked)[1]} sends us on to {origin(answered)[1]}, where we do not send your "
                f"password unasked. If that is right, give {answered} as the address."
            )

    def _once(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        if self._library is None:
            said = HEADERS | ({"Content-Type": "text/xml"} if body else {}) | dict(headers)
            answer = self.http.request(method, url, body=body, headers=said, auth=self._auth)
            if answer.status != 401 or self._auth is not None:
                return answer
        return self._asking().request(method, url, body, headers)  # it has begun to ask who we are

    def _asking(self, auth_type: str | None = None) -> Library:
        """The library, which finds out how to sign in."""
        from bridge.providers.caldav.library import Library

        if self._library is None:
            self._library = Library(*self._signing_in, auth_type)
        return self._library


def _credentials(auth_type: str | None, username: str, password: str) -> Credentials | None:
    if auth_type is None:
        return None
    return DigestAuth(username, password) if auth_type == "digest" else BasicAuth(username, password)
