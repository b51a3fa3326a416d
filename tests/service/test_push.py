"""Channels: asked for after a pass, renewed in time, replaced when they are lost, ended when we leave; and a
notice that knows the secret makes its link due, whatever else it says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.config import Settings
from bridge.service import people, push
from bridge.store import accounts, channels, links
from bridge.store.channels import ChannelRow
from bridge.wiring import Bridge
from tests.servers.google_client import discovery_document
from tests.standins import telling
from tests.standins.google import GoogleStandIn
from tests.standins.microsoft import Graph

ANNA = "anna@studio.example"


class Clock:
    """The real one, and what a test adds to it."""

    ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Bed:
    """One link of an account at a stand-in. ``open`` are the far side's channels by name."""

    bridge: Bridge
    clock: Clock
    far: Any
    calendar: str
    link_id: int
    account_id: int
    open: dict[str, Any]
    violations: list[str]

    def tend(self) -> ChannelRow | None:
        push.tend(self.bridge, self.link_id)
        return self.row()

    def row(self) -> ChannelRow | None:
        with self.bridge.db.reading() as tx:
            return channels.get(tx, self.link_id)

    def due(self) -> datetime | None:
        with self.bridge.db.reading() as tx:
            return links.get(tx, self.link_id).due_at

    def not_due(self) -> None:
        with self.bridge.db.writing() as tx:
            links.set_(tx, self.link_id, due_at=self.clock.now() + timedelta(hours=1))

    def set_link(self, **values: Any) -> None:
        with self.bridge.db.writing() as tx:
            links.set_(tx, self.link_id, **values)


@pytest.fixture
def google(tmp_path: Path) -> Iterator[Bed]:
    with GoogleStandIn(discovery_document()) as standin:
        standin.make_calendar("family@example.com")
        told = Settings(data=tmp_path, google_issuer=standin.url, google_api_url=standin.url)
        yield from _bed(told, "google", standin, "family@example.com", standin.channels.open, standin)


@pytest.fixture
def microsoft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bed]:
    # the address is nobody's in these tests: that it answers is for the journeys to show
    monkeypatch.setattr(
        "tests.standins.microsoft_subscriptions.post",
        lambda address, _: (200, "text/plain", _token(address).encode()),
    )
    with Graph() as graph:
        calendar = graph.mailbox.add_calendar("Arbeit")
        told = Settings(data=tmp_path, microsoft_issuer=f"{graph.url}oauth", microsoft_api_url=graph.api_url)
        yield from _bed(told, "microsoft", graph, calendar, graph.subscriptions.open, graph)


def _token(address: str) -> str:
    from urllib.parse import parse_qs, urlsplit

    return parse_qs(urlsplit(address).query)["validationToken"][0]


def _bed(told: Settings, kind: str, far: Any, calendar: str, open_: Any, standin: Any) -> Iterator[Bed]:
    who = {f"{kind}_client_id": "client", f"{kind}_client_secret": "secret"}
    settings = replace(told, **who, public_url="https://bridge.example")
    clock = Clock()
    bridge = Bridge.open(settings, clock)
    user = people.add_user(bridge, ANNA, time_zone="Europe/Berlin")
    token = {"access_token": "a", "refresh_token": "r", "token_type": "Bearer", "expires_at": 4_102_444_800}
    now = clock.now()
    with bridge.db.writing() as tx:
        account = accounts.create(tx, user.id, kind, label=kind, username=ANNA, now=now)
        accounts.set_(tx, account, secret=bridge.vault.seal(json.dumps(token), accounts.bind(account)))
        link = links.create(tx, account, calendar, name="x", color=None, writable=True, now=now)
        links.set_(tx, link, reads=True)
    try:
        yield Bed(bridge, clock, far, calendar, link, account, open_, standin.violations)
        assert standin.violations == []
    finally:
        bridge.db.close()


@pytest.fixture(params=["google", "microsoft"])
def bed(request: pytest.FixtureRequest) -> Bed:
    found: Bed = request.getfixturevalue(request.param)
    return found


def test_a_link_gets_a_channel_to_our_own_address_and_keeps_it(bed: Bed):
    row = bed.tend()
    assert row is not None
    (made,) = bed.open.values()
    kind = "google" if "token" in made else "microsoft"
    address, secret = made.get("address") or made["notificationUrl"], made.get("token") or made["clientState"]
    assert address == f"https://bridge.example/hooks/{kind}"
    assert len(secret) == 64
    assert row.name in bed.open
    assert row.expires is not None
    assert row.expires > bed.clock.now() + timedelta(days=5)
    due = bed.due()
    assert due is not None
    assert due <= bed.clock.now(), "what changed before it was there is looked for"
    assert bed.tend() == row
    assert len(bed.open) == 1


def test_it_is_renewed_well_before_it_ends(bed: Bed):
    first = bed.tend()
    assert first is not None
    bed.clock.ahead = timedelta(days=3)
    assert bed.tend() == first, "not every day"
    bed.clock.ahead = timedelta(days=5)
    again = bed.tend()
    assert again is not None
    assert again.name in bed.open
    assert len(bed.open) == 1, "the old one has ended"
    assert again.look_at > bed.clock.now()


def test_one_that_the_provider_forgot_is_asked_for_anew(bed: Bed):
    first = bed.tend()
    bed.open.clear()
    bed.clock.ahead = timedelta(days=5)
    again = bed.tend()
    assert again is not None
    assert first is not None
    assert again.name != first.name
    assert list(bed.open) == [again.name]


def test_a_public_address_that_changed_gets_a_channel_of_its_own(bed: Bed):
    bed.tend()
    settings = replace(bed.bridge.settings, public_url="https://moved.example")
    push.tend(replace(bed.bridge, settings=settings), bed.link_id)
    (made,) = bed.open.values()
    assert (made.get("address") or made["notificationUrl"]).startswith("https://moved.example/hooks/")


