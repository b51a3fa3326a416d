"""Picsello's own booking events, shown beside what all calendars say: which of its open slots are not free.

They are made and changed in Picsello. What it sells there it sells by its own lights; here one sees in time
where another calendar disagrees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from bridge.errors import NotFound
from bridge.service import Bridge, availability
from bridge.service.availability import Explained
from bridge.slots.days import instant
from bridge.slots.rules import Rules, Why
from bridge.sources.picsello.pages import OwnDay, OwnPage
from bridge.sources.picsello.provider import PicselloSource
from bridge.store import links
from bridge.store.people import UserRow

#: What counts against a slot that Picsello holds to be open.
_AGAINST = frozenset({Why.BUSY, Why.UNREAD})


@dataclass(frozen=True, slots=True)
class Line:
    """One slot, seconds since 1970. ``status`` in Picsello's words; ``against``: why an open one is not free,
    by all calendars."""

    starts: int
    ends: int
    status: str
    against: Sequence[Explained]


def pages(bridge: Bridge, user: UserRow) -> list[OwnPage]:
    """Picsello's booking events, the newest first. Raises NotFound where bookings live elsewhere, and
    ProviderError kinds."""
    with bridge.db.reading() as tx:
        link = links.of_source(tx, user.id)
    if user.source != "picsello" or link is None:
        raise NotFound("Your bookings do not live in Picsello.")
    source = bridge.connect(link.account_id)
    try:
        assert isinstance(source, PicselloSource)
        return source.pages()
    finally:
        source.close()


def lines(bridge: Bridge, user: UserRow, day: OwnDay) -> list[Line]:
    """The day's slots, judged by all calendars that close slots."""
    zone = ZoneInfo(user.time_zone)
    spans = []
    for slot in day.slots:
        starts, ends = (_seconds(day.day, at.hour, at.minute, zone) for at in (slot.starts, slot.ends))
        spans.append((starts, ends if ends > starts else ends + 86_400, slot.status))
    if not spans:
        return []
    first, last = min(span[0] for span in spans), max(span[1] for span in spans)
    found = []
    with bridge.db.reading() as tx:
        asked = availability.offer(tx, bridge, user, Rules(zone, max(last - first, 60)), first, last)
        for starts, ends, status in spans:
            reasons = asked.reasons(starts, ends) if status == "open" else ()
            against = [reason for reason in reasons if reason.why in _AGAINST]
            found.append(Line(starts, ends, status, availability.explained(tx, against)))
    return found


def coming(page: OwnPage, today: date) -> list[OwnDay]:
    """Its days from today on."""
    return [day for day in page.days if day.day >= today]


def _seconds(day: date, hour: int, minute: int, zone: ZoneInfo) -> int:
    return instant(day, 3600 * hour + 60 * minute, zone)
