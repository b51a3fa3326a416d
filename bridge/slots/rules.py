"""What a studio decides: when sessions are offered, how long they are, what must stay around them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bridge.slots.days import Part


class Why(Enum):
    """What stands against a time. The first four never change by waiting for a cancellation."""

    PAST = "past"
    NOTICE = "notice"  # too soon
    FURTHEST = "furthest"  # too far ahead
    NOT_OFFERED = "not-offered"  # no opening hours, or no session begins there
    CLOSED = "closed"  # a day off, or the season is over
    BREAK = "break"
    HIDDEN = "hidden"
    BUSY = "busy"
    BUFFER = "buffer"  # nothing takes it, but a neighbour wants it free, or this session does
    DAY_FULL = "day-full"
    WEEK_FULL = "week-full"
    UNREAD = "unread"  # a calendar that closes slots has not been read lately


#: A time with one of these is not on offer to anybody; the others mean that it is taken.
NEVER = frozenset({Why.PAST, Why.NOTICE, Why.FURTHEST, Why.NOT_OFFERED, Why.CLOSED, Why.BREAK})


class Busy(NamedTuple):
    """Time that something takes, ``[starts, ends)``. ``source`` is what its finder calls it; ``before`` and
    ``after`` are the free seconds it wants around itself; ``session``: it counts for the most a day."""

    starts: int
    ends: int
    source: object = None
    before: int = 0
    after: int = 0
    session: bool = False


class Reason(NamedTuple):
    """One thing against a time, and where it lies; ``source`` is that of the ``Busy`` it comes from."""

    why: Why
    starts: int
    ends: int
    source: object = None


@dataclass(frozen=True, slots=True)
class Day:
    """When sessions are offered on one day. A slot that touches a break or a hidden part is closed."""

    open: tuple[Part, ...]
    breaks: tuple[Part, ...] = ()
    hidden: tuple[Part, ...] = ()


@dataclass(frozen=True)
class Rules:
    """All durations in seconds. ``dates`` names the days; without it the weekly ``hours`` (Monday is 0) say
    when, and without either every day is open from midnight to midnight."""

    zone: ZoneInfo
    length: int
    gap: int = 0
    dates: Mapping[date, Day] | None = None
    hours: Mapping[int, Day] | None = None
    closed: Collection[tuple[date, date]] = ()  # first and last day, both closed
    hidden_starts: frozenset[int] = frozenset()  # single slots, shown as taken
    before: int = 0  # free time that a session wants before it
    after: int = 0
    notice: int = 0  # from now to a session's start
    furthest: int | None = None  # days from today; today is 0
    per_day: int | None = None
    per_week: int | None = None  # Monday to Sunday
    unread: tuple[object, ...] = field(default=())  # calendars not read lately: nothing can be promised

    def __post_init__(self) -> None:
        if self.length <= 0 or min(self.gap, self.before, self.after, self.notice) < 0:
            raise ValueError("durations must not be negative, and a session takes time")

    def day(self, day: date) -> Day:
        """When sessions are offered on that day."""
        if self.dates is not None:
            return self.dates.get(day, _NEVER_OPEN)
        if self.hours is not None:
            return self.hours.get(day.weekday(), _NEVER_OPEN)
        return _ALWAYS_OPEN


_NEVER_OPEN = Day(())
_ALWAYS_OPEN = Day((Part(0, 86_400),))
