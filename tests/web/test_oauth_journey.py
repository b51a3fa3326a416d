"""Google and Outlook, on our pages alone: sign in there, choose, start, lose the sign-in, renew it, and say
goodbye with each choice there is. What is left at the far side is exactly what the page said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from bridge.config import Settings
from bridge.service import bookings
from bridge.store import accounts, links
from bridge.store.people import UserRow
from bridge.wiring import Bridge
from tests.servers.emulate import Emulate, emulate
from tests.servers.google_client import discovery_document
from tests.standins.google import GoogleStandIn
from tests.standins.google_hands import Hands as GoogleHands
from tests.standins.microsoft import Graph
from tests.web.browser import Browser

ORIGIN, THERE = "http://bridge.example", "anna@there.example"


@dataclass
class Far:
    """A provider: its sign-in, and one calendar with a dentist in it."""

    kind: str
    house: Emulate
    standin: Any
    calendar: str
    dentist: str

    def subjects(self) -> list[str]:
        """What stands in the calendar."""
        if self.kind == "google":
            events = self.standin.calendars[self.calendar].events.values()
            return sorted(event["summary"] for event in events if event["status"] != "cancelled")
        events = self.standin.mailbox.events.values()
        return sorted(e.fields["subject"] for e in events if e.calendar == self.calendar and not e.gone)

    def access_runs_out(self, token: str) -> None:
        if self.kind == "google":
            self.standin.expire_tokens()
        else:
            self.standin.expired.add(token)

    def consent_is_taken_back(self, secret: dict[str, str]) -> None:
        """In the account's own settings there."""
        if self.kind == "google":
            self.house.revoke(secret["refresh_token"])
            self.standin.expire_tokens()
        else:
            self.standin.revoked = True

    def consent_is_given_again(self) -> None:
        if self.kind == "microsoft":
            self.standin.revoked = False

    def still_lets_us_in(self, secret: dict[str, str]) -> bool:
        return self.house.refreshes(secret["refresh_token"])


@pytest.fixture(scope="module", params=["google", "microsoft"])
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulate]:
    folder, kind = tmp_path_factory.mktemp("emulate"), request.param
    back = f"{ORIGIN}/oauth/{kind}/callback"
    with emulate(folder, kind, users=(THERE,), redirect_uri=back) as running:
        yield running


@pytest.fixture
def far(request: pytest.FixtureRequest, house: Emulate) -> Iterator[Far]:
    running = {"google": _at_google, "microsoft": _at_microsoft}[request.node.callspec.params["house"]]
    with running(house) as there:
        yield there


HOUR = ("2026-11-24T08:00:00", "2026-11-24T09:00:00")


@contextmanager
def _at_google(house: Emulate) -> Iterator[Far]:
    with GoogleStandIn(discovery_document(), email=THERE) as google:
        made = google.make_calendar(THERE, summary="Arbeit")
        dentist = GoogleHands(google, made).create("Dentist", *(f"{time}+01:00" for time in HOUR))
        yield Far("google", house, google, THERE, dentist)
        assert google.violations == []
        assert google.mails == []


@contextmanager
def _at_microsoft(house: Emulate) -> Iterator[Far]:
    with Graph() as graph:
        calendar = graph.mailbox.add_calendar("Arbeit")
        start, end = ({"dateTime": time, "timeZone": "W. Europe Standard Time"} for time in HOUR)
        stored = graph.mailbox.add(calendar, {"subject": "Dentist", "start": start, "end": end})
        yield Far("microsoft", house, graph, calendar, stored.id)
        assert graph.violations == []
        assert graph.mailbox.mails == []


@pytest.fixture
def settings(tmp_path: Path, far: Far) -> Settings:
    issuer = far.house.issuer + ("/common/v2.0" if far.kind == "microsoft" else "")
    api = far.standin.url if far.kind == "google" else far.standin.api_url
    told = {"client_id": "client", "client_secret": "secret", "issuer": issuer, "api_url": api}
    return Settings(
        data=tmp_path, public_url=ORIGIN, **{f"{far.kind}_{name}": value for name, value in told.items()}
    )


