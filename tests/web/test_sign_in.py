"""Signing in and out: who gets in, who does not, and what a wrong try tells."""

from __future__ import annotations

import pytest
from flask import Flask

from bridge.service import people, takeout
from bridge.web import access, session
from bridge.wiring import Bridge
from tests.web.browser import Browser, some_path
from tests.web.conftest import ANNA


def is_public(endpoint: str) -> bool:
    return endpoint == "static" or endpoint.partition(".")[0] in session.PUBLIC


def test_somebody_who_is_not_signed_in_sees_only_the_sign_in_page(browser: Browser, app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or is_public(rule.endpoint):
            continue
        path = some_path(rule.rule)
        if rule.endpoint == access.OPEN:
            continue
        if path.startswith("/api/"):
            assert browser.open(path).status == 401, path
            assert "Sign in first" in browser.response.json["error"]
            continue
        assert browser.open(path).text.count("Sign in") >= 1
        assert browser.path.startswith("/sign-in"), path


def test_nothing_can_be_sent_without_signing_in(browser: Browser, app: Flask) -> None:
    browser.open("/sign-in")
    for rule in app.url_map.iter_rules():
        if "POST" in (rule.methods or ()) and not is_public(rule.endpoint):
            path = some_path(rule.rule)
            answer = browser.send(path)
            if path.startswith("/api/"):
                assert answer.status == 401, path
                continue
            assert (answer.status, answer.response.headers.get("Location")) == (302, "/sign-in"), path


def test_after_signing_in_one_is_where_one_wanted_to_go(browser: Browser) -> None:
    browser.open("/history?show=200")
    assert browser.path == "/sign-in?next=/history?show%3D200"
    browser.press("Sign in", email=" Anna@Example.com ", password="a good password")
    assert browser.path == "/history?show=200"
    assert ANNA in browser.text


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "javascript:alert(1)",
        " https://evil.example",
        "evil.example",
    ],
)
def test_the_way_back_never_leads_elsewhere(browser: Browser, target: str) -> None:
    browser.open("/sign-in").press("Sign in", email=ANNA, password="a good password", next=target)
    assert browser.path == "/"
    assert browser.client.get("/sign-in", query_string={"next": target}).headers["Location"] == "/"


def test_an_unknown_address_and_a_wrong_password_get_the_same_answer(browser: Browser, anna: object) -> None:
    pages = []
    for email in (ANNA, "nobody@example.com"):
        browser.open("/sign-in").press("Sign in", email=email, password="wrong")
        assert browser.status == 422
        assert browser.field("email").get("value") == email
        assert browser.field("password").get("value") is None
        pages.append(browser.beside("password"))
    assert pages[0] == pages[1]
    assert "do not match" in pages[0]


def test_a_user_without_a_password_cannot_sign_in(browser: Browser, bridge: Bridge) -> None:
    people.add_user(bridge, "carla@example.com", time_zone="UTC")
    browser.open("/sign-in").press("Sign in", email="carla@example.com", password="x")
    assert browser.status == 422


def test_what_is_missing_is_said_beside_its_field(browser: Browser) -> None:
    browser.open("/sign-in").press("Sign in", email="", password="")
    assert browser.beside("email") == "Please type your e-mail address."
    assert browser.beside("password") == "Please type your password."


def test_after_ten_wrong_tries_even_the_right_password_has_to_wait(browser: Browser) -> None:
    for _ in range(10):
        browser.open("/sign-in").press("Sign in", email=ANNA, password="wrong")
        assert browser.status == 422
    browser.open("/sign-in").press("Sign in", email=ANNA, password="a good password")
    assert browser.status == 429
    assert "try again in 15 minutes" in browser.text
    assert browser.open("/").path == "/sign-in"


def test_one_clients_wrong_tries_do_not_lock_out_another(app: Flask) -> None:
    guesser = Browser(app, REMOTE_ADDR="192.0.2.1")
    for _ in range(11):
        guesser.open("/sign-in").press("Sign in", email=ANNA, password="wrong")
    assert guesser.status == 429
    assert Browser(app, REMOTE_ADDR="192.0.2.2").sign_in(ANNA).path == "/"


def test_right_passwords_are_not_counted(app: Flask) -> None:
    for _ in range(12):
        assert Browser(app).sign_in(ANNA).path == "/"


def test_many_addresses_guessing_one_password_are_stopped_too(app: Flask) -> None:
    for number in range(30):
        Browser(app, REMOTE_ADDR=f"192.0.2.{number}").sign_in(ANNA, "wrong")
    assert Browser(app, REMOTE_ADDR="198.51.100.1").sign_in(ANNA).status == 429


def test_signing_out_ends_the_session(at_annas: Browser) -> None:
    at_annas.press("Sign out")
    assert "You are signed out." in at_annas.text
    assert at_annas.open("/devices").path.startswith("/sign-in")


def test_a_new_password_ends_every_session(at_annas: Browser, bridge: Bridge) -> None:
    people.set_user(bridge, ANNA, password="another good one")
    assert at_annas.open("/").path == "/sign-in"
    assert at_annas.sign_in(ANNA, "another good one").path == "/"


def test_a_removed_user_is_signed_out(at_annas: Browser, bridge: Bridge) -> None:
    takeout.remove_user(bridge, ANNA)
    assert at_annas.open("/").path == "/sign-in"


def test_whoever_is_signed_in_does_not_see_the_form_again(at_annas: Browser) -> None:
    assert at_annas.open("/sign-in?next=/history").path == "/history"
