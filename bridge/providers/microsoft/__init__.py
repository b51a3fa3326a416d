"""Microsoft 365 and Outlook.com over Graph v1.0.

``client`` sends requests, ``provider`` reads, ``writes`` writes, ``calendars`` and ``cursor`` are what they
stand on; ``event``, ``recurrence`` and ``zones`` are Graph's words, which ``translate``, ``render`` and
``stash`` turn into iCalendar and back. Not verified live.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from bridge.ports import Provider
from bridge.providers.microsoft.calendars import Calendars
from bridge.providers.microsoft.client import Graph
from bridge.providers.microsoft.provider import MicrosoftProvider
from bridge.providers.oauth import App, Identity, Session, Terms

#: As small as it works: who signed in, a refresh token, and the calendars.
TERMS = Terms("Outlook", ("openid", "email", "profile", "offline_access", "Calendars.ReadWrite"))


def identify(session: Session, app: App) -> Identity:  # noqa: ARG001 - the issuer tells where to ask
    """Who signed in. Personal accounts may have no mail address but a name."""
    said = session.userinfo()
    name = said.get("email") or said.get("preferred_username") or said.get("name") or "somebody"
    return Identity(str(said["sub"]), str(name))


def open_account(
    session: Session,
    app: App,
    profile: Mapping[str, Any],
    *,
    mail: bool,
    learnt: Callable[[Mapping[str, Any]], None],
) -> Provider:
    """The provider of a signed-in account; sends nothing yet."""
    graph = Graph(session, app.api_url)
    calendars = Calendars(graph, profile, learnt)
    return MicrosoftProvider(graph, calendars, lambda: datetime.now(UTC), mail=mail)
