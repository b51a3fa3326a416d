"""Who may call ``/api/v1``: a program with a token and the right scope, or a page with its session.

A page's session may do everything its user may; its writes carry the session's CSRF token. A program's token
is no cookie, so no other site's page can make a browser send it, and it needs none. A view says by ``needs``
which scopes open it; one that says nothing is open to no token.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Blueprint, current_app, g, request
from flask_login import current_user

from bridge.errors import Invalid
from bridge.service import audit, tokens
from bridge.web.problems import Problem
from bridge.web.security import csrf, limiter, the_bridge

View = TypeVar("View", bound=Callable[..., Any])

#: For each program or person; a page of a busy month asks a few times.
RATE = "600 per minute"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

#: The description of the API, which anybody may read.
OPEN = "api_document.show"


def blueprint(name: str) -> Blueprint:
    """A group of API calls."""
    made = Blueprint(name, __name__, url_prefix="/api/v1")
    limiter.limit(RATE, key_func=_who)(made)
    csrf.exempt(made)  # ``admit`` asks for it, of those who come with a cookie
    return made


def needs(*scopes: str) -> Callable[[View], View]:
    """Any one of these scopes opens the view to a token."""
    assert set(scopes) <= set(tokens.SCOPES)

    def mark(view: View) -> View:
        view.scopes = frozenset(scopes)  # type: ignore[attr-defined]
        return view

    return mark


def identify(load: Callable[[Any], Any]) -> None:
    """Before everything else: who asks. ``load(user)`` makes the visitor of a token's user."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if not request.path.startswith("/api/") or scheme.lower() != "bearer":
        return
    g.token = None
    found = tokens.verify(the_bridge(), token.strip())
    if found is None:
        return
    user, g.token = found
    g._login_user = load(user)  # Flask-Login looks here first: a cookie beside the token counts for nothing


def admit() -> None:
    """Let the request of an API call in. Raises Problem (401, 403) and CSRFError."""
    if request.endpoint == OPEN:
        return
    if "token" in g:
        if g.token is None:
            raise Problem(401, "This token is not valid (any more). Make a new one on the page “API tokens”.")
        audit.acting(f"token:{g.token.id}", request.remote_addr or "")
        view = current_app.view_functions[request.endpoint or ""]
        scopes: frozenset[str] = getattr(view, "scopes", frozenset())
        if not scopes & set(g.token.scopes):
            wanted = " or ".join(sorted(scopes)) or "a signed-in page"
            raise Problem(403, f"This token may not do that: it takes {wanted}. Make another token for it.")
        return
    if not current_user.is_authenticated:
        raise Problem(401, "Sign in first, or send a token: Authorization: Bearer …")
    if request.method not in SAFE:
        csrf.protect()


def body(**fields: type) -> dict[str, Any]:
    """The request's JSON object, its known fields of the right kind. Raises Invalid."""
    given = request.get_json(silent=True) if request.is_json else None
    if not isinstance(given, dict):
        raise Invalid("Send one JSON object, with Content-Type: application/json.")
    if unknown := sorted(set(given) - set(fields)):
        raise Invalid(f"There is no field “{unknown[0][:40]}” here. Known are: {', '.join(fields)}.")
    for name, value in given.items():
        kind = fields[name]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise Invalid(f"“{name}” must be {'a whole number' if kind is int else 'text'}.")
        if isinstance(value, str):
            _checked(name, value)
    return given


def _checked(name: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Invalid(f"“{name}” is no text: it holds half a character.") from None
    if "\x00" in text:
        raise Invalid(f"“{name}” is no text: it holds a character that means nothing.")


def _who() -> str:
    if g.get("token"):
        return f"token:{g.token.id}"
    return f"user:{current_user.get_id()}" if current_user.is_authenticated else f"{request.remote_addr}"
