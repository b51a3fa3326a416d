"""A drag in a calendar moves the shoot in Picsello, by its rules; what they refuse goes back with a note."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import pytest

from bridge.ical import build
from bridge.ical.added import note
from bridge.ical.text import parse
from bridge.store import notices
from bridge.store import people as people_rows
from tests.sources.conftest import ANNA, SECOND, Desk, uid
from tests.sources.test_reading import line

START = datetime(2027, 5, 1, 14)


@pytest.fixture
def shoot(desk: Desk) -> int:
    """A paid job's shoot at 10:00 in New York, served here."""
    made = desk.picsello.shoot(desk.picsello.job(desk.organization, paid=True), START, notes="Bring a veil")
    desk.choose(contact=True)
    desk.sync()
    return made


def replaced(text: str, **lines: str) -> str:
    """The text with other values of the event's properties."""
    head, sign, event = text.partition("BEGIN:VEVENT")
    for name, value in lines.items():
        old = next(one for one in parse(text).components("VEVENT") for _ in [0]).first(name)
        assert old is not None, name
        raw = old.with_value(value).raw
        event = event.replace(old.raw, raw)
    return head + sign + event


def change(desk: Desk, shoot: int, **lines: str) -> Mapping[str, Any]:
    """Edit in the calendar, sync, and look into Picsello."""
    desk.edit(shoot, replaced(desk.booking(shoot).text, **lines))
    report = desk.sync()
    assert (report.errors, report.held) == ([], [])
    assert desk.sync().pushed == 0  # nothing goes round in circles
    return desk.picsello.row("shoots", shoot)


def told(desk: Desk) -> list[str]:
    with desk.bridge.db.reading() as tx:
        user = people_rows.user_by_email(tx, ANNA)
        return [one.message for one in notices.standing(tx, user.id) if one.kind == "source-note"]


def test_a_move_reaches_the_row_in_utc(desk: Desk, shoot: int) -> None:
    before = desk.picsello.row("shoots", shoot)
    row = change(desk, shoot, DTSTART="20270502T110000", DTEND="20270502T120000")
    assert row["starts_at"] == datetime(2027, 5, 2, 15)
    assert row["updated_at"] > before["updated_at"]
    same = ("duration_minutes", "name", "location", "address", "notes", "external_event_id")
    assert {key: row[key] for key in same} == {key: before[key] for key in same}
    assert line(desk.booking(shoot).text, "DTSTART") == "20270502T110000"
    assert note(desk.booking(shoot).text) is None


def test_a_drag_into_the_hour_that_the_clocks_skip_means_the_hour_after(desk: Desk, shoot: int) -> None:
    """There is no 2:30 in New York on 14 March 2027; RFC 5545 3.3.5 reads it by the offset before the gap."""
    row = change(desk, shoot, DTSTART="20270314T023000", DTEND="20270314T043000")
    assert row["starts_at"] == datetime(2027, 3, 14, 7, 30)
    assert row["duration_minutes"] == 60
    text = desk.booking(shoot).text
    assert (line(text, "DTSTART"), line(text, "DTEND")) == ("20270314T033000", "20270314T043000")


def test_an_hour_that_the_clocks_pass_twice_means_the_first_time(desk: Desk, shoot: int) -> None:
    row = change(desk, shoot, DTSTART="20271107T013000", DTEND="20271107T023000")
    assert row["starts_at"] == datetime(2027, 11, 7, 5, 30)
    assert row["duration_minutes"] == 120  # by the clock one hour, by the sun two


def test_a_resize_is_rounded_up_and_the_booking_says_so(desk: Desk, shoot: int) -> None:
    row = change(desk, shoot, DTEND="20270501T111500")
    assert row["duration_minutes"] == 90
    text = desk.booking(shoot).text
    assert line(text, "DTEND") == "20270501T113000"
    assert "75 minutes" in (note(text) or "")
    assert line(text, "DESCRIPTION").startswith("Bring a veil\\n")
    assert row["notes"] == "Bring a veil"
    assert any("75 minutes" in message for message in told(desk))
    # the next edit takes the note away, and none of it ever reaches Picsello
    row = change(desk, shoot, DTEND="20270501T110000")
    assert (row["duration_minutes"], row["notes"]) == (60, "Bring a veil")
    assert note(desk.booking(shoot).text) is None


def test_only_the_shoots_name_is_written_of_a_title(desk: Desk, shoot: int) -> None:
    row = change(desk, shoot, SUMMARY="Mary Jane Wedding - Engagement at dawn")
    assert row["name"] == "Engagement at dawn"
    row = change(desk, shoot, SUMMARY="John Wedding - Engagement at dawn")
    assert row["name"] == "Engagement at dawn"
    assert desk.facts(shoot).summary == "Mary Jane Wedding - Engagement at dawn"
    assert "rename it on the job" in (note(desk.booking(shoot).text) or "")
    row = change(desk, shoot, SUMMARY="Rehearsal")
    assert row["name"] == "Rehearsal"
    assert desk.facts(shoot).summary == "Mary Jane Wedding - Rehearsal"


