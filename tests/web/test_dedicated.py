"""A calendar for the bookings alone, made at Google from our pages: asked for once more there, and only for
those who want one. The sign-in is ``emulate``'s; which boxes were ticked, the stand-in is told
(``google_rights``)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from bridge.config import Settings
from bridge.service import bookings
from bridge.store import accounts, links
from bridge.store.links import LinkRow
from bridge.store.people import UserRow
from bridge.wiring import Bridge
from tests.servers.emulate import Emulate, emulate
from tests.servers.google_client import discovery_document
from tests.standins.google import GoogleStandIn
from tests.standins.google_rights import APP_CREATED
from tests.web.browser import Browser
from tests.web.conftest import BERT
from tests.web.test_journey import let_the_worker_work

ORIGIN = "http://bridge.example"
THERE, OTHER, FAMILY = "anna@gmail.example", "other@gmail.example", "family@group.calendar.example.com"
NEW = "a new calendar"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulate]:
    back = f"{ORIGIN}/oauth/google/callback"
    folder = tmp_path_factory.mktemp("emulate")
    with emulate(folder, "google", users=(THERE, OTHER), redirect_uri=back) as running:
        yield running


@pytest.fixture
def google() -> Iterator[GoogleStandIn]:
    with GoogleStandIn(discovery_document(), email=THERE) as standin:
        standin.make_calendar(THERE, summary="Anna", primary=True, timeZone="Europe/Vienna")
        standin.make_calendar(FAMILY, summary="Familie")
        yield standin
        assert standin.violations == []
        assert standin.mails == []


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


@dataclass
class Story:
    """Anna before her browser, and Google as she sees it."""

    browser: Browser
    bridge: Bridge
    anna: UserRow
    house: Emulate
    google: GoogleStandIn

    def away(self, leave: str) -> str:
        """The address at Google that a link of ours leads to."""
        answer = self.browser.client.get(leave)
        assert answer.status_code == 302, answer.get_data(as_text=True)
        return str(answer.headers["Location"])

    def through_google(self, leave: str, *, email: str = THERE, unticked: str = "") -> str:
        """Over Google's page and back; what it was asked for."""
        away = self.away(leave)
        (scopes,) = parse_qs(urlsplit(away).query)["scope"]
        self.google.rights.consent(scopes, unticked=unticked)
        home = urlsplit(self.house.consent(away, email))
        self.browser.open(f"{home.path}?{home.query}")
        return scopes

    def say_no(self, leave: str) -> None:
        (state,) = parse_qs(urlsplit(self.away(leave)).query)["state"]
        self.browser.open(f"/oauth/google/callback?error=access_denied&state={state}")

    def connect(self) -> str:
        return self.through_google("/calendar/settings/connect/google/leave")

    def account(self) -> accounts.AccountRow:
        with self.bridge.db.reading() as tx:
            (row,) = accounts.of_user(tx, self.anna.id)
        return row

    @property
    def leave(self) -> str:
        """The only way on from our page that explains why."""
        (away,) = [a for a in self.browser.document.iter("a") if "Continue to" in a.text_content()]
        return str(away.get("href"))

    def links(self) -> dict[str, LinkRow]:
        with self.bridge.db.reading() as tx:
            return {link.name: link for link in links.of_account(tx, self.account().id)}

    def dedicated(self) -> list[str]:
        return [id_ for id_, one in self.google.calendars.items() if one.entry["summary"] == "Picsello"]


@pytest.fixture
def story(at_annas: Browser, bridge: Bridge, anna: UserRow, house: Emulate, google: GoogleStandIn) -> Story:
    return Story(at_annas, bridge, anna, house, google)


def test_google_asks_once_more_and_only_who_wants_a_calendar_made(story: Story):
    with story.bridge.db.writing() as tx:
        bookings.add(
            tx, story.anna, "Wedding", "2026-11-25T14:00", 60, "", "", "confirmed", story.bridge.clock.now()
        )
    assert APP_CREATED not in story.connect(), "an ordinary sign-in asks for no more than it needs"
    story.browser.press("Save", read=[FAMILY], edit=[FAMILY], write=NEW)
    assert "It covers only calendars that we make." in story.browser.text
    assert story.dedicated() == [], "nothing is made before Google's page"
    asked = story.through_google(story.leave)
    assert APP_CREATED in asked.split()

    assert "“Picsello” is there now, and your bookings will go into it." in story.browser.text
    assert "1 booking will be written there." in story.browser.text
    (made,) = story.dedicated()
    assert story.google.calendars[made].entry["timeZone"] == "Europe/Vienna", (
        "the clock of her first calendar"
    )
    assert story.google.calendars[made].events == {}, "nothing is written before she says so"
    chosen = story.links()
    assert (chosen["Familie"].reads, chosen["Familie"].edits, chosen["Familie"].writes) == (True, True, False)
    assert (chosen["Picsello"].reads, chosen["Picsello"].writes) == (False, True)

    story.browser.press("Start syncing")
    let_the_worker_work(story.bridge)
    assert [event["summary"] for event in story.google.calendars[made].events.values()] == ["Wedding"]
    assert story.google.calendars[THERE].events == {}


