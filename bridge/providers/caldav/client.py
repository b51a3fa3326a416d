"""Requests to a CalDAV server: the ``caldav`` library signs in and assembles, our guarded session carries.

``DAVClient.request`` chooses the sign-in after a 401 (Basic, Digest), adds the headers of the protocol and
repeats the request. Its session is replaced by one that sends through ``bridge.providers.http`` and keeps
the answer as it came: bodies and tags are read from that, never from the library's parsed and normalised
copy (which turns CRLF into LF). So there is one way out of the house, whatever library asks.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urljoin

import httpx2
from caldav.davclient import DAVClient
from caldav.lib.error import DAVError
from caldav.lib.python_utilities import WireBytes

from bridge.errors import Blocked, NotACalendarServer, SignInNeeded, UnknownOutcome
from bridge.providers.caldav.refusals import preconditions, retry_later
from bridge.providers.guard import origin
from bridge.providers.http import AGENT, SAFE, Answer, Http, same_house
from bridge.providers.patience import Patience

XML = "application/xml; charset=utf-8"

# Its debug output holds request bodies, and so people's appointments.
logging.getLogger("caldav").setLevel(logging.ERROR)


class _Shown:
    """What the library gets to see of an answer: enough to sign in, and no body to normalise."""

    content = b""
    text = ""
    reason = ""

    def __init__(self, answer: Answer):
        self.status_code = answer.status
        self.headers = answer.headers
        self.url = answer.url


class _Session:
    """The library's HTTP session, on ours."""

    def __init__(self, http: Http):
        self._http = http
        self.answer: Answer | None = None

    def request(self, method: str, url: str, *, data: bytes, headers: Any, auth: Any, **_: Any) -> _Shown:
        self.answer = None
        self.answer = self._http.request(method, url, body=data, headers=dict(headers), auth=auth)
        return _Shown(self.answer)

    def close(self) -> None:
        self._http.close()


class _Library(DAVClient):
    """``DAVClient`` with credentials for our session."""

    auth: Any

    def build_auth_object(self, auth_types: Any = None) -> None:
        """Basic where the connection is secure (one request less), else Digest where it is offered."""
        offered = {self.auth_type} if self.auth_type else set(auth_types or ())
        secure = str(self.url).startswith("https:")
        if "basic" in offered and (secure or "digest" not in offered):
            self.auth_type, self.auth = "basic", httpx2.BasicAuth(self.username or "", self.password or "")
        elif "digest" in offered:
            self.auth_type, self.auth = "digest", httpx2.DigestAuth(self.username or "", self.password or "")


class Client:
    """A signed-in connection to the server at ``url``, by one user."""

    def __init__(self, http: Http, url: str, username: str, password: str, auth_type: str | None = None):
        """``auth_type`` (``basic`` or ``digest``) is what worked before; None: the server is asked."""
        self.http = http
        self.host = origin(url)[1]
        self._patience = Patience()
        self._library = _Library(
            url=url,
            username=username,
            password=password,
            auth_type=auth_type,
            headers={"User-Agent": AGENT},
            enable_rfc6764=False,
        )
        self._library.session.close()
        self._session = _Session(http)
        self._library.session = cast(Any, self._session)

    @property
    def auth_type(self) -> str | None:
        """How we signed in; None if the server never asked."""
        return self._library.auth_type

    def insist(self) -> None:
        """Sign in without having been asked: for servers that answer strangers politely."""
        self._library.auth_type = "basic"
        self._library.build_auth_object()

    def request(
        self, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request, answered: any status but a refused sign-in or a plea for patience.

        A 401 or 403 is confirmed by a second try, because some servers say it in passing. Raises
        ``SignInNeeded``, ``RetryLater``, ``UnknownOutcome`` and what ``Http.request`` raises.
        """
        answer = self._patience.through(
            lambda: self._once(method, url, body, headers or {}), lambda answer: answer.status == 429
        )
        if answer.status in (401, 403) and not preconditions(answer):
            if answer.status == 401:
                self._library.auth = self._library.auth_type = None  # the server may ask otherwise by now
                if "WWW-Authenticate" not in answer.headers:
                    self.insist()  # Yahoo turns strangers away without a word how to sign in
            answer = self._once(method, url, body, headers or {})
        if not same_house(url, answer.url) and answer.status in (401, 403):
            raise Blocked(
                f"{origin(url)[1]} sends us on to {origin(answer.url)[1]}, where we do not send your "
                f"password unasked. If that is right, give {answer.url} as the address."
            )
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
        self._library.close()

    def _once(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        self._session.answer = None
        try:
            self._library.request(url, method, cast(Any, WireBytes(body) if body else ""), headers)
        except (DAVError, NotImplementedError) as error:
            # the library raises for some statuses; the answer itself is what we judge
            if self._session.answer is None:
                raise NotACalendarServer(f"{self.host} does not answer like a calendar server.") from error
        assert self._session.answer is not None
        return self._session.answer
