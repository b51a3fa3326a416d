"""OAuth 2 for every provider that signs in that way (RFC 6749, 7636, 7009, 8414).

authlib speaks the protocol; each of its requests leaves through the guarded session of ``http``. A kind says
what it asks for (``Terms``), the administrator's settings say who we are there (``App``). A sign-in begins
with ``begin``, ends with ``finish``, which gives the account's secret; from then on a ``Session`` signs
requests with it, and hands over the secret whenever the provider changed it. Keeping things is left to the
service.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from urllib.parse import urlencode

import httpx2
from authlib.common.security import generate_token
from authlib.oauth2.base import OAuth2Error
from authlib.oauth2.client import OAuth2Client

from bridge.errors import (
    Blocked,
    NotACalendarServer,
    NotPermitted,
    ProviderError,
    Refused,
    RetryLater,
    SignInNeeded,
    UnknownOutcome,
    Unreachable,
)
from bridge.providers.guard import Guard, origin
from bridge.providers.http import Answer, Http, same_house
from bridge.providers.pace import Pace

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")

#: What of a token answer is kept.
_KEPT = ("access_token", "refresh_token", "expires_at", "scope", "token_type")


@dataclass(frozen=True, slots=True)
class App:
    """Who we are at a provider, and where that provider is: the administrator's settings."""

    issuer: str
    api_url: str
    client_id: str
    client_secret: str = field(repr=False)

    @property
    def hosts(self) -> frozenset[str]:
        """What the administrator named, as the guard's allow-list spells it; this machine by all its names,
        as a local issuer may name its parts by another one."""
        found: set[str] = set()
        for url in (self.issuer, self.api_url):
            _, host, port = origin(url)
            here = host in _LOOPBACK or f"[{host}]" in _LOOPBACK
            found |= {f"{name}:{port}" for name in (_LOOPBACK if here else (host,))}
        return frozenset(found)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a kind asks the user for. ``needed``: the scopes of ``scopes`` without which it is of no use
    (users may untick boxes). ``extra``: further parameters of the authorization request. ``to_make``: what is
    asked for besides when a calendar is to be made there, and not before."""

    label: str
    scopes: tuple[str, ...]
    needed: frozenset[str] = frozenset()
    extra: Mapping[str, str] = field(default_factory=dict)
    to_make: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in under way: ``url`` is for the user's browser; the rest is needed to finish."""

    url: str
    state: str
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose account it is: ``subject`` never changes there, ``name`` is what people call it."""

    subject: str
    name: str


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the provider's parts are, as it publishes them (RFC 8414)."""

    authorize: str
    token: str
    revoke: str | None
    userinfo: str | None


_known: dict[str, Endpoints] = {}
_known_lock = Lock()


def endpoints(issuer: str, http: Http) -> Endpoints:
    """Asked once a process. Raises NotACalendarServer if the issuer does not publish them."""
    with _known_lock:
        if found := _known.get(issuer):
            return found
    answer = http.request("GET", issuer.rstrip("/") + "/.well-known/openid-configuration")
    _refuse_strangers(issuer, answer)
    _refuse_trouble(answer)
    said = _object(answer)
    authorize, token = said.get("authorization_endpoint"), said.get("token_endpoint")
    if not isinstance(authorize, str) or not isinstance(token, str):
        raise NotACalendarServer(
            f"{origin(issuer)[1]} does not say where to sign in. Check the issuer's address in the settings."
        )
    found = Endpoints(authorize, token, said.get("revocation_endpoint"), said.get("userinfo_endpoint"))
    with _known_lock:
        return _known.setdefault(issuer, found)


def begin(
    app: App, terms: Terms, redirect_uri: str, http: Http, hint: str = "", *, to_make: bool = False
) -> Begun:
    """An address to open. ``hint``: the mail address the user is likely to sign in with. ``to_make``: so that
    a calendar can be made there."""
    state, verifier = secrets.token_urlsafe(32), generate_token(64)
    extra = {**terms.extra, **({"login_hint": hint} if hint else {})}
    # all of them again, not the new one alone: what comes back is whole, whatever was taken back meanwhile
    scopes = terms.scopes + (terms.to_make if to_make else ())
    client = _client(app, http, scope=" ".join(scopes), redirect_uri=redirect_uri)
    url, _ = client.create_authorization_url(
        endpoints(app.issuer, http).authorize, state=state, code_verifier=verifier, **extra
    )
    return Begun(url, state, verifier)


