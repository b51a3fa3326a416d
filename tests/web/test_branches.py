"""Where the seed's journey goes wrong, in a real browser: a wrong password, a wrong provider guessed, a scope
not ticked at Google, access taken back later, a provider that is down; and the way on from each. And the
journey without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from bridge.config import Settings
from bridge.service import feeds
from bridge.store import accounts, people
from bridge.store.people import UserRow
from bridge.wiring import Bridge
from tests.servers.dav import Server
from tests.servers.emulate import Emulate, emulate
from tests.servers.google_client import discovery_document
from tests.servers.process import free_port
from tests.servers.radicale import radicale
from tests.standins.google import GoogleStandIn
from tests.web import studio
from tests.web.chromium import DESKTOP, PHONE, chromium, served, visit
from tests.web.conftest import ANNA, Clock
from tests.web.studio import event
from tests.web.test_journey import let_the_worker_work

THERE = "anna@gmail.example"
BOTH = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
WEDDING = event("w", "Smith wedding", "DTSTART;TZID=Europe/Berlin:20261125T140000|DURATION:PT2H")
DENTIST = event("d", "Dentist", "DTSTART:20261124T080000Z|DTEND:20261124T090000Z")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Emulate]:
    """Google's sign-in."""
    back = f"http://127.0.0.1:{port}/oauth/google/callback"
    with emulate(tmp_path_factory.mktemp("emulate"), "google", users=(THERE,), redirect_uri=back) as house:
        yield house


@pytest.fixture(scope="module")
def google() -> Iterator[GoogleStandIn]:
    with GoogleStandIn(discovery_document(), email=THERE) as standin:
        standin.make_calendar(THERE, summary="Anna at Google")
        yield standin


@pytest.fixture
def settings(tmp_path: Path, house: Emulate, google: GoogleStandIn, port: int) -> Settings:
    return Settings(
        data=tmp_path,
        public_url=f"http://127.0.0.1:{port}",
        allow_hosts=frozenset({"127.0.0.1"}),
        google_client_id=house.client_id,
        google_client_secret=house.client_secret,
        google_issuer=house.issuer,
        google_api_url=google.url,
    )


@pytest.fixture
def base(app: Flask, port: int) -> Iterator[str]:
    with served(app, port) as address:
        yield address


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with radicale(tmp_path / "radicale") as running:
        yield running


def sign_in_there(page: Page, server: Server, password: str | None = None) -> None:
    page.get_by_label("Server address").fill(server.url)
    page.get_by_label("User name").fill(server.user)
    page.get_by_label("Password", exact=True).fill(server.password if password is None else password)
    page.get_by_role("button", name="Sign in and list calendars").click()


def choose_account_at_google(page: Page) -> None:
    """On Google's own page."""
    page.get_by_role("button", name=re.compile(re.escape(THERE))).click()


@BOTH
def test_a_wrong_guess_is_overruled_and_a_wrong_password_typed_again(
    browser: Browser, base: str, server: Server, size: tuple[int, int]
) -> None:
    server.make_calendar("work", title="Work")
    with visit(browser, base, size=size) as at:
        page = at.sign_in(ANNA)
        at.open("/calendar/settings/connect")
        page.get_by_label("Your e-mail address there").fill("anna@icloud.com")
        page.get_by_role("button", name="Find my provider").click()
        expect(page.get_by_role("heading", name="This is Apple iCloud")).to_be_visible()
        page.get_by_text("Advanced settings: choose another provider").click()
        page.get_by_role("link", name="Connect Another calendar server").click()
        sign_in_there(page, server, "wrong")
        field = page.get_by_label("Password", exact=True)
        expect(field).to_be_focused()
        expect(field).to_have_value("")
        expect(page.locator(".error")).to_contain_text("password")
        expect(page.get_by_label("Server address")).to_have_value(server.url)
        field.fill(server.password)
        page.get_by_role("button", name="Sign in and list calendars").click()
        expect(page.get_by_role("heading", name="Choose calendars")).to_be_visible()