@dataclass
class Story:
    browser: Browser
    bridge: Bridge
    anna: UserRow
    far: Far

    def sign_in(self, leave: str) -> None:
        """Through the provider's own page and back to ours."""
        away = self.browser.client.get(leave)
        home = urlsplit(self.far.house.consent(away.headers["Location"], THERE))
        self.browser.open(f"{home.path}?{home.query}")

    def connect(self) -> None:
        self.sign_in(f"/calendar/settings/connect/{self.far.kind}/leave")
        self.browser.press("Save", read=[self.far.calendar], write=self.far.calendar).press("Start syncing")
        self.work()

    def book(self, title: str, start: str) -> None:
        with self.bridge.db.writing() as tx:
            bookings.add(tx, self.anna, title, start, 60, "", "", "confirmed", self.bridge.clock.now())

    def work(self) -> None:
        """What the worker does."""
        with self.bridge.db.reading() as tx:
            ids = [
                link.id for row in accounts.of_user(tx, self.anna.id) for link in links.of_account(tx, row.id)
            ]
        for link_id in ids:
            self.bridge.engine().run(link_id)

    def account(self) -> accounts.AccountRow:
        with self.bridge.db.reading() as tx:
            (row,) = accounts.of_user(tx, self.anna.id)
        return row

    def secret(self) -> dict[str, str]:
        row = self.account()
        assert row.secret is not None
        kept: dict[str, str] = json.loads(self.bridge.vault.unseal(row.secret, accounts.bind(row.id)))
        return kept

    def settings_page(self) -> str:
        return self.browser.open("/calendar/settings").text


@pytest.fixture
def story(at_annas: Browser, bridge: Bridge, anna: UserRow, far: Far) -> Story:
    return Story(at_annas, bridge, anna, far)


def test_a_sign_in_that_ends_is_told_renewed_and_nothing_is_doubled(story: Story):
    story.book("Wedding", "2026-11-25T14:00")
    story.connect()
    assert story.far.subjects() == ["Dentist", "Wedding"]
    assert "In agreement just now" in story.settings_page()
    assert "Dentist" in story.browser.open("/").text

    # an hour later: a new access token, without a word to anybody
    before = story.secret()
    story.far.access_runs_out(before["access_token"])
    story.work()
    assert story.secret()["access_token"] != before["access_token"]
    assert "In agreement just now" in story.settings_page()

    # taken back over there: said, with one thing to do
    number = story.account().id
    story.far.consent_is_taken_back(story.secret())
    story.work()
    assert "Needs you to sign in again" in story.settings_page()
    (again,) = [a for a in story.browser.document.iter("a") if "Sign in again at" in a.text_content()]
    story.book("Portrait", "2026-11-26T10:00")
    story.far.consent_is_given_again()
    story.sign_in(again.get("href"))
    story.work()
    assert "In agreement just now" in story.settings_page()
    assert story.account().id == number
    assert story.far.subjects() == ["Dentist", "Portrait", "Wedding"]


@pytest.mark.parametrize(
    ("choice", "left"),
    [
        ("keep", ["Dentist", "Last week", "Next week"]),
        ("remove-future", ["Dentist", "Last week"]),
        ("remove-all", ["Dentist"]),
    ],
)
def test_goodbye_leaves_what_was_chosen_and_ends_our_access(story: Story, choice: str, left: list[str]):
    story.book("Last week", "2026-11-15T14:00")
    story.book("Next week", "2026-11-29T14:00")
    story.connect()
    assert story.far.subjects() == ["Dentist", "Last week", "Next week"]
    secret = story.secret()
    story.browser.open("/calendar/settings").follow("Disconnect…")
    assert "2 bookings stay as now" in story.browser.text
    story.browser.press("Disconnect", pushed=choice)
    assert "is disconnected." in story.browser.text
    assert story.far.subjects() == left
    # Google takes tokens back; Microsoft offers no such thing (its sign-in's own description names none)
    assert story.far.still_lets_us_in(secret) is (story.far.kind == "microsoft")
    by_hand = "end it by hand at https://account.live.com/consent/Manage" in story.browser.text
    assert by_hand is (story.far.kind == "microsoft")
    assert "Next week" in story.browser.open("/").text
    assert "Dentist" not in story.browser.open("/").text