def finish(app: App, terms: Terms, redirect_uri: str, http: Http, *, code: str, verifier: str) -> str:
    """Turn the code into the account's secret. Raises SignInNeeded, NotPermitted (a box was left unticked),
    Unreachable, RetryLater."""
    client = _client(app, http, redirect_uri=redirect_uri)
    with _plain_words(terms.label):
        token = client.fetch_token(endpoints(app.issuer, http).token, code=code, code_verifier=verifier)
        secret = _secret(token)
    granted = token.get("scope")
    if granted and (missing := terms.needed - set(granted.split())):
        raise NotPermitted(
            f"{terms.label} was not allowed to share everything we need ({len(missing)} of the boxes there "
            "stayed empty). Sign in again and tick them all."
        )
    if not token.get("refresh_token"):
        raise SignInNeeded(
            f"{terms.label} let us in only for an hour. Remove our access in your account there, "
            "then sign in again."
        )
    return secret


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
        self._client = _client(app, http, token=token)

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
        with _plain_words(self._label):
            secret = _secret(self._client.refresh_token(where))
        self._keep(secret)

    def userinfo(self) -> dict[str, Any]:
        """What the provider says about who signed in (OpenID Connect Core 5.3)."""
        where = endpoints(self._app.issuer, self._http).userinfo
        if where is None:
            raise NotACalendarServer(f"{self._label} does not tell who signed in.")
        answer = self.request("GET", where)
        _refuse_trouble(answer)
        return _object(answer)

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
        _refuse_strangers(url, answer)
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


class _Wire:
    """authlib's HTTP session, on ours. Asking twice for a token harms nothing: a lost answer is
    silence."""

    def __init__(self, http: Http):
        self._http = http

    def post(self, url: str, *, data: dict[str, str], headers: dict[str, str], auth: Any) -> _Response:
        url, headers, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        try:
            answer = self._http.request("POST", url, body=body.encode(), headers=headers)
        except UnknownOutcome as error:
            raise Unreachable(
                f"{origin(url)[1]} broke off while signing in. We try again by ourselves."
            ) from error
        if answer.status == 429:
            _refuse_trouble(answer)
        return _Response(answer)


class _Response:
    """What authlib looks at."""

    def __init__(self, answer: Answer):
        self._answer = answer
        self.status_code = answer.status

    def json(self) -> Any:
        return json.loads(self._answer.body)

    def raise_for_status(self) -> None:
        _refuse_trouble(self._answer)


class _plain_words:
    """OAuth's error codes (RFC 6749 4.1.2.1, 5.2) as our kinds of trouble."""

    def __init__(self, label: str):
        self._label = label

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OAuth2Error):
            raise self._translated(error) from error
        if isinstance(error, ValueError | KeyError):
            raise Unreachable(f"{self._label} answered with nothing to sign in with.") from error

    def _translated(self, error: OAuth2Error) -> ProviderError | Refused:
        match error.error:
            case "invalid_client" | "unauthorized_client":
                return NotPermitted(
                    f"{self._label} does not know this server's client ID or secret. "
                    "The administrator has to check both in the settings."
                )
            case "temporarily_unavailable" | "server_error" | "slow_down":
                return RetryLater(f"{self._label} is busy. We try again by ourselves.")
            case _:  # invalid_grant above all: expired, revoked, used up, password changed
                return SignInNeeded(
                    f"{self._label} has ended our access: it was taken back there, ran out, or the password "
                    "was changed. Please sign in again."
                )


def denied(label: str, code: str) -> ProviderError:
    """What an ``error`` in the callback's address means (RFC 6749 4.1.2.1)."""
    if code == "access_denied":
        return SignInNeeded(f"{label} gave us no access, because you said no there. Nothing was changed.")
    if code in ("temporarily_unavailable", "server_error"):
        return RetryLater(f"{label} is busy. Try again in a few minutes.")
    return NotPermitted(
        f"{label} refused the sign-in. The administrator has to check this server's entry there."
    )


def _client(app: App, http: Http, **options: Any) -> OAuth2Client:
    """Both houses take the secret in the body; with an empty one we are a public client."""
    return OAuth2Client(
        _Wire(http),
        client_id=app.client_id,
        client_secret=app.client_secret or None,
        token_endpoint_auth_method="client_secret_post" if app.client_secret else "none",
        revocation_endpoint_auth_method="client_secret_post" if app.client_secret else "none",
        code_challenge_method="S256",
        **options,
    )


def _secret(token: Mapping[str, Any]) -> str:
    """What is kept of a token answer. Raises KeyError for an answer that holds no token."""
    further = {name: token[name] for name in _KEPT if token.get(name) is not None}
    return json.dumps({"access_token": token["access_token"], **further})


def _refuse_strangers(asked: str, answer: Answer) -> None:
    """What another house answers, after a redirect, is not believed."""
    if not same_house(asked, answer.url):
        raise Blocked(f"{origin(asked)[1]} sends us on to {origin(answer.url)[1]}, which we do not believe.")


def _refuse_trouble(answer: Answer) -> None:
    host = origin(answer.url)[1]
    if answer.status == 429 or answer.status >= 500:
        after = answer.headers.get("Retry-After", "")
        raise RetryLater(
            f"{host} is busy. We try again by ourselves.", float(after) if after.isdigit() else None
        )
    if answer.status >= 400:
        raise NotACalendarServer(f"{host} does not answer like a sign-in service ({answer.status}).")


def _object(answer: Answer) -> dict[str, Any]:
    try:
        said = json.loads(answer.body)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise NotACalendarServer(f"{origin(answer.url)[1]} does not answer like a sign-in service.")
    return said
