"""The public pages, their JSON, and ``/api/v1/availability``, as browsers and programs see them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient

from bridge.service import booking_events, client_booking, people
from bridge.web import make_app
from tests.booking.conftest import DAY, MARY, Studio, at, ics
from tests.web.browser import Browser

PATH = "/book/anna/spring-minis"
FIELDS = {"name": "Mary Jane", "email": "mary@client.example", "phone": "+1 555 0100", "agree": "yes"}
DAY_QUERY = {"from": DAY, "to": "2026-12-06"}


@pytest.fixture
def app(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> Flask:
    hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(people, "_hasher", lambda: hasher)
    people.set_user(studio.bridge, "anna@studio.example", password="a good password")
    return make_app(studio.bridge)


@pytest.fixture
def client(app: Flask, studio: Studio) -> FlaskClient:
    """A program, with one booking page before it."""
    studio.event(place="The old mill")
    return app.test_client()


@pytest.fixture
def browser(app: Flask, client: FlaskClient) -> Browser:
    """A client's browser."""
    return Browser(app)


def iso(wall: str) -> str:
    return f"{DAY}T{wall}:00+01:00"


def free(client: FlaskClient, **query: str) -> list[str]:
    found = client.get(PATH + "/slots", query_string=DAY_QUERY | query).get_json()
    assert all(set(slot) == {"start", "end", "free"} for slot in found)
    return [slot["start"] for slot in found if slot["free"]]


def post(client: FlaskClient, **fields: Any) -> Any:
    return client.post(PATH, json=FIELDS | {"start": iso("10:00")} | fields)


def test_slots_as_json_in_the_studios_zone_or_another(client: FlaskClient) -> None:
    assert free(client) == [iso(wall) for wall in ("09:00", "10:00", "11:00", "12:00")]
    assert free(client, tz="America/Denver")[0] == "2026-12-05T01:00:00-07:00"
    assert free(client, to=DAY) == free(client)
    assert free(client, **{"from": iso("10:00"), "to": iso("12:00")}) == [iso("10:00"), iso("11:00")]
    assert free(client, **{"from": f"{DAY}T10:00", "to": "2026-12-05T10:00Z"}) == [iso("10:00")]
    lost_plus = f"{PATH}/slots?from={iso('10:00')}&to={iso('11:00')}"
    assert [slot["start"] for slot in client.get(lost_plus).get_json()] == [iso("10:00")]


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"from": DAY},
        {"from": "x", "to": "y"},
        {"from": "2026-12-06", "to": DAY},
        {"from": "0001-01-01", "to": "2738-11-28"},
        {"from": DAY, "to": "4764-10-25"},
        DAY_QUERY | {"tz": "Mars/Olympus"},
        DAY_QUERY | {"tz": "../../etc/passwd"},
    ],
)
def test_what_is_no_range_is_refused_and_bounded(client: FlaskClient, query: dict[str, str]) -> None:
    answer = client.get(PATH + "/slots", query_string=query)
    assert answer.status_code == 422 and answer.get_json()["error"]


def test_a_program_books_with_json(client: FlaskClient, studio: Studio) -> None:
    answer = post(client)
    assert answer.status_code == 303
    receipt = client.get(answer.headers["Location"])
    assert receipt.status_code == 200 and "Mary Jane" in receipt.text
    assert iso("10:00") not in free(client)
    again = post(client, tz="America/Denver")
    assert again.status_code == 409
    assert again.get_json()["nearest"][0]["start"] == "2026-12-05T01:00:00-07:00"
    assert len(studio.texts()) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"start": ""},
        {"start": "soon"},
        {"start": iso("10:30")},
        {"start": "2020-01-01T10:00:00Z"},
        {"name": " "},
        {"email": "mary"},
        {"phone": ""},
        {"agree": False},
        {"agree": None},
        {"website": "https://buy.example"},
        {"name": ["Mary"]},
        {"tz": "Mars/Olympus"},
    ],
)
def test_wrong_input_is_422_with_a_sentence_and_books_nothing(
    client: FlaskClient, studio: Studio, fields: dict[str, Any]
) -> None:
    answer = post(client, **fields)
    assert answer.status_code == 422 and answer.get_json()["error"].endswith(".")
    assert studio.texts() == []


def test_json_that_is_none_is_422(client: FlaskClient) -> None:
    for body in (b"{", b"[]", b"null", b'"x"', b"\xff"):
        answer = client.post(PATH, data=body, content_type="application/json")
        assert answer.status_code == 422, body


