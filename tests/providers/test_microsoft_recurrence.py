"""Repetition rules to Graph's patterns and back; the stand-in works dates out by itself, day by day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.errors import ObjectRefused
from bridge.ical.recurrence import Rule
from bridge.ical.times import LAST
from bridge.providers.microsoft.recurrence import to_graph, to_rrule
from tests.standins.microsoft_mailbox import Mailbox

BERLIN = ZoneInfo("Europe/Berlin")
TUESDAY = datetime(2026, 1, 6, 9)

SAID = {
    "FREQ=DAILY": {"type": "daily", "interval": 1},
    "FREQ=DAILY;INTERVAL=3": {"type": "daily", "interval": 3},
    "FREQ=WEEKLY": {"type": "weekly", "daysOfWeek": ["tuesday"]},
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH;WKST=SU": {
        "type": "weekly",
        "interval": 2,
        "daysOfWeek": ["tuesday", "thursday"],
        "firstDayOfWeek": "sunday",
    },
    "FREQ=MONTHLY;BYMONTHDAY=6": {"type": "absoluteMonthly", "dayOfMonth": 6},
    "FREQ=MONTHLY;BYDAY=1TU": {"type": "relativeMonthly", "daysOfWeek": ["tuesday"], "index": "first"},
    "FREQ=MONTHLY;BYDAY=TU,WE;BYSETPOS=1": {
        "type": "relativeMonthly",
        "daysOfWeek": ["tuesday", "wednesday"],
    },
    "FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=6": {"type": "absoluteYearly", "month": 1, "dayOfMonth": 6},
    "FREQ=YEARLY;BYMONTH=1;BYDAY=1TU": {"type": "relativeYearly", "month": 1, "index": "first"},
}


@pytest.mark.parametrize(("rrule", "pattern"), SAID.items())
def test_a_rule_is_said_in_graphs_words_and_comes_back(rrule: str, pattern: dict[str, Any]):
    graph = to_graph(f"{rrule};COUNT=5", TUESDAY, BERLIN, "W. Europe Standard Time")
    assert graph["pattern"].items() >= pattern.items()
    assert graph["range"] == {
        "type": "numbered",
        "numberOfOccurrences": 5,
        "startDate": "2026-01-06",
        "recurrenceTimeZone": "W. Europe Standard Time",
    }
    assert to_rrule(graph, TUESDAY, BERLIN, all_day=False) == f"{rrule};COUNT=5"


@pytest.mark.parametrize(
    "rrule",
    [
        "FREQ=HOURLY;INTERVAL=2",
        "FREQ=DAILY;BYHOUR=9,15",
        "FREQ=MONTHLY;BYDAY=TU;BYSETPOS=5",
        "FREQ=MONTHLY;BYDAY=1TU,3TU",
        "FREQ=MONTHLY;BYMONTHDAY=6,20",
        "FREQ=MONTHLY;BYMONTHDAY=31",
        "FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR",
        "FREQ=YEARLY;BYYEARDAY=6",
        "FREQ=YEARLY;BYWEEKNO=2",
        "FREQ=YEARLY;BYMONTH=1,7;BYMONTHDAY=6",
        "FREQ=YEARLY;BYDAY=20MO",
        "FREQ=WEEKLY;BYDAY=FR",  # would not begin on its first date
        "FREQ=WEEKLY;BYMONTH=1",
        "FREQ=NONSENSE",
    ],
)
def test_what_graph_has_no_words_for_is_refused_in_plain_ones(rrule: str):
    with pytest.raises(ObjectRefused, match=r"^Outlook cannot repeat an event like this \(.+\)"):
        to_graph(rrule, TUESDAY, BERLIN, "W. Europe Standard Time")


def test_the_31st_is_the_last_day_of_the_month_there_and_nowhere_else():
    start = datetime(2026, 1, 31, 9)
    graph = to_graph("FREQ=MONTHLY;BYMONTHDAY=-1", start, UTC, "UTC")
    assert graph["pattern"] == {"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 31}
    assert to_rrule(graph, start, UTC, all_day=False) == "FREQ=MONTHLY;BYMONTHDAY=-1"
    thirty = {"pattern": {**graph["pattern"], "dayOfMonth": 30}, "range": graph["range"]}
    assert to_rrule(thirty, start, UTC, all_day=False) == "FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1"


@pytest.mark.parametrize(
    ("until", "day"),
    [
        ("20260303T080000Z", "2026-03-03"),  # 09:00 in Berlin: the last one
        ("20260303T075959Z", "2026-03-02"),  # a second too early for that day's
        ("20260302T230000Z", "2026-03-02"),  # midnight in Berlin, of the next day: too early for it
        ("20260303", "2026-03-03"),
    ],
)
def test_until_is_the_local_date_of_the_last_instance(until: str, day: str):
    graph = to_graph(f"FREQ=DAILY;UNTIL={until}", TUESDAY, BERLIN, "W. Europe Standard Time")
    assert graph["range"]["endDate"] == day


_NUMBERS = st.integers(1, 4)
_DAYS = (
    st.sets(st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]), min_size=1).map(sorted).map(",".join)
)
_RULES = st.one_of(
    st.just("FREQ=DAILY"),
    _DAYS.map("FREQ=DAILY;BYDAY={}".format),
    st.just("FREQ=WEEKLY"),
    st.tuples(_DAYS, st.sampled_from(["MO", "SU"])).map(lambda p: f"FREQ=WEEKLY;BYDAY={p[0]};WKST={p[1]}"),
    st.integers(-1, 31).filter(bool).map("FREQ=MONTHLY;BYMONTHDAY={}".format),
    st.tuples(_DAYS, st.sampled_from([1, 2, 3, 4, -1])).map(
        lambda p: f"FREQ=MONTHLY;BYDAY={p[0]};BYSETPOS={p[1]}"
    ),
    st.dates(date(2024, 1, 1), date(2024, 12, 31)).map(
        lambda day: f"FREQ=YEARLY;BYMONTH={day.month};BYMONTHDAY={day.day}"
    ),
    st.integers(1, 12).map("FREQ=YEARLY;BYMONTH={};BYMONTHDAY=-1".format),
)


def _cannot_be_said(rule: str, interval: int) -> bool:
    """Graph has no words for it: some weekdays of every few days, or a date that not every month has."""
    return (
        ("FREQ=DAILY;BYDAY" in rule and interval > 1)
        or rule in {f"FREQ=MONTHLY;BYMONTHDAY={day}" for day in (29, 30, 31)}
        or rule == "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"
    )


@settings(max_examples=120, deadline=None)
@given(_RULES, _NUMBERS, st.dates(date(2024, 1, 1), date(2027, 12, 31)))
def test_what_can_be_said_there_falls_on_the_same_dates_and_the_rest_is_refused(
    rule: str, interval: int, day: date
):
    """The far side's dates by its own reading of the pattern, ours by the rule as sent and as read back."""
    start = datetime(day.year, day.month, day.day, 9)
    first = next(Rule.parse(rule).instances(start, start, start + timedelta(days=1500)))
    rrule = f"{rule};INTERVAL={interval}"
    if _cannot_be_said(rule, interval):
        with pytest.raises(ObjectRefused):
            to_graph(rrule, first, BERLIN, "W. Europe Standard Time")
        return
    graph = to_graph(rrule, first, BERLIN, "W. Europe Standard Time")
    mailbox = Mailbox()
    times = {name: {"dateTime": first.isoformat(), "timeZone": "Europe/Berlin"} for name in ("start", "end")}
    stored = mailbox.add(mailbox.add_calendar("Arbeit"), {**times, "recurrence": graph})
    there = list(islice(mailbox.dates(stored), 8))
    assert len(there) > 1
    back = to_rrule(graph, first, BERLIN, all_day=False)
    for spelled in (rrule, back):
        ours = islice(Rule.parse(spelled).instances(first, first, LAST), len(there))
        assert [moment.date() for moment in ours] == there
