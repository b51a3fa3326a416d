"""What closes a slot: bookings, holds, blocks and the linked calendars; never more, and never less."""

from __future__ import annotations

import pytest

from bridge.service import availability, openings
from bridge.slots.rules import Why
from bridge.store import links
from tests.booking.conftest import Studio, at, ics

TEN = ("DTSTART:20261205T090000Z", "DURATION:PT1H", "SUMMARY:Dentist")  # ten o'clock in Berlin


def reasons(studio: Studio, start: str, end: str) -> list[availability.Explained]:
    with studio.bridge.db.reading() as tx:
        found = availability.explain(tx, studio.bridge, studio.anna, at(start), at(end))
    assert found.free == (not found.reasons)
    return list(found.reasons)


def test_a_block_closes_its_time_and_the_owner_sees_which(studio: Studio) -> None:
    studio.put(ics("dentist", *TEN))
    assert studio.free(studio.event()) == ["09:00", "11:00", "12:00"]
    (reason,) = reasons(studio, "10:30", "10:40")
    assert (reason.why, reason.uid, reason.title) == (Why.BUSY.value, "dentist", "Dentist")
    assert reasons(studio, "11:00", "12:00") == []


@pytest.mark.parametrize(
    ("lines", "closed"),
    [
        (["DTSTART:20261205T090000Z", "DURATION:PT1H"], ["10:00"]),  # no description, no title
        (["DTSTART;VALUE=DATE:20261205"], ["09:00", "10:00", "11:00", "12:00"]),
        (["DTSTART;VALUE=DATE:20261203", "DTEND;VALUE=DATE:20261207"], ["09:00", "10:00", "11:00", "12:00"]),
        (["DTSTART:20261107T090000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY"], ["10:00"]),
        (["DTSTART:20261204T200000Z", "DTEND:20261205T093000Z"], ["09:00", "10:00"]),  # past midnight
        ([*TEN, "TRANSP:TRANSPARENT"], []),
        ([*TEN, "STATUS:CANCELLED"], []),
        ([*TEN, "ATTENDEE;PARTSTAT=DECLINED:mailto:anna@me.example"], []),  # her address there
        ([*TEN, "ATTENDEE;PARTSTAT=DECLINED:mailto:Anna@Studio.example"], []),
        ([*TEN, "ATTENDEE;PARTSTAT=DECLINED:mailto:bert@studio.example"], ["10:00"]),
        ([*TEN, "STATUS:TENTATIVE"], ["10:00"]),
        (["DTSTART:20261205T090000Z", "DURATION:PT0S"], []),
        (
            ["DTSTART:20200101T000000Z", "DURATION:PT1M", "RRULE:FREQ=MINUTELY;INTERVAL=30"],
            ["09:00", "10:00", "11:00", "12:00"],
        ),
    ],
)
def test_d4_d33_events_of_a_linked_calendar_close_slots(
    studio: Studio, lines: list[str], closed: list[str]
) -> None:
    mirror = studio.mirror()
    studio.put(ics("private", *lines), calendar=mirror)
    every = ["09:00", "10:00", "11:00", "12:00"]
    assert studio.free(studio.event()) == [slot for slot in every if slot not in closed]


def test_tentative_events_of_others_close_slots_only_if_the_studio_wants(studio: Studio) -> None:
    mirror = studio.mirror()
    studio.put(ics("maybe", *TEN, "STATUS:TENTATIVE"), calendar=mirror)
    studio.put(ics("lead", "DTSTART:20261205T110000Z", "DURATION:PT1H", "STATUS:TENTATIVE"), kind="booking")
    with studio.bridge.db.writing() as tx:
        openings.set_opening(tx, studio.anna, tentative_blocks=False)
    assert studio.free(studio.event()) == ["09:00", "10:00", "11:00"]  # her own lead at noon still counts


def test_which_calendars_close_slots_is_chosen_apart_from_which_are_shown(studio: Studio) -> None:
    mirror = studio.mirror(blocks_slots=False)
    studio.put(ics("private", *TEN), calendar=mirror)
    assert len(studio.free(studio.event())) == 4


def test_a_calendar_not_read_lately_closes_everything_and_says_so(studio: Studio) -> None:
    studio.mirror("Family")
    event = studio.event()
    assert len(studio.free(event)) == 4
    studio.clock.pass_(minutes=16)
    assert studio.free(event) == []
    (reason,) = reasons(studio, "09:00", "10:00")
    assert (reason.why, reason.calendar) == (Why.UNREAD.value, "Family")
    with studio.bridge.db.writing() as tx:
        (link,) = links.of_user(tx, studio.anna.id)
        links.set_(tx, link.id, agreed_at=studio.clock.now())
    assert len(studio.free(event)) == 4


@pytest.mark.parametrize("how", [{"agreed_at": None}, {"state": "gone"}, {"mirror_id": None}])
def test_a_calendar_never_read_or_gone_closes_everything(studio: Studio, how: dict[str, object]) -> None:
    studio.mirror(**how)
    assert studio.free(studio.event()) == []


def test_years_ahead_series_still_close_slots(studio: Studio) -> None:
    studio.put(ics("weekly", "DTSTART:20261107T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY"))
    far = "2031-12-05"
    assert studio.free(studio.event(dates=[far]), far) == ["09:00", "11:00", "12:00"]


def test_opening_hours_and_days_off(studio: Studio) -> None:
    with studio.bridge.db.writing() as tx:
        openings.set_opening(tx, studio.anna, hours=["sat=10:00-12:00"], closed=["2026-12-12"])
    every_day = studio.event(dates=[], blocks=[])
    assert studio.free(every_day) == ["10:00", "11:00"]
    assert studio.free(every_day, "2026-12-06") == studio.free(every_day, "2026-12-12") == []
    assert [one.why for one in reasons(studio, "09:30", "10:30")] == ["not-offered"]
    assert studio.free(studio.event()) == ["09:00", "10:00", "11:00", "12:00"]  # it names its own times


def test_room_for_a_session_within_a_longer_time(studio: Studio) -> None:
    studio.put(ics("dentist", *TEN))
    with studio.bridge.db.reading() as tx:
        asked = (tx, studio.bridge, studio.anna, at("09:30"), at("12:00"))
        assert availability.explain(*asked, 3600).room == [(at("11:00"), at("12:00"))]
        assert availability.explain(*asked, 1800).room == [
            (at("09:30"), at("10:00")),
            (at("11:00"), at("12:00")),
        ]
        assert not availability.explain(*asked, 3601).free


def test_the_room_around_a_booked_session_is_kept_for_other_pages_too(studio: Studio) -> None:
    studio.book(studio.event("Newborn", after=60))
    assert studio.free(studio.event("Mini", length=30)) == ["11:00", "11:30", "12:00", "12:30"]
    assert studio.free(studio.event("Wedding", before=120)) == ["12:00"]
