"""When an object takes place, in the form the occurrence index keeps. Pure; the SQL is in ``horizon``.

Objects that do not recur have exactly one row, wherever they lie. Recurring ones have one row per
occurrence inside the calendar's horizon, ``[now - 1 year, now + 3 years)``, which rolls on with time.
Series denser than several a day would fill the index: they get a row per week in which they take place,
marked as not exact, and questions about them are answered by expansion. All times are seconds since
1970, ends exclusive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from bridge.ical.busy import Takes, takes
from bridge.ical.occurrences import MOST, enclosing, occurrences
from bridge.ical.text import Component, parse

DAY = 86_400
WEEK = 7 * DAY
YEAR = 366 * DAY

#: The horizon is moved on when it lags behind by this much, not with every second.
STEP = 30 * DAY

#: More occurrences than this in the horizon are kept by the week; it leaves room for one a day.
DENSE = 4 * 366 + 100


def window(now: datetime) -> tuple[int, int]:
    """The horizon as it should be now."""
    moment = int(now.timestamp())
    return moment - YEAR, moment + 3 * YEAR


@dataclass(frozen=True, slots=True)
class Times:
    """What the index knows of one object: its enclosing range, and its rows ``(starts, ends, takes)``, the
    last being what the event does to its time."""

    starts: int | None
    ends: int | None
    recurring: bool
    spans: Sequence[tuple[int, int, Takes]] = ()
    exact: bool = True

    @property
    def longest(self) -> int:
        return max((ends - starts for starts, ends, _ in self.spans), default=0)


def times(text: str | Component, zone: tzinfo, start: int, end: int) -> Times:
    """When the object takes place; if it recurs, its occurrences inside ``[start, end)``."""
    parsed = parse(text) if isinstance(text, str) else text
    starts, ends, recurring = enclosing(parsed, zone)
    if starts is None:
        return Times(None, None, recurring)
    kinds = [takes(event) for event in parsed.components("VEVENT")]
    if not recurring:
        last = starts if ends is None else ends
        return Times(starts, last, False, ((starts, last, kinds[0] if len(kinds) == 1 else Takes.ASKS),))
    found = occurrences(parsed, start, end, zone)
    spans = sorted({(span.starts, span.ends, kinds[span.component]) for span in found})
    if len(spans) <= DENSE:
        return Times(starts, ends, True, spans)
    known_to = spans[-1][0] if len(found) >= MOST else end
    return Times(
        starts, ends, True, _weeks(spans, known_to, end if ends is None else min(end, ends)), exact=False
    )


def _weeks(spans: Sequence[tuple[int, int, Takes]], known_to: int, end: int) -> list[tuple[int, int, Takes]]:
    """The weeks that the spans touch, and all those from ``known_to`` to ``end``."""
    touched = {week for starts, ends, _ in spans for week in range(starts // WEEK, ends // WEEK + 1)}
    touched |= set(range(known_to // WEEK, end // WEEK + 1))
    return [(week * WEEK, (week + 1) * WEEK, Takes.ASKS) for week in sorted(touched)]
