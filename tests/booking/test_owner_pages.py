"""The photographer's own booking pages, as a browser without JavaScript uses them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from argon2 import PasswordHasher
from flask import Flask

from bridge.ical.text import parse
from bridge.service import light, people
from bridge.service.clients import Client
from bridge.store import booking_events as rows
from bridge.store import calendars, objects
from bridge.web import make_app
from tests.booking.conftest import DAY, Studio, at, ics
from tests.web.browser import Browser

OWN = "/booking-pages"
DAY_PAGE = f"{OWN}/1/days/{DAY}"


@pytest.fixture
def app(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> Flask:
    hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(people, "_hasher", lambda: hasher)
    people.set_user(studio.bridge, "anna@studio.example", password="a good password")
    return make_app(studio.bridge)


@pytest.fixture
def anna(app: Flask) -> Browser:
    return Browser(app).sign_in("anna@studio.example")


def make(anna: Browser, **fields: str) -> Browser:
    usual = {"title": "Spring minis", "date": DAY, "blocks": "09:00–13:00", "length": "60"}
    return anna.open(OWN).follow("New booking page").press("Make the booking page", **(usual | fields))


def test_a_page_is_made_shared_changed_and_put_away(anna: Browser, studio: Studio) -> None:
    assert "No booking page yet" in anna.open(OWN).text
    made = make(anna, gap="15", breaks="11:00-11:30", place="The old mill", hold="20")
    assert "/book/anna/spring-minis" in made.text and "Takes bookings" in made.text
    assert made.document.xpath("//div[@class='qr']/svg")
    code = anna.open(f"{OWN}/1/qr.svg").response
    assert code.mimetype == "image/svg+xml" and "script" not in code.text
    changed = anna.open(f"{OWN}/1/edit").press("Save", title="Summer minis", length="45")
    assert "Summer minis" in changed.text
    with studio.bridge.db.reading() as tx:
        event = rows.get(tx, 1)
    assert (event.title, event.length, event.gap, event.slug) == ("Summer minis", 2700, 900, "spring-minis")
    assert "offers nothing any more" in anna.press("Disable").text
    with studio.bridge.db.reading() as tx:
        assert studio.free(rows.get(tx, 1)) == []
    assert "takes bookings again" in anna.press("Enable").text
    assert studio.free(event) == ["09:00", "10:00", "12:00"]
    copy = anna.open(f"{OWN}/1").press("Duplicate")
    assert "This is the copy" in copy.text and copy.path.endswith("/2/edit")
    with studio.bridge.db.reading() as tx:
        twin = rows.get(tx, 2)
    assert (twin.slug, twin.status, twin.days) == ("summer-minis", "disabled", event.days)
    anna.open(f"{OWN}/1").press("Yes, archive it")
    assert Browser(anna.client.application).open("/book/anna/spring-minis").response.status_code == 404
    assert "Summer minis" in anna.open(f"{OWN}?show=archived").text


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"title": " "}, "Please give it a title"),
        ({"length": "an hour"}, "must be a number such as 30"),
        ({"blocks": "13:00-09:00"}, "ends before it begins"),
        ({"blocks": "09:00-09:30"}, "does not fit into the block"),
        ({"date": "tomorrow"}, "is no date"),
        ({"date": DAY, "blocks": ""}, "needs at least one block"),
        ({"latitude": "north", "longitude": "13"}, "are degrees"),
        ({"latitude": "91", "longitude": "13"}, "are degrees"),
        ({"sun": "sunset", "blocks": ""}, "needs its latitude and longitude"),
        ({"repeat": "week"}, "when it ends"),
        ({"repeat": "week", "times": "999999"}, "takes place 1 to 366"),
        ({"repeat": "week", "until": "2999-01-01"}, "Check the date"),
        ({"repeat": "week", "every": "0", "times": "3"}, "repeats every"),
        ({"hold": "999999"}, "A hold lasts"),
        ({"place_id": "77"}, "no such place"),
    ],
)
def test_what_cannot_be_is_said_and_what_was_typed_stays(
    anna: Browser, studio: Studio, fields: dict[str, str], says: str
) -> None:
    page = (
        make(anna, description="Bring a blanket", **fields)
        if "place_id" not in fields
        else anna.send(f"{OWN}/new", title="Minis", length="60", **fields)
    )
    assert page.response.status_code == 422 and says in page.text
    assert "place_id" in fields or "Bring a blanket" in page.response.text
    with studio.bridge.db.reading() as tx:
        assert rows.of_user(tx, studio.anna.id) == []


def test_dates_repeat_change_and_go(anna: Browser, studio: Studio) -> None:
    make(anna)
    more = {"date": "2026-12-12", "blocks": "10:00-12:00", "repeat": "week", "every": "2", "times": "3"}
    assert "26 December" in anna.press("Add", on=["sat", "sun"], **more).text
    with studio.bridge.db.reading() as tx:
        event = rows.get(tx, 1)
    assert sorted(event.days or ()) == [DAY, "2026-12-12", "2026-12-13", "2026-12-26"]
    anna.open(DAY_PAGE).press("Save the blocks", blocks="14:00-16:00", breaks="", hidden="15:00-16:00")
    with studio.bridge.db.reading() as tx:
        event = rows.get(tx, 1)
    assert studio.free(event) == ["14:00"]
    studio.book(event, "14:00")
    refused = anna.open(DAY_PAGE).press("Yes, remove it")
    assert refused.response.status_code == 422 and "Move or cancel them first" in refused.text
    anna.open(f"{OWN}/1/days/2026-12-12").press("Yes, remove it")
    with studio.bridge.db.reading() as tx:
        assert "2026-12-12" not in (rows.get(tx, 1).days or ())


def test_slots_are_hidden_opened_reserved_confirmed_moved_and_cancelled(
    anna: Browser, studio: Studio
) -> None:
    make(anna)
    with studio.bridge.db.reading() as tx:
        event = rows.get(tx, 1)
    assert anna.open(DAY_PAGE).press("Hide 09:00").text.count("Hidden") == 1
    with studio.bridge.db.reading() as tx:
        assert studio.free(rows.get(tx, 1)) == ["10:00", "11:00", "12:00"]
    anna.press("Offer it 09:00")
    assert studio.free(event)[0] == "09:00"

    anna.press("Reserve 10:00", name="Zoë Ruiz")
    assert "Reserved for Zoë Ruiz" in anna.text
    (text,) = studio.texts()
    assert "STATUS:TENTATIVE" in text and "Zoë Ruiz: Spring minis" in text
    studio.clock.pass_(days=5)  # a reservation has no end
    assert studio.free(event) == ["09:00", "11:00", "12:00"]
    anna.open(DAY_PAGE).press("Confirm Zoë Ruiz")
    assert "STATUS:CONFIRMED" in studio.texts()[0]

    anna.follow("Move Zoë Ruiz").press("Move it here", start=f"{DAY}T12:00:00+01:00")
    assert "has a new time" in anna.text and studio.free(event) == ["09:00", "10:00", "11:00"]
    anna.press("Yes, cancel it: Zoë Ruiz")
    assert studio.texts() == [] and len(studio.free(event)) == 4


def test_the_owner_is_bound_by_the_calendar_but_not_by_the_rules_for_clients(
    anna: Browser, studio: Studio
) -> None:
    make(anna, notice="8000", per_day="1")
    assert "too soon" in anna.open(DAY_PAGE).text
    studio.put(ics("dentist", "DTSTART:20261205T080000Z", "DURATION:PT1H", "SUMMARY:Dentist"))
    refused = anna.send(f"{OWN}/1/slots/{at('09:00')}/reserve", name="Zoë")
    assert refused.response.status_code == 422 and "has just been taken" in refused.text
    taken = anna.send(f"{OWN}/1/slots/{at('10:00')}/reserve", name="Zoë")
    assert taken.response.status_code == 303
    for moment, status in ((at("10:17"), 422), (0, 422), (2**62, 400)):
        off = anna.send(f"{OWN}/1/slots/{moment}/reserve", name="Zoë")
        assert off.response.status_code == status


def test_a_run_sheet_lists_who_comes_when(anna: Browser, studio: Studio) -> None:
    make(anna, latitude="52.52", longitude="13.405")
    with studio.bridge.db.reading() as tx:
        event = rows.get(tx, 1)
    studio.book(event, "11:00", Client("Ben", "ben@client.example", "+1 555 0101"))
    studio.book(event, "09:00")
    sheet = anna.open(DAY_PAGE).follow("Run sheet")
    lines = [row.text_content() for row in sheet.document.xpath("//tbody/tr")]
    assert ["Mary Jane" in lines[0], "Ben" in lines[1], len(lines)] == [True, True, 2]
    assert "+1 555 0101" in lines[1] and "still free: 10:00, 12:00" in sheet.text
    assert "sunset 15:53" in sheet.text


def test_nobody_sees_or_changes_the_booking_pages_of_another(
    anna: Browser, app: Flask, studio: Studio
) -> None:
    make(anna)
    with studio.bridge.db.reading() as tx:
        event = rows.get(tx, 1)
    studio.book(event)
    people.add_user(studio.bridge, "eve@other.example", password="a good password")
    eve = Browser(app).sign_in("eve@other.example")
    for path in ("", "/edit", "/qr.svg", f"/days/{DAY}", f"/days/{DAY}/sheet", "/sessions/1/move"):
        assert eve.open(f"{OWN}/1{path}").response.status_code == 404
    for path in (
        *("/edit", "/status", "/duplicate", "/dates", f"/days/{DAY}", f"/days/{DAY}/remove"),
        *(f"/slots/{at('10:00')}/hide", f"/slots/{at('10:00')}/reserve"),
        *("/sessions/1/cancel", "/sessions/1/confirm", "/sessions/1/move"),
    ):
        typed = {"status": "archived", "name": "Eve", "title": "Mine", "length": "60"}
        assert eve.send(f"{OWN}/1{path}", **typed).response.status_code == 404, path
        assert anna.send(f"{OWN}/1{path}", with_token=False, **typed).response.status_code == 400, path
    make(eve, title="Theirs")
    assert eve.send(f"{OWN}/2/sessions/1/cancel").response.status_code == 404  # of another page
    assert studio.free(event) == ["10:00", "11:00", "12:00"]


def test_script_in_every_field_is_text_on_every_page(anna: Browser, studio: Studio) -> None:
    evil = "<script>alert(1)</script>"
    make(anna, title=evil, place=evil, address=evil, description=evil, job_type=evil)
    with studio.bridge.db.reading() as tx:
        event = rows.get(tx, 1)
    anna.send(f"{OWN}/1/slots/{at('10:00')}/reserve", name=evil)
    anna.open(f"{OWN}/places").press("Add the place", name=evil, address=evil)
    public = f"/book/anna/{event.slug}"
    for path in (
        *(OWN, f"{OWN}/1", f"{OWN}/1/edit", DAY_PAGE, f"{DAY_PAGE}/sheet", f"{OWN}/1/sessions/1/move"),
        *(f"{OWN}/places", public, "/book/anna", f"/calendar/why?from={DAY}T10:00&to={DAY}T11:00"),
    ):
        page = anna.open(path)
        assert page.response.status_code == 200, path
        assert evil not in page.response.text and "&lt;script&gt;" in page.response.text, path


def test_opening_hours_days_off_and_room_are_set_on_their_page(anna: Browser, studio: Studio) -> None:
    anna.open(f"{OWN}/opening-hours").press(
        "Save", sat="09:00-12:00, 13:00 - 14:00", private_before="30", private_after="0"
    )
    event = studio.event(dates=[], blocks=[])
    assert studio.free(event) == ["09:00", "10:00", "11:00", "13:00"]
    anna.send(f"{OWN}/opening-hours", sat="09:00-12:00", closed=DAY, buffers="wedding=60,120")
    assert studio.free(event) == []
    shown = anna.open(f"{OWN}/opening-hours").response.text
    assert "wedding=60,120" in shown and DAY in shown
    refused = anna.send(f"{OWN}/opening-hours", sat="noon")
    assert refused.response.status_code == 422 and "noon" in refused.response.text


def test_sessions_follow_the_sunset_and_a_place_gives_its_coordinates(anna: Browser, studio: Studio) -> None:
    where = {"name": "Lake shore", "latitude": "52,43", "longitude": "13.18", "before": "30"}
    assert "Today: Sunrise" in anna.open(f"{OWN}/places").press("Add the place", **where).text
    made = make(
        anna, place_id="1", blocks="", sun="sunset", sessions="2", length="45", gap="15",
        date="2027-03-06", repeat="week", times="10",
    )  # fmt: skip
    assert "Lake shore" in made.text and "golden" in made.text
    with studio.bridge.db.reading() as tx:
        event = rows.get(tx, 1)
    first, last = studio.free(event, "2027-03-06"), studio.free(event, "2027-05-08")
    assert (first, last) == (["16:10", "17:10"], ["19:00", "20:00"])
    anna.open(f"{OWN}/1/edit").press("Save", sun="sunrise", sessions="1")
    with studio.bridge.db.reading() as tx:
        assert studio.free(rows.get(tx, 1), "2027-05-08") == ["05:25"]
    taken = anna.open(f"{OWN}/places").press("Add the place", **where)
    assert taken.response.status_code == 422 and "already" in taken.text
    anna.open(f"{OWN}/places").press("Yes, remove it")
    assert "Lake shore" in anna.open(f"{OWN}/1").text


def test_the_light_calendar_tells_golden_hours_and_closes_no_slot(anna: Browser, studio: Studio) -> None:
    event = studio.event(dates=[], blocks=[])
    before = studio.free(event)
    anna.open(f"{OWN}/places").press(
        "Add the place", name="Lake, shore", latitude="52.43", longitude="13.18", light="yes"
    )
    with studio.bridge.db.reading() as tx:
        (calendar,) = [one for one in calendars.of_user(tx, studio.anna.id) if one.title == "Light"]
        texts = [stored.text for stored in objects.all_objects(tx, calendar.id)]
    assert not calendar.editable and len(texts) == light.AHEAD
    told = next(parse(text) for text in texts if f"light-1-{DAY}" in text)
    (golden,) = told.components("VEVENT")
    assert golden.value("DTSTART") == "20261205T145500" and golden.value("TRANSP") == "TRANSPARENT"
    assert "Sunset: 15:55" in (golden.value("DESCRIPTION") or "")
    assert studio.free(event) == before
    assert light.refresh(studio.bridge, studio.anna.id) == 0
    studio.clock.pass_(days=3)
    assert light.refresh(studio.bridge, studio.anna.id) == 6  # three days gone, three new ones
    studio.mirror("Light")  # a linked calendar of that name is another one
    anna.open(f"{OWN}/places").follow("Change Lake, shore")
    anna.send(f"{OWN}/places/1", name="Lake, shore", latitude="52.43", longitude="13.18")
    with studio.bridge.db.reading() as tx:
        kept = [one.name for one in calendars.of_user(tx, studio.anna.id)]
    assert "light" not in kept and any(name.startswith("mirror-") for name in kept)


def test_why_a_time_is_not_free_in_words_with_the_event_behind_it(anna: Browser, studio: Studio) -> None:
    make(anna)
    mirror = studio.mirror()
    studio.put(
        ics("dentist", "DTSTART:20261205T093000Z", "DURATION:PT45M", "SUMMARY:Dentist <b>"), calendar=mirror
    )
    why = anna.open(f"/calendar/why?from={DAY}T10:00&to={DAY}T12:00")
    assert "Not free" in why.text and "“Dentist <b>” in Family" in why.text
    assert "Dentist" in why.follow("Open it: Dentist <b>").text
    assert "Nothing is in the way" in anna.open(f"/calendar/why?from={DAY}T08:00&to={DAY}T09:00").text
    by_page = anna.open(f"/calendar/why?event=1&from={DAY}T09:30&to={DAY}T09:40")
    assert "No session is offered then" in by_page.text
    assert "FreeSaturday" in anna.open(f"/calendar/why?event=1&from={DAY}T09:00&to={DAY}T09:40").text
    for query in ("from=x&to=y", f"from={DAY}&to=2999-01-01", f"from={DAY}T10:00&to={DAY}T09:00"):
        assert "must" in anna.open(f"/calendar/why?{query}").text
    assert anna.open(f"/calendar/why?event=99&from={DAY}T09:00&to={DAY}T10:00").response.status_code == 404
    studio.clock.moment = datetime(2026, 12, 5, 9, tzinfo=UTC)
    assert "This time is over" in anna.open(f"/calendar/why?event=1&from={DAY}T09:00&to={DAY}T10:00").text
