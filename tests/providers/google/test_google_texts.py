"""From Google's JSON to a text and back, without a server: whatever Google may give, and nothing lost."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.errors import Invalid
from bridge.ical.check import check_resource
from bridge.ical.text import parse
from bridge.providers.google.fields import read
from bridge.providers.google.reading import Series, text_of
from bridge.providers.google.writing import changes, new_event

BERLIN = ZoneInfo("Europe/Berlin")
MORNING = {"dateTime": "2026-01-05T09:00:00+01:00", "timeZone": "Europe/Berlin"}
NOON = {"dateTime": "2026-01-05T12:00:00+01:00", "timeZone": "Europe/Berlin"}


def event(**fields: Any) -> dict[str, Any]:
    """An event as Google gives it, with as little as may be."""
    return {
        "kind": "calendar#event",
        "id": "abcde",
        "etag": '"1"',
        "status": "confirmed",
        "iCalUID": "abcde@google.com",
        "start": MORNING,
        "end": NOON,
        **fields,
    }


def text(*events: dict[str, Any]) -> str:
    """The object's text, which any CalDAV client must be able to take."""
    master = next((e for e in events if "recurringEventId" not in e), None)
    said = text_of(Series("abcde", master, tuple(e for e in events if "recurringEventId" in e)))
    check_resource(said, max_bytes=100_000)
    return said


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({}, "DTSTART;TZID=Europe/Berlin:20260105T090000"),
        ({"start": {"dateTime": "2026-01-05T09:00:00+01:00"}}, "DTSTART:20260105T080000Z"),
        ({"start": {**MORNING, "timeZone": "Nowhere/Land"}}, "DTSTART:20260105T080000Z"),
        ({"start": {**MORNING, "timeZone": "GMT-03:00"}}, "DTSTART:20260105T080000Z"),
        (
            {"start": {**MORNING, "timeZone": "America/New_York"}},
            "DTSTART;TZID=America/New_York:20260105T030000",
        ),
        ({"summary": "a, b; c\\d\nü📷"}, "SUMMARY:a\\, b\\; c\\\\d\\nü📷"),
        ({"visibility": "confidential"}, "CLASS:CONFIDENTIAL"),
        ({"hangoutLink": "https://meet.google.com/abc"}, "X-GOOGLE-CONFERENCE:https://meet.google.com/abc"),
        (
            {"attachments": [{"fileUrl": "https://drive.google.com/x", "mimeType": "image/png"}]},
            "ATTACH;FMTTYPE=image/png:https://drive.google.com/x",
        ),
        (
            {"attendees": [{"email": "b@x.org", "displayName": 'B "x", C'}]},
            "ATTENDEE;CN=\"B ^'x^', C\";PARTSTAT=NEEDS-ACTION:mailto:b@x.org",
        ),
        ({"transparency": "transparent"}, "TRANSP:TRANSPARENT"),
        ({"status": "tentative"}, "STATUS:TENTATIVE"),
    ],
)
def test_what_google_says_stands_in_the_text(fields: dict[str, Any], line: str):
    unfolded = text(event(**fields)).replace("\r\n ", "")
    assert f"\r\n{line}\r\n" in unfolded


def test_a_guest_without_address_is_left_out_of_the_text_and_kept_by_a_write():
    known = event(attendees=[{"id": "1", "displayName": "?"}, {"email": "b@x.org"}])
    said = text(known)
    assert said.count("ATTENDEE") == 1
    more = said.replace("END:VEVENT", "ATTENDEE:mailto:c@x.org\r\nEND:VEVENT")
    body = _changes(known, said, more)
    assert [guest.get("email") for guest in body["attendees"]] == [None, "b@x.org", "c@x.org"]


def test_a_cancelled_date_that_tells_nothing_but_its_place_is_left_out():
    rest = {"kind": "calendar#event", "id": "abcde_x", "etag": '"2"', "status": "cancelled"}
    date = {**rest, "recurringEventId": "abcde", "originalStartTime": MORNING}
    said = text(event(recurrence=["RRULE:FREQ=DAILY"]), date)
    assert "EXDATE;TZID=Europe/Berlin:20260105T090000\r\n" in said
    assert said.count("BEGIN:VEVENT") == 1


def test_dates_are_named_by_the_clock_of_their_series():
    moved = event(
        id="abcde_1", recurringEventId="abcde", originalStartTime={"dateTime": "2026-01-06T08:00:00Z"}
    )
    said = text(event(recurrence=["RRULE:FREQ=DAILY"]), moved)
    assert "RECURRENCE-ID;TZID=Europe/Berlin:20260106T090000\r\n" in said


def test_the_order_in_which_google_lists_dates_does_not_matter():
    series = event(recurrence=["RRULE:FREQ=DAILY"])
    dates = [
        event(
            id=f"abcde_{day}",
            recurringEventId="abcde",
            originalStartTime={**MORNING, "dateTime": f"2026-01-{day:02}T09:00:00+01:00"},
            status="cancelled" if day % 2 else "confirmed",
        )
        for day in range(6, 12)
    ]
    assert text(series, *dates) == text(series, *reversed(dates)) == text(*dates, series)


