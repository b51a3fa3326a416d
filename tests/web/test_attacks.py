"""Attacks on the pages, one test each: stolen cookies, planted names of hosts, caches, guesses of who is
here, and addresses that lead inside. What others may do to a tenant is in ``test_tenants``; XML, archives and
endless series are in ``tests/plugin/test_hostile`` and ``tests/providers/test_http``."""

from __future__ import annotations

import dataclasses
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from bridge.config import Settings
from bridge.errors import BridgeError
from bridge.service import accounts, audit, people, sources, webhooks
from bridge.store.people import UserRow
from bridge.web import make_app, session
from bridge.wiring import Bridge
from tests.web.annas import furnish
from tests.web.browser import Browser, some_path
from tests.web.conftest import ANNA, Clock

EVIL = "evil.example"
PLANTED = {
    "Host": EVIL,
    "X-Forwarded-Host": EVIL,
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Prefix": "/evil.example",
    "X-Forwarded-For": "192.0.2.66",
    "Forwarded": f"host={EVIL};proto=https",
    "X-Original-URL": "/devices",
    "X-Rewrite-URL": "/devices",
    "X-Host": EVIL,
    "X-HTTP-Method-Override": "DELETE",
}


def readable(app: Flask) -> list[str]:
    """An address for everything that can be read."""
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    named = {"<studio>": "anna", "<event>": "portraits", "<token>": "0" * 40, "<link>": "0" * 40}
    found = []
    for rule in rules:
        path = some_path(rule.rule).replace("<path:filename>", "bridge.css")
        for name, value in named.items():
            path = path.replace(name, value)
        if not path.endswith("/progress"):  # a stream without an end
            found.append(path)
    return found


# --- sessions ---------------------------------------------


def stolen(browser: Browser) -> dict[str, str]:
    """The cookie, as whoever got hold of it would send it."""
    cookie = browser.client.get_cookie("bridge")
    assert cookie is not None
    return {"Cookie": f"bridge={cookie.value}"}


def opens(app: Flask, headers: dict[str, str]) -> bool:
    return app.test_client(use_cookies=False).get("/devices", headers=headers).status_code == 200


def test_a_stolen_cookie_dies_when_its_owner_signs_out(app: Flask, at_annas: Browser) -> None:
    elsewhere = Browser(app).sign_in(ANNA)
    copy = stolen(at_annas)
    assert opens(app, copy)
    at_annas.press("Sign out")
    assert not opens(app, copy)
    assert elsewhere.open("/devices").path == "/devices", "the owner's other browsers stay signed in"


def test_a_stolen_cookie_dies_with_the_password(app: Flask, at_annas: Browser, bridge: Bridge) -> None:
    copy = stolen(at_annas)
    people.set_user(bridge, ANNA, password="another good one")
    assert not opens(app, copy)


def test_every_sign_in_has_a_session_of_its_own(app: Flask) -> None:
    first, second = stolen(Browser(app).sign_in(ANNA)), stolen(Browser(app).sign_in(ANNA))
    assert first != second


def test_no_session_lasts_for_ever_however_often_it_is_used(
    app: Flask, at_annas: Browser, clock: Clock
) -> None:
    for _ in range(session.LONGEST.days):
        clock.pass_(days=1)
        assert at_annas.open("/devices").path == "/devices"
    clock.pass_(seconds=1)
    assert at_annas.open("/devices").path.startswith("/sign-in")


# --- who is here ---------------------------------------------


