"""Picsello's own calendar link (its 1-way feed) as the source, for a Picsello that is hosted elsewhere.

``session`` reads what the feed publishes, flaws included; ``provider`` is the port, and knows history from
cancellations. Nothing can be written there: an edit stays here and says so, or is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bridge.errors import Invalid
from bridge.ports import Clock
from bridge.providers.guard import Guard, origin
from bridge.providers.http import Http
from bridge.providers.ics.address import Address
from bridge.providers.ics.provider import LIMITS, ICSProvider
from bridge.sources import SignedIn
from bridge.sources.feed.provider import CALENDAR, FeedSource

EDITS = ("local", "refuse")


def first_contact(url: str, given: Mapping[str, Any], allow_hosts: Iterable[str], clock: Clock) -> SignedIn:
    """Fetch the feed once. Raises Invalid, ProviderError kinds."""
    edits = given.get("edits", "local")
    if edits not in EDITS:
        raise Invalid("What becomes of edits is local or refuse.")
    address = Address.read(url)
    profile = {"edits": edits}
    source = reconnect(address.secret, allow_hosts, clock)
    try:
        source.changes(CALENDAR, None)
    finally:
        source.close()
    return SignedIn(
        url=address.shown,
        username="",
        label=f"Picsello's calendar link at {origin(address.url)[1]}",
        calendar=CALENDAR,
        profile=profile,
        secret=address.secret,
    )


def reconnect(secret: str, allow_hosts: Iterable[str], clock: Clock) -> FeedSource:
    """The source of an account; sends nothing yet. The address is the secret."""
    address = Address.read(secret)
    guard = Guard(allow_hosts)
    guard.check(address.url)
    # its UIDs are what everything hangs on: they are never made up
    published = ICSProvider(Http(guard, limits=LIMITS), address, {"keys": "uid"})
    return FeedSource(published, clock)