def test_place_and_notes_travel_without_what_we_added(desk: Desk, shoot: int) -> None:
    text = desk.booking(shoot).text
    said = line(text, "DESCRIPTION")
    assert said == "Bring a veil\\n\\nClient: Mary Jane\\nPhone: 555-0100"
    row = change(
        desk, shoot, LOCATION="Town hall\\, room 2", DESCRIPTION=said.replace("veil", "hat") + "\\nand water"
    )
    assert row["address"] == "Town hall, room 2"
    assert row["notes"] == "Bring a hat\n\nand water"
    assert row["location"] == "on_location"
    row = change(desk, shoot, LOCATION="On Location")
    assert row["address"] is None


def test_all_day_and_series_go_back_with_a_note(desk: Desk, shoot: int) -> None:
    before = desk.booking(shoot).text
    for lines in ("DTSTART;VALUE=DATE:20270503\r\nDTEND;VALUE=DATE:20270504\r\n", None):
        text = desk.booking(shoot).text
        start, end = (next(parse(text).components("VEVENT")).first(name) for name in ("DTSTART", "DTEND"))
        assert start and end
        if lines:
            desk.edit(shoot, text.replace(start.raw, lines).replace(end.raw, ""))
        else:
            desk.edit(shoot, text.replace(end.raw, end.raw + "RRULE:FREQ=DAILY;COUNT=3\r\n"))
        desk.sync()
        row, text = desk.picsello.row("shoots", shoot), desk.booking(shoot).text
        assert (row["starts_at"], row["duration_minutes"]) == (START, 60)
        assert line(text, "DTSTART") == line(before, "DTSTART")
        assert "RRULE" not in text.partition("BEGIN:VEVENT")[2]
        assert "stays as it was" in (note(text) or "")


def test_both_at_once_merge_by_field_group(desk: Desk, shoot: int) -> None:
    desk.picsello.set("shoots", shoot, notes="Changed there")
    desk.edit(shoot, replaced(desk.booking(shoot).text, DTSTART="20270501T120000", DTEND="20270501T130000"))
    desk.sync()
    row = desk.picsello.row("shoots", shoot)
    assert (row["starts_at"], row["notes"]) == (datetime(2027, 5, 1, 16), "Changed there")
    assert line(desk.booking(shoot).text, "DTSTART") == "20270501T120000"
    assert line(desk.booking(shoot).text, "DESCRIPTION").startswith("Changed there")


def test_the_same_field_on_both_sides_is_a_conflict_and_ours_holds(desk: Desk, shoot: int) -> None:
    desk.picsello.set("shoots", shoot, starts_at=datetime(2027, 5, 3, 14))
    desk.edit(shoot, replaced(desk.booking(shoot).text, DTSTART="20270501T120000", DTEND="20270501T130000"))
    report = desk.sync()
    assert report.conflicts == 1
    assert desk.picsello.row("shoots", shoot)["starts_at"] == datetime(2027, 5, 1, 16)


def test_cancelling_archives_the_job_and_silences_it(desk: Desk, shoot: int) -> None:
    stored = desk.booking(shoot)
    desk.edit(shoot, build.with_status(stored.text, "CANCELLED", desk.bridge.clock.now()))
    desk.sync()
    row = desk.picsello.row("shoots", shoot)
    job = desk.picsello.row("jobs", row["job_id"])
    assert job["archived_at"] is not None
    assert row["reminded_at"] is not None
    # taken back in Picsello, it is back here
    desk.picsello.set("jobs", row["job_id"], archived_at=None)
    desk.sync()
    assert line(desk.bookings()[uid(shoot)].text, "STATUS") == "CONFIRMED"


def test_a_leads_plan_moves_with_its_shoot_and_a_jobs_does_not(desk: Desk) -> None:
    p = desk.picsello
    lead, job = p.job(desk.organization), p.job(desk.organization, paid=True)
    plans: dict[int, list[int]] = {}
    for owner in (lead, job):
        package = p.row("jobs", owner)["package_id"]
        plans[owner] = []
        for description, values in {
            "To Book": {"due_interval": "To Book"},
            "Half": {"shoot_interval": "Before 1st Shoot"},
            "Rest": {"shoot_interval": "Before Last Shoot"},
            "Fixed": {"due_at": date(2027, 4, 1)},
        }.items():
            due = datetime(2027, 4, 1)
            p.insert(
                "package_payment_schedules",
                interval=True,
                description=description,
                schedule_date=due,
                package_id=package,
                **values,
            )
            plans[owner].append(p.invoice(owner, description, due))
    first, last = p.shoot(lead, START), p.shoot(lead, datetime(2027, 5, 8, 14))
    other = p.shoot(job, START)
    desk.choose()
    desk.sync()
    for moved in (first, other):
        change(desk, moved, DTSTART="20270503T113000", DTEND="20270503T123000")
    dues = [p.row("payment_schedules", one)["due_at"] for one in plans[lead]]
    assert dues[1:] == [datetime(2027, 4, 3, 1, 30), datetime(2027, 4, 1), datetime(2027, 4, 1)]
    assert dues[0] > datetime(2026, 1, 1) and dues[0] != datetime(2027, 4, 1)
    assert all(p.row("payment_schedules", one)["due_at"] == datetime(2027, 4, 1) for one in plans[job])
    assert "invoices keep their dates" in (note(desk.booking(other).text) or "")
    change(desk, last, DTSTART="20270509T100000", DTEND="20270509T110000")
    assert p.row("payment_schedules", plans[lead][2])["due_at"] == datetime(2027, 4, 2)


