"""One session's whole life on real screens: booked on a phone in another zone, seen by the photographer, by a
CalDAV client and at the provider, moved by the client, double-booked from outside, cancelled by the
photographer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from playwright.sync_api import Browser, Page

from bridge import serve
from bridge.config import Settings
from bridge.service import accounts, clashes, people, roles
from bridge.store import links
from bridge.web import make_app
from radicale_plugin.front import make_dav_app
from tests.booking.conftest import DAY, Studio, ics
from tests.journeys.phones import PythonCaldav
from tests.servers.dav import Outside, Server
from tests.servers.radicale import radicale
from tests.web.chromium import PHONE, chromium, served, visit

ANNA = "anna@studio.example"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with radicale(tmp_path / "radicale") as running:
        yield running


@pytest.fixture
def settings(settings: Settings, server: Server) -> Settings:
    return replace(settings, allow_hosts=frozenset({server.host_and_port}))


@pytest.fixture
def origin(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(people, "_hasher", lambda: hasher)
    people.set_user(studio.bridge, ANNA, password="a good password")
    app = make_app(studio.bridge)
    with served(serve.Origin({"/dav": make_dav_app(studio.bridge)}, app)) as address:  # type: ignore[arg-type]
        yield address


def connect(studio: Studio, server: Server) -> tuple[Outside, Outside]:
    """Her private calendar is read, her work calendar receives the bookings."""
    private, work = (server.make_calendar(name, title=name.title()) for name in ("private", "work"))
    account = accounts.add(
        studio.bridge, ANNA, "caldav", url=server.url, username=server.user, secret=server.password or "none"
    ).account_id
    ids = {choice.name: choice.id for choice in roles.calendars_of(studio.bridge, account)}
    roles.select(studio.bridge, account, read=[ids["Private"]], write=ids["Work"], yes=True)
    sync(studio)
    return private, work


def sync(studio: Studio) -> None:
    """As the worker does."""
    with studio.bridge.db.reading() as tx:
        known = [link.id for link in links.of_user(tx, studio.anna.id)]
    for link in known:
        studio.bridge.engine().run(link, by_hand=True)
        clashes.look(studio.bridge, link)


def texts(outside: Outside) -> list[str]:
    """What is there, unfolded."""
    return [(outside.get(name) or "").replace("\r\n ", "") for name in outside.list()]


def fill_in(page: Page) -> None:
    page.get_by_label("Your name").fill("Mary Jane")
    page.get_by_label("E-mail").fill("mary@client.example")
    page.get_by_label("Phone").fill("+1 555 0100")
    page.get_by_label("I agree").check()


def choose(page: Page, time: str) -> None:
    page.locator(".time", has_text=time).first.locator("input").check(force=True)


def test_a_session_from_the_first_click_to_the_last(
    browser: Browser, origin: str, studio: Studio, server: Server
) -> None:
    private, work = connect(studio, server)
    device = people.add_device(studio.bridge, ANNA, "Laptop")
    laptop = PythonCaldav(f"{origin}/dav/{ANNA}/", device.username, device.password)

    with visit(browser, origin) as anna, visit(browser, origin, size=PHONE) as mary:
        # the photographer makes a page
        page = anna.sign_in(ANNA)
        page.get_by_role("link", name="Booking pages").click()
        page.get_by_role("link", name="New booking page").click()
        page.get_by_label("Title").fill("Winter minis")
        page.locator("#date").fill(DAY)
        page.get_by_label("When sessions are offered").fill("09:00-13:00")
        page.get_by_role("button", name="Make the booking page").click()
        link = page.locator("#page-link").inner_text().partition("/book/")[2]

        # two tabs of a client in New York see the same free time; one gets it
        phone = mary.open(f"/book/{link}")
        phone.wait_for_url("**tz=America*")
        assert "04:00 at the studio" not in phone.inner_text("body")
        assert "10:00 at the studio" in phone.inner_text("#times")
        second = mary.context.new_page()
        second.goto(phone.url)
        for tab in (phone, second):
            choose(tab, "10:00 at the studio")
            fill_in(tab)
        phone.get_by_role("button", name="Book this time").click()
        phone.get_by_text("Booked").wait_for()
        assert "04:00 to 05:00" in phone.inner_text("body") and "at the studio 10:00" in phone.inner_text(
            "body"
        )
        second.get_by_role("button", name="Book this time").click()
        second.get_by_text("Somebody was faster").wait_for()
        assert "These times nearby are still free" in second.inner_text("body")
        second.close()
        assert mary.violations() == []

        # it is everywhere
        sync(studio)
        (uid,) = laptop.objects("bookings")
        assert "Mary Jane: Winter minis" in laptop.objects("bookings")[uid]
        assert any("Mary Jane: Winter minis" in text for text in texts(work))
        page.goto(f"{origin}/?from={DAY}", wait_until="networkidle")
        page.get_by_text("Mary Jane: Winter minis").first.wait_for(state="attached")

        # the client takes another time
        phone.get_by_role("link", name="Choose another time").click()
        choose(phone, "06:00")
        phone.get_by_role("button", name="Take this time instead").click()
        phone.get_by_text("Your session has a new time").wait_for()
        sync(studio)
        assert any("T120000" in text for text in texts(work))
        assert "T120000" in laptop.objects("bookings")[uid]

        # an event from outside over it is said on both sides, and moves nothing
        private.put(
            "dentist.ics", ics("dentist", "DTSTART:20261205T113000Z", "DURATION:PT20M", "SUMMARY:Dentist")
        )
        sync(studio)
        page.goto(f"{origin}/dashboard", wait_until="networkidle")
        assert "Dentist" in page.inner_text("main") and "lies over the booking" in page.inner_text("main")
        sync(studio)
        (there,) = texts(work)
        assert "Double-booked" in there and "T120000" in there

        # the photographer cancels it: gone everywhere, free again
        page.goto(f"{origin}/booking-pages/1/days/{DAY}", wait_until="networkidle")
        assert anna.violations() == []
        page.get_by_text("Cancel…").click()
        page.get_by_role("button", name="Yes, cancel it").click()
        page.get_by_text("Its time is free again").wait_for()
        sync(studio)
        assert texts(work) == [] and laptop.objects("bookings") == {}
        phone.reload(wait_until="networkidle")
        assert "Cancelled" in phone.inner_text("main")

        # a disabled page offers nothing
        page.goto(f"{origin}/booking-pages/1", wait_until="networkidle")
        assert anna.violations() == []
        page.get_by_role("button", name="Disable").click()
        page.get_by_text("offers nothing any more").wait_for()
        phone.goto(f"{origin}/book/{link}", wait_until="networkidle")
        assert "takes no bookings at the moment" in phone.inner_text("main")
        page.get_by_role("button", name="Enable").click()
        page.get_by_text("takes bookings again").wait_for()

        # a calendar that was not read lately: nothing is promised, and the photographer is told why
        studio.clock.pass_(hours=1)
        phone.goto(f"{origin}/book/{link}?tz=America/New_York&day={DAY}", wait_until="networkidle")
        assert "Nothing is free" in phone.inner_text("main")
        page.goto(f"{origin}/calendar/why?from={DAY}T09:00&to={DAY}T10:00", wait_until="networkidle")
        assert "could not be read lately" in page.inner_text("main") and "Private" in page.inner_text("main")
