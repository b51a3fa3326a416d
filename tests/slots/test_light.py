"""The sun at places around the world: compared with an almanac, and never on the wrong day."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from bridge.slots.days import DAY
from bridge.slots.light import SUNRISE, SUNSET, light, sunny

BERLIN = (52.52, 13.405, ZoneInfo("Europe/Berlin"))
#: Published times of sunrise and sunset, by the wall.
ALMANAC = [
    ("Europe/Berlin", 52.52, 13.405, date(2026, 6, 21), "04:43", "21:33"),
    ("Europe/Berlin", 52.52, 13.405, date(2026, 12, 21), "08:15", "15:54"),
    ("America/New_York", 40.71, -74.01, date(2026, 6, 21), "05:25", "20:31"),
    ("America/Los_Angeles", 37.77, -122.42, date(2026, 12, 21), "07:21", "16:54"),
    ("Pacific/Auckland", -36.85, 174.76, date(2026, 6, 21), "07:34", "17:12"),
    ("Pacific/Honolulu", 21.31, -157.86, date(2026, 6, 21), "05:50", "19:16"),
]


@pytest.mark.parametrize(("zone", "latitude", "longitude", "day", "rises", "sets"), ALMANAC)
def test_the_sun_rises_and_sets_when_the_almanac_says(
    zone: str, latitude: float, longitude: float, day: date, rises: str, sets: str
) -> None:
    known = light(day, latitude, longitude, ZoneInfo(zone))
    assert known.sunrise is not None and known.sunset is not None
    for moment, told in ((known.sunrise, rises), (known.sunset, sets)):
        hours, minutes = map(int, told.split(":"))
        assert abs(60 * moment.hour + moment.minute - 60 * hours - minutes) <= 3


@pytest.mark.parametrize(("zone", "latitude", "longitude", "day", "rises", "sets"), ALMANAC)
def test_on_every_day_of_a_year_its_own_light(
    zone: str, latitude: float, longitude: float, day: date, rises: str, sets: str
) -> None:
    for number in range(366):
        today = day + timedelta(days=number)
        known = light(today, latitude, longitude, ZoneInfo(zone))
        assert known.sunrise and known.sunset and known.morning and known.evening
        assert {known.sunrise.date(), known.sunset.date(), known.evening[0].date()} == {today}
        assert known.morning[0] < known.sunrise < known.morning[1] <= known.evening[0] < known.sunset
        assert known.sunset < known.evening[1]


def test_where_the_sun_neither_rises_nor_sets_nothing_follows_it() -> None:
    tromso = (69.65, 18.96, ZoneInfo("Europe/Oslo"))
    for day in (date(2026, 6, 21), date(2026, 12, 21)):
        known = light(day, *tromso)
        assert known.sunrise is None and known.sunset is None
        assert sunny(day, SUNSET, *tromso[:2], tromso[2], 3600) is None


def test_sessions_end_with_the_sunset_through_a_season_and_begin_with_the_sunrise() -> None:
    spring = [date(2027, 3, 1) + timedelta(weeks=week) for week in range(16)]
    evenings = [sunny(day, SUNSET, *BERLIN, takes=2 * 3600) for day in spring]
    mornings = [sunny(day, SUNRISE, *BERLIN, takes=3600) for day in spring]
    for day, evening, morning in zip(spring, evenings, mornings, strict=True):
        known = light(day, *BERLIN)
        assert evening is not None and morning is not None and known.sunset and known.sunrise
        sets, rises = (moment.hour * 3600 + moment.minute * 60 for moment in (known.sunset, known.sunrise))
        assert evening.closes % 300 == morning.opens % 300 == 0
        assert 0 <= sets - evening.closes < 300 and 0 <= morning.opens - rises < 300
        assert evening.closes - evening.opens == 7200 and morning.closes - morning.opens == 3600
    closes = [evening.closes for evening in evenings if evening]
    assert closes == sorted(closes) and closes[-1] - closes[0] > 3 * 3600


def test_a_session_longer_than_the_day_before_sunset_is_none() -> None:
    assert sunny(date(2026, 12, 21), SUNSET, *BERLIN, takes=DAY) is None
