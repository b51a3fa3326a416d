"""What the store keeps in columns."""

from __future__ import annotations

from bridge.ical.facts import Facts, facts
from bridge.ical.fields import Reading
from tests.ical.situations import situation, with_line, without_part


def test_the_facts_of_a_series() -> None:
    assert facts(situation("series-with-override-and-exdates-on-one-line")) == Facts(
        uid="series-1",
        component="VEVENT",
        summary="Class",
        location="",
        status="CONFIRMED",
        transparent=False,
        recurring=True,
        sequence=3,
        recurrence_ids=("20240513T160000Z",),
    )


def test_texts_are_given_as_people_read_them() -> None:
    found = facts(situation("apple-structured-location-with-geo-uri"))
    assert found.location == "Schloss Charlottenburg\nSpandauer Damm 10, 14059 Berlin"
    assert found.summary == "Wedding Anna & Jörg"
    assert not found.recurring


def test_a_cancelled_free_event() -> None:
    found = facts(situation("cancelled-event"))
    assert (found.status, found.transparent, found.sequence) == ("CANCELLED", True, 4)


def test_without_a_master_the_first_override_speaks() -> None:
    found = facts(situation("invitation-to-one-instance-only"))
    assert (found.summary, found.recurring) == ("Only this one", True)
    series = situation("google-series-with-html-notes-and-conference")
    assert facts(without_part(series, 0)).summary == "Planning, weekly (later)"


def test_a_task_has_a_status_of_its_own() -> None:
    assert facts(situation("task-with-due-date")).component == "VTODO"
    assert facts(with_line(situation("task-with-due-date"), "STATUS:")).status == "NEEDS-ACTION"


def test_nonsense_in_numbers_and_nothing_at_all() -> None:
    assert facts(with_line(situation("utc-times"), "SEQUENCE:many")).sequence == 0
    empty = facts("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")
    assert (empty.uid, empty.component, empty.summary) == ("", "", "")


def test_what_was_read_already_need_not_be_parsed_again() -> None:
    text = situation("utc-times")
    assert facts(Reading(text)) == facts(text)