@SECOND
def test_a_slot_moves_with_its_shoot_or_the_shoot_stays(desk: Desk) -> None:
    p = desk.picsello
    event = p.booking_event(desk.organization)
    job = p.job(desk.organization, paid=True, event=event)
    shoot = p.shoot(job, START, 30)
    slots = [
        {"slot_start": f"{hour}:00:00", "slot_end": f"{hour}:30:00", "status": "open"}
        for hour in (10, 11, 12)
    ]
    slots[0] |= {"status": "booked", "client_id": 7, "job_id": job}
    slots[2] |= {"status": "hidden"}
    day = p.day(event, date(2027, 5, 1), slots)
    desk.choose()
    desk.sync()
    row = change(desk, shoot, DTSTART="20270501T110000", DTEND="20270501T113000")
    assert row["starts_at"] == datetime(2027, 5, 1, 15)
    kept = p.row("booking_event_dates", day)["slots"]
    assert [(slot["status"], slot.get("job_id")) for slot in kept] == [
        ("open", None),
        ("booked", job),
        ("hidden", None),
    ]
    row = change(desk, shoot, DTSTART="20270501T120000", DTEND="20270501T123000")
    assert row["starts_at"] == datetime(2027, 5, 1, 15)
    assert "no slot is open" in (note(desk.booking(shoot).text) or "")
    assert line(desk.booking(shoot).text, "DTSTART") == "20270501T110000"
    stored = desk.booking(shoot)
    desk.edit(shoot, build.with_status(stored.text, "CANCELLED", desk.bridge.clock.now()))
    desk.sync()
    assert [slot["status"] for slot in p.row("booking_event_dates", day)["slots"]] == [
        "open",
        "open",
        "hidden",
    ]


def held_slot(desk: Desk) -> tuple[int, int, list[int]]:
    """A client's unpaid booking on the first of two days: its shoot, the waiting expiry, and the days."""
    p = desk.picsello
    event = p.booking_event(desk.organization)
    job = p.job(desk.organization, event=event)
    shoot = p.shoot(job, START, 30)
    slots = [{"slot_start": "10:00:00", "slot_end": "10:30:00", "status": "open"} for _ in range(2)]
    slots[1] |= {"slot_start": "11:00:00", "slot_end": "11:30:00"}
    days = [
        p.day(event, date(2027, 5, 1), [slots[0] | {"status": "booked", "client_id": 7, "job_id": job}]),
        p.day(event, date(2027, 5, 2), slots),
    ]
    expiry = p.waiting("ExpireBooking", id=job, booking_date_id=days[0], slot_index=0)
    return shoot, expiry, days


@SECOND
def test_a_reservation_that_moves_takes_its_end_along(desk: Desk) -> None:
    shoot, expiry, days = held_slot(desk)
    job = desk.picsello.row("shoots", shoot)["job_id"]
    desk.choose(holds=True)
    desk.sync()
    change(desk, shoot, DTSTART="20270502T110000", DTEND="20270502T113000")
    assert [
        slot["status"] for day in days for slot in desk.picsello.row("booking_event_dates", day)["slots"]
    ] == [
        "open",
        "open",
        "booked",
    ]
    args = desk.picsello.row("oban_jobs", expiry)["args"]
    assert args == {"id": job, "booking_date_id": days[1], "slot_index": 1}


def test_a_read_only_source_gives_the_edit_back_and_a_suggested_one_stays_until_it_agrees(desk: Desk) -> None:
    shoot = desk.picsello.shoot(desk.picsello.job(desk.organization, paid=True), START)
    desk.choose(mode="read")
    desk.sync()
    moved = {"DTSTART": "20270501T120000", "DTEND": "20270501T130000"}
    row = change(desk, shoot, **moved)
    assert row["starts_at"] == START
    assert line(desk.booking(shoot).text, "DTSTART") == "20270501T100000"
    desk.choose(mode="suggest")
    desk.sync()
    row = change(desk, shoot, **moved)
    assert row["starts_at"] == START
    assert line(desk.booking(shoot).text, "DTSTART") == "20270501T120000"
    assert "Change it there too" in (note(desk.booking(shoot).text) or "")
    assert told(desk)
    desk.picsello.set("shoots", shoot, starts_at=datetime(2027, 5, 1, 16))
    desk.sync()
    assert note(desk.booking(shoot).text) is None
    assert line(desk.booking(shoot).text, "DTSTART") == "20270501T120000"
    assert told(desk) == []