def test_a_form_needs_the_pages_token(client: FlaskClient, studio: Studio) -> None:
    assert client.post(PATH, data=FIELDS | {"start": iso("10:00")}).status_code == 400
    assert client.post(PATH, data=json.dumps(FIELDS), content_type="text/plain").status_code == 400
    assert studio.texts() == []


def test_a_client_books_moves_and_cancels_in_a_browser(browser: Browser, studio: Studio) -> None:
    browser.open(PATH)
    assert "Spring minis" in browser.text and "The old mill" in browser.text
    assert "Saturday, 5 December" in browser.text  # the first free day is chosen
    browser.press("Book this time", **FIELDS, start=iso("11:00"))
    assert browser.status == 200 and "Booked" in browser.text and "11:00 to 12:00" in browser.text
    (file,) = re.findall(r'href="([^"]+booking\.ics)"', browser.html)
    answer = browser.client.get(file)
    assert answer.mimetype == "text/calendar" and answer.text == studio.texts()[0]
    browser.follow("Choose another time").press("Take this time instead", start=iso("09:00"))
    assert "09:00 to 10:00" in browser.text and "new time" in browser.text
    browser.press("Yes, cancel it")
    assert "Cancelled" in browser.text and studio.texts() == []
    browser.follow("Book another time")
    assert browser.status == 200


def test_cancelling_asks_first_and_one_may_keep_ones_time(browser: Browser) -> None:
    browser.open(PATH).press("Book this time", **FIELDS, start=iso("11:00"))
    (asks,) = browser.document.xpath("//details[summary[contains(., 'Cancel the session')]]")
    assert asks.xpath(".//button") and "open" not in asks.attrib
    browser.follow("Choose another time")
    offered = browser.document.xpath("//input[@name='start']/@value")
    assert offered == [iso(wall) for wall in ("09:00", "10:00", "12:00")]  # one's own is no other time
    assert "Booked" in browser.follow("Keep it").text


def test_where_all_is_taken_the_page_says_so_and_leads_nowhere(browser: Browser, studio: Studio) -> None:
    event = studio.event("One", dates=["2026-12-06"], blocks=["10:00-11:00"])
    client_booking.take(studio.bridge, event, studio.anna, at("10:00", "2026-12-06"), MARY)
    browser.open("/book/anna/one")
    assert "Everything here is taken" in browser.text and "Book this time" not in browser.text
    assert not browser.document.xpath("//a[contains(@aria-label, 'month')]")
    later = studio.event("Later", dates=["2026-12-06", "2027-02-01"], blocks=["10:00-11:00"])
    for month, leads in (("2026-12", "after"), ("2027-02", "before")):  # nothing lies outside
        browser.open(f"/book/anna/{later.slug}?month={month}")
        assert browser.document.xpath("//a/@aria-label") == [f"The month {leads}"]


def test_who_follows_an_old_link_is_told_what_to_look_for(browser: Browser) -> None:
    assert "Look for the newest mail" in browser.open(PATH + "/receipt/old").text
    assert "no booking page" in browser.open("/book/anna/nothing").text
    assert browser.status == 404 and "To the calendar" not in browser.text


def test_times_are_shown_in_the_clients_zone_and_the_studios(browser: Browser) -> None:
    browser.open(PATH + "?tz=America/Denver")
    assert "01:00" in browser.text and "09:00 at the studio" in browser.text
    browser.press("Book this time", **FIELDS, start="2026-12-05T01:00:00-07:00")
    assert "01:00 to 02:00" in browser.text and "at the studio 09:00 (Europe/Berlin)" in browser.text


def test_two_tabs(browser: Browser, app: Flask) -> None:
    other = Browser(app).open(PATH)
    browser.open(PATH).press("Book this time", **FIELDS, start=iso("09:00"))
    other.press("Book this time", **FIELDS, start=iso("09:00"))
    assert other.status == 409 and "Somebody was faster" in other.text
    assert "Saturday, 5 December, 10:00" in other.text
    assert other.field("name").get("value") == "Mary Jane"  # nothing has to be typed again
    other.press("Book this time", start=iso("10:00"))
    assert "Booked" in other.text


def test_a_disabled_page_offers_nothing(client: FlaskClient, studio: Studio, browser: Browser) -> None:
    with studio.bridge.db.writing() as tx:
        event, _ = booking_events.at(tx, "anna", "spring-minis")
        booking_events.set_status(tx, event.id, "disabled")
    assert free(client) == [] and "takes no bookings" in browser.open(PATH).text
    assert post(client).status_code == 422
    assert client.get("/book/anna").status_code == 404
    with studio.bridge.db.writing() as tx:
        booking_events.set_status(tx, event.id, "archived")
    for answer in (client.get(PATH), client.get(PATH + "/slots", query_string=DAY_QUERY), post(client)):
        assert answer.status_code == 404


