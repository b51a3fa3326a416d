"""Who means no good at the public pages: bounded, refused, and told nothing."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from bridge.service import receipts
from bridge.web import make_app
from bridge.web.security import limiter
from tests.booking.conftest import DAY, Studio
from tests.web.browser import Browser

PATH = "/book/anna/spring-minis"
FIELDS = {"name": "Mary Jane", "email": "mary@client.example", "phone": "+1 555 0100", "agree": "yes"}


@pytest.fixture
def app(studio: Studio) -> Flask:
    made = make_app(studio.bridge)
    limiter.reset()
    return made


@pytest.fixture
def client(app: Flask, studio: Studio) -> FlaskClient:
    studio.event()
    return app.test_client()


@pytest.mark.parametrize(
    "start",
    [
        "2026-11-21T10:00:00+01:00",  # over
        "1969-12-31T23:59:59+00:00",
        "9999-12-31T23:59:59+14:00",
        "0001-01-01T00:00:00-14:00",
        f"{DAY}T10:00:01+01:00",
        f"{DAY}T10:00:00+99:99",
        "-1",
        "1e308",
        "NaN",
        "٢٠٢٦-١٢-٠٥T10:00:00+01:00",
        DAY,
        "x" * 100_000,
        f"{DAY}T10:00:00+01:00\x00",
        f"{DAY}T10:00:00+01:00'; DROP TABLE client_booking; --",
    ],
)
def test_no_session_begins_at_nonsense_or_in_the_past(
    client: FlaskClient, studio: Studio, start: str
) -> None:
    answer = client.post(PATH, json=FIELDS | {"start": start})
    assert answer.status_code == 422 and len(answer.text) < 2_000
    assert studio.texts() == []


def test_a_part_of_a_second_makes_no_other_slot(client: FlaskClient, studio: Studio) -> None:
    first, again = (
        client.post(PATH, json=FIELDS | {"start": f"{DAY}T10:00:00{part}+01:00"})
        for part in (".000001", ".999999")
    )
    assert (first.status_code, again.status_code) == (303, 409)
    (text,) = studio.texts()
    assert "DTSTART;TZID=Europe/Berlin:20261205T100000" in text
    assert studio.free(studio.event("Other")) == ["09:00", "11:00", "12:00"]


@pytest.mark.parametrize(
    "query",
    [
        "month=9999-12", "month=0001-01", "month=2026-13", "day=9999-12-31", "day=x", "tz=../../etc/passwd",
        "tz=" + "A" * 5_000, "day=1971-01-01", "tz=%ff%fe",
    ],
)  # fmt: skip
def test_an_address_that_makes_no_sense_shows_what_is_free(client: FlaskClient, query: str) -> None:
    answer = client.get(f"{PATH}?{query}")
    assert answer.status_code == 200 and len(answer.text) < 5_000
    assert "4 free times" in answer.text and "December 2026" in answer.text


def test_the_page_stands_at_the_end_of_time(client: FlaskClient) -> None:
    answer = client.get(f"{PATH}?month=8999-12")
    assert answer.status_code == 200 and "Nothing is free in this month" in answer.text
    assert client.get(f"{PATH}?month=%00").status_code == 400


def test_a_machine_that_fills_every_field_books_nothing(
    client: FlaskClient, app: Flask, studio: Studio
) -> None:
    start = f"{DAY}T10:00:00+01:00"
    answer = client.post(PATH, json=FIELDS | {"start": start, "website": "https://spam.example"})
    assert answer.status_code == 422
    page = (
        Browser(app).open(PATH).press("Book this time", **FIELDS, start=start, website="https://spam.example")
    )
    assert page.response.status_code == 422 and studio.texts() == []


def test_guessing_addresses_tells_nothing_and_is_slowed_down(client: FlaskClient, studio: Studio) -> None:
    real = receipts.token(studio.bridge, studio.book(studio.event("Other")))
    page = "/book/anna/other/receipt"
    assert "Mary" in client.get(f"{page}/{real}").text
    wrong = [
        real[:-1],
        real + "A",
        real.swapcase(),
        real.replace(".", ""),
        "A" * 3_000,
        ".",
        real[::-1],
    ]
    for token in wrong:
        answer = client.get(f"{page}/{token}")
        assert answer.status_code == 404 and "Mary" not in answer.text
    assert client.get(f"{page}/%00").status_code == 400
    assert client.get(f"{PATH}/receipt/{real}").status_code == 404  # of another page
    said = {client.get(f"{PATH}/receipt/{number}").status_code for number in range(130)}
    assert said == {404, 429}
    pages = {client.get(f"/book/anna/spring-minis-{number}").status_code for number in range(130)}
    assert pages == {404, 429}


def test_a_link_ends_and_a_copied_one_does_not_last_longer(client: FlaskClient, studio: Studio) -> None:
    token = receipts.token(studio.bridge, studio.book(studio.event("Other")))
    page = "/book/anna/other/receipt/"
    assert client.get(page + token).status_code == 200
    studio.clock.pass_(days=12 + 14)
    assert client.get(page + token).status_code == 200
    studio.clock.pass_(days=2)
    assert client.get(page + token).status_code == 404


def test_a_flood_of_tries_to_book_is_slowed_down_and_a_huge_body_refused(
    client: FlaskClient, studio: Studio
) -> None:
    big = client.post(PATH, data=b"{" + b" " * 400_000, content_type="application/json")
    assert big.status_code == 413
    many = client.post(PATH, data={f"field{number}": "x" for number in range(5_000)})
    assert many.status_code == 400
    said = {client.post(PATH, json={"start": "x"}).status_code for _ in range(601)}
    assert said == {422, 429} and studio.texts() == []