def test_a_guess_costs_the_same_work_whoever_is_named(
    browser: Browser, bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    people.add_user(bridge, "carla@example.com", time_zone="UTC")  # has no password
    checked: list[int] = []
    check = people._verified

    def counted(known: str, password: str) -> bool:
        checked.append(len(password))
        return check(known, password)

    monkeypatch.setattr(people, "_verified", counted)
    pages = []
    for email in (ANNA, "carla@example.com", "nobody@example.com", "not an address"):
        browser.open("/sign-in").press("Sign in", email=email, password="wrong")
        pages.append((browser.status, browser.text.replace(email, "")))
    assert checked == [5] * 4
    assert len(set(pages)) == 1


def test_a_failed_sign_in_is_in_the_log_of_whom_it_was_tried_on(
    app: Flask, bridge: Bridge, anna: UserRow, clock: Clock
) -> None:
    Browser(app, REMOTE_ADDR="192.0.2.7").sign_in(ANNA, "wrong")
    clock.pass_(minutes=1)
    at_annas = Browser(app, REMOTE_ADDR="192.0.2.8").sign_in(ANNA)
    told = [(row["action"], row["actor"], row["address"]) for row in audit.list_(bridge, ANNA)]
    assert told[:2] == [
        ("signed-in", f"user:{anna.id}", "192.0.2.8"),
        ("sign-in-failed", "nobody", "192.0.2.7"),
    ]
    assert "192.0.2.7" in at_annas.open("/programs/log").text


# --- hosts and caches ---------------------------------------------


def test_no_answer_repeats_a_host_that_a_client_made_up(
    app: Flask, bridge: Bridge, anna: UserRow, at_annas: Browser
) -> None:
    furnish(bridge, anna)
    for client in (at_annas.client, app.test_client()):
        for path in readable(app):
            answer = client.get(path, headers=PLANTED)
            assert EVIL not in answer.get_data(as_text=True), path
            assert EVIL not in str(answer.headers), path


def test_nothing_private_is_kept_by_a_cache_and_no_header_changes_what_is_kept(
    app: Flask, bridge: Bridge, anna: UserRow, at_annas: Browser
) -> None:
    furnish(bridge, anna)
    for client in (at_annas.client, app.test_client()):
        for path in readable(app):
            answer = client.get(path)
            if path.startswith("/static/"):
                planted = client.get(path, headers=PLANTED)
                assert planted.get_data() == answer.get_data()
                assert planted.status_code == 200
            else:
                kept = answer.cache_control
                assert kept.no_store or (kept.private and kept.no_cache), (path, str(kept))


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_no_write_of_the_api_is_taken_from_another_sites_page(at_annas: Browser, method: str) -> None:
    refused = at_annas.client.open("/api/v1/bookings/x", method=method, json={"start": "2027-01-01T10:00"})
    assert (refused.status_code, "session it was opened in" in refused.json["detail"]) == (400, True)


def test_a_method_cannot_be_overridden(at_annas: Browser) -> None:
    override = {"X-HTTP-Method-Override": "DELETE", "X-Method-Override": "DELETE"}
    answer = at_annas.client.get("/api/v1/bookings/x?_method=DELETE", headers=override)
    assert answer.status_code == 404


def test_pages_go_on_where_the_store_of_limits_is_away(
    app: Flask, bridge: Bridge, settings: Settings
) -> None:
    bridge.settings = dataclasses.replace(settings, queue_url="redis://127.0.0.1:9/0")
    alone = Browser(make_app(bridge))
    assert alone.client.get("/api/v1/me").status_code == 401
    assert alone.client.get("/book/anna").status_code == 404
    assert alone.sign_in(ANNA).path == "/"


# --- addresses that lead inside ---------------------------------------------


@pytest.fixture
def inside() -> Iterator[tuple[int, list[object]]]:
    """A server of the studio's own network, and who called it."""
    called: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            while True:
                try:
                    connection, address = server.accept()
                except OSError:
                    return
                called.append(address)
                connection.close()

        threading.Thread(target=listen, daemon=True).start()
        yield server.getsockname()[1], called


#: Ways to spell this machine, its network, and what clouds keep beside it.
INSIDE = (
    "127.0.0.1",
    "localhost",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "0.0.0.0",
    "169.254.169.254",
    "10.0.0.1",
    "[fd00::1]",
    "[fe80::1%25lo]",
)


def _caldav(bridge: Bridge, url: str) -> None:
    accounts.add(bridge, ANNA, "caldav", url=url, username="x", secret="x")


def _ics(bridge: Bridge, url: str) -> None:
    accounts.add(bridge, ANNA, "ics", url=url, username="x", secret="x")


def _feed(bridge: Bridge, url: str) -> None:
    sources.set_(bridge, ANNA, "feed", url=url)


def _webhook(bridge: Bridge, url: str) -> None:
    webhooks.add(bridge, ANNA, url)
    with bridge.db.writing() as tx:
        from bridge.service import bookings

        user = people.people.user_by_email(tx, ANNA)
        bookings.add(tx, user, "x", "2027-05-08T10:00", 60, "", "", "confirmed", bridge.clock.now())
    webhooks.deliver(bridge)
    row = webhooks.list_(bridge, ANNA)[-1].row
    webhooks.remove(bridge, ANNA, row.id)
    assert row.delivered is None
    raise BridgeError(row.answer or "")


@pytest.mark.parametrize("field", [_caldav, _ics, _feed, _webhook])
def test_no_field_for_an_address_leads_into_the_studios_network(
    tmp_path: Path, inside: tuple[int, list[object]], field: Callable[[Bridge, str], None]
) -> None:
    port, called = inside
    bridge = Bridge.open(Settings(data=tmp_path))
    people.add_user(bridge, ANNA, time_zone="UTC")
    for host in INSIDE:
        for url in (f"https://{host}:{port}/", f"http://{host}:{port}/"):
            with pytest.raises(BridgeError):
                field(bridge, url)
    for url in (
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        f"https://a@127.0.0.1:{port}/",
        "//x",
        "https://",
    ):
        with pytest.raises(BridgeError):
            field(bridge, url)
    assert called == []
    bridge.db.close()


# --- who may be told of a weakness ---------------------------------------------


def test_security_txt_names_the_contact_of_the_settings(
    app: Flask, bridge: Bridge, settings: Settings, clock: Clock
) -> None:
    assert app.test_client().get("/.well-known/security.txt").status_code == 404
    bridge.settings = Settings(data=settings.data, security_contact="mailto:security@studio.example")
    answer = make_app(bridge).test_client().get("/.well-known/security.txt")
    assert answer.mimetype == "text/plain"
    lines = dict(line.split(": ", 1) for line in answer.text.splitlines())
    assert lines["Contact"] == "mailto:security@studio.example"
    assert lines["Expires"] == (clock.now() + timedelta(days=90)).strftime("%Y-%m-%dT00:00:00Z")
