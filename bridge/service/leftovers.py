"""What Picsello's own calendar sync left behind: copies of shoots in a calendar, marked by a line of text.

That sync is retired, so nobody keeps its copies up to date, and beside our own copy each shoot shows twice.
They are found in the calendars that are read, matched with bookings by time and title, shown, and only on
request *adopted* (the booking takes the place of the copy, with the alarms that somebody set on it) or
*removed*. Nothing is ever decided by that line of text alone (design.md 4.9).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bridge.errors import BridgeError, NotFound, ObjectGone, Refused, TagMismatch
from bridge.ical import build
from bridge.ical.added import description
from bridge.ical.facts import facts
from bridge.ical.fields import groups
from bridge.ical.transfer import with_groups
from bridge.ports import Provider
from bridge.service import Bridge
from bridge.service.disconnecting import gone_there
from bridge.store import calendars, links, objects, pairings, people
from bridge.store.links import LinkRow
from bridge.store.objects import StoredObject
from bridge.store.people import UserRow
from bridge.sync import lease
from bridge.sync.doubles import Face, plain

#: The line that the old sync put into the description of whatever it wrote (picsello-domain.md 3.2).
SIGN = "[From Picsello]"
ALARMS = (None, "alarms")


@dataclass(frozen=True, slots=True)
class Leftover:
    """One copy. ``booking``: the UID of the booking it is a copy of, None if there is none like it;
    ``adoptable``: whether that booking's own copy is in the same calendar by now."""

    id: int
    link: int
    calendar: str
    title: str
    start: datetime
    booking: str | None
    adoptable: bool

    def as_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            "calendar": self.calendar,
            "title": self.title,
            "start": self.start.isoformat(),
            "booking": self.booking,
            "adoptable": self.adoptable,
        }


@dataclass(frozen=True, slots=True)
class Cleared:
    """What became of it: how many are gone there, and sentences about those that stayed."""

    gone: int
    left: Sequence[str]


def of_user(bridge: Bridge, email: str) -> list[Leftover]:
    """All copies in the calendars that are read, in order of time. Raises NotFound."""
    with bridge.db.reading() as tx:
        user = people.user_by_email(tx, email)
        return [leftover for leftover, _, _ in _found(tx, user)]


def adopt(bridge: Bridge, email: str, ids: Collection[int] | None = None) -> Cleared:
    """Let the bookings take the place of these copies, or of all that have a booking. Raises NotFound."""
    return _clear(bridge, email, ids, adopted=True)


def remove(bridge: Bridge, email: str, ids: Collection[int] | None = None) -> Cleared:
    """Delete these copies there, or all. Raises NotFound."""
    return _clear(bridge, email, ids, adopted=False)


# --- finding ----------------------------------------------------------------------------------------------


def _found(tx: Connection, user: UserRow) -> list[tuple[Leftover, LinkRow, StoredObject]]:
    zone = ZoneInfo(user.time_zone)
    bookings = calendars.bookings(tx, user.id)
    signed = [
        (link, stored)
        for link in links.of_user(tx, user.id)
        if link.mirror_id is not None
        for stored in objects.all_objects(tx, link.mirror_id)
        if _is_signed(stored)
    ]
    known = _faces(objects.all_objects(tx, bookings.id), {stored.starts for _, stored in signed})
    ours: dict[int, set[str]] = {}
    for link, _ in signed:
        if link.id not in ours:
            there = pairings.of_calendar(tx, link.id, bookings.id)
            ours[link.id] = {row.uid for row in there if row.base_tag is not None}
    found = []
    for link, stored in signed:
        title, starts = facts(stored.text).summary, stored.starts or 0
        booking = known.get((plain(title), starts))
        at = datetime.fromtimestamp(starts, UTC).astimezone(zone)
        adoptable = booking in ours[link.id]
        found.append((Leftover(stored.id, link.id, link.name, title, at, booking, adoptable), link, stored))
    return sorted(found, key=lambda row: (row[0].start, row[0].id))


def _faces(bookings: Iterable[StoredObject], starts: Collection[int | None]) -> dict[Face, str]:
    """The bookings that begin then, by what the old sync called them: the shoot's name alone, or with the
    job's before it."""
    known: dict[Face, str] = {}
    for booking in bookings:
        if booking.starts is None or booking.starts not in starts:
            continue
        whole = facts(booking.text).summary
        for title in (whole, whole.rpartition(" - ")[2]):
            known.setdefault((plain(title), booking.starts), booking.uid)
    return known


