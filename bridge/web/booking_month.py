"""A month of days with something free, and the times of one of them, as the booking page shows them."""

from __future__ import annotations

from calendar import Calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bridge.service import client_booking
from bridge.service.client_sessions import Session
from bridge.slots.offer import Slot
from bridge.store.booking_events import EventRow
from bridge.store.people import UserRow
from bridge.wiring import Bridge

#: Where no day was asked for, the first free one is looked for so far ahead.
AHEAD = timedelta(days=100)


@dataclass(frozen=True)
class Choice:
    """A free slot, in the client's zone and, where that differs, in the studio's."""

    value: str
    starts: datetime
    ends: datetime
    at_studio: datetime | None

    @classmethod
    def of(cls, slot: Slot, zone: ZoneInfo, studio: ZoneInfo) -> Choice:
        starts, ends = (datetime.fromtimestamp(at, zone) for at in (slot.starts, slot.ends))
        there = starts.astimezone(studio)
        same = there.utcoffset() == starts.utcoffset()
        return cls(starts.isoformat(), starts, ends, None if same else there)


@dataclass(frozen=True)
class Cell:
    """One day of the grid. ``free``: how many slots are; ``offered``: whether there are any at all."""

    day: date
    inside: bool
    free: int
    offered: bool
    chosen: bool


@dataclass(frozen=True)
class Month:
    """What the page shows. ``day`` is the chosen one, None if nothing is free."""

    first: date
    weeks: Sequence[Sequence[Cell]]
    day: date | None
    choices: Sequence[Choice]
    today: date
    before: date | None  # the months that the arrows lead to
    after: date | None


def of(
    bridge: Bridge,
    event: EventRow,
    user: UserRow,
    zone: ZoneInfo,
    *,
    month: date | None,
    day: date | None,
    moving: Session | None = None,
) -> Month:
    """The month that was asked for, or that of the day, or the first one with something free. ``moving``: the
    session that is to have another time; its own is no choice, and in the way of none."""
    today = bridge.clock.now().astimezone(zone).date()
    first_day = (
        today if event.days is None else max(today, min(map(date.fromisoformat, event.days), default=today))
    )
    if month is None and day is None:
        ahead = _slots(bridge, event, user, zone, first_day - timedelta(days=1), first_day + AHEAD)
        day = next((datetime.fromtimestamp(slot.starts, zone).date() for slot in ahead if slot.free), None)
    shown = (month or day or first_day).replace(day=1)
    grid = Calendar().monthdatescalendar(shown.year, shown.month)
    by_day: dict[date, list[Slot]] = {}
    for slot in _slots(bridge, event, user, zone, grid[0][0], grid[-1][-1] + timedelta(days=1), moving):
        by_day.setdefault(datetime.fromtimestamp(slot.starts, zone).date(), []).append(slot)
    if day is None or not grid[0][0] <= day <= grid[-1][-1]:
        day = next((one for one in sorted(by_day) if any(slot.free for slot in by_day[one])), None)
    free = {one: [slot for slot in slots if slot.free] for one, slots in by_day.items()}
    weeks = [
        [
            Cell(one, one.month == shown.month, len(free.get(one, ())), one in by_day, one == day)
            for one in week
        ]
        for week in grid
    ]
    studio = ZoneInfo(user.time_zone)
    choices = [Choice.of(slot, zone, studio) for slot in free.get(day, ())] if day else []
    earliest = max(today, first_day - timedelta(days=1))  # a day less, in another zone
    before = (shown - timedelta(days=1)).replace(day=1)
    after = (shown + timedelta(days=31)).replace(day=1)
    return Month(
        shown,
        weeks,
        day,
        choices,
        today,
        before if before >= earliest.replace(day=1) else None,
        _last(event, after),
    )


def _last(event: EventRow, after: date) -> date | None:
    """No arrow leads beyond the last day of an event that names its days (or a day more, in another zone)."""
    if event.days is None:
        return after
    last = max(map(date.fromisoformat, event.days), default=after)
    return after if after <= last + timedelta(days=1) else None


def _slots(
    bridge: Bridge,
    event: EventRow,
    user: UserRow,
    zone: ZoneInfo,
    first: date,
    last: date,
    moving: Session | None = None,
) -> list[Slot]:
    opens, closes = (int(datetime.combine(day, time(), zone).timestamp()) for day in (first, last))
    if moving is None:
        return client_booking.slots(bridge, event, user, opens, closes)
    found = client_booking.slots(bridge, event, user, opens, closes, but={moving.row.uid})
    return [slot for slot in found if slot.starts != moving.starts]
