"""Calendar files as publishers make them, taken apart into objects."""

from __future__ import annotations

import re

import pytest

from bridge.errors import Invalid
from bridge.ical.facts import facts
from bridge.ical.occurrences import occurrences
from bridge.ical.zones import zone_named
from bridge.providers.ics.feed import Feed, read_feed
from tests.contracts.samples import AWKWARD, SERIES, calendar, event

YEAR = (1767225600, 1798761600)  # 2026
UTC_ZONE = zone_named("UTC")


def vevent(uid: str | None, *lines: str, start: str = "20260105T090000Z", title: str = "Lunch") -> list[str]:
    named = [f"UID:{uid}"] if uid is not None else []
    return ["BEGIN:VEVENT", *named, f"DTSTART:{start}", f"SUMMARY:{title}", *lines, "END:VEVENT"]


def feed(*lines: str, by_content: bool = False) -> Feed:
    return read_feed(calendar(*lines), by_content=by_content)


def texts(found: Feed) -> list[str]:
    return [entry.text or "" for entry in found.entries.values()]


def inner(text: str) -> str:
    return text.split("//EN\r\n", 1)[1].removesuffix("END:VCALENDAR\r\n")


def test_one_object_per_event_with_every_line_as_published():
    found = read_feed(calendar(*(inner(AWKWARD) + inner(event("b"))).split("\r\n")[:-1]))
    assert texts(found) == [AWKWARD, event("b")]


def test_overrides_and_the_zone_they_need_stay_with_their_series():
    lines = inner(SERIES).split("\r\n")[:-1]
    (text,) = texts(feed(*lines, "BEGIN:VTIMEZONE", "TZID:Unused", "END:VTIMEZONE"))
    assert text == SERIES


def test_an_override_that_stands_apart_in_the_file_is_found():
    series = vevent("s", "RRULE:FREQ=DAILY;COUNT=3")
    moved = vevent("s", "RECURRENCE-ID:20260106T090000Z", start="20260106T150000Z")
    found = feed(*series, *vevent("other"), *moved)
    assert [facts(text).recurrence_ids != () for text in texts(found)] == [True, False]


def test_an_override_without_its_series_is_an_object():
    found = feed(*vevent("s", "RECURRENCE-ID:20260106T090000Z"))
    assert list(found.entries) == ["s"]


def test_line_feeds_alone_become_whole_line_ends():
    (text,) = texts(read_feed(event("a").replace("\r\n", "\n")))
    assert text == event("a")


def test_two_calendars_in_one_file_are_both_read():
    assert list(read_feed(event("a") + event("b")).entries) == ["a", "b"]


@pytest.mark.parametrize("name", ["METHOD:PUBLISH", "X-WR-CALDESC:All", "X-WR-RELCALID:1"])
def test_what_concerns_the_whole_calendar_stays_there(name: str):
    assert name not in texts(feed(name, *vevent("a")))[0]


def test_tasks_and_journals_are_left_out():
    assert feed("BEGIN:VTODO", "UID:t", "END:VTODO", "BEGIN:VJOURNAL", "END:VJOURNAL").entries == {}


@pytest.mark.parametrize("size", [20, 60, 150, -9])
def test_a_file_cut_off_anywhere_is_no_calendar(size: int):
    with pytest.raises(Invalid):
        read_feed(event("a")[:size])


# --- identity -----------------------------------------------------------------------------------------


def test_an_event_without_a_uid_keeps_the_one_made_of_its_content():
    first, again = feed(*vevent(None)), feed(*vevent(None, "DESCRIPTION:more"))
    assert list(first.entries) == list(again.entries)
    assert facts(texts(first)[0]).uid == next(iter(first.entries))
    assert list(feed(*vevent(None, title="Dinner")).entries) != list(first.entries)


def test_the_same_event_twice_is_one():
    assert len(feed(*vevent("a"), *vevent("a")).entries) == 1


def test_different_events_under_one_uid_are_all_kept_apart():
    found = feed(*vevent("a"), *vevent("a", start="20260106T090000Z"), *vevent("b"))
    assert len(found.entries) == 3
    assert len({facts(text).uid for text in texts(found)}) == 3
    swapped = feed(*vevent("b"), *vevent("a", start="20260106T090000Z"), *vevent("a"))
    assert set(swapped.entries) == set(found.entries)


