"""When an object takes place, in the form the occurrence index keeps. Pure; the SQL is in ``horizon``.

Objects that do not recur have exactly one row, wherever they lie. Recurring ones have one row per
occurrence inside the calendar's horizon, ``[now - 1 year, now + 3 years)``, which rolls on with time.
Questions about times outside it are answered by expanding the few series whose enclosing range touches
them, so the answer is exact everywhere. All times are seconds since 1970, ends exclusive.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bridge.ical.occurrences import enclosing, occurrences

if TYPE_CHECKING:
    from collections.abc import Sequence

YEAR = 366 * 86_400
DAY = 86_400

#: The horizon is moved when it lags behind by this much, not with every second.
STEP = 30 * DAY


def window(now: datetime) -> tuple[int, int]:
    """The horizon as it should be now."""
    moment = int(now.timestamp())
    return moment - YEAR, moment + 3 * YEAR


@dataclass(frozen=True, slots=True)
class Times:
    """What the index knows of one object: its enclosing range and its rows."""

    starts: int | None
    ends: int | None
    recurring: bool
    spans: Sequence[tuple[int, int]]

    @property
    def longest(self) -> int:
        return max((ends - starts for starts, ends in self.spans), default=0)


def times(text: str, zone: ZoneInfo, start: int, end: int) -> Times:
    """When the object with this text takes place, its occurrences inside ``[start, end)`` if it recurs."""
    starts, ends, recurring = enclosing(text, zone)
    if starts is None:
        return Times(None, None, recurring, ())
    if not recurring:
        last = starts if ends is None else ends
        return Times(starts, last, False, ((starts, last),))
    spans = {(span.starts, span.ends) for span in occurrences(text, start, end, zone)}
    return Times(starts, ends, True, sorted(spans))
