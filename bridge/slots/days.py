"""Days and the clock on the wall: where a studio's wall times lie in real time, daylight saving included.

A wall time that the clocks skip means the first moment after the gap; one that occurs twice means the
first of the two (RFC 5545 3.3.5). So a part of a day is always one stretch, an hour shorter or longer
where the clocks change inside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DAY = 86_400
EPOCH = date(1970, 1, 1)
_NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - wall times are naive by nature


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """``[opens, closes)`` in seconds since midnight by the clock on the wall; 86,400 is the day's end."""

    opens: int
    closes: int

    def __post_init__(self) -> None:
        if not 0 <= self.opens < self.closes <= DAY:
            raise ValueError(f"a part of a day from {self.opens} to {self.closes}")


@lru_cache(maxsize=65_536)
def instant(day: date, wall: int, zone: ZoneInfo) -> int:
    """Seconds since 1970 of a wall time (seconds since midnight, up to 86,400)."""
    naive = datetime.combine(day, datetime.min.time()) + timedelta(seconds=wall)
    found = _seconds(naive, zone)
    if _wall(found, zone) == naive:
        return found
    # in a gap: fold=0 reads it with the offset from before, so it lies after the gap by how far it lies in
    early, late = found - 2 * DAY, found
    while late - early > 1:  # the first instant whose wall time is not before the one asked for
        middle = (early + late) // 2
        if _wall(middle, zone) < naive:
            early = middle
        else:
            late = middle
    return late


def part_of(day: date, part: Part, zone: ZoneInfo) -> tuple[int, int]:
    """The part as real time ``[starts, ends)``; empty where the clocks skip it whole."""
    return instant(day, part.opens, zone), instant(day, part.closes, zone)


def day_of(moment: int, zone: ZoneInfo) -> date:
    """The local day of an instant."""
    return datetime.fromtimestamp(moment, zone).date()


def week_of(day: date) -> date:
    """The Monday of its week."""
    return day - timedelta(days=day.weekday())


def days(first: date, last: date) -> Iterator[date]:
    """From the first to the last, both included."""
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def _seconds(naive: datetime, zone: ZoneInfo) -> int:
    offset = naive.replace(tzinfo=zone).utcoffset() or timedelta(0)
    return round((naive - _NAIVE_EPOCH - offset).total_seconds())


def _wall(moment: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(moment, UTC).astimezone(zone).replace(tzinfo=None)
