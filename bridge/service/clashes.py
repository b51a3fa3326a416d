"""An event that came from outside and lies over a booking: said to the photographer, never acted upon.

Who was there first can't be told apart from here, and a sold session is a promise: so both stay where they
are, the notice names both, and it goes when they no longer meet.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bridge.errors import NotFound
from bridge.ical.facts import facts
from bridge.service import Bridge, availability
from bridge.service.availability import Source
from bridge.slots.rules import Busy
from bridge.slots.timeline import Timeline
from bridge.store import busy, links, notices, people
from bridge.store.people import UserRow

KIND = "double-booked"
#: So far ahead; beyond it a later pass will tell.
AHEAD = timedelta(days=400)


def look(bridge: Bridge, link_id: int) -> None:
    """After a pass: say what lies over the bookings of the link's owner now, and take back what no longer
    does."""
    with bridge.db.reading() as tx:
        try:
            link = links.get(tx, link_id)
        except NotFound:
            return  # disconnected meanwhile
        if not (link.reads and link.blocks_slots):
            return
        user = people.user_by_id(tx, link.user_id)
        found = between(tx, user, bridge.clock.now())
        known = notices.of_kind(tx, user.id, KIND)
    said = {(row.uid, row.message) for row in known}
    over = {row.uid for row in known if row.dismissed is None and row.uid not in found}
    new = {uid: message for uid, message in found.items() if (uid, message) not in said}
    if not (over or new):
        return
    with bridge.db.writing() as tx:
        for uid in over:
            notices.withdraw(tx, user.id, KIND, bridge.clock.now(), uid)
        for uid, message in new.items():
            notices.add(tx, user.id, KIND, message, now=bridge.clock.now(), uid=uid)


def between(tx: Connection, user: UserRow, now: datetime) -> dict[str, str]:
    """What lies over which booking, by the booking's UID, as a sentence."""
    start = int(now.timestamp())
    taken = availability.busy_between(tx, user, start, start + int(AHEAD.total_seconds()))
    foreign = Timeline(one for one in taken if _kind(one) == "foreign")
    met = {
        one: other
        for one in taken
        if _kind(one) == "booking"
        for other in list(foreign.meeting(one.starts, one.ends))[:1]
    }
    sources = [one.source for pair in met.items() for one in pair if isinstance(one.source, Source)]
    texts = busy.texts(tx, {source.object_id for source in sources})
    titles = {number: facts(text).summary or "an event without a title" for number, text in texts.items()}
    found = {}
    for one, other in met.items():
        if isinstance(one.source, Source) and isinstance(other.source, Source):
            at = datetime.fromtimestamp(one.starts, ZoneInfo(user.time_zone))
            private, booking = (titles.get(source.object_id, "") for source in (other.source, one.source))
            found[one.source.uid] = (
                f"“{private}” in {other.source.calendar} lies over the booking “{booking}” on {at:%A}, "
                f"{at.day} {at:%B} {at.year} at {at:%H:%M}. Both stay as they are: move or cancel one."
            )
    return found


def _kind(one: Busy) -> str:
    return one.source.kind if isinstance(one.source, Source) else ""