@BOTH
def test_signing_in_on_googles_page_and_back(
    browser: Browser, base: str, bridge: Bridge, anna: UserRow, google: GoogleStandIn, size: tuple[int, int]
) -> None:
    with visit(browser, base, size=size) as at:
        page = at.sign_in(ANNA)
        at.open("/calendar/settings/connect/google")
        expect(page.get_by_text("Google may warn that it has not verified this app")).to_be_visible()
        page.get_by_role("link", name="Continue to Google Calendar").click()
        choose_account_at_google(page)
        expect(page.get_by_role("heading", name="Choose calendars")).to_be_visible()
        expect(page.get_by_role("status")).to_contain_text("Connected to")
        expect(page.get_by_text("Anna at Google").first).to_be_visible()


@BOTH
def test_a_scope_that_was_not_ticked_is_said_and_ticked_the_next_time(
    browser: Browser, base: str, bridge: Bridge, anna: UserRow, size: tuple[int, int]
) -> None:
    with visit(browser, base, size=size) as at:
        page = at.sign_in(ANNA)
        leave = f"{base}/calendar/settings/connect/google/leave"
        away = at.context.request.get(leave, max_redirects=0).headers["location"]
        page.goto(_without_events(away))
        choose_account_at_google(page)
        expect(page.get_by_text("tick them all")).to_be_visible()
        assert _accounts(bridge, anna) == []
        page.get_by_role("link", name="Connect a calendar").click()
        page.get_by_role("link", name="Connect Google Calendar").click()
        page.get_by_role("link", name="Continue to Google Calendar").click()
        choose_account_at_google(page)
        expect(page.get_by_role("heading", name="Choose calendars")).to_be_visible()


@BOTH
def test_access_that_was_taken_back_later_is_given_again(
    browser: Browser,
    base: str,
    bridge: Bridge,
    anna: UserRow,
    house: Emulate,
    google: GoogleStandIn,
    size: tuple[int, int],
) -> None:
    studio.book(bridge, anna, WEDDING)
    with visit(browser, base, size=size) as at:
        page = at.sign_in(ANNA)
        at.open("/calendar/settings/connect/google")
        page.get_by_role("link", name="Continue to Google Calendar").click()
        choose_account_at_google(page)
        page.get_by_role("group", name="Calendars to read").get_by_label("Anna at Google", exact=True).check()
        page.get_by_role("button", name="Save").click()
        page.get_by_role("button", name="Start syncing").click()
        let_the_worker_work(bridge)
        (number,) = _accounts(bridge, anna)
        house.revoke(_refresh_token(bridge, number))
        google.expire_tokens()  # the last hour's access has run out, too
        at.open("/calendar/settings")
        page.get_by_role("button", name="Sync now").click()
        let_the_worker_work(bridge)
        at.open("/calendar/settings")
        expect(page.get_by_text("Needs you to sign in again")).to_be_visible()
        at.open("/")
        expect(page.get_by_text("Needs you to sign in again")).to_be_visible()
        expect(page.locator(".fc-event", has_text="Smith")).to_be_visible()  # our own are here all the same
        page.get_by_role("link", name="What to do").click()
        page.get_by_role("link", name="Sign in again at Google Calendar").click()
        choose_account_at_google(page)
        let_the_worker_work(bridge)
        at.open("/calendar/settings")
        expect(page.get_by_text("In agreement just now")).to_be_visible()


@BOTH
def test_a_provider_that_is_down_is_said_everywhere_and_comes_back_by_itself(
    browser: Browser,
    base: str,
    bridge: Bridge,
    anna: UserRow,
    tmp_path: Path,
    clock: Clock,
    size: tuple[int, int],
) -> None:
    there = free_port()
    with ExitStack() as up:
        server = up.enter_context(radicale(tmp_path / "there", port=there))
        private = server.make_calendar("private", title="Private")
        private.put("d.ics", DENTIST)
        with visit(browser, base, size=size) as at:
            page = at.sign_in(ANNA)
            at.open("/calendar/settings/connect/caldav")
            sign_in_there(page, server)
            page.get_by_role("group", name="Calendars to read").get_by_label("Private", exact=True).check()
            page.get_by_role("button", name="Save").click()
            page.get_by_role("button", name="Start syncing").click()
            let_the_worker_work(bridge)
            up.close()
            at.open("/calendar/settings")
            page.get_by_role("button", name="Sync now").click()
            let_the_worker_work(bridge)
            at.open("/calendar/settings")
            expect(page.get_by_text("Having trouble")).to_be_visible()
            expect(page.get_by_text("127.0.0.1").first).to_be_visible()
            page.get_by_role("link", name="Choose calendars").click()
            expect(page.get_by_role("status")).to_contain_text("127.0.0.1")
            at.open("/")
            expect(page.locator(".fc-event", has_text="Dentist")).to_be_visible()
            expect(page.get_by_text("Calendar Sync Connected")).to_have_count(0)
            with radicale(tmp_path / "there", port=there):
                clock.pass_(minutes=10)
                at.open("/calendar/settings")
                page.get_by_role("button", name="Sync now").click()
                let_the_worker_work(bridge)
                at.open("/")
                expect(page.get_by_text("Calendar Sync Connected")).to_be_visible()


