"""Sunrise, sunset and the golden hours of a place, worked out by ``astral``: no service is asked.

The golden hour is while the sun stands between 4 degrees below the horizon and 6 above it, as photographers
count it; where the sun never gets there on a day (far north and south), its moments are None.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from astral import Observer, SunDirection
from astral.sun import golden_hour, sunrise, sunset

from bridge.slots.days import DAY, Part

#: Sessions begin on the five minutes.
STEP = 300

SUNSET, SUNRISE = "sunset", "sunrise"


@dataclass(frozen=True, slots=True)
class Light:
    """One local day at one place; aware moments in its zone. ``morning`` and ``evening`` are golden."""

    sunrise: datetime | None
    sunset: datetime | None
    morning: tuple[datetime, datetime] | None
    evening: tuple[datetime, datetime] | None

    def __bool__(self) -> bool:
        """False where the sun does not come near the horizon all day."""
        return any((self.sunrise, self.sunset, self.morning, self.evening))

    def seen_from(self, zone: ZoneInfo) -> Light:
        """The same moments by another zone's clocks."""
        return Light(
            self.sunrise and self.sunrise.astimezone(zone),
            self.sunset and self.sunset.astimezone(zone),
            self.morning and (self.morning[0].astimezone(zone), self.morning[1].astimezone(zone)),
            self.evening and (self.evening[0].astimezone(zone), self.evening[1].astimezone(zone)),
        )


@lru_cache(maxsize=4096)
def light(day: date, latitude: float, longitude: float, zone: ZoneInfo) -> Light:
    """The light of a day. Degrees, north and east positive."""
    here = Observer(latitude, longitude)
    rises, sets = SunDirection.RISING, SunDirection.SETTING
    return Light(
        _on(day, zone, lambda near: sunrise(here, near, tzinfo=zone)),
        _on(day, zone, lambda near: sunset(here, near, tzinfo=zone)),
        _stretch(day, zone, 1, lambda near: golden_hour(here, near, rises, tzinfo=zone)),
        _stretch(day, zone, 0, lambda near: golden_hour(here, near, sets, tzinfo=zone)),
    )


def sunny(day: date, sun: str, latitude: float, longitude: float, zone: ZoneInfo, takes: int) -> Part | None:
    """The part of a day in which sessions that take so many seconds in all follow the sun: they end at its
    set, or begin at its rise. None where it does neither on that day, or not within it."""
    known = light(day, latitude, longitude, zone)
    moment = known.sunset if sun == SUNSET else known.sunrise
    if moment is None or moment.date() != day:
        return None
    wall = 3600 * moment.hour + 60 * moment.minute
    if sun == SUNSET:
        closes = wall - wall % STEP
        return Part(closes - takes, closes) if closes >= takes else None
    opens = -(-wall // STEP) * STEP
    return Part(opens, opens + takes) if opens + takes <= DAY else None


def _on(day: date, zone: ZoneInfo, moment: Callable[[date], datetime]) -> datetime | None:
    """The one that lies on the local day: astral counts days in UTC, another one far from Greenwich."""
    found = _stretch(day, zone, 0, lambda near: (moment(near),) * 2)
    return found and found[0]


def _stretch(
    day: date, zone: ZoneInfo, counts: int, stretch: Callable[[date], tuple[datetime, datetime]]
) -> tuple[datetime, datetime] | None:
    for near in (day, day - timedelta(days=1), day + timedelta(days=1)):
        try:
            begins, ends = (_whole(moment, zone) for moment in stretch(near))
        except ValueError:
            continue  # the sun does not get there
        if (begins, ends)[counts].date() == day:
            return begins, ends
    return None


def _whole(moment: datetime, zone: ZoneInfo) -> datetime:
    """To the minute; nobody photographs by the second."""
    return datetime.fromtimestamp(round(moment.timestamp() / 60) * 60, zone)
