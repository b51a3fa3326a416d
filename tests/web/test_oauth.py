"""Signing in on Google's page from ours: who may bring a sign-in home, how often, and for how long."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask

from bridge.config import Settings
from bridge.store import accounts
from bridge.store.people import UserRow
from bridge.wiring import Bridge
from tests.servers.emulate import Emulate, emulate
from tests.servers.google_client import discovery_document
from tests.standins.google import GoogleStandIn
from tests.web.browser import Browser
from tests.web.conftest import BERT, Clock

ORIGIN = "http://bridge.example"
THERE = "anna@gmail.example"
NOT_OURS = "This sign-in is not one that we began"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulate]:
    """Google's sign-in."""
    users, back = (THERE, "other@gmail.example"), f"{ORIGIN}/oauth/google/callback"
    with emulate(tmp_path_factory.mktemp("emulate"), "google", users=users, redirect_uri=back) as house:
        yield house


@pytest.fixture(scope="module")
def google() -> Iterator[GoogleStandIn]:
    with GoogleStandIn(discovery_document(), email=THERE) as standin:
        standin.make_calendar(THERE, summary="Anna bei Google")
        yield standin


@pytest.fixture
def settings(tmp_path: Path, house: Emulate, google: GoogleStandIn) -> Settings:
    return Settings(
        data=tmp_path,
        public_url=ORIGIN,
        google_client_id=house.client_id,
        google_client_secret=house.client_secret,
        google_issuer=house.issuer,
        google_api_url=google.url,
    )


def test_from_the_settings_page_to_the_choice_of_calendars(at_annas: Browser, house: Emulate):
    at_annas.open("/calendar/settings/connect/google")
    assert "You sign in on Google Calendar's own page" in at_annas.text
    (away,) = [a.get("href") for a in at_annas.document.iter("a") if "Continue to" in a.text_content()]
    at_annas.open(_back(at_annas, house, away))
    assert "Anna bei Google" in at_annas.text
    assert at_annas.path.endswith("/calendars")


def test_only_who_began_it_may_bring_it_home(
    at_annas: Browser, app: Flask, bridge: Bridge, anna: UserRow, bert: UserRow, house: Emulate
):
    home = _back(at_annas, house)
    strangers = [Browser(app), Browser(app).sign_in(BERT)]
    for stranger in strangers:
        stranger.open(home)
        assert NOT_OURS in stranger.text
    assert _accounts(bridge, anna) == _accounts(bridge, bert) == []
    at_annas.open(home)
    assert len(_accounts(bridge, anna)) == 1


def test_a_way_home_is_good_once(at_annas: Browser, bridge: Bridge, anna: UserRow, house: Emulate):
    home = _back(at_annas, house)
    at_annas.open(home)
    at_annas.open(home)
    assert NOT_OURS in at_annas.text
    assert len(_accounts(bridge, anna)) == 1


def test_a_way_home_is_good_for_a_quarter_of_an_hour(
    at_annas: Browser, bridge: Bridge, anna: UserRow, house: Emulate, clock: Clock
):
    home = _back(at_annas, house)
    clock.pass_(minutes=15)
    at_annas.open(home)
    assert NOT_OURS in at_annas.text
    assert _accounts(bridge, anna) == []


@pytest.mark.parametrize(
    "query", ["", "?code=x", "?state=x", "?code=x&state=x", "?error=access_denied&state=x"]
)
def test_what_nobody_began_goes_nowhere(at_annas: Browser, bridge: Bridge, anna: UserRow, query: str):
    at_annas.open(f"/oauth/google/callback{query}")
    assert NOT_OURS in at_annas.text
    assert _accounts(bridge, anna) == []


def test_a_code_of_somebody_elses_sign_in_is_refused(
    at_annas: Browser, bridge: Bridge, anna: UserRow, house: Emulate
):
    mine, other = _back(at_annas, house), _back(at_annas, house)
    code = urlsplit(other).query.split("code=")[1].split("&")[0]
    state = urlsplit(mine).query.split("state=")[1].split("&")[0]
    at_annas.open(
        f"/oauth/google/callback?code={code}&state={state}"
    )  # PKCE: it was made for another verifier
    assert "sign in again" in at_annas.text
    assert _accounts(bridge, anna) == []


def test_a_no_at_google_changes_nothing(at_annas: Browser, bridge: Bridge, anna: UserRow, house: Emulate):
    home = _back(at_annas, house)
    state = urlsplit(home).query.split("state=")[1].split("&")[0]
    at_annas.open(f"/oauth/google/callback?error=access_denied&state={state}")
    assert "you said no there" in at_annas.text
    assert _accounts(bridge, anna) == []


def test_the_same_google_account_is_not_connected_twice(
    at_annas: Browser, bridge: Bridge, anna: UserRow, house: Emulate
):
    for _ in range(2):
        at_annas.open(_back(at_annas, house))
    assert "connected already" in at_annas.text
    assert len(_accounts(bridge, anna)) == 1


def test_a_sign_in_that_ended_is_renewed_from_the_settings_page(
    at_annas: Browser, bridge: Bridge, anna: UserRow, house: Emulate, clock: Clock
):
    at_annas.open(_back(at_annas, house))
    (number,) = _accounts(bridge, anna)
    with bridge.db.writing() as tx:
        accounts.set_state(tx, number, "needs-sign-in", "Google wants you to sign in again.", now=clock.now())
    at_annas.open("/calendar/settings")
    (away,) = [a.get("href") for a in at_annas.document.iter("a") if "Sign in again at" in a.text_content()]
    at_annas.open(_back(at_annas, house, away, "other@gmail.example"))
    assert f"this is the account of {THERE}" in at_annas.text
    at_annas.open(_back(at_annas, house, away))
    with bridge.db.reading() as tx:
        assert [(row.id, row.state) for row in accounts.of_user(tx, anna.id)] == [(number, "healthy")]


def test_another_users_account_cannot_be_signed_in_to(
    at_annas: Browser, app: Flask, bridge: Bridge, anna: UserRow, house: Emulate
):
    at_annas.open(_back(at_annas, house))
    (number,) = _accounts(bridge, anna)
    berts = Browser(app).sign_in(BERT)
    berts.open(f"/calendar/settings/accounts/{number}/sign-in/leave")
    assert berts.status == 404


def _back(
    browser: Browser,
    house: Emulate,
    leave: str = "/calendar/settings/connect/google/leave",
    email: str = THERE,
) -> str:
    """Through Google's page; the path, with its query, that the browser is sent back to."""
    away = browser.client.get(leave)
    assert away.status_code == 302
    home = urlsplit(house.consent(away.headers["Location"], email))
    assert f"{home.scheme}://{home.netloc}" == ORIGIN
    return f"{home.path}?{home.query}"


def _accounts(bridge: Bridge, user: UserRow) -> list[int]:
    with bridge.db.reading() as tx:
        return [row.id for row in accounts.of_user(tx, user.id)]