def test_without_javascript_everything_is_connected_shared_and_disconnected(
    browser: Browser, base: str, bridge: Bridge, anna: UserRow, server: Server
) -> None:
    server.make_calendar("work", title="Work")
    studio.book(bridge, anna, WEDDING)
    with visit(browser, base, java_script_enabled=False) as at:
        page = at.sign_in(ANNA)
        expect(page.get_by_text("Smith wedding")).to_be_visible()  # the plain list in the calendar's place
        page.get_by_role("link", name="Settings").first.click()
        page.get_by_role("link", name="Connect a calendar").click()
        page.get_by_role("link", name="Connect Another calendar server").click()
        sign_in_there(page, server)
        page.get_by_role("group", name="Calendar to write").get_by_label("Work").check()
        page.get_by_role("button", name="Save").click()
        page.get_by_role("button", name="Start syncing").click()
        expect(page.get_by_text("First sync is coming up")).to_be_visible()
        let_the_worker_work(bridge)
        expect(page.get_by_text("In agreement just now")).to_be_visible(timeout=15_000)  # looks by itself
        at.open("/calendar/feeds")
        page.get_by_label("Who or what is it for?").fill("Second shooter")
        page.get_by_role("button", name="Make the link").click()
        (feed,) = feeds.list_(bridge, ANNA)
        expect(page.get_by_text(feed.url)).to_be_visible()
        at.open("/devices")
        page.get_by_label("Name of the device").fill("Phone")
        page.get_by_role("button", name="Create its password").click()
        expect(page.get_by_text("Or without typing")).to_be_visible()
        at.open("/devices")
        page.get_by_role("button", name="Remove").click()
        with bridge.db.reading() as tx:
            assert people.devices(tx, anna.id) == []
        page.get_by_role("link", name="Calendar", exact=True).click()
        page.get_by_role("link", name="Smith wedding").click()
        page.get_by_text("Change the time").click()
        page.get_by_label("Starts").fill("2026-11-26T10:00")
        page.get_by_label("Ends").fill("2026-11-26T12:00")
        page.get_by_role("button", name="Move").click()
        expect(page.get_by_text("Thursday, 26 November, 10:00")).to_be_visible()
        at.open("/calendar/settings")
        page.get_by_role("link", name="Disconnect").click()
        expect(page.get_by_text("1 booking will be deleted there.")).to_be_visible()
        page.get_by_label("Remove all of them").check()
        page.get_by_role("button", name="Disconnect").click()
        expect(page.get_by_role("link", name="Connect a calendar")).to_be_visible()
        assert _accounts(bridge, anna) == []


def _without_events(address: str) -> str:
    """The sign-in as if the user had left one box unticked."""
    parts = urlsplit(address)
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    asked["scope"] = " ".join(one for one in asked["scope"].split() if not one.endswith("calendar.events"))
    return urlunsplit(parts._replace(query=urlencode(asked)))


def _accounts(bridge: Bridge, user: UserRow) -> list[int]:
    with bridge.db.reading() as tx:
        return [row.id for row in accounts.of_user(tx, user.id)]


def _refresh_token(bridge: Bridge, account: int) -> str:
    with bridge.db.reading() as tx:
        secret = accounts.get(tx, account).secret
    assert secret is not None
    (token,) = re.findall(r'"refresh_token": *"([^"]+)"', bridge.vault.unseal(secret, accounts.bind(account)))
    return str(token)
