"""What we write ourselves is complete and readable by others; an edit touches its own lines alone."""

import difflib
from dataclasses import astuple
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar

from bridge.errors import Invalid
from bridge.ical.build import booking_text, bumped, moved, noted, retitled, with_status
from bridge.ical.fields import changed
from bridge.ical.occurrences import Span, enclosing, occurrences
from bridge.ical.text import parse
from bridge.ical.zones import parse_local

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 5, 1, 8, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
#: Lines of a VTIMEZONE, which a floating event needs once it has a zone.
ZONE = {"BEGIN", "END", "TZID", "TZNAME", "TZOFFSETFROM", "TZOFFSETTO", "RRULE"}
STAMPS = {"DTSTAMP", "LAST-MODIFIED", "SEQUENCE"}
EVENTS = [
    path
    for path in sorted((Path(__file__).parent.parent / "ics").glob("*.ics"))
    if b"BEGIN:VEVENT" in path.read_bytes() and path.stem != "fold-inside-a-character"
]


def booking(start: str = "2026-05-08T14:30", **how: object) -> str:
    given: dict[str, object] = {"duration": timedelta(minutes=90), "zone": BERLIN, "now": NOW} | how
    return booking_text("x@bridge", "Anna & Ben", parse_local(start, BERLIN), **given)  # type: ignore[arg-type]


def edited(before: str, after: str) -> set[str]:
    """The names of the lines that two texts differ in."""

    def logical(text: str) -> list[str]:
        return text.replace("\n ", "\n\x00").replace("\n\t", "\n\x01").splitlines()

    # a fold belongs to the line before it
    names: set[str] = set()
    name = ""
    for line in difflib.ndiff(logical(before), logical(after)):
        if line[:2] == "? ":
            continue
        body = line[2:]
        if body[:1] not in "\x00\x01":
            name = body.replace(";", ":").partition(":")[0].rpartition(".")[2].upper()
        if line[:2] != "  ":
            names.add(name)
    return names


def stamp(text: str) -> list[str | None]:
    event = next(parse(text).components("VEVENT"))
    return [event.value(name) for name in ("SEQUENCE", "DTSTAMP", "LAST-MODIFIED")]


def test_a_booking_has_all_that_a_calendar_app_wants() -> None:
    text = booking(
        place="Schlosspark; east gate", notes="Bring:\n- rings, \\o/\n- Köhler's dog", status="tentative"
    )
    event = Calendar.from_ical(text).events[0]
    assert str(event["SUMMARY"]) == "Anna & Ben"
    assert str(event["LOCATION"]) == "Schlosspark; east gate"
    assert str(event["DESCRIPTION"]) == "Bring:\n- rings, \\o/\n- Köhler's dog"
    assert event["STATUS"] == "TENTATIVE"
    assert event["UID"] == "x@bridge"
    assert event.start == datetime(2026, 5, 8, 14, 30, tzinfo=BERLIN)
    assert event.end - event.start == timedelta(minutes=90)
    assert [zone["TZID"] for zone in Calendar.from_ical(text).timezones] == ["Europe/Berlin"]
    assert stamp(text) == ["0", "20260501T080000Z", "20260501T080000Z"]
    assert text.count("\n") == text.count("\r\n")
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))


def test_long_notes_are_folded_between_characters() -> None:
    text = booking(notes="Grüße aus der Allee, " * 40)
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert str(Calendar.from_ical(text).events[0]["DESCRIPTION"]) == ("Grüße aus der Allee, " * 40).strip()


def test_control_characters_and_line_ends_do_not_reach_the_title() -> None:
    text = booking_text("u", "A\r\nEND:VEVENT\x00 B\x1b", date(2026, 5, 8), zone="UTC", now=NOW)
    assert "SUMMARY:A END:VEVENT B\r\n" in text
    assert text.count("END:VEVENT\r\n") == 1


def test_a_length_is_time_that_passes_also_when_the_clocks_change() -> None:
    spring = booking("2026-03-29T01:30", duration=timedelta(hours=2))
    assert "DTEND;TZID=Europe/Berlin:20260329T043000" in spring
    autumn = booking("2026-10-25T01:30", duration=timedelta(hours=2))
    assert "DTEND;TZID=Europe/Berlin:20261025T023000" in autumn


