"""What one text contributes to a feed: its events as they are written, or no word but when they are."""

from __future__ import annotations

import pytest

from bridge.ical.published import Piece, piece


def calendar(*lines: str, end: str = "\r\n") -> str:
    return end.join(["BEGIN:VCALENDAR", "VERSION:2.0", *lines, "END:VCALENDAR", ""])


def event(*lines: str) -> list[str]:
    return ["BEGIN:VEVENT", "UID:a", *lines, "END:VEVENT"]


def told(text: str) -> Piece:
    made = piece(text)
    assert made is not None
    return made


def test_the_events_go_out_as_they_are() -> None:
    lines = event("DTSTART:20260511T100000Z", "SUMMARY:Gr\r\n öße", "X-ODD;A=b:c")
    zone = ["BEGIN:VTIMEZONE", "TZID:Europe/Berlin", "END:VTIMEZONE"]
    made = told(calendar(*zone, *lines, *zone, *lines))
    assert made.events == 2 * "".join(f"{line}\r\n" for line in lines)
    assert made.zones == ""


def test_lines_that_lost_their_ends_get_them_back() -> None:
    lines = event("DTSTART:20260511T100000Z", "SUMMARY:Shoot")
    assert told(calendar(*lines, end="\n")) == told(calendar(*lines))


@pytest.mark.parametrize(
    "line",
    [
        "DTSTART;TZID=Europe/Berlin:20260511T100000",
        'DTSTART;TZID="Europe/Berlin":20260511T100000',
        "dtstart;tzid=Europe/Berlin:20260511T100000",
        "DTSTART;X-LONG=" + "a" * 45 + ";TZID=Europe/Ber\r\n lin:20260511T100000",
    ],
)
def test_a_zone_is_found_however_it_is_written(line: str) -> None:
    assert told(calendar(*event(line))).zones == "Europe/Berlin "


@pytest.mark.parametrize("zone", ["Studio", "W. Europe Standard Time", "europe/berlin"])
def test_a_name_that_is_not_of_the_list_makes_no_piece(zone: str) -> None:
    assert piece(calendar(*event(f"DTSTART;TZID={zone}:20260511T100000"))) is None


def test_a_line_in_a_note_is_no_line() -> None:
    made = told(calendar(*event("DTSTART:20260511T100000Z", "DESCRIPTION:x\r\n BEGIN:VEVENT\r\n UID:secret")))
    assert made.events.count("\r\nEND:VEVENT") == 1
    assert "secret" not in made.busy


def test_when_it_is_says_nothing_else() -> None:
    when = ["DTSTART:20260511T100000Z", "RRULE:FREQ=DAILY;COUNT=2", "EXDATE:20260512\r\n T100000Z"]
    alarm = ["begin:VALARM", "UID:alarm", "TRIGGER:-PT5M", "DURATION:PT9M", "end:VALARM"]
    made = told(calendar(*event(*when, "SUMMARY:Smith", "ATTENDEE:mailto:smith@x.example", *alarm)))
    expected = event(*when, "SUMMARY:Busy", "CLASS:PRIVATE")
    assert made.busy == "".join(f"{line}\r\n" for line in expected)


def test_what_takes_no_time_is_left_out_of_it() -> None:
    free = event("DTSTART:20260511T100000Z", "TRANSP:transparent")
    taken = event("RECURRENCE-ID:20260512T100000Z", "DTSTART:20260512T100000Z")
    made = told(calendar(*free, *taken))
    assert made.busy.count("BEGIN:VEVENT") == 1
    assert "RECURRENCE-ID" in made.busy
