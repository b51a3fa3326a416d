"""RRULE arithmetic: the same times as dateutil wherever dateutil can answer, and an answer where it can't."""

import datetime as datetime_module
from collections.abc import Iterator
from datetime import datetime, timedelta
from time import process_time
from types import SimpleNamespace

import dateutil.rrule
import pytest
from dateutil.rrule import rrulestr
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bridge.errors import Invalid
from bridge.ical.recurrence import FREQUENCIES, STEPS, WEEKDAYS, Rule


@pytest.fixture(autouse=True, scope="module")
def short_calendar() -> Iterator[None]:
    """dateutil looks for a match until the year 9999; its calendar ends sooner here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            dateutil.rrule, "datetime", SimpleNamespace(**vars(datetime_module) | {"MAXYEAR": 2042})
        )
        yield


def numbers(low: int, high: int, signed: bool = False) -> st.SearchStrategy[str]:
    one = st.integers(low, high)
    if signed:
        one = st.tuples(one, st.sampled_from((1, -1))).map(lambda pair: pair[0] * pair[1])
    return st.lists(one, min_size=1, max_size=4, unique=True).map(lambda items: ",".join(map(str, items)))


@st.composite
def rules(draw: st.DrawFn) -> str:
    freq = draw(st.sampled_from(FREQUENCIES))
    parts = [f"FREQ={freq}", f"INTERVAL={draw(st.integers(1, 5))}"]
    walkable = freq in FREQUENCIES[:4]  # dateutil goes through the others second by second
    if walkable and draw(st.booleans()):
        parts.append(f"BYMONTH={draw(numbers(1, 12))}")
    if walkable and draw(st.integers(0, 3)) == 0:
        parts.append(f"BYMONTHDAY={draw(numbers(1, 31, signed=True))}")
    if walkable and draw(st.booleans()):
        ordinals = freq in ("MONTHLY", "YEARLY") and draw(st.booleans())
        days = draw(st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=3, unique=True))
        limit = 5 if freq == "MONTHLY" or parts[-1].startswith("BYMONTH") else 53
        nth = st.integers(1, limit).flatmap(lambda n: st.sampled_from((n, -n)))
        parts.append("BYDAY=" + ",".join((str(draw(nth)) if ordinals else "") + day for day in days))
    if walkable and draw(st.integers(0, 5)) == 0:
        parts.append(f"BYYEARDAY={draw(numbers(1, 366, signed=True))}")
    if freq == "YEARLY" and draw(st.integers(0, 3)) == 0:
        parts.append(f"BYWEEKNO={draw(numbers(1, 53, signed=True))}")
    if draw(st.integers(0, 3)) == 0:
        parts.append(f"BYHOUR={draw(numbers(0, 23))}")
    if draw(st.integers(0, 3)) == 0:
        parts.append(f"BYMINUTE={draw(numbers(0, 59))}")
    if draw(st.integers(0, 3)) == 0:
        parts.append(f"BYSETPOS={draw(numbers(1, 4 if walkable else 1, signed=True))}")
    if draw(st.booleans()):
        parts.append(f"WKST={draw(st.sampled_from(WEEKDAYS))}")
    return ";".join(parts)


STARTS = st.datetimes(datetime(1995, 1, 1), datetime(2030, 12, 31)).map(lambda d: d.replace(microsecond=0))
SPAN = {
    "YEARLY": 2000,
    "MONTHLY": 1500,
    "WEEKLY": 400,
    "DAILY": 100,
    "HOURLY": 8,
    "MINUTELY": 1,
    "SECONDLY": 0.02,
}


@settings(max_examples=200, deadline=None)
@given(rules(), STARTS, st.floats(0, 1), st.one_of(st.none(), st.integers(1, 30)))
@example("FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO;WKST=SU", datetime(1998, 1, 1), 0.5, None)
@example("FREQ=WEEKLY;BYDAY=MO,WE,FR;BYSETPOS=1", datetime(2024, 1, 3, 9), 0.0, None)
@example("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", datetime(1997, 9, 29, 9), 0.3, None)
def test_the_same_times_as_dateutil(rule: str, start: datetime, skip: float, count: int | None) -> None:
    freq = rule.split(";", maxsplit=1)[0].removeprefix("FREQ=")
    span = timedelta(days=SPAN[freq])
    floor = start + span * skip
    ceiling = floor + span
    if count:
        rule += f";COUNT={count}"
    try:
        oracle = rrulestr(rule, dtstart=start)
        expected = []
        for time in oracle:
            if time > ceiling:
                break
            if time >= floor:
                expected.append(time)
    except ValueError:  # dateutil proves some sub-daily rules impossible and refuses them
        expected = []
    assert list(Rule.parse(rule).instances(start, floor, ceiling)) == expected


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(("HOURLY", "MINUTELY")),
    st.integers(1, 90),
    numbers(1, 12),
    st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=3, unique=True),
    STARTS,
)
def test_filters_on_days_hold_for_rules_within_the_day(
    freq: str, interval: int, months: str, days: list[str], start: datetime
) -> None:
    every = Rule.parse(f"FREQ={freq};INTERVAL={interval}")
    some = Rule.parse(f"FREQ={freq};INTERVAL={interval};BYMONTH={months};BYDAY={','.join(days)}")
    floor, ceiling = start + timedelta(days=28), start + timedelta(days=36)
    kept = [
        time
        for time in every.instances(start, floor, ceiling)
        if str(time.month) in months.split(",") and WEEKDAYS[time.weekday()] in days
    ]
    assert list(some.instances(start, floor, ceiling)) == kept


def test_a_weekday_with_and_one_without_ordinal_add_up() -> None:
    rule = Rule.parse("FREQ=MONTHLY;BYDAY=MO,1TU")
    times = list(rule.instances(datetime(2024, 1, 1), datetime(2024, 1, 1), datetime(2024, 1, 31)))
    assert [time.day for time in times] == [1, 2, 8, 15, 22, 29]


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "FREQ=SECONDLY;BYMONTH=1",
        "FREQ=SECONDLY;COUNT=999999999",
        "FREQ=SECONDLY;INTERVAL=7919;BYSECOND=13;BYDAY=SU;BYMONTHDAY=31;BYMONTH=2",
        "FREQ=MINUTELY;BYSETPOS=5",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYYEARDAY=366;BYMONTH=1;COUNT=3",
        "FREQ=DAILY;INTERVAL=999999999",
        "FREQ=YEARLY;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12;BYMINUTE=1,2,3,4,5,6,7,8,9,10;BYDAY=MO,TU,WE;"
        "BYSECOND=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20;BYSETPOS=-1",
    ],
)
def test_a_rule_made_to_keep_us_busy_is_answered_soon(rule: str) -> None:
    began = process_time()
    times = list(
        Rule.parse(rule).instances(datetime(1970, 1, 1), datetime(2026, 1, 1), datetime(9999, 12, 31))
    )
    assert len(times) <= STEPS
    assert process_time() - began < 5  # dateutil: minutes, hours, or never


def test_a_window_far_away_costs_no_more_than_a_near_one() -> None:
    rule = Rule.parse("FREQ=SECONDLY;INTERVAL=7")
    start, far = datetime(1601, 1, 1), datetime(9000, 1, 1)
    times = list(rule.instances(start, far, far + timedelta(seconds=20)))
    assert [(time - start).total_seconds() % 7 for time in times] == [0] * len(times)
    assert len(times) in (2, 3)


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "COUNT=3",
        "FREQ=FORTNIGHTLY",
        "FREQ=DAILY;BYHOUR=24",
        "FREQ=MONTHLY;BYDAY=XX",
        "FREQ=DAILY;COUNT=x",
    ],
)
def test_a_rule_that_cannot_be_understood_is_named(rule: str) -> None:
    with pytest.raises(Invalid, match="can't be understood"):
        Rule.parse(rule)
