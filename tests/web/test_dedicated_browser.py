"""A calendar for the bookings made at Google, in a real browser: over our page that says why, Google's own, a
box left empty, and back."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Browser, Page, Route, expect

from bridge.store.people import UserRow
from bridge.wiring import Bridge
from tests.standins.google import GoogleStandIn
from tests.standins.google_rights import APP_CREATED
from tests.web import studio
from tests.web.chromium import visit
from tests.web.conftest import ANNA
from tests.web.test_branches import (
    BOTH,
    WEDDING,
    base,
    browser,
    choose_account_at_google,
    google,
    house,
    port,
    settings,
)
from tests.web.test_journey import let_the_worker_work

__all__ = ["base", "browser", "google", "house", "port", "settings"]


@BOTH
def test_a_calendar_is_made_at_google_once_its_box_is_ticked(
    browser: Browser,
    base: str,
    bridge: Bridge,
    anna: UserRow,
    google: GoogleStandIn,
    size: tuple[int, int],
) -> None:
    google.rights.take_back()  # the other size's
    for one in google.rights.made:
        google.calendars.pop(one, None)
    studio.book(bridge, anna, WEDDING)
    with visit(browser, base, size=size) as at:
        page = at.sign_in(ANNA)
        at.open("/calendar/settings/connect/google")
        page.get_by_role("link", name="Continue to Google Calendar").click()
        choose_account_at_google(page)
        for ticked in (False, True):
            page.get_by_label("A new calendar, “Picsello”, for them alone").check()
            page.get_by_role("button", name="Save").click()
            expect(page.get_by_role("heading", name="A calendar for your bookings")).to_be_visible()
            assert not at.violations()
            _through_google(page, google, ticked=ticked)
            if not ticked:
                expect(page.get_by_text("Google has not allowed us to make a calendar.")).to_be_visible()
                expect(page.get_by_role("heading", name="Choose calendars")).to_be_visible()
        expect(page.get_by_role("status")).to_contain_text("“Picsello” is there now")
        expect(page.get_by_text("1 booking will be written there.")).to_be_visible()
        page.get_by_role("button", name="Start syncing").click()
        let_the_worker_work(bridge)
    there = google.calendars[google.rights.made[-1]]
    assert [event["summary"] for event in there.events.values()] == ["Smith wedding"]
    assert google.violations == []


def _through_google(page: Page, google: GoogleStandIn, *, ticked: bool) -> None:
    """Google's page has boxes; ``emulate``'s has none, so the stand-in is told which were ticked."""

    def told(route: Route) -> None:
        away = route.fetch(max_redirects=0)
        (scopes,) = parse_qs(urlsplit(away.headers["location"]).query)["scope"]
        google.rights.consent(scopes, unticked="" if ticked else APP_CREATED)
        route.fulfill(response=away)

    page.route("**/new-calendar/leave", told)
    page.get_by_role("link", name="Continue to Google Calendar").click()
    choose_account_at_google(page)
    page.unroute_all()