def test_with_the_box_left_empty_there_is_a_way_on(story: Story):
    story.connect()
    story.browser.press("Save", read=[FAMILY], write=NEW)
    story.through_google(story.leave, unticked=APP_CREATED)
    assert "Google has not allowed us to make a calendar." in story.browser.text
    assert story.browser.path.endswith("/calendars"), "at the choice: another calendar will do"
    ticked = [
        box.get("value") for box in story.browser.document.iter("input") if box.get("checked") is not None
    ]
    assert FAMILY in ticked, "what she ticked is kept"
    assert (story.dedicated(), story.account().state) == ([], "healthy")
    story.browser.press("Save", read=[FAMILY], write=THERE)
    assert story.links()["Anna"].writes
    # and once more, with the box ticked: the bookings move over
    story.browser.open(f"/calendar/settings/accounts/{story.account().id}/calendars")
    story.browser.press("Save", read=[FAMILY], write=NEW)
    assert story.links()["Anna"].writes, "they stay where they are until there is another place"
    story.through_google(story.leave)
    assert [name for name, link in story.links().items() if link.writes] == ["Picsello"]


def test_who_allowed_it_before_is_not_asked_again(story: Story):
    story.connect()
    story.google.rights.consent(APP_CREATED)
    story.google.expire_tokens()
    story.browser.press("Save", write=NEW)
    assert "Calendar settings saved." in story.browser.text, "no second way to Google"
    assert len(story.dedicated()) == 1
    assert story.links()["Picsello"].writes
    story.browser.open(f"/calendar/settings/accounts/{story.account().id}/calendars")
    assert "A new calendar" not in story.browser.text, "there is one already"


def test_the_leave_taken_back_later_is_asked_for_again(story: Story):
    story.connect()
    story.browser.press("Save", write=NEW)
    story.through_google(story.leave)
    (first,) = story.dedicated()
    story.browser.press("Start syncing")
    story.google.rights.take_back()
    let_the_worker_work(story.bridge)
    assert story.account().state == "healthy", "the calendar itself needs no such leave"
    del story.google.calendars[first]
    story.browser.open(f"/calendar/settings/accounts/{story.account().id}/calendars")
    story.browser.press("Save", write=NEW)
    assert "we need your permission once more" in story.browser.text
    story.through_google(story.leave)
    (second,) = story.dedicated()
    assert second != first


def test_a_no_at_google_leads_back_to_the_choice(story: Story):
    story.connect()
    story.browser.press("Save", write=NEW)
    story.say_no(story.leave)
    assert "you said no there. Nothing was changed." in story.browser.text
    assert story.browser.path.endswith("/calendars")
    assert (story.dedicated(), story.account().state) == ([], "healthy")


def test_another_google_account_makes_nothing(story: Story):
    story.connect()
    story.browser.press("Save", write=NEW)
    story.through_google(story.leave, email=OTHER)
    assert f"this is the account of {THERE}" in story.browser.text
    assert story.browser.path.endswith("/calendars")
    assert story.dedicated() == []


def test_an_unfinished_one_is_not_taken_up_by_another_sign_in(story: Story):
    story.connect()
    story.browser.press("Save", read=[FAMILY], write=NEW)
    story.away(story.leave)  # and closed the window
    number = story.account().id
    story.through_google(f"/calendar/settings/accounts/{number}/sign-in/leave")
    assert "Signed in again" in story.browser.text
    assert story.dedicated() == []


def test_nobody_elses_account_can_be_led_there(story: Story, app: Flask, bert: UserRow):
    story.connect()
    berts = Browser(app).sign_in(BERT)
    for page in ("new-calendar", "new-calendar/leave"):
        assert berts.open(f"/calendar/settings/accounts/{story.account().id}/{page}").status == 404
