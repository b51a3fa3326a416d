"""The days of something that repeats: every n weeks, months or years, until a date or a number of times.

Days that a month does not have (the 31st of June, 29 February) are left out, as in RFC 5545 3.3.10.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count, islice

from bridge.slots.days import week_of

UNITS = ("week", "month", "year")

#: Nobody plans further; bounds the work for rules that name no end.
_LAST_YEAR = 2199


@dataclass(frozen=True, slots=True)
class Repeat:
    """``every``: how many units lie between; ``on``: weekdays (Monday is 0), of weeks only; ``until`` counts
    itself; ``times`` counts the first day. One of the two ends it."""

    unit: str
    every: int = 1
    on: Collection[int] = ()
    until: date | None = None
    times: int | None = None

    def __post_init__(self) -> None:
        if self.unit not in UNITS or self.every < 1 or (self.until is None) == (self.times is None):
            raise ValueError(f"no repetition: {self}")
        if self.on and self.unit != "week":
            raise ValueError("weekdays go with weeks")

    def days(self, first: date) -> list[date]:
        """The days, in order, the first included where it fits."""
        found = islice(self._all(first), self.times) if self.times is not None else self._all(first)
        return list(found)

    def _all(self, first: date) -> Iterator[date]:
        last = self.until or date(_LAST_YEAR, 12, 31)
        for turn in count(0, self.every):
            begins, days = self._turn(first, turn)
            if begins is None or begins > last:
                return
            yield from (day for day in days if first <= day <= last)

    def _turn(self, first: date, turn: int) -> tuple[date | None, list[date]]:
        """When that turn's unit begins (None: beyond all years), and its days."""
        if self.unit == "week":
            monday = week_of(first) + timedelta(weeks=turn)
            return monday, [
                monday + timedelta(days=number) for number in sorted(self.on or {first.weekday()})
            ]
        months = first.year * 12 + first.month - 1 + (turn if self.unit == "month" else 12 * turn)
        year, month = divmod(months, 12)
        if year > _LAST_YEAR:
            return None, []
        begins = date(year, month + 1, 1)
        try:
            return begins, [begins.replace(day=first.day)]
        except ValueError:
            return begins, []
