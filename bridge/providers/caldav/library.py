"""The ``caldav`` library signs in and assembles requests, our guarded session carries them.

``DAVClient.request`` chooses the sign-in after a 401 (Basic, Digest), adds the headers of the protocol and
repeats the request. Its session is replaced by one that sends through ``bridge.providers.http`` and keeps
the answer as it came: bodies and tags are read from that, never from the library's parsed and normalised
copy (which turns CRLF into LF). So there is one way out of the house, whatever library asks.

Loaded only where there is something to find out: see ``client``.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, cast

import httpx2
from caldav.davclient import DAVClient
from caldav.lib.error import DAVError
from caldav.lib.python_utilities import WireBytes

from bridge.errors import NotACalendarServer
from bridge.providers.guard import origin
from bridge.providers.http import AGENT, Answer, Http

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


class _DAVClient(DAVClient):
    """With credentials for our session."""

    auth: Any

    def build_auth_object(self, auth_types: Any = None) -> None:
        """Basic where the connection is secure (one request less), else Digest where it is offered."""
        offered = {self.auth_type} if self.auth_type else set(auth_types or ())
        secure = str(self.url).startswith("https:")
        if "basic" in offered and (secure or "digest" not in offered):
            self.auth_type, self.auth = "basic", httpx2.BasicAuth(self.username or "", self.password or "")
        elif "digest" in offered:
            self.auth_type, self.auth = "digest", httpx2.DigestAuth(self.username or "", self.password or "")


class Library:
    """One user's requests to the server at ``url`` through the library."""

    def __init__(self, http: Http, url: str, username: str, password: str, auth_type: str | None):
        """``auth_type`` (``basic`` or ``digest``) is what worked before; None: the server is asked."""
        self._host = origin(url)[1]
        self._client = _DAVClient(
            url=url,
            username=username,
            password=password,
            auth_type=auth_type,
            headers={"User-Agent": AGENT},
            enable_rfc6764=False,
        )
        self._client.session.close()
        self._session = _Session(http)
        self._client.session = cast(Any, self._session)

    @property
    def auth_type(self) -> str | None:
        """How we signed in; None if the server never asked."""
        return self._client.auth_type

    def insist(self) -> None:
        """Sign in without having been asked."""
        self._client.auth_type = "basic"
        self._client.build_auth_object()

    def forget(self) -> None:
        """How we signed in is no longer right: ask anew."""
        self._client.auth = self._client.auth_type = None

    def request(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """One request, signed in if need be. Raises ``NotACalendarServer`` and what ``Http.request`` does."""
        self._session.answer = None
        try:
            self._client.request(url, method, cast(Any, WireBytes(body) if body else ""), headers)
        except (DAVError, NotImplementedError) as error:
            # the library raises for some statuses; the answer itself is what we judge
            if self._session.answer is None:
                raise NotACalendarServer(f"{self._host} does not answer like a calendar server.") from error
        assert self._session.answer is not None
        return self._session.answer
