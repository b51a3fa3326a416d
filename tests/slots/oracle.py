"""The slots once more, minute by minute and without any cleverness: what the real ones must equal.

The oracle never does arithmetic with zones. It walks along the minutes of a few days, asks the zone what
the clock on the wall shows at each, and reads everything off that list.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

MINUTE = 60


@lru_cache(maxsize=64)
def walls(zone: str, first: int, minutes: int) -> tuple[datetime, ...]:
    """What the clock shows at each minute from ``first`` (seconds) on."""
    info = ZoneInfo(zone)
    return tuple(
        datetime.fromtimestamp(first + MINUTE * number, UTC).astimezone(info).replace(tzinfo=None)
        for number in range(minutes)
    )


@dataclass
class Axis:
    """A few days as a list of minutes; a moment is an index into it."""

    zone: str
    first: int
    minutes: int
    seen: tuple[datetime, ...] = field(init=False)
    index: dict[datetime, int] = field(init=False)

    def __post_init__(self) -> None:
        self.seen = walls(self.zone, self.first, self.minutes)
        self.index = {}
        for number, wall in enumerate(self.seen):
            self.index.setdefault(wall, number)

    def at(self, wall: datetime) -> int:
        """The first minute at which the clock shows this, or has jumped over it."""
        found = self.index.get(wall)
        if found is not None:
            return found
        return next(number for number, seen in enumerate(self.seen) if seen >= wall)

    def seconds(self, minute: int) -> int:
        return self.first + MINUTE * minute


@dataclass(frozen=True)
class Stretch:
    """Minutes ``[starts, ends)`` of the axis that something takes, and the minutes it wants around it."""

    starts: int
    ends: int
    before: int = 0
    after: int = 0
    session: bool = False


@dataclass
class SetUp:
    """One studio, in minutes throughout."""

    axis: Axis
    days: dict[date, list[tuple[str, int, int]]]  # day -> (open | break | hidden, from, to) by the wall
    length: int
    gap: int
    before: int
    after: int
    notice: int
    now: int
    furthest: int | None
    per_day: int | None
    per_week: int | None
    closed: list[tuple[date, date]]
    window: tuple[int, int]
    busy: list[Stretch] = field(default_factory=list)


def expected(setup: SetUp) -> list[tuple[int, int, frozenset[str]]]:
    """Every slot of the window as seconds, with the names of what stands against it."""
    found = set()
    for day, parts in setup.days.items():
        for kind, opens, closes in parts:
            if kind != "open":
                continue
            begin, end = _minute(setup, day, opens), _minute(setup, day, closes)
            while begin + setup.length <= end:
                if setup.window[0] <= begin < setup.window[1]:
                    found.add(begin)
                begin += setup.length + setup.gap
    axis = setup.axis
    return [
        (axis.seconds(start), axis.seconds(start + setup.length), frozenset(_against(setup, start)))
        for start in sorted(found)
    ]


def _minute(setup: SetUp, day: date, wall: int) -> int:
    return setup.axis.at(datetime.combine(day, datetime.min.time()) + timedelta(minutes=wall))


def _against(setup: SetUp, start: int) -> set[str]:
    seen, session = setup.axis.seen, range(start, start + setup.length)
    today, day = seen[setup.now].date(), seen[start].date()
    why = set()
    if start < setup.now:
        why.add("past")
    elif start < setup.now + setup.notice:
        why.add("notice")
    if setup.furthest is not None and day > today + timedelta(days=setup.furthest):
        why.add("furthest")
    if any(first <= seen[minute].date() <= last for minute in session for first, last in setup.closed):
        why.add("closed")
    for name, parts in setup.days.items():
        for kind, opens, closes in parts:
            if kind == "open" or abs((name - day).days) > 1:
                continue
            part = range(_minute(setup, name, opens), _minute(setup, name, closes))
            if any(minute in part for minute in session):
                why.add(kind)
    for one in setup.busy:
        kept = range(one.starts - max(setup.after, one.before), one.ends + max(setup.before, one.after))
        if one.ends > one.starts and any(minute in kept for minute in session):
            itself = any(one.starts <= minute < one.ends for minute in session)
            why.add("busy" if itself else "buffer")
    sessions = [seen[one.starts].date() for one in setup.busy if one.session and one.ends > one.starts]
    if setup.per_day is not None and sessions.count(day) >= setup.per_day:
        why.add("day-full")
    week = [other for other in sessions if other.isocalendar()[:2] == day.isocalendar()[:2]]
    if setup.per_week is not None and len(week) >= setup.per_week:
        why.add("week-full")
    return why
