"""Parts of objects: what a report asks of their components, properties, overrides and instances."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from radicale_plugin.views import View
from tests.plugin.conftest import Studio, event

BOOKINGS = "/anna@studio.example/bookings/"
JUNE = 'start="20260601T000000Z" end="20260701T000000Z"'


def weekly(studio: Studio) -> str:
    """A series from June 10 on, with an override in June and one in August."""
    text = event("series", "RRULE:FREQ=WEEKLY")
    for day, moved in (("20260617", "20260618"), ("20260812", "20260813")):
        override = event(
            "series", f"RECURRENCE-ID;TZID=Europe/Berlin:{day}T100000", start=f"{moved}T120000", summary=moved
        )
        part = override[override.index("BEGIN:VEVENT") : override.index("END:VCALENDAR")]
        text = text.replace("END:VCALENDAR", part + "END:VCALENDAR")
    studio.anna.put(BOOKINGS + "series.ics", text)
    return text


def data(studio: Studio, asked: str) -> str:
    (text,) = studio.anna.query(BOOKINGS, "", f"<C:calendar-data>{asked}</C:calendar-data>").texts().values()
    return text


def test_only_the_overrides_that_matter_in_a_window(studio: Studio) -> None:
    whole = weekly(studio)

    text = data(studio, f"<C:limit-recurrence-set {JUNE}/>")

    assert "SUMMARY:20260618" in text
    assert "20260812" not in text
    assert text.count("BEGIN:VEVENT") == 2
    assert set(text.split("\r\n")) <= set(whole.split("\r\n"))


def test_an_override_moved_out_of_the_window_still_says_that_its_instance_is_gone(studio: Studio) -> None:
    text = event("s", "RRULE:FREQ=WEEKLY")
    override = event("s", "RECURRENCE-ID;TZID=Europe/Berlin:20260617T100000", start="20261224T120000")
    part = override[override.index("BEGIN:VEVENT") : override.index("END:VCALENDAR")]
    studio.anna.put(BOOKINGS + "s.ics", text.replace("END:VCALENDAR", part + "END:VCALENDAR"))

    assert "20261224" in data(studio, f"<C:limit-recurrence-set {JUNE}/>")


def test_only_the_properties_and_components_that_were_asked_for(studio: Studio) -> None:
    alarm = ("BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT5M", "DESCRIPTION:Soon", "END:VALARM")
    studio.anna.put(BOOKINGS + "it.ics", event("it", "DESCRIPTION:Long", *alarm))

    text = data(
        studio,
        '<C:comp name="VCALENDAR"><C:prop name="VERSION"/><C:comp name="VEVENT"><C:prop name="UID"/>'
        '<C:prop name="SUMMARY"/><C:prop name="DESCRIPTION" novalue="yes"/></C:comp></C:comp>',
    )

    assert text == (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:it\r\nSUMMARY:Portraits\r\nDESCRIPTION:\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    everything = '<C:comp name="VCALENDAR"><C:allprop/><C:allcomp/></C:comp>'
    assert data(studio, everything) == event("it", "DESCRIPTION:Long", *alarm)


def test_instances_can_be_thinned_too(studio: Studio) -> None:
    weekly(studio)
    text = data(
        studio,
        f'<C:expand {JUNE}/><C:comp name="VCALENDAR">'
        '<C:comp name="VEVENT"><C:prop name="DTSTART"/></C:comp></C:comp>',
    )
    assert [line for line in text.split("\r\n") if line.startswith("DTSTART")] == [
        "DTSTART:20260610T080000Z",
        "DTSTART:20260618T100000Z",
        "DTSTART:20260624T080000Z",
    ]
    assert "SUMMARY" not in text


@pytest.mark.parametrize("kind", ['content-type="application/calendar+json"', 'version="1.0"'])
def test_forms_of_the_data_that_we_do_not_have_are_refused(studio: Studio, kind: str) -> None:
    answer = studio.anna.query(BOOKINGS, "", f"<C:calendar-data {kind}/>")
    assert (answer.status, answer.precondition) == (403, "supported-calendar-data")


@pytest.mark.parametrize("text", ["no calendar", event("odd").replace("START;", "START;VALUE=PERIOD;")])
def test_an_object_that_cannot_be_read_is_shown_as_it_is(text: str) -> None:
    assert View(None, (0, 10**9)).shown(text, ZoneInfo("UTC")) == text
