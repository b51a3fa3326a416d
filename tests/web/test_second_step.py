"""The second step of signing in: RFC 6238's own numbers, turning it on and off, and who does not get in."""

from __future__ import annotations

import base64
import re

import pytest
from flask import Flask

from bridge.service import audit, people, second_step
from bridge.store.people import UserRow
from bridge.wiring import Bridge
from tests.web.browser import Browser
from tests.web.conftest import ANNA, BERT, Clock


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_numbers_of_rfc_6238(seconds: int, expected: str) -> None:
    assert second_step.code(b"12345678901234567890", seconds // 30, digits=8) == expected


class App:
    """An authenticator app on somebody's phone."""

    def __init__(self, secret: str, clock: Clock) -> None:
        self.key, self.clock = base64.b32decode(secret), clock

    def shows(self, later: int = 0) -> str:
        return second_step.code(self.key, int(self.clock.now().timestamp()) // 30 + later)


@pytest.fixture
def phone(at_annas: Browser, clock: Clock) -> App:
    """Turned on through the page; ``at_annas`` then shows the recovery codes."""
    at_annas.open("/profile").follow("Second step of signing in: off")
    secret = at_annas.document.get_element_by_id("secret-text").text_content()
    app = App(secret, clock)
    at_annas.press("Turn it on", code=app.shows())
    assert "Your recovery codes" in at_annas.text
    clock.pass_(seconds=60)
    return app


def recovery_codes(browser: Browser) -> list[str]:
    return re.findall(r"<li>([a-z2-9]{5}-[a-z2-9]{5})</li>", browser.html)


def test_after_the_password_comes_the_code_and_then_where_one_wanted_to_go(
    phone: App, browser: Browser, bridge: Bridge
) -> None:
    browser.open("/history").press("Sign in", email=ANNA, password="a good password")
    assert browser.path == "/sign-in/code"
    assert browser.client.get("/devices").status_code == 302, "nobody is signed in yet"
    browser.press("Sign in", code=phone.shows()[:3] + " " + phone.shows()[3:])
    assert browser.path == "/history"
    assert audit.list_(bridge, ANNA)[0]["action"] == "signed-in"


def test_a_wrong_code_lets_nobody_in(phone: App, browser: Browser, bridge: Bridge) -> None:
    browser.sign_in(ANNA)
    wrong = f"{(int(phone.shows()) + 1) % 10**6:06d}"
    for typed, says in (
        (wrong, "not the code"),
        ("", "type the code"),
        ("x" * 60, "not the code"),
        ("１２", "not"),
    ):
        browser.press("Sign in", code=typed)
        assert browser.status == 422
        assert says in browser.beside("code")
    assert browser.open("/devices").path.startswith("/sign-in")
    assert audit.list_(bridge, ANNA)[0]["action"] == "sign-in-failed"


def test_no_code_is_good_twice(phone: App, app: Flask) -> None:
    code = phone.shows()
    assert Browser(app).sign_in(ANNA).press("Sign in", code=code).path == "/"
    overheard = Browser(app).sign_in(ANNA)
    assert overheard.press("Sign in", code=code).status == 422
    assert overheard.press("Sign in", code=phone.shows(later=-1)).status == 422, "nor an older one"


def test_clocks_may_differ_by_half_a_minute_and_no_more(phone: App, app: Flask, clock: Clock) -> None:
    for later in (-2, 2):
        assert Browser(app).sign_in(ANNA).press("Sign in", code=phone.shows(later)).status == 422
    for later in (-1, 1):
        assert Browser(app).sign_in(ANNA).press("Sign in", code=phone.shows(later)).path == "/"
        clock.pass_(seconds=90)


def test_a_recovery_code_is_good_once(at_annas: Browser, phone: App, app: Flask, bridge: Bridge) -> None:
    first, *others = recovery_codes(at_annas)
    assert len({first, *others}) == 8
    assert Browser(app).sign_in(ANNA).press("Sign in", code=first.upper().replace("-", " ")).path == "/"
    assert Browser(app).sign_in(ANNA).press("Sign in", code=first).status == 422
    assert Browser(app).sign_in(ANNA).press("Sign in", code=others[0]).path == "/"
    assert "6 recovery codes left" in at_annas.open("/profile/second-step").text


def test_what_the_store_keeps_opens_nothing(at_annas: Browser, phone: App, bridge: Bridge) -> None:
    codes = recovery_codes(at_annas)
    user = people.user(bridge, ANNA)
    kept = repr(user)
    assert base64.b32encode(phone.key).decode() not in kept
    assert not any(code in kept or code.replace("-", "") in kept for code in codes)


def test_ten_wrong_codes_and_even_the_right_one_has_to_wait(phone: App, app: Flask, clock: Clock) -> None:
    for number in range(10):
        browser = Browser(app, REMOTE_ADDR=f"192.0.2.{number}").sign_in(ANNA)
        assert browser.press("Sign in", code="000000").status == 422
    browser = Browser(app, REMOTE_ADDR="198.51.100.1").sign_in(ANNA)
    assert browser.press("Sign in", code=phone.shows()).status == 429
    clock.pass_(minutes=16)
    assert Browser(app).sign_in(ANNA).press("Sign in", code=phone.shows()).path == "/"


def test_the_code_is_asked_for_within_ten_minutes(phone: App, browser: Browser, clock: Clock) -> None:
    browser.sign_in(ANNA)
    clock.pass_(minutes=11)
    browser.press("Sign in", code=phone.shows())
    assert browser.path == "/sign-in"
    assert "longer than ten minutes" in browser.text


def test_a_new_password_in_between_ends_the_half_sign_in(
    phone: App, browser: Browser, bridge: Bridge
) -> None:
    browser.sign_in(ANNA)
    people.set_user(bridge, ANNA, password="another good one")
    assert browser.press("Sign in", code=phone.shows()).path == "/sign-in"


def test_without_the_password_the_code_is_asked_of_nobody(phone: App, browser: Browser) -> None:
    assert browser.open("/sign-in/code").path == "/sign-in"
    assert browser.send("/sign-in/code", code=phone.shows()).response.headers["Location"] == "/sign-in"


def test_nothing_is_turned_on_before_the_app_shows_the_right_code(at_annas: Browser, bridge: Bridge) -> None:
    at_annas.open("/profile/second-step")
    secret = at_annas.document.get_element_by_id("secret-text").text_content()
    at_annas.press("Turn it on", code="000000")
    assert "not the code of this moment" in at_annas.beside("code")
    assert at_annas.document.get_element_by_id("secret-text").text_content() == secret, "the same picture"
    assert people.user(bridge, ANNA).totp is None


def test_a_secret_of_somebody_elses_choice_is_not_taken(
    at_annas: Browser, bridge: Bridge, clock: Clock
) -> None:
    mine = second_step.new_secret()
    at_annas.open("/profile/second-step").press("Turn it on", secret=mine, code=App(mine, clock).shows())
    assert at_annas.status == 422
    assert people.user(bridge, ANNA).totp is None


def test_turning_it_on_signs_every_other_browser_out(app: Flask, at_annas: Browser, clock: Clock) -> None:
    other = Browser(app).sign_in(ANNA)
    at_annas.open("/profile/second-step")
    secret = at_annas.document.get_element_by_id("secret-text").text_content()
    at_annas.press("Turn it on", code=App(secret, clock).shows())
    assert other.open("/devices").path.startswith("/sign-in")
    assert at_annas.open("/devices").path == "/devices"


def test_turning_it_off_takes_the_password(at_annas: Browser, phone: App, app: Flask) -> None:
    at_annas.open("/profile").follow("Second step of signing in: on")
    at_annas.press("Turn it off", password="wrong")
    assert "not your password" in at_annas.beside("password")
    at_annas.press("Turn it off", password="a good password")
    assert "The second step is off" in at_annas.text
    assert Browser(app).sign_in(ANNA).path == "/"


def test_berts_sign_in_is_not_changed_by_annas(phone: App, app: Flask, bert: UserRow) -> None:
    assert Browser(app).sign_in(BERT).path == "/"
