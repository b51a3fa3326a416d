"""The value types of time in RFC 5545: DATE, DATE-TIME, DURATION, PERIOD and UTC-OFFSET.

A ``Moment`` is wall time plus zone (never an instant alone); turning it into seconds since 1970 is
its only arithmetic. Which zone a TZID means is left to ``zones``, repetition to ``recurrence``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from bridge.errors import Invalid

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - wall times are naive by nature
FIRST = datetime(1, 1, 1)  # noqa: DTZ001
LAST = datetime(9999, 12, 31, 23, 59, 59)  # noqa: DTZ001
LONGEST = LAST - FIRST
DAY = 86_400

_MOMENT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)?(Z?))?", re.IGNORECASE | re.ASCII)
_DURATION = re.compile(
    r"([+-]?)P(?:(\d{1,9})W)?(?:(\d{1,9})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?",
    re.IGNORECASE | re.ASCII,
)
_OFFSET = re.compile(r"([+-])(\d\d)(\d\d)(\d\d)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Moment:
    """A DATE or DATE-TIME as written: ``wall`` is naive, ``zone`` what it is evaluated in.

    ``floating``: written without zone (a DATE always is), so ``zone`` is the reader's.
    """

    wall: datetime
    zone: tzinfo
    is_date: bool = False
    floating: bool = False

    def at(self, wall: datetime) -> int:
        """Seconds since 1970 of another wall time in the same zone."""
        return seconds(wall, self.zone)

    @property
    def instant(self) -> int:
        """Seconds since 1970."""
        return seconds(self.wall, self.zone)


def seconds(wall: datetime, zone: tzinfo, fold: int = 0) -> int:
    """Seconds since 1970 of a wall time in a zone.

    RFC 5545 3.3.5: a time that occurs twice means the first; one that does not exist is read with
    the offset before the gap. Both are what ``fold=0`` means (PEP 495).
    """
    delta = wall - EPOCH
    total = delta.days * DAY + delta.seconds
    if zone is UTC:
        return total
    offset = wall.replace(tzinfo=zone, fold=fold).utcoffset()
    return total if offset is None else total - offset.days * DAY - offset.seconds


def shifted(wall: datetime, by: timedelta) -> datetime:
    """``wall + by``, held within the years 1 to 9999 that a DATE-TIME can name."""
    try:
        return wall + by
    except OverflowError:
        return LAST if by > timedelta(0) else FIRST


def parse_moment(value: str, tzid: str | None, resolve: Callable[[str], tzinfo], local: tzinfo) -> Moment:
    """A DATE or DATE-TIME value; ``resolve`` turns a TZID into a zone, ``local`` is for floating ones.

    Tolerates missing seconds. Raises ``Invalid`` for anything else.
    """
    match = _MOMENT.fullmatch(value.strip())
    if match is None:
        raise Invalid(f"“{value[:40]}” is no date or time.", "valid-calendar-data")
    year, month, day, hour, minute, second, z = match.groups()
    try:
        if hour is None:
            return Moment(datetime(int(year), int(month), int(day)), local, True, True)  # noqa: DTZ001
        # a leap second (60) is none to anybody's clock; read it as the one before
        wall = datetime(  # noqa: DTZ001
            int(year), int(month), int(day), int(hour), int(minute), min(int(second or 0), 59)
        )
    except ValueError as error:
        raise Invalid(f"“{value[:40]}” is no date or time.", "valid-calendar-data") from error
    if z:
        return Moment(wall, UTC)
    if tzid:
        return Moment(wall, resolve(tzid))
    return Moment(wall, local, floating=True)


def parse_duration(value: str) -> timedelta:
    """A DURATION value (RFC 5545 3.3.6), held within ``LONGEST``. Raises ``Invalid``."""
    match = _DURATION.fullmatch(value.strip())
    if match is None or not any(match.groups()[1:]):
        raise Invalid(f"“{value[:40]}” is no duration.", "valid-calendar-data")
    sign, *numbers = match.groups()
    weeks, days, hours, minutes, secs = (int(number or 0) for number in numbers)
    try:
        length = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=secs)
    except OverflowError:
        length = LONGEST
    length = min(length, LONGEST)
    return -length if sign == "-" else length


def parse_offset(value: str) -> timedelta:
    """A UTC-OFFSET value such as ``+0130`` (RFC 5545 3.3.14), under 24 hours. Raises ``Invalid``."""
    match = _OFFSET.fullmatch(value.strip())
    if match is None or int(match[2]) > 23 or int(match[3]) > 59 or int(match[4] or 0) > 59:
        raise Invalid(f"“{value[:40]}” is no UTC offset.", "valid-calendar-data")
    length = timedelta(hours=int(match[2]), minutes=int(match[3]), seconds=int(match[4] or 0))
    return -length if match[1] == "-" else length