def test_an_obsolete_version_beside_the_new_one_is_left_out():
    found = feed(*vevent("a", "SEQUENCE:2", title="New"), *vevent("a", "SEQUENCE:1", title="Old"))
    assert [facts(text).summary for text in texts(found)] == ["New"]


def test_uids_that_change_between_two_fetches_are_noticed():
    events = [(f"Event {n}", f"202601{n:02}T090000Z") for n in range(1, 20)]

    def fetched(prefix: str) -> Feed:
        return feed(*(line for t, s in events for line in vevent(f"{prefix}{t}", title=t, start=s)))

    before = fetched("monday-")
    assert fetched("tuesday-").renames(before.sample)
    assert not fetched("monday-").renames(before.sample)
    renamed = feed(*(line for t, s in events for line in vevent(f"x{t}", title=t, start=s)), by_content=True)
    again = feed(*(line for t, s in events for line in vevent(f"y{t}", title=t, start=s)), by_content=True)
    assert renamed.entries.keys() == again.entries.keys()


def test_new_events_are_no_sign_of_changing_uids():
    before = feed(*vevent("a"))
    after = feed(*vevent("b", title="Dinner"), *vevent("c", title="Tea"))
    assert not after.renames(before.sample)
    assert not feed().renames(before.sample)


# --- changes ------------------------------------------------------------------------------------------


def test_stamps_made_at_the_time_of_asking_are_no_change():
    first = feed(*vevent("a", "DTSTAMP:20260101T000000Z", "LAST-MODIFIED:20260101T000000Z"))
    second = feed(*vevent("a", "DTSTAMP:20260102T000000Z", "LAST-MODIFIED:20260102T000000Z"))
    assert first.state == second.state
    assert first.state != feed(*vevent("a", "DTSTAMP:20260101T000000Z", "LOCATION:There")).state


# --- zones --------------------------------------------------------------------------------------------


def test_times_without_a_zone_are_those_of_the_calendars_zone():
    found = feed("X-WR-TIMEZONE:Europe/Berlin", *vevent("a", start="20260701T090000"))
    (text,) = texts(found)
    assert "DTSTART;TZID=Europe/Berlin:20260701T090000" in text
    assert text.count("BEGIN:VTIMEZONE") == 1
    (span,) = occurrences(text, *YEAR, UTC_ZONE)
    assert span.starts == 1782889200  # 07:00 in UTC


def test_times_in_utc_and_dates_are_left_as_they_are():
    lines = (*vevent("a"), *vevent("b", "DTEND;VALUE=DATE:20260702", start="20260701"))
    plain, zoned = feed(*lines), feed("X-WR-TIMEZONE:Europe/Berlin", *lines)
    assert texts(plain) == texts(zoned)


def test_a_zone_by_its_windows_name_is_the_zone():
    lines = [
        line.replace("DTSTART:", "DTSTART;TZID=W. Europe Standard Time:")
        for line in vevent("a", start="20260701T090000")
    ]
    (text,) = texts(feed(*lines))
    assert occurrences(text, *YEAR, UTC_ZONE)[0].starts == 1782889200


# --- the publisher's wishes -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        ("REFRESH-INTERVAL;VALUE=DURATION:PT12H", 43200.0),
        ("X-PUBLISHED-TTL:PT15M", 900.0),
        ("X-PUBLISHED-TTL:P1D", 86400.0),
        ("X-PUBLISHED-TTL:soon", None),
        ("X-OTHER:PT1H", None),
    ],
)
def test_the_publisher_says_how_often_to_ask(line: str, seconds: float | None):
    assert feed(line).rest == seconds


def test_name_and_colour_are_the_publishers():
    found = feed("X-WR-CALNAME:Familie\\, Freunde", "X-APPLE-CALENDAR-COLOR:#1d9bf6")
    assert (found.name, found.color) == ("Familie, Freunde", "#1d9bf6")


def test_ten_thousand_events_are_taken_apart():
    lines = [line for n in range(10_000) for line in vevent(f"e{n}", title=f"Event {n}")]
    found = feed(*lines)
    assert len(found.entries) == 10_000
    assert all(re.search(r"UID:e\d+\r\n", text) for text in texts(found))
