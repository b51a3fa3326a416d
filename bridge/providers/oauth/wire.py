"""authlib's client on our guarded session, and what its answers and errors mean in our words (RFC 6749)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

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
from bridge.providers.guard import origin
from bridge.providers.http import Answer, Http, same_house
from bridge.providers.oauth.terms import App

#: What of a token answer is kept.
_KEPT = ("access_token", "refresh_token", "expires_at", "scope", "token_type")


def client_of(app: App, http: Http, **options: Any) -> OAuth2Client:
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


def secret_of(token: Mapping[str, Any]) -> str:
    """What is kept of a token answer. Raises KeyError for an answer that holds no token."""
    further = {name: token[name] for name in _KEPT if token.get(name) is not None}
    return json.dumps({"access_token": token["access_token"], **further})


def refuse_strangers(asked: str, answer: Answer) -> None:
    """What another house answers, after a redirect, is not believed."""
    if not same_house(asked, answer.url):
        raise Blocked(f"{origin(asked)[1]} sends us on to {origin(answer.url)[1]}, which we do not believe.")


def refuse_trouble(answer: Answer) -> None:
    """Raises RetryLater for a service that is busy, NotACalendarServer for one that is none."""
    host = origin(answer.url)[1]
    if answer.status == 429 or answer.status >= 500:
        after = answer.headers.get("Retry-After", "")
        raise RetryLater(
            f"{host} is busy. We try again by ourselves.", float(after) if after.isdigit() else None
        )
    if answer.status >= 400:
        raise NotACalendarServer(f"{host} does not answer like a sign-in service ({answer.status}).")


def said_by(answer: Answer) -> dict[str, Any]:
    """The JSON object in it. Raises NotACalendarServer."""
    try:
        said = json.loads(answer.body)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise NotACalendarServer(f"{origin(answer.url)[1]} does not answer like a sign-in service.")
    return said


class plain_words:
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
            refuse_trouble(answer)
        return _Response(answer)


class _Response:
    """What authlib looks at."""

    def __init__(self, answer: Answer):
        self._answer = answer
        self.status_code = answer.status

    def json(self) -> Any:
        return json.loads(self._answer.body)

    def raise_for_status(self) -> None:
        refuse_trouble(self._answer)