def test_a_booking_in_utc_needs_no_zone() -> None:
    text = booking(zone="UTC")
    assert "DTSTART:20260508T123000Z\r\n" in text
    assert "VTIMEZONE" not in text


def test_a_block_may_last_whole_days() -> None:
    text = booking_text("b", "Holiday", date(2026, 8, 1), end=date(2026, 8, 15), zone=BERLIN, now=NOW)
    assert "DTSTART;VALUE=DATE:20260801\r\nDTEND;VALUE=DATE:20260815\r\n" in text
    assert "VTIMEZONE" not in text
    one = booking_text("b", "Day off", date(2026, 8, 1), zone=BERLIN, now=NOW)
    assert "DTEND;VALUE=DATE:20260802\r\n" in one


def test_a_moved_booking_differs_in_its_time_and_stamps() -> None:
    before = booking(notes="x" * 200)
    after = moved(before, parse_local("2026-05-09T10:00", BERLIN), None, LATER, BERLIN)
    assert edited(before, after) == {"DTSTART", "DTEND"} | STAMPS
    assert changed(before, after) == {(None, "when")}
    assert occurrences(after, 0, 2**33, BERLIN) == [Span(1778313600, 1778313600 + 5400)]
    assert stamp(after) == ["1", "20260502T080000Z", "20260502T080000Z"]


def test_a_new_length_alone_leaves_the_start() -> None:
    before = booking()
    after = moved(before, parse_local("2026-05-08T14:30", BERLIN), timedelta(minutes=30), LATER, BERLIN)
    assert edited(before, after) == {"DTEND"} | STAMPS


def test_a_move_to_where_it_is_changes_no_byte() -> None:
    before = booking()
    assert moved(before, parse_local("2026-05-08T14:30", BERLIN), None, LATER, BERLIN) == before


def test_a_move_keeps_the_zone_that_the_event_is_written_in() -> None:
    before = booking(zone="America/New_York")
    after = moved(before, parse_local("2026-05-09T10:00", BERLIN), None, LATER, BERLIN)
    assert "DTSTART;TZID=America/New_York:20260509T040000\r\n" in after
    assert "Europe/Berlin" not in after


def plain(*lines: str) -> str:
    return "\r\n".join(
        ["BEGIN:VCALENDAR", "BEGIN:VEVENT", "UID:x", *lines, "END:VEVENT", "END:VCALENDAR", ""]
    )


def test_a_moved_floating_event_gets_the_zone_and_its_definition() -> None:
    before = plain("DTSTART:20260508T100000", "DURATION:PT1H")
    after = moved(before, parse_local("2026-05-09T10:00", BERLIN), None, LATER, BERLIN)
    assert "DTSTART;TZID=Europe/Berlin:20260509T100000\r\nDURATION:PT1H\r\n" in after
    assert [part.value("TZID") for part in parse(after).components("VTIMEZONE")] == ["Europe/Berlin"]


def test_a_duration_stays_a_duration() -> None:
    before = plain("DTSTART:20260508T100000Z", "DURATION:PT1H")
    start = parse_local("2026-05-09T10:00", BERLIN)
    assert edited(before, moved(before, start, None, LATER, BERLIN)) == {"DTSTART"} | STAMPS
    after = moved(before, start, timedelta(minutes=95), LATER, BERLIN)
    assert "DTSTART:20260509T080000Z\r\nDURATION:PT1H35M\r\n" in after


def test_an_all_day_event_needs_a_length_to_become_a_timed_one() -> None:
    before = plain("DTSTART;VALUE=DATE:20260508")
    start = parse_local("2026-05-09T10:00", BERLIN)
    with pytest.raises(Invalid, match="how many minutes"):
        moved(before, start, None, LATER, BERLIN)
    after = moved(before, start, timedelta(hours=1), LATER, BERLIN)
    assert (
        "DTSTART;TZID=Europe/Berlin:20260509T100000\r\nDTEND;TZID=Europe/Berlin:20260509T110000\r\n" in after
    )
    assert "DTSTART;VALUE=DATE:20260601\r\n" in moved(before, date(2026, 6, 1), None, LATER, BERLIN)
    week = moved(before, date(2026, 6, 1), timedelta(days=7), LATER, BERLIN)
    assert "DTEND;VALUE=DATE:20260608\r\n" in week