@pytest.mark.parametrize(
    ("public_url", "said", "channels_made"),
    [
        ("https://bridge.example", "auto", 1),
        ("http://bridge.example", "auto", 0),
        ("http://bridge.example", "on", 1),
        ("https://bridge.example", "off", 0),
        ("", "auto", 0),
    ],
)
def test_only_where_the_provider_can_reach_us(google: Bed, public_url: str, said: str, channels_made: int):
    settings = replace(google.bridge.settings, public_url=public_url, push=said)
    push.tend(replace(google.bridge, settings=settings), google.link_id)
    assert len(google.open) == channels_made


def test_a_calendar_without_a_role_gets_none(bed: Bed):
    bed.set_link(reads=False)
    assert bed.tend() is None
    assert bed.open == {}


def test_a_refused_channel_is_asked_for_an_hour_later_and_breaks_nothing(google: Bed):
    google.far.channels.https_only = True
    settings = replace(google.bridge.settings, public_url="http://bridge.example", push="on")
    bridge = replace(google.bridge, settings=settings)
    push.tend(bridge, google.link_id)
    row = google.row()
    assert row is not None
    assert row.name is None
    assert timedelta(minutes=55) < row.look_at - google.clock.now() <= timedelta(hours=1)
    google.far.channels.https_only = False
    push.tend(bridge, google.link_id)
    assert google.open == {}, "not before"
    google.clock.ahead = timedelta(hours=1)
    push.tend(bridge, google.link_id)
    assert len(google.open) == 1


def test_when_we_leave_it_ends(bed: Bed):
    bed.tend()
    push.stop(bed.bridge, bed.account_id)
    assert bed.open == {}
    push.stop(bed.bridge, bed.account_id)  # one that has ended already is no error


# --- notices -----------------------------------------------------------------------------------------------


def _notice(bed: Bed, **other: Any) -> bool:
    """What the far side says, or something slightly different."""
    ((name, made),) = bed.open.items()
    if "token" in made:
        said = {"name": name, "token": made["token"], "state": "exists", **other}
        return push.google_told(bed.bridge, **said)
    said = {"subscriptionId": name, "clientState": made["clientState"], "changeType": "updated", **other}
    return push.microsoft_told(bed.bridge, said)


def test_a_notice_makes_its_link_due_at_once(bed: Bed):
    bed.tend()
    bed.not_due()
    assert _notice(bed)
    due = bed.due()
    assert due is not None
    assert due <= bed.clock.now()
    assert bed.bridge.due.is_set(), "the worker of this process looks at once"


def test_many_notices_lead_to_few_passes(bed: Bed):
    bed.tend()
    bed.not_due()
    assert _notice(bed)
    bed.not_due()  # a pass took it on
    for _ in range(50):
        assert _notice(bed)
    due = bed.due()
    assert due is not None
    assert timedelta() < due - bed.clock.now() <= push.GAP


def test_what_waits_for_its_user_is_not_woken(bed: Bed):
    bed.tend()
    bed.set_link(held=["Look at this first."], due_at=None)
    assert _notice(bed)
    assert bed.due() is None


@pytest.mark.parametrize(
    "forged",
    [
        {"token": "0" * 64, "clientState": "0" * 64},
        {"token": "", "clientState": ""},
        {"token": "ü", "clientState": None},
        {"name": "another", "subscriptionId": "another"},
        {"name": "", "subscriptionId": 7},
    ],
)
def test_a_notice_that_does_not_know_the_secret_does_nothing(bed: Bed, forged: dict[str, Any]):
    bed.tend()
    bed.not_due()
    before = bed.due()
    mine = (
        {"name", "token", "state"}
        if bed.far.__class__ is GoogleStandIn
        else {"subscriptionId", "clientState"}
    )
    assert not _notice(bed, **{name: value for name, value in forged.items() if name in mine})
    assert bed.due() == before


def test_a_provider_cannot_speak_for_the_other(google: Bed):
    google.tend()
    ((name, made),) = google.open.items()
    assert not push.microsoft_told(google.bridge, {"subscriptionId": name, "clientState": made["token"]})


def test_the_first_notice_of_google_says_only_that_the_channel_works(google: Bed):
    google.tend()
    google.not_due()
    before = google.due()
    assert _notice(google, state="sync")
    assert google.due() == before


def test_lifecycle_notices_renew_replace_and_look(microsoft: Bed, monkeypatch: pytest.MonkeyPatch):
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(
        microsoft.far.subscriptions.teller,
        "later",
        lambda _a, _h, body: told.extend(json.loads(body)["value"]),
    )
    first = microsoft.tend()
    assert first is not None
    for event in ("missed", "reauthorizationRequired", "subscriptionRemoved"):
        microsoft.not_due()
        microsoft.clock.ahead += timedelta(minutes=1)
        microsoft.far.subscriptions.tell_life(first.name, event)
        assert push.microsoft_told(microsoft.bridge, told.pop())
        due, row = microsoft.due(), microsoft.row()
        assert due is not None
        assert due <= microsoft.clock.now(), event
        assert row is not None
        assert (row.look_at <= microsoft.clock.now()) is (event != "missed")
        again = microsoft.tend()
        assert again is not None
        assert (again.name == first.name) is (event != "subscriptionRemoved")
    assert list(microsoft.open) == [again.name]


def test_a_teller_notes_that_nobody_listened():
    teller = telling.Teller()
    teller.later("http://127.0.0.1:9/hooks/google", {})
    _soon(lambda: teller.answers == [0])


def _soon(condition: Callable[[], bool]) -> None:
    import time

    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
