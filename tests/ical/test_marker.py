"""Our machine field: there when we wrote it, gone without a trace, and no change of meaning."""

from __future__ import annotations

import pytest

from bridge.ical.fields import fingerprint
from bridge.ical.marker import Marker, mark, marker, unmark
from bridge.ical.text import parse
from tests.ical.situations import NAMES, line_diff, rewritten_by_a_server, situation, without_part

HERE = "7d0e6a0c-4a8e-4a43-9f0e-1a2b3c4d5e6f"


@pytest.mark.parametrize("name", NAMES)
def test_marking_adds_one_line_and_unmarking_takes_it_out(name: str) -> None:
    text = situation(name)
    marked = mark(text, HERE, "booking-17")
    assert marker(marked) == Marker(HERE, "booking-17")
    assert marker(rewritten_by_a_server(marked)) == Marker(HERE, "booking-17")
    gone, came = line_diff(text, marked)
    assert (gone, len(came)) == ([], 1)
    assert unmark(marked) == text
    assert mark(marked, HERE, "booking-17") == marked
    assert fingerprint(marked) == fingerprint(text)
    assert (marker(text), unmark(text)) == (None, text)


def test_the_master_is_marked_or_else_the_first_override() -> None:
    series = situation("series-with-override-and-exdates-on-one-line")
    master, override = parse(mark(series, HERE, "k")).components("VEVENT")
    assert master.first("X-PICSELLO-BRIDGE") is not None
    assert override.first("X-PICSELLO-BRIDGE") is None
    assert marker(mark(without_part(series, 0), HERE, "k")) == Marker(HERE, "k")


def test_a_copy_of_another_object_gets_a_marker_of_its_own() -> None:
    text = situation("utc-times")
    assert mark(mark(text, "elsewhere", "1"), HERE, "2") == mark(text, HERE, "2")


def test_a_server_that_escapes_semicolons_and_keys_with_commas() -> None:
    marked = mark(situation("utc-times"), HERE, "a,b;c")
    assert marker(marked) == Marker(HERE, "a,b;c")
    assert marker(marked.replace(f"{HERE};", f"{HERE}\\;")) == Marker(HERE, "a,b;c")


def test_words_in_a_description_are_no_marker() -> None:
    text = situation("utc-times").replace("SUMMARY:Call", f"SUMMARY:X-PICSELLO-BRIDGE:{HERE};1")
    assert marker(text) is None
    assert unmark(text) == text


def test_a_calendar_without_an_event_stays_unmarked() -> None:
    empty = "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"
    assert mark(empty, HERE, "1") == empty
