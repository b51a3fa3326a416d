"""Who is signed in: the session's life from sign-in to sign-out.

The cookie holds the user's number, the session version it was signed in under, and a number of its own.
Bumping the version in the store (a new password, a removed user) ends every session at once; signing out ends
this one, copies of its cookie included. What the password must be is left to ``bridge.service.people``.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from flask import Flask, g, redirect, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user

from bridge.errors import NotFound
from bridge.service import audit
from bridge.store import conflicts, ended, people, suggestions
from bridge.web import access
from bridge.web.security import the_bridge

#: However often somebody comes back, they sign in again after this.
LONGEST = timedelta(days=180)

#: Blueprints that anybody may see.
PUBLIC = frozenset(
    {
        "booking",
        "booking_receipt",
        "signin",
        "sign_in_code",
        "forgotten",
        "welcome",
        "oauth",
        "feed",
        "contact",
        "device_setup",
        "hooks",
    }
)


@dataclass(frozen=True)
class Visitor(UserMixin):  # type: ignore[misc]
    """The signed-in user, as pages need them: ``user`` is the store's row."""

    user: people.UserRow

    def get_id(self) -> str:
        """What the cookie holds."""
        return f"{self.user.id}.{self.user.session_version}"

    @property
    def zone(self) -> ZoneInfo:
        """The zone every time on every page is shown in."""
        return ZoneInfo(self.user.time_zone)


def visitor() -> Visitor:
    """The signed-in visitor of the current request; only where somebody is (see ``_gate``)."""
    return cast(Visitor, current_user._get_current_object())


def now() -> datetime:
    """The present moment by the installation's clock, aware, in UTC."""
    return the_bridge().clock.now()


def begin(user: people.UserRow) -> None:
    """Sign in under a fresh session: nothing planted in the old one survives (session fixation)."""
    cookie.clear()
    cookie.permanent = True
    cookie["own"], cookie["begun"] = secrets.token_hex(16), now().timestamp()
    login_user(Visitor(user))


def end() -> None:
    """Sign out of this browser; whoever has a copy of its cookie is out too."""
    if "own" in cookie:
        with the_bridge().db.writing() as tx:
            ended.add(tx, str(cookie["own"]), now() + LONGEST)
    logout_user()
    cookie.clear()


def safe_next(target: str | None) -> str:
    """Where to go after signing in: a path of our own, or the start page (open redirects, CWE-601)."""
    start = url_for("agenda.show")
    if not target or not target.startswith("/") or target.startswith("//"):
        return start
    if "\\" in target or any(ord(letter) < 0x20 for letter in target):
        return start  # browsers read a backslash as a slash, and drop tabs and line ends
    parts = urlsplit(target)
    return start if parts.scheme or parts.netloc else target


def identify(app: Flask) -> None:
    """Before anything else is asked of a request: who sends it, if a token says so."""
    app.before_request(lambda: access.identify(Visitor))


def install(app: Flask) -> None:
    """Register the sign-in machinery."""
    manager = LoginManager()
    manager.session_protection = None  # it would bind a session to an IP address; phones change theirs
    manager.user_loader(_load)
    manager.init_app(app)
    app.before_request(_gate)
    app.teardown_request(lambda _error: audit.over())

    @app.context_processor
    def person() -> dict[str, Any]:
        return {"me": current_user.user if current_user.is_authenticated else None, "undecided": _undecided}


def _undecided() -> int:
    """How many decisions wait for the visitor; the main navigation says it."""
    if "undecided" not in g:
        with the_bridge().db.reading() as tx:
            me = visitor().user.id
            g.undecided = len(suggestions.waiting(tx, me)) + len(conflicts.of_user(tx, me))
    return int(g.undecided)


def _load(identity: str) -> Visitor | None:
    number, _, version = identity.partition(".")
    if not (number.isascii() and number.isdigit()):
        return None
    begun = datetime.fromtimestamp(cookie.get("begun", 0), UTC)
    with the_bridge().db.reading() as tx:
        try:
            user = people.user_by_id(tx, int(number))
        except NotFound:
            return None
        over = now() - begun > LONGEST or ended.is_ended(tx, str(cookie.get("own")))
    return Visitor(user) if str(user.session_version) == version and not over else None


def _gate() -> ResponseReturnValue | None:
    """Every page needs signing in unless its blueprint says ``PUBLIC``: a forgotten check lets nobody in."""
    known = current_user.is_authenticated
    audit.acting(f"user:{visitor().user.id}" if known else "nobody", request.remote_addr or "")
    if request.endpoint is None or request.endpoint == "static" or request.blueprint in PUBLIC:
        return None
    if request.path.startswith("/api/"):
        access.admit()
        return None
    if known:
        today = now().date().isoformat()
        if cookie.get("day") != today:  # whoever comes back stays signed in; once a day is enough to say so
            cookie["day"] = today
        return None
    # Come back to what was asked for; after a POST there is nothing to come back to.
    wanted = request.full_path.rstrip("?") if request.method == "GET" and request.path != "/" else None
    return redirect(url_for("signin.show", next=wanted))
