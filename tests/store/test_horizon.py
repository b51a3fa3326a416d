"""Asking a calendar for a stretch of time: exact inside the index, outside it, and as the years roll on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from bridge.store import horizon, objects, people
from bridge.store.tables import occurrence
from bridge.store.times import DENSE
from tests.store.studio import NOW, Studio, epoch, event

UTC_START = ":20260511T080000Z"


def rows(studio: Studio) -> int:
    with studio.db.reading() as tx:
        return int(tx.execute(select(func.count()).select_from(occurrence)).scalar_one())


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        ("2026-05-11T07:00", "2026-05-11T08:00", False),  # ends where it begins
        ("2026-05-11T07:00", "2026-05-11T08:01", True),
        ("2026-05-11T08:30", "2026-05-11T08:31", True),
        ("2026-05-11T08:59", "2026-05-12T00:00", True),
        ("2026-05-11T09:00", "2026-05-12T00:00", False),  # begins where it ends
        (None, None, True),
        (None, "2026-05-11T08:00", False),
        ("2026-05-11T09:00", None, False),
    ],
)
def test_an_event_of_an_hour(studio: Studio, start: str | None, end: str | None, found: bool) -> None:
    studio.put("a.ics", event("a", "Shoot", UTC_START))
    assert studio.in_range(start, end) == (["a.ics"] if found else [])


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        ("2026-05-11T08:00", "2026-05-11T09:00", True),
        ("2026-05-11T07:00", "2026-05-11T08:00", False),
        ("2026-05-11T07:59", "2026-05-11T08:01", True),
    ],
)
def test_an_event_of_no_length_counts_where_it_is(studio: Studio, start: str, end: str, found: bool) -> None:
    studio.put("a.ics", event("a", "Alarm", UTC_START, "DURATION:PT0S"))
    assert studio.in_range(start, end) == (["a.ics"] if found else [])


def test_a_long_event_is_found_in_its_middle(studio: Studio) -> None:
    studio.put("long.ics", event("long", "Sabbatical", UTC_START, "DTEND:20270511T080000Z"))
    studio.put("short.ics", event("short", "Shoot", ":20261224T080000Z"))
    assert studio.in_range("2026-12-24T00:00", "2026-12-25T00:00") == ["long.ics", "short.ics"]
    studio.delete("long.ics")
    assert studio.in_range("2026-12-24T00:00", "2026-12-25T00:00") == ["short.ics"]


def test_a_weekly_series_is_found_in_its_weeks_without_the_excluded_one(studio: Studio) -> None:
    studio.put("a.ics", event("a", "Yoga", UTC_START, "RRULE:FREQ=WEEKLY", "EXDATE:20260525T080000Z"))
    assert studio.in_range("2026-05-18T08:00", "2026-05-18T09:00") == ["a.ics"]
    assert studio.in_range("2026-05-19T00:00", "2026-05-25T00:00") == [], "between two of them"
    assert studio.in_range("2026-05-25T00:00", "2026-05-26T00:00") == [], "the excluded one"


@pytest.mark.parametrize("year", [2035, 2080])
def test_a_series_without_end_is_exact_beyond_the_horizon(studio: Studio, year: int) -> None:
    studio.put("a.ics", event("a", "Birthday", ":20260511T080000Z", "RRULE:FREQ=YEARLY"))
    assert studio.in_range(f"{year}-05-11T00:00", f"{year}-05-12T00:00") == ["a.ics"]
    assert studio.in_range(f"{year}-05-12T00:00", f"{year}-05-31T00:00") == []
    assert studio.in_range(f"{year}-01-01T00:00", None) == ["a.ics"]


def test_a_series_of_long_ago_is_exact_before_the_horizon(studio: Studio) -> None:
    studio.put("a.ics", event("a", "Course", ":20150105T080000Z", "RRULE:FREQ=WEEKLY;COUNT=10"))
    assert rows(studio) == 0
    assert studio.in_range("2015-01-12T00:00", "2015-01-13T00:00") == ["a.ics"]
    assert studio.in_range("2015-01-13T00:00", "2015-01-19T00:00") == []
    assert studio.in_range(None, None) == ["a.ics"]
    assert studio.in_range("2015-04-01T00:00", None) == []


def test_single_events_are_found_however_far_away(studio: Studio) -> None:
    studio.put("a.ics", event("a", "Then", ":19690720T200000Z"))
    studio.put("b.ics", event("b", "One day", ":21500101T000000Z"))
    assert studio.in_range("1969-07-20T00:00", "1969-07-21T00:00") == ["a.ics"]
    assert studio.in_range("2149-12-31T00:00", "2151-01-01T00:00") == ["b.ics"]


def test_an_edit_moves_it_in_the_index(studio: Studio) -> None:
    studio.put("a.ics", event("a", "Shoot", UTC_START))
    studio.put("a.ics", event("a", "Shoot", ":20260612T080000Z"))
    assert studio.in_range("2026-05-11T00:00", "2026-05-12T00:00") == []
    assert studio.in_range("2026-06-12T00:00", "2026-06-13T00:00") == ["a.ics"]


def test_a_series_by_the_minute_does_not_flood_the_index_and_is_still_exact(studio: Studio) -> None:
    rule = "RRULE:FREQ=MINUTELY;INTERVAL=10;BYHOUR=8,9;BYDAY=MO"
    studio.put("a.ics", event("a", "Ping", UTC_START, rule, "DURATION:PT1M"))
    assert 0 < rows(studio) < DENSE
    assert studio.in_range("2026-05-18T08:10", "2026-05-18T08:11") == ["a.ics"]
    assert studio.in_range("2026-05-18T08:11", "2026-05-18T08:20") == []
    assert studio.in_range("2026-05-19T00:00", "2026-05-25T00:00") == []


def test_the_horizon_rolls_on_with_the_years(studio: Studio) -> None:
    studio.put("a.ics", event("a", "Yoga", UTC_START, "RRULE:FREQ=WEEKLY"))
    studio.put("b.ics", event("b", "Shoot", UTC_START))
    before, token = studio.calendar(), objects.token(studio.calendar())
    later = NOW + timedelta(days=400)
    with studio.db.writing() as tx:
        assert horizon.stale_horizons(tx, NOW) == []
        assert not objects.extend_horizon(tx, studio.bookings, NOW + timedelta(days=3))
        assert horizon.stale_horizons(tx, later) == [studio.bookings]
        assert objects.extend_horizon(tx, studio.bookings, later)
        assert horizon.stale_horizons(tx, later) == []
    after = studio.calendar()
    assert after.horizon_end - before.horizon_end == 400 * 86_400
    assert objects.token(after) == token, "nothing that a client sees has changed"
    first, week = epoch("2026-05-11T08:00"), 7 * 86_400
    weeks = [at for at in range(first, after.horizon_end, week) if at + 3600 > after.horizon_start]
    assert rows(studio) == 1 + len(weeks), "the single event, and the series inside the new horizon"
    assert studio.in_range("2026-05-11T08:00", "2026-05-11T09:00") == ["a.ics", "b.ics"]
    assert studio.in_range("2030-04-29T08:00", "2030-04-29T09:00") == ["a.ics"]


def test_whoever_moves_to_another_zone_takes_dates_and_floating_times_along(studio: Studio) -> None:
    studio.put("day.ics", event("day", "Holiday", ";VALUE=DATE:20260511"))
    studio.put("floating.ics", event("floating", "Medicine", ":20260511T080000"))
    studio.put("fixed.ics", event("fixed", "Shoot", ";TZID=Europe/Berlin:20260511T120000"))
    assert studio.in_range("2026-05-10T22:00", "2026-05-10T23:00") == ["day.ics"]
    assert studio.in_range("2026-05-11T06:00", "2026-05-11T07:00") == ["day.ics", "floating.ics"]
    etags = {href: studio.get(href) for href in ("day.ics", "floating.ics", "fixed.ics")}
    with studio.db.writing() as tx:
        people.set_user(tx, studio.user_id, time_zone="America/New_York")
        objects.reindex(tx, studio.bookings, ZoneInfo("America/New_York"))
    assert studio.in_range("2026-05-10T22:00", "2026-05-11T04:00") == []
    assert studio.in_range("2026-05-11T12:00", "2026-05-11T13:00") == ["day.ics", "floating.ics"]
    assert studio.in_range("2026-05-11T10:00", "2026-05-11T11:00") == ["day.ics", "fixed.ics"]
    for href, before in etags.items():
        now = studio.get(href)
        assert before is not None
        assert now is not None
        assert (now.etag, now.seq) == (before.etag, before.seq)
        if href != "fixed.ics":
            assert now.starts != before.starts


starts = st.integers(0, 7 * 366 * 24).map(lambda hour: datetime(2024, 1, 1) + timedelta(hours=hour))
rules = st.one_of(
    st.just(""),
    st.builds(
        "RRULE:FREQ={};INTERVAL={}{}".format,
        st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
        st.integers(1, 5),
        st.sampled_from(["", ";COUNT=7", ";UNTIL=20280101T000000Z"]),
    ),
)
windows = st.tuples(starts, st.sampled_from([1, 24, 24 * 7, 24 * 31, 24 * 365]))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=starts, hours=st.integers(0, 60), rule=rules, window=windows)
def test_the_index_finds_what_a_brute_force_expansion_finds(
    studio: Studio, start: datetime, hours: int, rule: str, window: tuple[datetime, int]
) -> None:
    """Inside the horizon, outside it, and across its borders."""
    text = event("a", "Any", f":{start:%Y%m%dT%H%M%S}Z", f"DURATION:PT{hours}H", *([rule] if rule else []))
    studio.put("a.ics", text)
    first = window[0].replace(tzinfo=UTC)
    last = first + timedelta(hours=window[1])
    spans = [
        (each.start, each.end)
        for each in recurring_ical_events.of(icalendar.Calendar.from_ical(text)).between(
            first - timedelta(days=3), last + timedelta(days=3)
        )
    ]
    expected = any(
        begins < last and (ends > first or (begins == ends and begins >= first)) for begins, ends in spans
    )
    found = studio.in_range(first.isoformat()[:16], last.isoformat()[:16])
    assert found == (["a.ics"] if expected else [])
