"""A sign-in, from the address that the user's browser opens to the account's secret (RFC 6749 4.1, 7636,
8414)."""

from __future__ import annotations

import secrets
from threading import Lock

from authlib.common.security import generate_token

from bridge.errors import NotACalendarServer, NotPermitted, ProviderError, RetryLater, SignInNeeded
from bridge.providers.guard import origin
from bridge.providers.http import Http
from bridge.providers.oauth.terms import App, Begun, Endpoints, Terms
from bridge.providers.oauth.wire import (
    client_of,
    plain_words,
    refuse_strangers,
    refuse_trouble,
    said_by,
    secret_of,
)

_known: dict[str, Endpoints] = {}
_known_lock = Lock()


def endpoints(issuer: str, http: Http) -> Endpoints:
    """Asked once a process. Raises NotACalendarServer if the issuer does not publish them."""
    with _known_lock:
        if found := _known.get(issuer):
            return found
    answer = http.request("GET", issuer.rstrip("/") + "/.well-known/openid-configuration")
    refuse_strangers(issuer, answer)
    refuse_trouble(answer)
    said = said_by(answer)
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
    client = client_of(app, http, scope=" ".join(scopes), redirect_uri=redirect_uri)
    url, _ = client.create_authorization_url(
        endpoints(app.issuer, http).authorize, state=state, code_verifier=verifier, **extra
    )
    return Begun(url, state, verifier)


def finish(app: App, terms: Terms, redirect_uri: str, http: Http, *, code: str, verifier: str) -> str:
    """Turn the code into the account's secret. Raises SignInNeeded, NotPermitted (a box was left unticked),
    Unreachable, RetryLater."""
    client = client_of(app, http, redirect_uri=redirect_uri)
    with plain_words(terms.label):
        token = client.fetch_token(endpoints(app.issuer, http).token, code=code, code_verifier=verifier)
        secret = secret_of(token)
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


def denied(label: str, code: str) -> ProviderError:
    """What an ``error`` in the callback's address means (RFC 6749 4.1.2.1)."""
    if code == "access_denied":
        return SignInNeeded(f"{label} gave us no access, because you said no there. Nothing was changed.")
    if code in ("temporarily_unavailable", "server_error"):
        return RetryLater(f"{label} is busy. Try again in a few minutes.")
    return NotPermitted(
        f"{label} refused the sign-in. The administrator has to check this server's entry there."
    )
