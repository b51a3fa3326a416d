"""The pages in a real browser, on a desktop and on a phone, against a real Radicale: the seed's journey, the
calendar's own doings, and what axe-core says of every page in both themes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect

from bridge.service import bookings, feeds
from bridge.store import accounts
from bridge.store.people import UserRow
from bridge.wiring import Bridge
from tests.servers.dav import Server
from tests.servers.radicale import radicale
from tests.web import studio
from tests.web.chromium import DESKTOP, PHONE, chromium, served, visit
from tests.web.conftest import ANNA
from tests.web.studio import event
from tests.web.test_journey import let_the_worker_work


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def base(app: Flask) -> Iterator[str]:
    with served(app) as address:
        yield address


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with radicale(tmp_path / "radicale") as running:
        yield running


WEDDING = event(
    "w", "Wedding", "DTSTART;TZID=Europe/Berlin:20261125T140000|DURATION:PT2H", "LOCATION:Old Mill"
)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_seeds_journey_from_connecting_to_both_sides_in_agreement(
    browser: Browser, base: str, bridge: Bridge, anna: UserRow, server: Server, size: tuple[int, int]
) -> None:
    private = server.make_calendar("private", title="Private", color="#d9480f")
    private.put("dentist.ics", event("d", "Dentist", "DTSTART:20261124T080000Z|DTEND:20261124T090000Z"))
    work = server.make_calendar("work", title="Work")
    with bridge.db.writing() as tx:
        uid, _ = bookings.add(
            tx, anna, "Smith wedding", "2026-11-25T14:00", 60, "Old Mill", "", "confirmed", bridge.clock.now()
        )
    with visit(browser, base, size=size) as at:
        page = at.sign_in(ANNA)
        page.get_by_role("navigation", name="Main").get_by_role("link", name="Settings").click()
        page.get_by_role("link", name="Connect a calendar").click()
        expect(page.get_by_text("Remove that subscription")).to_be_visible()
        page.get_by_role("link", name="Connect Another calendar server").click()
        page.get_by_label("Server address").fill(server.url)
        page.get_by_label("User name").fill(server.user)
        page.get_by_label("Password", exact=True).fill("wrong")
        page.get_by_role("button", name="Sign in and list calendars").click()
        expect(page.locator("[aria-invalid=true]")).to_be_focused()
        page.get_by_label("Password", exact=True).fill(server.password)
        page.get_by_role("button", name="Sign in and list calendars").click()
        page.get_by_role("group", name="Calendars to read").get_by_label("Private", exact=True).check()
        page.get_by_role("group", name="Calendar to write").get_by_label("Work").check()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("status")).to_contain_text("Calendar settings saved.")
        expect(page.get_by_text("1 booking will be written there")).to_be_visible()
        page.get_by_role("button", name="Start syncing").click()
        expect(page.get_by_text("First sync is coming up").first).to_be_visible()
        let_the_worker_work(bridge)
        expect(page.get_by_text("In agreement just now").first).to_be_visible()  # by itself, without a reload
        page.get_by_role("link", name="Calendar", exact=True).click()
        expect(page.get_by_text("Calendar Sync Connected")).to_be_visible()
        page.get_by_role("button", name="Month", exact=True).click()
        expect(page.locator(".fc-event", has_text="Dentist")).to_be_visible()
        page.locator(".fc-event", has_text="Smith").click()
        expect(page.get_by_role("dialog")).to_contain_text("Is in “Work”")
        assert "SUMMARY:Smith wedding" in (work.by_uid(uid) or "")


def test_dragging_a_booking_moves_it_and_undo_brings_it_back(
    browser: Browser, base: str, bridge: Bridge, anna: UserRow
) -> None:
    studio.book(bridge, anna, WEDDING)
    with visit(browser, base) as at:
        page = at.sign_in(ANNA)
        booking = page.locator(".fc-event", has_text="Wedding")
        expect(booking).to_contain_text("14:00")
        booking.drag_to(page.locator("td[data-date='2026-11-27']"))
        toast = page.locator(".corner")
        expect(toast).to_contain_text("“Wedding” is moved to")
        expect(page.locator("td[data-date='2026-11-27'] .fc-event")).to_have_count(1)
        assert _starts(bridge, anna) == "2026-11-27T14:00:00+01:00"
        toast.get_by_role("button", name="Undo").click()
        expect(page.locator("td[data-date='2026-11-25'] .fc-event")).to_have_count(1)
        assert _starts(bridge, anna) == "2026-11-25T14:00:00+01:00"


def test_what_is_refused_goes_back_where_it_was_and_says_why(
    browser: Browser, base: str, bridge: Bridge, anna: UserRow
) -> None:
    studio.book(bridge, anna, WEDDING)
    with visit(browser, base) as at:
        page = at.sign_in(ANNA)
        expect(page.locator(".fc-event", has_text="Wedding")).to_be_visible()
        studio.book(bridge, anna, WEDDING.replace("Wedding", "Bigger wedding"))  # from another device
        page.locator(".fc-event", has_text="Wedding").drag_to(page.locator("td[data-date='2026-11-27']"))
        expect(page.locator(".corner")).to_contain_text("changed in the meantime")
        expect(page.locator("td[data-date='2026-11-25'] .fc-event")).to_contain_text("Bigger wedding")


def test_the_legend_filters_and_view_and_choice_are_remembered(
    browser: Browser, base: str, bridge: Bridge, anna: UserRow
) -> None:
    family = studio.link(bridge, studio.account(bridge, anna), "Family", reads=True)
    studio.mirrored(bridge, family, event("d", "Dentist", "DTSTART:20261124T080000Z|DURATION:PT1H"))
    studio.book(bridge, anna, WEDDING)
    with visit(browser, base) as at:
        page = at.sign_in(ANNA)
        expect(page.locator(".fc-event")).to_have_count(2)
        page.get_by_role("group", name="Show these calendars").get_by_label("Family").uncheck()
        expect(page.locator(".fc-event")).to_have_count(1)
        page.get_by_role("button", name="Week", exact=True).click()
        page.get_by_role("button", name=re.compile("^Later")).click()
        at.open("/")
        expect(page.get_by_role("button", name="Week", exact=True)).to_have_attribute("aria-pressed", "true")
        expect(page.locator(".fc-toolbar-title")).to_contain_text("23 – 29 Nov")
        expect(page.locator(".fc-event")).to_have_count(1)


def test_a_block_is_made_in_a_dialog_by_keyboard_alone(browser: Browser, base: str) -> None:
    with visit(browser, base) as at:
        page = at.sign_in(ANNA)
        page.get_by_role("link", name="Block time").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog", name="Block time")).to_be_visible()
        page.get_by_label("What for").fill("Editing")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status").first).to_contain_text("Blocked.")
        expect(page.locator(".fc-event.block", has_text="Editing")).to_be_visible()
        page.locator(".fc-event.block").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog", name="Editing")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)


def test_one_dead_provider_empties_no_page(
    browser: Browser, base: str, bridge: Bridge, anna: UserRow
) -> None:
    account = studio.account(bridge, anna)
    family = studio.link(bridge, account, "Family", reads=True, agreed_at=bridge.clock.now())
    studio.mirrored(bridge, family, event("d", "Dentist", "DTSTART:20261124T080000Z|DURATION:PT1H"))
    with bridge.db.writing() as tx:
        accounts.set_state(tx, account, "retrying", "iCloud does not answer.", now=bridge.clock.now())
    with visit(browser, base) as at:
        page = at.sign_in(ANNA)
        expect(page.locator(".fc-event", has_text="Dentist")).to_be_visible()
        expect(page.get_by_text("Having trouble")).to_be_visible()
        expect(page.get_by_text("Calendar Sync Connected")).to_have_count(0)


def test_a_link_is_copied(browser: Browser, base: str, bridge: Bridge) -> None:
    feed = feeds.add(bridge, ANNA, "Second shooter")
    with visit(browser, base, permissions=["clipboard-read", "clipboard-write"]) as at:
        at.sign_in(ANNA)
        page = at.open("/calendar/feeds")
        page.get_by_role("button", name="Copy link").click()
        expect(page.get_by_text("Copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == feed.url


def test_markup_in_titles_places_and_names_runs_nowhere(
    browser: Browser, base: str, bridge: Bridge, anna: UserRow
) -> None:
    evil = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    family = studio.link(bridge, studio.account(bridge, anna), evil, reads=True)
    text = event(
        "h", evil, "DTSTART:20261125T130000Z|DURATION:PT1H", f"LOCATION:{evil}", f"DESCRIPTION:{evil}"
    )
    studio.book(bridge, anna, text)
    studio.mirrored(bridge, family, text)
    with visit(browser, base) as at:
        page = at.sign_in(ANNA)
        page.on("dialog", lambda dialog: at.said.append(f"it ran: {dialog.message}"))
        expect(page.locator(".fc-event", has_text=evil)).to_have_count(2)
        for view in ("Week", "Day", "List", "Month"):
            page.get_by_role("button", name=view, exact=True).click()
        page.locator(".fc-event", has_text=evil).first.click()
        expect(page.get_by_role("dialog")).to_contain_text(evil)
        page.keyboard.press("Escape")
        page.locator(".fc-event", has_text=evil).first.drag_to(page.locator("td[data-date='2026-11-27']"))
        expect(page.locator(".corner")).to_contain_text(evil)  # moved, or said why not
        for path in ("/dashboard", "/history", "/calendar/settings", "/calendar/events/1"):
            at.open(path)
            assert page.locator("img[src=x]").count() == 0


def _starts(bridge: Bridge, anna: UserRow) -> str:
    with bridge.db.reading() as tx:
        return str(bookings.list_(tx, anna)[0]["start"])
