"""What an attacker would try: no token, other people's numbers, hostile texts, frames, planted sessions."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from flask import Flask

from bridge.config import Settings
from bridge.service import feeds, people
from bridge.store import accounts, calendars, conflicts, links, notices, passes, suggestions
from bridge.store.people import UserRow
from bridge.web import make_app
from bridge.wiring import Bridge
from tests.web import studio
from tests.web.browser import Browser, some_path
from tests.web.conftest import ANNA, BERT, NOON

MARKUP = "</p><script>alert(1)</script><img src=x onerror=alert(2)>\"'><style>*{display:none}</style>"
HOSTILE = MARKUP + "{{70001*70001}}"

PAGES = (
    "/",
    "/calendar/block",
    "/calendar/events/1",
    "/calendar/settings",
    "/calendar/settings/connect",
    "/calendar/settings/connect/caldav",
    "/calendar/settings/connect/icloud",
    "/devices",
    "/history",
    "/nothing-here",
)


def harmless(browser: Browser) -> None:
    """No element, attribute or address on the page came out of a text."""
    document = browser.document
    assert all(re.fullmatch(r"/static/[\w/]+\.js\?v=\w+", s.get("src")) for s in document.iter("script"))
    assert not any(s.text for s in document.iter("script"))
    assert not list(document.iter("style", "img", "iframe", "object"))
    for element in document.iter():
        for name in element.attrib:
            assert not name.startswith("on"), (element.tag, name)
            assert name != "style", element.tag
    for link in document.iter("a"):
        assert link.get("href").startswith(("/", "#", "https://", "webcal://", "http://127.0.0.1")), link.get(
            "href"
        )
    assert str(70001 * 70001) not in browser.text  # too long to stand in the address of a feed by chance


# --- headers ---------------------------------------------------------------------------------------


def test_every_answer_forbids_inline_scripts_frames_and_guessing_of_types(at_annas: Browser) -> None:
    for path in (*PAGES, "/static/bridge.css", "/calendar/settings/accounts/99/preview"):
        headers = at_annas.open(path).response.headers
        policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert policy["script-src"] == policy["form-action"] == "'self'"
        assert re.fullmatch(r"'self'( 'nonce-[\w-]{20,}')?", policy["style-src"])
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin"
        if not path.startswith("/static/"):
            assert headers["Cache-Control"] == "no-store"


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(browser: Browser) -> None:
    cookie = browser.client.get("/sign-in").headers["Set-Cookie"]
    assert cookie.startswith("bridge=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_under_https_the_cookie_never_travels_in_clear(bridge: Bridge, settings: Settings) -> None:
    bridge.settings = dataclasses.replace(settings, public_url="https://calendar.example.com")
    answer = make_app(bridge).test_client().get("/welcome", base_url="https://calendar.example.com")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-bridge=")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert "Strict-Transport-Security" in answer.headers


# --- CSRF, fixation ----------------------------------------------------------------------------------


def test_no_form_is_taken_without_its_token(at_annas: Browser, app: Flask, bridge: Bridge) -> None:
    # providers' notices are no forms: a secret of their own speaks for them
    rules = [rule for rule in app.url_map.iter_rules() if not rule.rule.startswith("/hooks/")]
    posts = [some_path(rule.rule) for rule in rules if "POST" in (rule.methods or ())]
    assert len(posts) >= 12
    for path in posts:
        at_annas.send(path, with_token=False, name="x", password="x", pushed="keep")
        assert at_annas.status == 400, path
        assert "in the session it was opened in" in at_annas.html
        stranger = Browser(app).sign_in(BERT).token()
        at_annas.send(path, with_token=False, csrf_token=stranger)
        assert at_annas.status == 400, path
    assert people.list_devices(bridge, ANNA) == []


def test_a_session_planted_before_signing_in_is_worth_nothing(app: Flask, browser: Browser) -> None:
    planted = browser.client.get("/sign-in").headers["Set-Cookie"].split(";")[0]
    token = browser.token()
    browser.sign_in(ANNA)
    attacker = app.test_client(use_cookies=False)
    assert attacker.get("/devices", headers={"Cookie": planted}).status_code == 302
    browser.send("/devices", with_token=False, csrf_token=token, name="x")
    assert browser.status == 400  # the token of before the sign-in has died with its session


def test_a_forged_or_foreign_cookie_is_no_session(app: Flask, at_annas: Browser) -> None:
    cookie = at_annas.client.get_cookie("bridge")
    assert cookie is not None
    for value in (cookie.value[:-2] + "xx", "eyJfdXNlcl9pZCI6IjEuMSJ9.xxxxxx.yyyyy", ""):
        answer = app.test_client(use_cookies=False).get("/devices", headers={"Cookie": f"bridge={value}"})
        assert answer.status_code == 302


def test_the_signing_key_is_the_installations_own(app: Flask, tmp_path: Path) -> None:
    other = Bridge.open(Settings(data=tmp_path / "other"))
    assert make_app(other).secret_key != app.secret_key


# --- other people's things -----------------------------------------------------------------------------


@pytest.fixture
def at_berts(app: Flask) -> Browser:
    return Browser(app).sign_in(BERT)


def test_other_peoples_numbers_do_not_exist(at_berts: Browser, bridge: Bridge, anna: UserRow) -> None:
    account = studio.account(bridge, anna, state="needs-sign-in", state_reason="x")
    link = studio.link(bridge, account, "Private", reads=True, released=False, held=["x"], due_at=None)
    device = people.add_device(bridge, ANNA, "Phone").device_id
    with bridge.db.writing() as tx:
        notice = notices.add(tx, anna.id, "booking-restored", "x", now=NOON, uid="u")
    base = f"/calendar/settings/accounts/{account}"
    for path in (
        f"{base}/calendars",
        f"{base}/preview",
        f"{base}/disconnect",
        f"/calendar/settings/calendars/{link}/held",
    ):
        assert at_berts.open(path).status == 404, path
    for path, fields in (
        (f"{base}/calendars", {"read": "/Private/"}),
        (f"{base}/start", {}),
        (f"{base}/sync", {}),
        (f"{base}/sign-in", {"password": "x"}),
        (f"{base}/disconnect", {"pushed": "remove-all"}),
        (f"/calendar/settings/calendars/{link}/go-on", {}),
        (f"/devices/{device}/revoke", {}),
        (f"/notices/{notice}/dismiss", {}),
        (f"/notices/{notice}/cancel-booking", {}),
    ):
        assert at_berts.send(path, **fields).status == 404, path
        missing = path.replace(f"/{account}/", "/987/").replace(f"/{link}/", "/987/")
        assert at_berts.html.replace(path, "") == at_berts.send(missing, **fields).html.replace(missing, "")
    with bridge.db.reading() as tx:
        assert accounts.get(tx, account).state == "needs-sign-in"
        assert (links.get(tx, link).released, links.get(tx, link).due_at) == (False, None)
        assert len(notices.standing(tx, anna.id)) == 1
    assert len(people.list_devices(bridge, ANNA)) == 1


def test_other_peoples_events_are_on_no_page(at_berts: Browser, bridge: Bridge, anna: UserRow) -> None:
    studio.book(bridge, anna, studio.event("a", "Secret", "DTSTART:20261122T130000Z|DURATION:PT1H"))
    link = studio.link(bridge, studio.account(bridge, anna, "Private cloud"), "Hidden", reads=True)
    studio.mirrored(bridge, link, studio.event("b", "Mystery", "DTSTART:20261122T130000Z|DURATION:PT1H"))
    people.add_device(bridge, ANNA, "Covert phone")
    for path in PAGES:
        page = at_berts.open(path).html
        for word in ("Secret", "Mystery", "Hidden", "Private cloud", "Covert", "anna"):
            assert word not in page, (path, word)


# --- hostile texts ---------------------------------------------------------------------------------------


def test_markup_in_titles_names_errors_and_notices_stays_text(
    at_annas: Browser, bridge: Bridge, anna: UserRow
) -> None:
    account = studio.account(
        bridge, anna, HOSTILE, state="needs-sign-in", state_reason=HOSTILE, username=HOSTILE
    )
    link = studio.link(bridge, account, HOSTILE, f"#123456;{HOSTILE}", reads=True, state_reason=HOSTILE)
    fine = studio.account(bridge, anna, f"fine {HOSTILE}")
    studio.link(bridge, fine, HOSTILE, 'red" onload="alert(3)', writes=True, held=[HOSTILE])
    text = studio.event(
        "h",
        HOSTILE,
        "DTSTART:20261122T130000Z|DURATION:PT1H",
        f"LOCATION:{HOSTILE}",
        f"DESCRIPTION:{HOSTILE}",
    )
    studio.book(bridge, anna, text)
    studio.mirrored(bridge, link, text)
    people.add_device(bridge, ANNA, HOSTILE[:70])
    with bridge.db.writing() as tx:
        notices.add(tx, anna.id, "booking-restored", HOSTILE, now=NOON, uid=HOSTILE)
        mirror = links.get(tx, link).mirror_id
        assert mirror is not None
        calendars.set_title(tx, mirror, HOSTILE)
        where = {"calendar_id": calendars.bookings(tx, anna.id).id, "uid": "h", "now": NOON}
        suggestions.add(tx, anna.id, before=text, after=text.replace("T13", "T15"), actor=HOSTILE, **where)
        sides = {"group": "title", "ours": text, "theirs": text + HOSTILE, "winner": "ours", "instance": None}
        passed = passes.start(tx, link, anna.id, NOON)
        conflicts.add(tx, anna.id, link_id=link, pass_id=passed, **sides, **where)
    feed = feeds.add(bridge, ANNA, HOSTILE[:70])
    at_annas.client.get("/" + feed.url.split("/", 3)[3], headers={"User-Agent": HOSTILE})
    shown = [
        *PAGES,
        "/dashboard",
        "/conflicts",
        "/calendar/feeds",
        "/programs/log",
        "/calendar/events/1",
        *(f"/calendar/settings/accounts/{account}/{page}" for page in ("disconnect", "calendars")),
    ]
    for path in shown:
        harmless(at_annas.open(path))
    for path in ("/", "/calendar/settings", "/history", "/devices"):
        assert "<script>alert(1)</script>" in at_annas.open(path).text, "the text itself should be readable"


def test_what_was_typed_comes_back_as_text(at_annas: Browser) -> None:
    at_annas.open("/calendar/settings/connect/caldav")
    at_annas.press("Sign in and list calendars", url=HOSTILE, username=HOSTILE, password="")
    harmless(at_annas)
    assert at_annas.field("url").get("value") == HOSTILE
    at_annas.open("/devices").press("Create its password", name=HOSTILE)
    harmless(at_annas)


# --- limits and errors --------------------------------------------------------------------------------------


def test_a_body_over_the_limit_is_refused_in_plain_words(at_annas: Browser) -> None:
    at_annas.send("/devices", name="x" * 300_000)
    assert at_annas.status == 413
    assert "That was too much at once" in at_annas.text


def test_errors_are_pages_that_tell_no_secrets(
    at_annas: Browser, bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert at_annas.open("/nothing-here").status == 404
    assert "Nothing here" in at_annas.text
    assert at_annas.open("/sign-out").status == 405

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("password=geheim")

    monkeypatch.setattr(people, "list_devices", broken)
    assert at_annas.open("/devices").status == 500
    assert "Something broke on our side" in at_annas.text
    assert "geheim" not in at_annas.html
    assert "Traceback" not in at_annas.html


def test_no_field_is_taken_that_a_form_does_not_have(
    at_annas: Browser, bridge: Bridge, anna: UserRow
) -> None:
    at_annas.send("/devices", name="Phone", user_id="2", secret_mac="00", revoked="1", email=BERT)
    assert [device.name for device in people.list_devices(bridge, ANNA)] == ["Phone"]
    assert people.list_devices(bridge, BERT) == []
