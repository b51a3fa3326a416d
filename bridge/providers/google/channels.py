"""Watch channels: Google tells an address of ours that events changed, never which ones (Calendar API, "Push
notifications"). A channel cannot be prolonged, only followed by another one; for a moment there are two.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from bridge.errors import NotACalendarServer, ObjectGone, ProviderError
from bridge.ports import Channel
from bridge.providers.google.wire import Wire, segment

#: What is taken for the end of one that does not tell its own.
AT_LEAST = timedelta(hours=1)


def watch(wire: Wire, calendar: str, address: str, secret: str, known: Channel | None) -> Channel:
    """A new channel, and the end of the one before it."""
    name = str(uuid4())
    asked = {"id": name, "type": "web_hook", "address": address, "token": secret}
    said = wire.call("POST", f"calendars/{segment(calendar)}/events/watch", body=asked)
    if not said.get("resourceId"):
        raise NotACalendarServer("Google does not say what it will tell us about.")
    told = str(said.get("expiration", ""))
    if told.isdigit():
        expires = datetime.fromtimestamp(int(told) / 1000, UTC)
    else:
        expires = datetime.now(UTC) + AT_LEAST
    if known is not None:
        with suppress(ProviderError):  # it ends by itself
            stop(wire, known)
    return Channel(name, str(said["resourceId"]), expires)


def stop(wire: Wire, channel: Channel) -> None:
    """End a channel."""
    with suppress(ObjectGone):
        wire.call("POST", "channels/stop", body={"id": channel.name, "resourceId": channel.resource})