def test_a_cancelled_series_is_cancelled_in_each_of_its_overrides() -> None:
    path = next(path for path in EVENTS if path.stem == "series-with-override-and-exdates-on-one-line")
    after = with_status(path.read_bytes().decode(), "cancelled", NOW)
    assert {event.value("STATUS") for event in parse(after).components("VEVENT")} == {"CANCELLED"}


def test_a_status_that_is_there_already_changes_no_byte() -> None:
    assert with_status(booking(), "CONFIRMED", LATER) == booking()
    assert with_status(plain("DTSTART:20260508T100000Z"), "CONFIRMED", LATER) == plain(
        "DTSTART:20260508T100000Z"
    )


def test_an_unknown_status_is_refused() -> None:
    with pytest.raises(Invalid, match="unknown"):
        with_status(booking(), "maybe", NOW)


def test_edits_of_what_is_no_event_are_refused() -> None:
    task = "BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nUID:t\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"
    with pytest.raises(Invalid, match="no event"):
        bumped(task, NOW)
    with pytest.raises(Invalid, match="no start"):
        moved(task, date(2026, 5, 1), None, NOW, BERLIN)


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_edits_touch_their_own_lines_of_anybodys_text(path: Path) -> None:
    before = path.read_bytes().decode("utf-8")
    line_ends = {line[-2:] == "\r\n" for line in before.splitlines(keepends=True)}
    for after, own in (
        (bumped(before, LATER), set()),
        (with_status(before, "CANCELLED", LATER), {"STATUS"}),
        (retitled(before, "Another, longer title; with marks", LATER), {"SUMMARY"}),
    ):
        if after != before:  # cancelled already
            assert own <= edited(before, after) <= own | STAMPS
        assert {line[-2:] == "\r\n" for line in after.splitlines(keepends=True)} == line_ends
    assert changed(before, bumped(before, LATER)) == frozenset()


def test_other_notes_are_escaped_and_leave_the_rest() -> None:
    before = booking_text("a", "Wedding", date(2026, 5, 1), zone=BERLIN, notes="Old", now=NOW)
    after = noted(before, "Two lines,\nthe second; short", LATER)
    assert {"DESCRIPTION"} <= edited(before, after) <= {"DESCRIPTION"} | STAMPS
    assert "DESCRIPTION:Two lines\\,\\nthe second\\; short\r\n" in after
    assert noted(after, "Two lines,\nthe second; short", LATER) == after
    bare = booking_text("a", "Wedding", date(2026, 5, 1), zone=BERLIN, now=NOW)
    assert "DESCRIPTION:New\r\n" in noted(bare, "New", LATER)


SERIES = [path for path in EVENTS if enclosing(path.read_bytes().decode(), BERLIN)[2]]


@pytest.mark.parametrize("path", SERIES, ids=lambda path: path.stem)
def test_a_series_is_not_moved_by_its_start_alone(path: Path) -> None:
    with pytest.raises(Invalid, match="repeats"):
        moved(path.read_bytes().decode(), date(2026, 6, 1), None, LATER, BERLIN)


@pytest.mark.parametrize("path", [path for path in EVENTS if path not in SERIES], ids=lambda path: path.stem)
def test_anybodys_event_moves_to_the_moment_asked_for(path: Path) -> None:
    before = path.read_bytes().decode("utf-8")
    start = parse_local("2026-07-01T09:15", BERLIN)
    after = moved(before, start, timedelta(minutes=45), LATER, BERLIN)
    assert [span[:2] for span in map(astuple, occurrences(after, 0, 2**33, BERLIN))] == [
        (int(start.timestamp()), int(start.timestamp()) + 2700)
    ]
    assert edited(before, after) <= {"DTSTART", "DTEND", "DURATION"} | STAMPS | ZONE
    assert changed(before, after) == {(None, "when")}
