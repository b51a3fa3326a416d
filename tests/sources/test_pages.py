"""Picsello's own booking events are read as they are, and shown beside what other calendars say."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from argon2 import PasswordHasher

from bridge.errors import NotFound
from bridge.service import people, picsello_pages
from bridge.store import accounts, calendars, links, objects
from bridge.store import people as people_rows
from bridge.store.people import UserRow
from bridge.web import make_app
from tests.booking.conftest import ics
from tests.sources.conftest import ANNA, Desk
from tests.web.browser import Browser

DAY = datetime.now(UTC).date() + timedelta(days=40)
#: What Picsello makes of 45 minutes and a gap of 15 in these blocks (its own vectors).
STARTS = ["09:00", "10:00", "11:00", "12:00", "15:00", "16:00"]
BLOCKS = [("09:00:00", "13:00:00", {}), ("15:00:00", "17:00:00", {"is_hidden": True})]


def made(desk: Desk) -> int:
    """“Minis” on one day: the same in either generation; ten o'clock is booked, eleven a break."""
    p = desk.picsello
    event = p.booking_event(desk.organization)
    p.set("booking_events", event, duration_minutes=45, buffer_minutes=15, location="studio")
    blocks = [{"start_time": a, "end_time": b, **how} for a, b, how in BLOCKS]
    if p.generation == 1:
        blocks.append({"start_time": "11:00:00", "end_time": "11:30:00", "is_break": True})
        p.set("booking_events", event, dates=json.dumps([{"date": DAY.isoformat(), "time_blocks": blocks}]))
        return event
    p.set("booking_events", event, organization_id=desk.organization, package_template_id=None)
    status = {"10:00": "booked", "11:00": "break", "15:00": "hidden", "16:00": "hidden"}
    slots = [
        {"slot_start": f"{at}:00", "slot_end": f"{at[:2]}:45:00", "status": status.get(at, "open")}
        for at in STARTS
    ]
    p.day(event, DAY, slots)
    return event


def anna(desk: Desk) -> UserRow:
    with desk.bridge.db.reading() as tx:
        return people_rows.user_by_email(tx, ANNA)


def test_booking_events_of_either_generation_are_read_as_they_are(desk: Desk) -> None:
    made(desk)
    desk.picsello.booking_event(desk.picsello.studio("eve@other.example"))  # of another studio
    with pytest.raises(NotFound):
        picsello_pages.pages(desk.bridge, anna(desk))
    desk.choose()
    (page,) = picsello_pages.pages(desk.bridge, anna(desk))
    assert (page.name, page.minutes, page.status) == ("Minis", 45, "active")
    (day,) = page.days
    assert day.day == DAY and [f"{slot.starts:%H:%M}" for slot in day.slots] == STARTS
    status = {f"{slot.starts:%H:%M}": slot.status for slot in day.slots}
    assert status["11:00"] == "break" and status["15:00"] == "hidden" and status["12:00"] == "open"
    assert all(slot.ends.minute == 45 for slot in day.slots)


def test_an_open_slot_that_another_calendar_takes_is_said(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = made(desk)
    desk.choose()
    user, now = anna(desk), desk.bridge.clock.now()
    with desk.bridge.db.writing() as tx:
        account = accounts.create(tx, user.id, "icloud", label="iCloud", now=now)
        link = links.create(tx, account, "/family/", name="Family", color=None, writable=True, now=now)
        mirror = calendars.create(tx, user.id, "family", kind="mirror", title="Family", now=now)
        links.set_(tx, link, reads=True, released=True, state="healthy", agreed_at=now, mirror_id=mirror)
        zone = "TZID=America/New_York"
        text = ics("dentist", f"DTSTART;{zone}:{DAY:%Y%m%d}T123000", "DURATION:PT10M", "SUMMARY:Dentist")
        objects.put(tx, mirror, "dentist.ics", text, actor="test", now=now)
    (page,) = picsello_pages.pages(desk.bridge, user)
    lines = picsello_pages.lines(desk.bridge, user, page.days[0])
    assert [len(line.against) for line in lines] == [0, 0, 0, 1, 0, 0]
    assert lines[3].against[0].title == "Dentist"

    hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(people, "_hasher", lambda: hasher)
    people.set_user(desk.bridge, ANNA, password="a good password")
    browser = Browser(make_app(desk.bridge)).sign_in(ANNA).open("/booking-pages")
    assert "New booking page" not in browser.text
    browser.follow("See Picsello's own booking events").follow("Minis")
    assert browser.text.count("Open there, not free here") == 1 and "“Dentist” in Family" in browser.text
    assert browser.open(f"/booking-pages/picsello/{number + 77}").response.status_code == 404


def test_a_role_that_may_not_see_them_is_told_so_and_nothing_breaks(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(desk)
    desk.choose()
    desk.picsello.connection.execute("ALTER TABLE booking_events RENAME TO elsewhere")
    hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(people, "_hasher", lambda: hasher)
    people.set_user(desk.bridge, ANNA, password="a good password")
    page = Browser(make_app(desk.bridge)).sign_in(ANNA).open("/booking-pages/picsello")
    assert page.response.status_code == 200 and page.document.xpath("//*[@role='alert']")


def test_past_days_are_left_out(desk: Desk) -> None:
    made(desk)
    desk.choose()
    (page,) = picsello_pages.pages(desk.bridge, anna(desk))
    assert picsello_pages.coming(page, date(2200, 1, 1)) == []
    assert len(picsello_pages.coming(page, DAY)) == 1
