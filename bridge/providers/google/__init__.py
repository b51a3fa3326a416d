"""Google Calendar, by its REST API v3.

``wire`` sends, ``reading`` and ``writing`` translate (with ``fields`` as what both know), ``making`` makes a
calendar, ``provider`` is the port. Facts and their sources: the providers' notes, section 2. Not verified
live.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bridge.errors import NotACalendarServer
from bridge.providers.google.provider import GoogleProvider
from bridge.providers.google.wire import Wire
from bridge.providers.oauth import App, Identity, Session, Terms

_SCOPE = "https://www.googleapis.com/auth/"

#: As little as it works with: events, and which calendars there are; to make one, the right to what we make
#: and no more. ``consent`` is asked for each time, as Google gives a refresh token only then.
TERMS = Terms(
    "Google Calendar",
    ("openid", "email", _SCOPE + "calendar.calendarlist.readonly", _SCOPE + "calendar.events"),
    frozenset({_SCOPE + "calendar.calendarlist.readonly", _SCOPE + "calendar.events"}),
    {"access_type": "offline", "prompt": "consent", "include_granted_scopes": "true"},
    (_SCOPE + "calendar.app.created",),
)


def identify(session: Session, app: App) -> Identity:  # noqa: ARG001 - the same for every kind
    """Who signed in, by OpenID Connect."""
    said = session.userinfo()
    if not said.get("sub") or not said.get("email"):
        raise NotACalendarServer("Google does not tell who signed in. Sign in again, and tick all boxes.")
    return Identity(str(said["sub"]), str(said["email"]))


def open_account(
    session: Session,
    app: App,
    profile: Mapping[str, Any],  # noqa: ARG001 - nothing differs from account to account
    *,
    mail: bool,
    learnt: Callable[[Mapping[str, Any]], None],  # noqa: ARG001 - likewise
) -> GoogleProvider:
    """The provider of a signed-in account."""
    return GoogleProvider(Wire(session, app.api_url), mail=mail)
