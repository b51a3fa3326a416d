"""Days that repeat (M33), beside dateutil's rules where those mean the same."""

from __future__ import annotations

from datetime import date, datetime
from random import Random

import pytest
from dateutil.rrule import MONTHLY, WEEKLY, YEARLY, rrule

from bridge.slots.repeats import Repeat

SATURDAY = date(2027, 5, 8)


def test_every_other_week_on_two_days() -> None:
    found = Repeat("week", every=2, on={5, 6}, times=4).days(SATURDAY)
    assert [day.isoformat() for day in found] == ["2027-05-08", "2027-05-09", "2027-05-22", "2027-05-23"]


def test_until_counts_the_last_day() -> None:
    assert Repeat("week", until=date(2027, 5, 15)).days(SATURDAY) == [SATURDAY, date(2027, 5, 15)]


def test_days_that_a_month_lacks_are_left_out() -> None:
    found = Repeat("month", times=3).days(date(2027, 1, 31))
    assert [day.month for day in found] == [1, 3, 5]
    assert [day.year for day in Repeat("year", times=2).days(date(2028, 2, 29))] == [2028, 2032]


def test_it_always_ends() -> None:
    assert len(Repeat("year", times=10_000).days(date(2027, 1, 1))) == 173


@pytest.mark.parametrize("seed", range(200))
def test_as_dateutil_has_it(seed: int) -> None:
    dice = Random(seed)
    first = date(2027, 1, 1 + dice.randrange(31))
    unit, freq = dice.choice([("week", WEEKLY), ("month", MONTHLY), ("year", YEARLY)])
    every, times = dice.randrange(1, 5), dice.randrange(1, 20)
    on = dice.sample(range(7), dice.randrange(1, 4)) if unit == "week" else []
    begins = datetime(first.year, first.month, first.day)
    rule = rrule(freq, begins, every, count=times, byweekday=on or None)
    assert Repeat(unit, every, on, times=times).days(first) == [moment.date() for moment in rule]


@pytest.mark.parametrize(
    "wrong",
    [{"unit": "day"}, {"every": 0}, {"times": None}, {"until": SATURDAY}, {"unit": "month", "on": [1]}],
)
def test_what_is_no_repetition(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"repetition|weekdays"):
        Repeat(**({"unit": "week", "times": 3} | wrong))  # type: ignore[arg-type]
