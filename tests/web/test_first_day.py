"""The whole first day on a fresh server, in a real browser: a `serve` process over an empty folder, a real
Radicale or Google's sign-in as providers, the worker that works by itself. Whatever goes wrong on the way is
said where it happened, and the way goes on from there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.journeys.consenting import Consenting
from tests.journeys.installation import ZONE, Installation
from tests.servers.dav import Server
from tests.servers.emulate import emulate
from tests.servers.google_client import discovery_document
from tests.servers.process import free_port
from tests.servers.radicale import radicale
from tests.standins.google import GoogleStandIn
from tests.standins.google_hands import Hands
from tests.web.chromium import DESKTOP, PHONE, chromium, visit
from tests.web.studio import event

EMAIL, PASSWORD, THERE = "anna@studio.example", "a good password", "anna@there.example"
SIZES = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
#: A first pass in another process, on a machine that does more than this.
PATIENCE = 60_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    with chromium() as opened:
        yield opened
    expect.set_options(timeout=None)


def today(hour: int) -> datetime:
    """In the studio: a month view always shows it."""
    return datetime.now(ZoneInfo(ZONE)).replace(hour=hour, minute=0, second=0, microsecond=0)


def first_visit(page: Page) -> None:
    """Whoever opens a fresh server is asked who they are, and is in."""
    page.goto("/")
    expect(page).to_have_url(re.compile("/welcome$"))
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill("short")
    page.get_by_label("Time zone").fill(ZONE)
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_text("at least 10 characters", exact=False).first).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_role("status")).to_contain_text("Welcome!")


def choose(page: Page, read: str, write: str) -> None:
    """Tick what to read and what to write, look at what the first pass will do, and begin."""
    page.get_by_role("group", name="Calendars to read").get_by_label(read, exact=True).check()
    page.get_by_role("group", name="Calendar to write").get_by_label(write).check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Calendar settings saved.")
    expect(page.get_by_text("Add “Dentist” here.")).to_be_visible()
    expect(page.get_by_text("Add “Smith wedding” there.")).to_be_visible()
    page.get_by_role("button", name="Start syncing").click()


def see_both(page: Page, write: str) -> None:
    """The page says by itself when both sides agree; the month shows what is there and where bookings are."""
    expect(page.get_by_text(re.compile("In agreement"))).to_have_count(2)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Calendar", exact=True).click()
    expect(page.get_by_text("Calendar Sync Connected")).to_be_visible()
    page.get_by_role("button", name="Month", exact=True).click()
    expect(page.locator(".fc-event", has_text="Dentist")).to_be_visible()
    page.locator(".fc-event", has_text="Smith").click()
    expect(page.get_by_role("dialog")).to_contain_text(f"Is in “{write}”")


@SIZES
def test_from_an_empty_folder_to_both_sides_in_agreement(
    browser: Browser, tmp_path: Path, size: tuple[int, int]
) -> None:
    with ExitStack() as there:
        server = there.enter_context(radicale(tmp_path / "radicale"))
        private = server.make_calendar("private", title="Private", color="#d9480f")
        when = f"{today(9).astimezone(UTC):%Y%m%dT%H%M%SZ}"
        private.put("dentist.ics", event("dentist", "Dentist", f"DTSTART:{when}|DURATION:PT1H"))
        work = server.make_calendar("work", title="Work")
        studio = Installation(tmp_path / "data", [server.host_and_port])
        studio.data.mkdir()
        with studio.serving() as origin, visit(browser, origin, size=size) as at:
            at.context.set_default_timeout(PATIENCE)
            first_visit(at.page)
            studio.book("Smith wedding", f"{today(14):%Y-%m-%dT%H:%M}")
            _connect(at.page, server)
            choose(at.page, "Private", "Work")
            see_both(at.page, "Work")
            (text,) = work.texts().values()
            assert "SUMMARY:Smith wedding" in text
            there.close()
            _away(at.page)


def _away(page: Page) -> None:
    """The provider answers no more: it is said, and what was there before is still to be seen."""
    page.goto("/calendar/settings")
    page.get_by_role("button", name="Sync now").first.click()
    expect(page.get_by_text("Having trouble").first).to_be_visible()
    page.goto("/")
    expect(page.get_by_text("Calendar Sync Connected")).not_to_be_visible()
    expect(page.locator(".fc-event", has_text="Dentist")).to_be_visible()


def _connect(page: Page, server: Server) -> None:
    """With each mistake one can make at it."""
    page.get_by_role("link", name="Connect a calendar").click()
    page.get_by_label("Your e-mail address there").fill("anna@gmail.com")  # the wrong provider is guessed
    page.get_by_role("button", name="Find my provider").click()
    expect(page.get_by_text("Google Calendar").first).to_be_visible()
    page.locator("summary", has_text="choose another provider").click()
    page.get_by_role("link", name="Connect Another calendar server").click()
    page.get_by_label("Server address").fill(f"http://127.0.0.1:{free_port()}/")
    page.get_by_label("User name").fill(server.user)
    page.get_by_label("Password", exact=True).fill(server.password)
    page.get_by_role("button", name="Sign in and list calendars").click()
    expect(page.get_by_label("Server address")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Server address").fill(server.url)
    page.get_by_label("Password", exact=True).fill("wrong")
    page.get_by_role("button", name="Sign in and list calendars").click()
    expect(page.get_by_label("Password", exact=True)).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Password", exact=True).fill(server.password)
    page.get_by_role("button", name="Sign in and list calendars").click()


@SIZES
def test_with_google_through_a_box_that_was_not_ticked_and_a_consent_taken_back(
    browser: Browser, tmp_path: Path, size: tuple[int, int]
) -> None:
    studio = Consenting(tmp_path / "data", port=free_port())
    studio.data.mkdir()
    back = f"{studio.origin}/oauth/google/callback"
    with (
        GoogleStandIn(discovery_document(), email=THERE) as google,
        emulate(tmp_path / "house", "google", users=(THERE,), redirect_uri=back) as house,
    ):
        arbeit = google.make_calendar(THERE, summary="Arbeit", primary=True)
        private = google.make_calendar("private@group.calendar.example.com", summary="Privat")
        hour = (f"{today(at).isoformat()}" for at in (9, 10))
        Hands(google, private).create("Dentist", *hour)
        told = {
            "CLIENT_ID": "client",
            "CLIENT_SECRET": "secret",
            "API_URL": google.url,
            "ISSUER": house.issuer,
        }
        studio.settings |= {f"PICSELLO_BRIDGE_GOOGLE_{name}": value for name, value in told.items()}
        with studio.serving() as origin, visit(browser, origin, size=size) as at:
            at.context.set_default_timeout(PATIENCE)
            first_visit(at.page)
            studio.book("Smith wedding", f"{today(14):%Y-%m-%dT%H:%M}")
            _leave_for_google(at.page, ticked=False)
            expect(at.page.get_by_text("1 of the boxes there stayed empty")).to_be_visible()
            _leave_for_google(at.page, ticked=True)
            choose(at.page, "Privat", "Arbeit")
            see_both(at.page, "Arbeit")
            assert [event["summary"] for event in arbeit.events.values()] == ["Smith wedding"]

            # taken back in the account's own settings there
            house.revoke(studio.secret(1)["refresh_token"])
            google.expire_tokens()
            at.open("/calendar/settings").get_by_role("button", name="Sync now").first.click()
            again = at.page.get_by_role("link", name="Sign in again at")
            again.click()
            _consent(at.page)
            expect(at.page.get_by_role("status")).to_contain_text("Syncing goes on.")
            expect(at.page.get_by_text(re.compile("In agreement"))).to_have_count(2)
        assert google.violations == []


def _leave_for_google(page: Page, *, ticked: bool) -> None:
    """Over the page that explains Google's warning. Not ``ticked``: the box for calendars is left empty."""
    page.goto("/calendar/settings/connect/google")
    expect(page.get_by_text("Google may warn that it has not verified this app.")).to_be_visible()
    if not ticked:
        page.route("**/connect/google/leave", _without_calendars)
    page.get_by_role("link", name="Continue to Google").click()
    _consent(page)
    page.unroute_all()


def _without_calendars(route: Route) -> None:
    """On the way there, what is asked for without what was not ticked: `emulate` has no boxes."""
    away = route.fetch(max_redirects=0)
    parts = urlsplit(away.headers["location"])
    asked = dict(parse_qsl(parts.query))
    asked["scope"] = " ".join(scope for scope in asked["scope"].split() if "calendar.events" not in scope)
    route.fulfill(
        response=away, headers={**away.headers, "location": parts._replace(query=urlencode(asked)).geturl()}
    )


def _consent(page: Page) -> None:
    page.locator("form", has=page.locator(f"input[value='{THERE}']")).locator("button").first.click()
