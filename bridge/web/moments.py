"""Moments and zones as they stand in an address: ``?from=2027-05-08&to=2027-05-08T18:00+02:00``."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bridge.errors import Invalid
from bridge.ical.zones import zone_named

#: A "+" that nobody escaped arrives as a blank.
_LOST_PLUS = re.compile(r"(T\d\d:\d\d(?::\d\d)?) (\d\d:?\d\d)$")
_YEARS = range(1971, 9000)


def zone(given: str | None, own: str) -> ZoneInfo:
    """The zone that was asked for, or one's own. Raises Invalid."""
    return zone_named(given) if given else ZoneInfo(own)


def span(start: str | None, end: str | None, where: ZoneInfo, longest: timedelta) -> tuple[int, int]:
    """``[from, to)`` in seconds since 1970. A date is its midnight; the same date twice is that day.

    Raises Invalid for what is no moment, ends before it begins, or is longer than ``longest``."""
    first = moment(start, "from", where)
    if start == end and _is_date(end or ""):
        last = moment((date.fromisoformat(end or "") + timedelta(days=1)).isoformat(), "to", where)
    else:
        last = moment(end, "to", where)
    if not timedelta() < timedelta(seconds=last - first) <= longest:
        raise Invalid(f"“To” must come after “from”, by at most {longest.days} days.")
    return first, last


def moment(given: str | None, name: str, where: ZoneInfo) -> int:
    """One moment, in the zone unless it carries an offset. Raises Invalid."""
    text = _LOST_PLUS.sub(r"\1+\2", (given or "").strip())
    try:
        found = datetime.fromisoformat(text)
        if found.year not in _YEARS or not text.isprintable():
            raise ValueError(text)
        return int((found if found.tzinfo else found.replace(tzinfo=where)).timestamp())
    except (ValueError, OverflowError):
        raise Invalid(
            f"“{name}” must be a date or a time such as 2027-05-08 or 2027-05-08T09:00+02:00."
        ) from None


def _is_date(text: str) -> bool:
    return len(text.strip()) == 10