def test_a_stale_calendar_is_said_to_the_photographer_and_not_to_the_client(
    client: FlaskClient, studio: Studio, app: Flask
) -> None:
    studio.mirror("Private life")
    studio.clock.pass_(minutes=20)
    assert free(client) == [] and "Private life" not in client.get(PATH).text
    (reason,) = availability(app, {"from": iso("10:00"), "to": iso("11:00")})["reasons"]
    assert (reason["why"], reason["calendar"]) == ("unread", "Private life")


def test_a_client_who_finds_nothing_is_not_sent_to_the_studios_own_calendar(browser: Browser) -> None:
    page = browser.open("/book/anna/nothing")
    assert page.status == 404
    assert "To the calendar" not in page.text


def test_the_studios_page_lists_what_can_be_booked(client: FlaskClient, browser: Browser) -> None:
    browser.open("/book/anna")
    assert "Spring minis" in browser.text
    assert client.get("/book/nobody").status_code == 404


def test_script_in_every_field_stays_text(app: Flask, studio: Studio) -> None:
    evil = '"><script>alert(1)</script>'
    event = studio.event(f"Minis {evil}", place=evil, description=evil)
    browser = Browser(app).open(f"/book/anna/{event.slug}")
    assert "<script>alert" not in browser.html
    browser.press("Book this time", **FIELDS | {"name": evil}, start=iso("09:00"))
    assert "Booked" in browser.text and "<script>alert" not in browser.html
    strange = browser.open(f"/book/anna/{event.slug}?tz={evil}&day={evil}&month={evil}")
    assert strange.status == 200 and "<script>alert" not in strange.html


def test_forged_links_and_other_studios_receipts(client: FlaskClient, studio: Studio) -> None:
    receipt = post(client).headers["Location"]
    studio.event("Other")
    for path in (receipt[:-2], receipt + "x", receipt.replace("spring-minis", "other")):
        for answer in (client.get(path), client.get(path + "/booking.ics")):
            assert answer.status_code == 404
    assert client.post(receipt + "/cancel").status_code == 400  # no token
    studio.clock.pass_(days=60)
    assert client.get(receipt).status_code == 404


def test_a_flood_is_slowed_down(client: FlaskClient) -> None:
    answers = {client.get(PATH).status_code for _ in range(125)}
    assert answers == {200, 429}


def availability(app: Flask, query: dict[str, str]) -> Any:
    browser = Browser(app).sign_in("anna@studio.example")
    answer = browser.client.get("/api/v1/availability", query_string=query)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def test_free_or_not_and_why(app: Flask, client: FlaskClient, studio: Studio) -> None:
    studio.put(ics("dentist", "DTSTART:20261205T090000Z", "DURATION:PT1H", "SUMMARY:Dentist"))
    found = availability(app, {"from": iso("09:30"), "to": iso("10:30")})
    assert found["free"] is False
    (reason,) = found["reasons"]
    assert (reason["why"], reason["title"], reason["uid"]) == ("busy", "Dentist", "dentist")
    assert (reason["start"], reason["end"]) == (iso("10:00"), iso("11:00"))
    within = availability(app, {"from": iso("09:30"), "to": iso("10:30"), "duration": "30"})
    assert within["free"] is True and within["room"] == [{"start": iso("09:30"), "end": iso("10:00")}]
    assert availability(app, {"from": iso("11:00"), "to": iso("12:00")})["reasons"] == []
    assert client.get("/api/v1/availability", query_string=DAY_QUERY).status_code == 401
    browser = Browser(app).sign_in("anna@studio.example")
    for wrong in (
        {},
        DAY_QUERY | {"duration": "x"},
        DAY_QUERY | {"duration": "99999"},
        {"from": "1", "to": "2"},
    ):
        assert browser.client.get("/api/v1/availability", query_string=wrong).status_code == 400


def test_a_hold_is_shown_with_its_end(app: Flask, studio: Studio) -> None:
    studio.event("Held", hold=20)
    browser = Browser(app).open("/book/anna/held").press("Hold this time", **FIELDS, start=iso("09:00"))
    assert "Held for you until today at 12:20" in browser.text
    studio.clock.pass_(minutes=21)
    client_booking.release_expired(studio.bridge)
    assert "The hold ran out" in browser.open(browser.path).text
