"""M1: an event from outside over a sold session is said, and neither of the two is touched."""

from __future__ import annotations

from bridge.service import clashes, client_booking, client_sessions
from bridge.store import links, notices, objects
from bridge.worker import Worker
from tests.booking.conftest import Studio, at, ics


def look(studio: Studio) -> list[str]:
    """What stands on the photographer's page after a pass."""
    with studio.bridge.db.reading() as tx:
        (link,) = links.of_user(tx, studio.anna.id)
    clashes.look(studio.bridge, link.id)
    with studio.bridge.db.reading() as tx:
        return [row.message for row in notices.standing(tx, studio.anna.id)]


def test_a_private_event_over_a_booking_is_said_until_they_no_longer_meet(studio: Studio) -> None:
    mirror = studio.mirror()
    session = studio.book(studio.event(), "10:00")
    assert look(studio) == []
    dentist = ("DTSTART:20261205T093000Z", "DURATION:PT1H", "SUMMARY:Dentist")
    studio.put(ics("dentist", *dentist), calendar=mirror)
    (message,) = look(studio)
    for words in ("Dentist", "Family", "Mary Jane: Spring minis", "5 December 2026 at 10:00"):
        assert words in message
    with studio.bridge.db.reading() as tx:
        assert client_sessions.find(tx, session.row.id).starts == at("10:00")  # never moved
    with studio.bridge.db.writing() as tx:
        (row,) = notices.standing(tx, studio.anna.id)
        notices.dismiss(tx, studio.anna.id, row.id, studio.clock.now())
    assert look(studio) == []  # once put away, it is not said again
    (text,) = studio.texts()
    assert text.replace("\r\n ", "").count("⚠ Double-booked") == 1 and "Dentist" not in text
    assert "DTSTART;TZID=Europe/Berlin:20261205T100000" in text
    with studio.bridge.db.writing() as tx:
        objects.delete(tx, mirror, "dentist.ics", actor="test", now=studio.clock.now())
    studio.put(ics("other", *dentist), calendar=mirror)
    client_booking.move(studio.bridge, session.row.id, at("12:00"))
    assert look(studio) == []
    (text,) = studio.texts()
    assert "Double-booked" not in text and "Client: Mary Jane" in text.replace("\r\n ", "")


def test_what_leaves_the_time_free_is_no_clash(studio: Studio) -> None:
    mirror = studio.mirror()
    studio.book(studio.event(), "10:00")
    free = ("DTSTART:20261205T093000Z", "DURATION:PT1H", "TRANSP:TRANSPARENT")
    studio.put(ics("free", *free), calendar=mirror)
    studio.put(ics("touches", "DTSTART:20261205T100000Z", "DURATION:PT1H"), calendar=mirror)
    assert look(studio) == []


def test_the_worker_releases_holds_whose_time_is_over(studio: Studio) -> None:
    studio.book(studio.event(hold=20))
    studio.clock.pass_(minutes=21)
    Worker(studio.bridge).tidy()
    assert studio.texts() == []