def _is_signed(stored: StoredObject) -> bool:
    if SIGN not in stored.text.replace("\r\n ", ""):
        return False
    return any(line.strip() == SIGN for line in description(stored.text).splitlines())


# --- clearing ---------------------------------------------------------------------------------------------


def _clear(bridge: Bridge, email: str, ids: Collection[int] | None, *, adopted: bool) -> Cleared:
    with bridge.db.reading() as tx:
        user = people.user_by_email(tx, email)
        found = _found(tx, user)
    if ids is not None and (missing := set(ids) - {leftover.id for leftover, _, _ in found}):
        raise NotFound(f"There is no entry {min(missing)} that Picsello's old sync left behind.")
    wanted = [row for row in found if (row[0].booking or not adopted if ids is None else row[0].id in ids)]
    gone, left = 0, []
    for link in {row[1].id: row[1] for row in wanted}.values():
        mine = [(leftover, stored) for leftover, its_link, stored in wanted if its_link.id == link.id]
        try:
            with _at_work(bridge, link) as (provider, fence):
                for leftover, stored in mine:
                    said = _one(bridge, user, link, provider, fence, leftover, stored, adopted=adopted)
                    if said is None:
                        gone += 1
                    else:
                        left.append(said)
        except BridgeError as error:
            left.append(f"Entries in “{link.name}” stayed: {error}")
    return Cleared(gone, left)


@contextlib.contextmanager
def _at_work(bridge: Bridge, link: LinkRow) -> Iterator[tuple[Provider, int]]:
    """The provider of a link, with passes kept away meanwhile. Raises Refused."""
    with lease.held(
        bridge.db, bridge.clock, link.id, lease.name(), wait=True, sleep=time.sleep, heartbeat=True
    ) as fence:
        if fence is None:
            raise Refused("It is being synced right now. Try again in a minute.")
        provider = bridge.connect(link.account_id)
        try:
            yield provider, fence
        finally:
            provider.close()


def _one(
    bridge: Bridge,
    user: UserRow,
    link: LinkRow,
    provider: Provider,
    fence: int,
    leftover: Leftover,
    stored: StoredObject,
    *,
    adopted: bool,
) -> str | None:
    """Clear one copy away; a sentence if it stays."""
    name = f"“{leftover.title}” on {leftover.start:%Y-%m-%d at %H:%M}"
    if adopted and leftover.booking is None:
        return f"{name} stayed: no booking has that time and title."
    if adopted and not leftover.adoptable:
        return (
            f"{name} stayed: its booking is not in “{link.name}” yet. Choose this calendar as the one that "
            "bookings are written to, wait for the first sync, then adopt it."
        )
    assert link.mirror_id is not None
    with bridge.db.reading() as tx:
        paired = pairings.by_uid(tx, link.id, link.mirror_id, stored.uid)
    if paired is None or paired.base_tag is None:
        return f"{name} stayed: it was not fully read yet. Try again after the next sync."
    if adopted and leftover.booking is not None:
        _take_alarms(bridge, user, leftover.booking, stored.text)
    try:
        provider.delete(link.remote_id, paired.href, paired.base_tag)
    except ObjectGone:
        pass
    except TagMismatch:
        return f"{name} stayed: it was changed there in the meantime. Look at it again after the next sync."
    except BridgeError as error:
        return f"{name} stayed: {error}"
    with bridge.db.writing() as tx:
        if not links.still_mine(tx, link.id, fence):
            return None  # it is gone there; the pass that took over notices
        now, actor = bridge.clock.now(), f"user:{user.id}"
        current = objects.by_uid(tx, link.mirror_id, stored.uid)
        if current is not None:
            objects.delete(tx, link.mirror_id, current.href, actor=actor, now=now, link_id=link.id)
        gone_there(tx, link, paired, actor=actor, now=now)
    return None


def _take_alarms(bridge: Bridge, user: UserRow, uid: str, text: str) -> None:
    """The reminders that somebody set on the copy, unless the booking has its own."""
    with bridge.db.writing() as tx:
        calendar = calendars.bookings(tx, user.id)
        objects.lock(tx, calendar.id)
        booking = objects.by_uid(tx, calendar.id, uid)
        if booking is None or ALARMS not in groups(text) or ALARMS in groups(booking.text):
            return
        now = bridge.clock.now()
        new = build.bumped(with_groups(booking.text, text, [ALARMS]), now)
        objects.put(tx, calendar.id, booking.href, new, actor=f"user:{user.id}", now=now)
