"""The first visit of a new server, and a user's own settings."""

from __future__ import annotations

from flask import Flask

from bridge.service import people
from bridge.store.people import UserRow, user_by_email
from bridge.web import make_app
from bridge.wiring import Bridge
from tests.web import studio
from tests.web.browser import Browser
from tests.web.conftest import ANNA
from tests.web.studio import event


def test_a_fresh_server_asks_who_will_use_it_and_signs_them_in(bridge: Bridge) -> None:
    browser = Browser(make_app(bridge)).open("/")
    assert browser.path == "/welcome"
    browser.press("Begin", email=ANNA, password="short", time_zone="Europe/Berlin")
    assert "at least 10 characters" in browser.beside("password")
    browser.press("Begin", email="nobody", password="a good password", time_zone="Europe/Berlin")
    assert "not an e-mail address" in browser.beside("email")
    browser.press("Begin", email=ANNA, password="a good password", time_zone="Mars/Base")
    assert "not a time zone" in browser.beside("time_zone")
    browser.press("Begin", email=ANNA, password="a good password", time_zone="Europe/Berlin")
    assert browser.path == "/calendar/settings"
    assert "Connect a calendar" in browser.text
    assert [user.email for user in people.list_users(bridge)] == [ANNA]


def test_there_is_only_one_first_user(browser: Browser, bridge: Bridge) -> None:
    assert browser.open("/welcome").path == "/sign-in"
    browser.send("/welcome", email="x@example.com", password="a good password", time_zone="UTC")
    assert (browser.status, browser.response.headers["Location"]) == (303, "/sign-in")
    assert len(people.list_users(bridge)) == 2


def test_another_time_zone_shows_everything_in_it(at_annas: Browser, bridge: Bridge, anna: UserRow) -> None:
    studio.book(bridge, anna, event("w", "Wedding", "DTSTART:20261125T140000Z|DURATION:PT2H"))
    assert "15:00 – 17:00 Wedding" in at_annas.open("/").text
    at_annas.open("/profile").press("Save", time_zone="America/New_York", on_move="approve", on_delete="hide")
    assert "Your settings are saved." in at_annas.text
    assert "09:00 – 11:00 Wedding" in at_annas.open("/").text
    with bridge.db.reading() as tx:
        row = user_by_email(tx, ANNA)
    assert (row.on_move, row.on_delete) == ("approve", "hide")
    at_annas.open("/profile").press("Save", time_zone="Mars/Base")
    assert "not a time zone" in at_annas.beside("time_zone")


def test_a_new_password_needs_the_old_one_and_ends_other_sessions(app: Flask, at_annas: Browser) -> None:
    elsewhere = Browser(app).sign_in(ANNA)
    at_annas.open("/profile")
    at_annas.press("Change the password", old="wrong", new="a better password", again="a better password")
    assert "not your present password" in at_annas.beside("old")
    at_annas.press("Change the password", old="a good password", new="short", again="short")
    assert "at least 10 characters" in at_annas.beside("new")
    at_annas.press("Change the password", old="a good password", new="a better password", again="another one")
    assert "do not match" in at_annas.beside("again")
    at_annas.press(
        "Change the password", old="a good password", new="a better password", again="a better password"
    )
    assert "Your password is changed." in at_annas.text
    assert at_annas.open("/profile").path == "/profile", "this browser stays signed in"
    assert elsewhere.open("/profile").path.startswith("/sign-in")
    assert Browser(app).sign_in(ANNA, "a better password").path == "/"


def test_guessing_the_old_password_is_slowed_down(at_annas: Browser) -> None:
    at_annas.open("/profile")
    for _ in range(10):
        at_annas.send("/profile/password", old="wrong", new="a better password", again="a better password")
    at_annas.send(
        "/profile/password", old="a good password", new="a better password", again="a better password"
    )
    assert at_annas.status == 429
