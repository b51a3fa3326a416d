"""What is on Picsello's calendar is on ours, and follows; on real PostgreSQL, in both generations."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bridge.ical.occurrences import enclosing
from tests.sources.conftest import Desk, uid
from tests.sources.picsello import tricky


def line(text: str, name: str) -> str:
    """The value of a property of the event, unfolded."""
    event = text.replace("\r\n ", "").partition("BEGIN:VEVENT")[2]
    found = re.search(rf"(?m)^{name}[^:\r\n]*:(.*?)\r?$", event)
    return found[1] if found else ""


def test_exactly_the_calendar_set_is_served_once(desk: Desk) -> None:
    made, off = tricky(desk.picsello, desk.organization)
    other = desk.picsello.studio("berta@studio.example")
    desk.picsello.shoot(desk.picsello.job(other, paid=True), datetime(2027, 5, 1, 9))
    desk.choose()
    report = desk.sync()
    assert (report.errors, report.held) == ([], [])
    expected = {uid(shoot) for name, shoot in made.items() if name not in off}
    assert set(desk.bookings()) == expected
    assert report.pulled == len(expected)
    for name, shoot in made.items():
        if name not in off:
            row = desk.picsello.row("shoots", shoot)
            starts, ends, recurring = enclosing(desk.booking(shoot).text, ZoneInfo("UTC"))
            begin = row["starts_at"].replace(tzinfo=UTC).timestamp()
            assert (starts, ends, recurring) == (
                begin,
                begin + 60 * (row["duration_minutes"] or 15),
                False,
            ), name


def test_a_pass_that_finds_nothing_new_costs_one_query(desk: Desk) -> None:
    tricky(desk.picsello, desk.organization)
    desk.choose()
    desk.sync()
    report = desk.sync()
    assert report.requests == 1
    assert (report.pulled, report.pushed, report.deleted) == (0, 0, 0)


def test_leads_are_tentative_jobs_confirmed_and_private_notes_stay_private(desk: Desk) -> None:
    lead = desk.picsello.shoot(
        desk.picsello.job(desk.organization), datetime(2027, 5, 1, 14), notes="Bring; a, veil"
    )
    job = desk.picsello.job(desk.organization, paid=True, type_="mini", job_name="Jane, 30")
    paid = desk.picsello.shoot(job, datetime(2027, 5, 1, 14), address=None)
    desk.choose()
    desk.sync()
    text = desk.booking(lead).text
    assert line(text, "STATUS") == "TENTATIVE"
    assert line(text, "SUMMARY") == "Mary Jane Wedding - Engagement"
    assert line(text, "DESCRIPTION") == "Bring\\; a\\, veil"
    assert line(text, "LOCATION") == "1 Main St"
    assert line(text, "DTSTART") == "20270501T100000"
    assert "TZID:America/New_York" in text
    assert line(text, "URL").endswith(f"/leads/{desk.picsello.row('shoots', lead)['job_id']}")
    text = desk.booking(paid).text
    assert line(text, "STATUS") == "CONFIRMED"
    assert line(text, "SUMMARY") == "Jane\\, 30 - Engagement"
    assert line(text, "LOCATION") == "On Location"
    assert line(text, "CATEGORIES") == "Mini-session"
    assert line(text, "URL").endswith(f"/jobs/{job}")
    assert not any("divorce" in row.text for row in desk.bookings().values())
    assert "555-0100" not in text


def test_choices_initials_contact_and_no_leads(desk: Desk) -> None:
    lead = desk.picsello.shoot(desk.picsello.job(desk.organization), datetime(2027, 5, 1, 14))
    paid = desk.picsello.shoot(desk.picsello.job(desk.organization, paid=True), datetime(2027, 5, 1, 14))
    desk.choose(titles="initials", contact=True, leads=False)
    desk.sync()
    assert set(desk.bookings()) == {uid(paid)}
    assert desk.facts(paid).summary == "M. J. Wedding - Engagement"
    assert line(desk.booking(paid).text, "DESCRIPTION") == "Client: Mary Jane\\nPhone: 555-0100"
    desk.choose(leads=True)
    desk.sync()
    assert set(desk.bookings()) == {uid(lead), uid(paid)}
    assert desk.facts(paid).summary == "Mary Jane Wedding - Engagement"


def test_archived_leaves_completed_stays_unarchived_returns(desk: Desk) -> None:
    jobs = [desk.picsello.job(desk.organization, paid=True) for _ in range(3)]
    shoots = [desk.picsello.shoot(job, datetime(2027, 5, 1, 14)) for job in jobs]
    desk.choose()
    desk.sync()
    desk.picsello.set("jobs", jobs[0], archived_at=desk.picsello.now)
    desk.picsello.set("jobs", jobs[1], completed_at=desk.picsello.now)
    desk.sync()
    assert set(desk.bookings()) == {uid(shoots[1]), uid(shoots[2])}
    desk.picsello.set("jobs", jobs[0], archived_at=None)
    desk.sync()
    assert set(desk.bookings()) == {uid(shoot) for shoot in shoots}
    assert line(desk.booking(shoots[0]).text, "STATUS") == "CONFIRMED"


def test_what_no_timestamp_tells_follows_too(desk: Desk) -> None:
    """Bulk updates leave updated_at alone; names and payments live in other tables."""
    job = desk.picsello.job(desk.organization)
    shoot = desk.picsello.shoot(job, datetime(2027, 5, 1, 14))
    invoice = desk.picsello.invoice(job, "Deposit", desk.picsello.now)
    client = desk.picsello.row("jobs", job)["client_id"]
    desk.choose()
    desk.sync()
    before = desk.facts(shoot)
    desk.picsello.set("payment_schedules", invoice, stamped=False, is_with_cash=True)
    desk.sync()
    after = desk.facts(shoot)
    assert (before.status, after.status) == ("TENTATIVE", "CONFIRMED")
    assert after.sequence > before.sequence
    desk.picsello.set("clients", client, stamped=False, name="Mary Smith")
    desk.sync()
    assert desk.facts(shoot).summary == "Mary Smith Wedding - Engagement"


def test_one_changed_shoot_costs_reading_its_part_alone(desk: Desk) -> None:
    job = desk.picsello.job(desk.organization, paid=True)
    shoots = [desk.picsello.shoot(job, datetime(2027, 5, 1, 14) + timedelta(days=n)) for n in range(80)]
    desk.choose()
    desk.sync()
    desk.picsello.set("shoots", shoots[5], notes="New")
    report = desk.sync()
    assert report.pulled == 1
    assert report.requests <= 4
    assert line(desk.booking(shoots[5]).text, "DESCRIPTION") == "New"


def test_the_studio_moves_to_another_zone_and_every_booking_follows(desk: Desk) -> None:
    shoot = desk.picsello.shoot(desk.picsello.job(desk.organization, paid=True), datetime(2027, 5, 1, 14))
    desk.choose()
    desk.sync()
    desk.picsello.connection.execute("UPDATE users SET time_zone = 'Asia/Kolkata'")
    desk.sync()
    assert line(desk.booking(shoot).text, "DTSTART") == "20270501T193000"
    assert "TZID:Asia/Kolkata" in desk.booking(shoot).text


def test_the_same_rows_give_the_same_bytes_and_a_new_listing_changes_nothing(desk: Desk) -> None:
    tricky(desk.picsello, desk.organization)
    desk.choose()
    desk.sync()
    before = {key: row.text for key, row in desk.bookings().items()}
    desk.choose()  # the same source again: another account, the same link
    report = desk.sync()
    assert report.pulled == 0
    assert {key: row.text for key, row in desk.bookings().items()} == before


def test_many_that_leave_at_once_wait_for_a_word(desk: Desk) -> None:
    jobs = [desk.picsello.job(desk.organization, paid=True) for _ in range(12)]
    for job in jobs:
        desk.picsello.shoot(job, datetime(2027, 5, 1, 14))
    desk.choose()
    desk.sync()
    for job in jobs[:9]:
        desk.picsello.set("jobs", job, archived_at=desk.picsello.now)
    report = desk.sync()
    assert report.held
    assert len(desk.bookings()) == 12
    desk.sync(confirm=True)
    assert len(desk.bookings()) == 3


def test_holds_are_shown_by_choice_and_vanish_when_they_expire(desk: Desk) -> None:
    event = desk.picsello.booking_event(desk.organization)
    job = desk.picsello.job(desk.organization, event=event)
    hold = desk.picsello.shoot(job, datetime(2027, 5, 1, 14))
    desk.choose(holds=True)
    desk.sync()
    assert desk.facts(hold).status == "TENTATIVE"
    desk.picsello.set("jobs", job, archived_at=desk.picsello.now)
    desk.sync()
    assert desk.bookings() == {}
