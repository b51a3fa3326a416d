"""Subscriptions: Graph tells an address of ours that events changed, and when it stops doing so ("Set up
notifications for changes in resource data", "Reduce missing subscriptions and change notifications").

How long one may last differs by kind of mailbox and has changed over the years: we ask for six days and
believe the answer (providers.md section 3). One is prolonged for as long as it lives.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

from bridge.errors import NotACalendarServer, ObjectGone
from bridge.ports import Channel
from bridge.providers.microsoft.client import LABEL, Graph, Json

ASKED = timedelta(days=6)
CHANGES = "created,updated,deleted"


def watch(
    graph: Graph, calendar: str, address: str, secret: str, known: Channel | None, now: datetime
) -> Channel:
    """The known subscription with a later end, else a new one."""
    until = {"expirationDateTime": (now + ASKED).strftime("%Y-%m-%dT%H:%M:%S.0000000Z")}
    if known is not None:
        with suppress(ObjectGone):
            return _channel(graph.write("PATCH", graph.outside("subscriptions", known.name), until))
    asked = {
        "changeType": CHANGES,
        "notificationUrl": address,
        "lifecycleNotificationUrl": address,
        "resource": f"me/calendars/{calendar}/events",
        "clientState": secret,
        **until,
    }
    return _channel(graph.write("POST", graph.outside("subscriptions"), asked))


def stop(graph: Graph, channel: Channel) -> None:
    """End a subscription."""
    with suppress(ObjectGone):
        graph.write("DELETE", graph.outside("subscriptions", channel.name))


def _channel(said: Json) -> Channel:
    try:
        expires = datetime.fromisoformat(str(said["expirationDateTime"]))
        name = str(said["id"])
    except (KeyError, ValueError) as error:
        raise NotACalendarServer(f"{LABEL} does not say how long it will tell us of changes.") from error
    return Channel(name, "", expires if expires.tzinfo else expires.replace(tzinfo=UTC))
