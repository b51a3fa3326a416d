"""An event that came from outside and lies over a booking: said to the photographer, never acted upon.

Who was there first can't be told apart from here, and a sold session is a promise: so both stay where they
are, the notice names both, and it goes when they no longer meet. Meanwhile the booking's notes say so, too:
they are what the linked calendar at the provider shows. (Not where bookings live in Picsello: its notes are
its own.) What lies over it is not named there; others may see that calendar.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bridge.errors import NotFound
from bridge.ical import build
from bridge.ical.facts import facts
from bridge.ical.text import parse
from bridge.service import Bridge, availability
from bridge.service.availability import Source
from bridge.slots.rules import Busy
from bridge.slots.timeline import Timeline
from bridge.store import busy, calendars, links, notices, objects, people
from bridge.store.people import UserRow

KIND = "double-booked"
ACTOR = "clash"
MARK = "⚠ Double-booked: another event lies over this session."
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
        gone = {row.uid for row in known if row.uid not in found}
        marked = {uid for uid in gone if uid and _is_marked(tx, user, uid)}
    said = {(row.uid, row.message) for row in known}
    over = marked | {row.uid for row in known if row.dismissed is None and row.uid in gone}
    new = {uid: message for uid, message in found.items() if (uid, message) not in said}
    if not (over or new):
        return
    now, due = bridge.clock.now(), set[int]()
    with bridge.db.writing() as tx:
        for uid in over:
            notices.withdraw(tx, user.id, KIND, now, uid)
            due |= _mark(tx, user, uid, now, clashing=False)
        for uid, message in new.items():
            notices.add(tx, user.id, KIND, message, now=now, uid=uid)
            due |= _mark(tx, user, uid, now, clashing=True)
    for waiting in due:
        bridge.enqueue(waiting)


def _is_marked(tx: Connection, user: UserRow, uid: str) -> bool:
    stored = objects.by_uid(tx, calendars.bookings(tx, user.id).id, uid, with_hidden=True)
    return stored is not None and "⚠ Double-booked" in stored.text  # so near the start no line is folded


def _mark(tx: Connection, user: UserRow, uid: str | None, now: datetime, *, clashing: bool) -> set[int]:
    """Say it in the booking's own notes, or no longer; returns the links that are due."""
    calendar = calendars.bookings(tx, user.id)
    if user.source != "studio" or uid is None:
        return set()
    stored = objects.by_uid(tx, calendar.id, uid, with_hidden=True)
    event = None if stored is None else next(parse(stored.text).components("VEVENT"), None)
    if stored is None or event is None:
        return set()
    line = event.first("DESCRIPTION")
    kept = [one for one in (line.text if line else "").split("\n") if one != MARK]
    notes = "\n".join([MARK, *kept] if clashing else kept).strip()
    if notes == (line.text if line else ""):
        return set()
    text = build.noted(stored.text, notes, now)
    put = objects.put(tx, calendar.id, stored.href, text, actor=ACTOR, now=now, hidden=stored.hidden)
    return set(put.due)


def between(tx: Connection, user: UserRow, now: datetime) -> dict[str, str]:
    """What lies over which booking, by the booking's UID, as a sentence."""
    start = int(now.timestamp())
    taken = availability.busy_between(tx, user, start, start + int(AHEAD.total_seconds()))
    foreign = Timeline(one for one in taken if _kind(one) == "foreign")
    met = {
        one: other
        for one in taken
        if _kind(one) == "booking"
        for other in foreign.meeting(one.starts, one.ends)[:1]
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
