"""A hold is confirmed from outside: by a program with a token, or by whoever says so on the calendar."""

from __future__ import annotations

import pytest
from flask import Flask

from bridge.ical import build
from bridge.service import client_booking, client_sessions, people, tokens
from bridge.service.clients import Client
from bridge.store import calendars, objects
from bridge.web import make_app
from tests.booking.conftest import Studio, at
from tests.web.program import Program


@pytest.fixture
def app(studio: Studio) -> Flask:
    return make_app(studio.bridge)


def program(studio: Studio, app: Flask, *scopes: str, email: str = "anna@studio.example") -> Program:
    return Program(
        app, tokens.add(studio.bridge, email, "+".join(scopes or ["pay"]), scopes or ("write",)).token
    )


def test_a_payment_confirms_a_hold_with_a_token_once_and_again(studio: Studio, app: Flask) -> None:
    session = studio.book(studio.event(hold=20))
    path = f"/api/v1/bookings/{session.row.uid}/confirm"
    pay = program(studio, app)
    answer = pay("POST", path)
    assert (answer.status_code, answer.json["status"]) == (200, "confirmed")
    assert "STATUS:CONFIRMED" in studio.texts()[0]
    assert pay("POST", path).status_code == 200
    studio.clock.pass_(days=1)
    assert client_booking.release_expired(studio.bridge) == 0 and len(studio.texts()) == 1


def test_a_payment_that_comes_after_the_hold_ran_out_is_refused(studio: Studio, app: Flask) -> None:
    event = studio.event(hold=20)
    session = studio.book(event)
    studio.clock.pass_(minutes=21)
    answer = program(studio, app)("POST", f"/api/v1/bookings/{session.row.uid}/confirm")
    assert answer.status_code == 403 and "Book it again" in answer.json["detail"]
    assert studio.texts() == [] and studio.free(event)[0] == "09:00"


def test_only_the_owners_token_with_the_right_scope_confirms(studio: Studio, app: Flask) -> None:
    session = studio.book(studio.event(hold=20))
    path = f"/api/v1/bookings/{session.row.uid}/confirm"
    people.add_user(studio.bridge, "eve@other.example")
    assert program(studio, app, "write", email="eve@other.example")("POST", path).status_code == 404
    assert program(studio, app, "read", "availability")("POST", path).status_code == 403
    assert Program(app, None)("POST", path, wrong=True).status_code == 401
    assert Program(app, "pbt_made-up")("POST", path).status_code == 401
    missing = program(studio, app, "read", "write")("POST", "/api/v1/bookings/nothing/confirm")
    assert missing.status_code == 404
    assert "STATUS:TENTATIVE" in studio.texts()[0]


@pytest.mark.parametrize("owner", [False, True])
def test_what_picsello_or_a_calendar_says_is_confirmed_is(studio: Studio, owner: bool) -> None:
    event = studio.event(hold=20)
    session = client_booking.take(
        studio.bridge,
        event,
        studio.anna,
        at("09:00"),
        Client("Mary", "mary@client.example", "+1 2"),
        owner=owner,
    )
    assert session.state == ("reserved" if owner else "held")
    with studio.bridge.db.writing() as tx:
        calendar = calendars.bookings(tx, studio.anna.id)
        stored = objects.by_uid(tx, calendar.id, session.row.uid)
        assert stored is not None
        text = build.with_status(stored.text, "CONFIRMED", studio.clock.now())
        objects.put(tx, calendar.id, stored.href, text, actor="pass:1", now=studio.clock.now())
    studio.clock.pass_(minutes=21)
    client_booking.release_expired(studio.bridge)
    with studio.bridge.db.reading() as tx:
        assert client_sessions.find(tx, session.row.id).state == "confirmed"
    assert "STATUS:CONFIRMED" in studio.texts()[0] and "09:00" not in studio.free(event)
