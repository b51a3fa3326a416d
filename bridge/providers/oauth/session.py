"""A signed-in account: its requests, and its tokens, which run out and are given back (RFC 6749 6, 6750,
7009)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx2

from bridge.errors import NotACalendarServer, SignInNeeded, Unreachable
from bridge.providers.guard import Guard
from bridge.providers.http import Answer, Http
from bridge.providers.oauth.sign_in import endpoints
from bridge.providers.oauth.terms import App
from bridge.providers.oauth.wire import (
    client_of,
    plain_words,
    refuse_strangers,
    refuse_trouble,
    said_by,
    secret_of,
)
from bridge.providers.pace import Pace


class Session:
    """A signed-in account's requests. ``keep`` gets the new secret each time the provider changed it."""

    def __init__(self, app: App, label: str, secret: str, http: Http, keep: Callable[[str], None]):
        self._app = app
        self._label = label
        self._http = http
        self._keep = keep
        try:
            token = json.loads(secret)
        except ValueError:
            token = None
        if not isinstance(token, dict) or "access_token" not in token or "refresh_token" not in token:
            raise SignInNeeded(f"What was kept for {label} cannot be used any more. Sign in again.")
        self._client = client_of(app, http, token=token)

    @property
    def requests(self) -> int:
        """Every request so far, those for tokens included."""
        return self._http.requests

    def request(
        self, method: str, url: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """A signed request, with a fresh token if the old one ran out; a 401 is tried once more with a new
        one. Raises SignInNeeded, and what ``Http.request`` raises."""
        if self._client.token.is_expired():
            self.renew()
        answer = self._signed(method, url, body, headers)
        if answer.status == 401:
            self.renew()
            answer = self._signed(method, url, body, headers)
        if answer.status == 401:
            raise SignInNeeded(f"{self._label} does not let us in any more. Sign in again.")
        return answer

    def renew(self) -> None:
        """A new access token. Raises SignInNeeded if the provider took the consent back."""
        where = endpoints(self._app.issuer, self._http).token
        with plain_words(self._label):
            secret = secret_of(self._client.refresh_token(where))
        self._keep(secret)

    def userinfo(self) -> dict[str, Any]:
        """What the provider says about who signed in (OpenID Connect Core 5.3)."""
        where = endpoints(self._app.issuer, self._http).userinfo
        if where is None:
            raise NotACalendarServer(f"{self._label} does not tell who signed in.")
        answer = self.request("GET", where)
        refuse_trouble(answer)
        return said_by(answer)

    def revoke(self) -> bool:
        """Give the consent back (RFC 7009); whether the provider offers that at all. A token that it does not
        know is as good as given back. Raises Unreachable if it could not take it."""
        where = endpoints(self._app.issuer, self._http).revoke
        if not where:
            return False
        answer = self._client.revoke_token(where, token=self._client.token["refresh_token"])
        if answer.status_code >= 500:
            raise Unreachable(f"{self._label} could not take it back just now.")
        return True

    def close(self) -> None:
        self._http.close()

    def _signed(self, method: str, url: str, body: bytes, headers: Mapping[str, str] | None) -> Answer:
        auth = _Bearer(self._client.token["access_token"])
        answer = self._http.request(method, url, body=body, headers=headers, auth=auth)
        refuse_strangers(url, answer)
        return answer


def session_http(app: App, allow_hosts: frozenset[str], pace: Pace | None = None) -> Http:
    """A guarded session that may also reach what the administrator's settings name."""
    return Http(Guard(allow_hosts | app.hosts), pace=pace)


class _Bearer(httpx2.Auth):
    """RFC 6750 2.1. As credentials, not as a header, so that it never follows a redirect elsewhere."""

    def __init__(self, token: str):
        self._token = token

    def sync_auth_flow(self, request: httpx2.Request) -> Iterator[httpx2.Request]:  # type: ignore[override]
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request