@pytest.mark.parametrize(
    ("spelled", "kept"),
    [
        ("TRIGGER:-PT15M", [15]),
        ("TRIGGER:-P1W", [10_080]),
        ("TRIGGER;RELATED=START:PT0S", [0]),
        ("TRIGGER;RELATED=END:-PT2H", []),  # an hour after the start
        ("TRIGGER;RELATED=END:-PT4H", [60]),
        ("TRIGGER;VALUE=DATE-TIME:20260105T070000Z", [60]),
        ("TRIGGER:PT9H", []),  # after the start: Google has no such thing
        ("TRIGGER:-P60D", []),  # Google reminds four weeks ahead at most
        ("TRIGGER:nonsense", []),
    ],
)
def test_reminders_are_taken_as_far_as_google_has_them(spelled: str, kept: list[int]):
    alarm = f"BEGIN:VALARM\r\nACTION:DISPLAY\r\n{spelled}\r\nEND:VALARM\r\n"
    wanted = read(parse(text(event()).replace("END:VEVENT", alarm + "END:VEVENT")), BERLIN).master
    assert wanted is not None
    assert [minutes for _, minutes in wanted.alarms] == kept


@pytest.mark.parametrize(
    "lines", ["", "BEGIN:VTODO\r\nUID:x\r\nEND:VTODO\r\n", "BEGIN:VEVENT\r\nUID:x\r\nEND:VEVENT\r\n"]
)
def test_what_is_no_event_is_refused(lines: str):
    with pytest.raises(Invalid):
        read(parse(f"BEGIN:VCALENDAR\r\n{lines}END:VCALENDAR\r\n"), BERLIN)


# --- any event -----------------------------------------------------------------------------------------

_texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30)
_zones = st.sampled_from(["Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "UTC"])


@st.composite
def _times(draw: st.DrawFn) -> dict[str, Any]:
    if draw(st.booleans()):
        first = draw(st.dates(min_value=date(2000, 1, 1), max_value=date(2099, 1, 1)))
        return {
            "start": {"date": first.isoformat()},
            "end": {"date": (first + timedelta(days=1)).isoformat()},
        }
    zone = draw(_zones)
    minute = draw(st.integers(0, 60 * 24 * 365 * 50))
    start = (datetime(2000, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)).astimezone(ZoneInfo(zone))
    end = (start.astimezone(ZoneInfo("UTC")) + timedelta(minutes=draw(st.integers(0, 3000)))).astimezone(
        ZoneInfo(zone)
    )
    return {
        "start": {"dateTime": start.isoformat(), "timeZone": zone},
        "end": {"dateTime": end.isoformat(), "timeZone": zone},
    }


_guests = st.fixed_dictionaries(
    {
        "email": st.just("b@x.org"),
        "displayName": _texts.map(str.strip).filter(bool),
        "responseStatus": st.sampled_from(["needsAction", "accepted"]),
    }
)
_events = st.builds(
    lambda times, **fields: event(**times, **{k: v for k, v in fields.items() if v is not None}),
    _times(),
    summary=st.none() | _texts,
    location=st.none() | _texts,
    description=st.none() | _texts,
    status=st.sampled_from(["confirmed", "tentative"]),
    transparency=st.sampled_from([None, "opaque", "transparent"]),
    visibility=st.sampled_from([None, "default", "public", "private", "confidential"]),
    recurrence=st.sampled_from([None, ["RRULE:FREQ=WEEKLY;COUNT=5"], ["RRULE:FREQ=MONTHLY;BYDAY=-1FR"]]),
    reminders=st.sampled_from(
        [None, {"useDefault": True}, {"useDefault": False, "overrides": [{"method": "email", "minutes": 30}]}]
    ),
    attendees=st.none() | st.lists(_guests, max_size=1),
)


@settings(max_examples=60, deadline=None)
@given(_events)
def test_a_text_that_comes_back_as_it_was_changes_nothing(known: dict[str, Any]):
    said = text(known)
    assert said == text(known)
    assert _changes(known, said, said) == {}


@settings(max_examples=60, deadline=None)
@given(_events, _events)
def test_a_write_makes_of_one_event_exactly_the_other(known: dict[str, Any], wanted: dict[str, Any]):
    """Patched as Google patches, the event says what was wanted."""
    for one in (known, wanted):
        one.pop("recurrence", None)
    target = read(parse(text(wanted)), BERLIN).master
    assert target is not None
    patched = {**known, **_changes(known, text(known), text(wanted))}
    for name in ("start", "end"):
        patched[name] = {k: v for k, v in patched[name].items() if v is not None}
    assert read(parse(text({k: v for k, v in patched.items() if v is not None})), BERLIN).master == target


@settings(max_examples=60, deadline=None)
@given(_events)
def test_a_new_event_says_what_was_wanted(wanted: dict[str, Any]):
    target = read(parse(text(wanted)), BERLIN).master
    assert target is not None
    assert read(parse(text(event(**new_event("abcde", target)))), BERLIN).master == target


def _changes(known: dict[str, Any], before: str, after: str) -> dict[str, Any]:
    first, second = (read(parse(said), BERLIN).master for said in (before, after))
    assert first is not None and second is not None
    return changes(first, second, known)
