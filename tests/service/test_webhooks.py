"""Webhooks: told in order, signed, again after a failure, and nothing about what was booked."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bridge.config import Settings
from bridge.errors import AlreadyThere, Blocked, Invalid, NotFound
from bridge.service import bookings, people, webhooks
from bridge.wiring import Bridge
from tests.servers.kept import kept
from tests.store.studio import forget_changes

ANNA = "anna@studio.example"


@dataclass
class Clock:
    moment: datetime = datetime(2027, 3, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment


@dataclass
class Website:
    """Somebody who takes deliveries, or does not."""

    url: str = ""
    status: int = 204
    location: str = ""
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def told(self) -> list[Any]:
        return [json.loads(body) for _, body in self.taken]


@pytest.fixture
def website() -> Iterator[Website]:
    site = Website()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            site.taken.append(({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(site.status)
            if site.location:
                self.send_header("Location", site.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        site.url = f"http://127.0.0.1:{server.server_port}/hook"
        yield site
        server.shutdown()


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[Bridge]:
    opened = Bridge.open(Settings(data=tmp_path, allow_hosts=frozenset({"127.0.0.1"})), Clock())
    people.add_user(opened, ANNA, time_zone="Europe/Berlin")
    yield opened
    opened.db.close()


def book(bridge: Bridge, title: str = "Miller wedding") -> str:
    with bridge.db.writing() as tx:
        user = people.people.user_by_email(tx, ANNA)
        now = bridge.clock.now()
        return bookings.add(tx, user, title, "2027-05-08T10:00", 60, "", "", "confirmed", now)[0]


def test_a_change_is_told_once_signed_and_without_what_it_says(bridge: Bridge, website: Website) -> None:
    book(bridge, "Before there was a webhook")
    hook = webhooks.add(bridge, ANNA, website.url)
    assert webhooks.deliver(bridge) == 0
    uid = book(bridge)
    assert webhooks.deliver(bridge) == 1
    assert webhooks.deliver(bridge) == 0
    ((headers, body),) = website.taken
    told = json.loads(body)
    assert told["changes"] == [{"uid": uid, "deleted": False}]
    assert not told["everything"]
    assert headers["x-bridge-delivery"] == told["id"]
    assert b"Miller" not in body
    moment, _, digest = headers["x-bridge-signature"].removeprefix("t=").partition(",v1=")
    expected = hmac.new(hook.secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(digest, expected)
    assert int(moment) == int(bridge.clock.now().timestamp())
    (listed,) = webhooks.list_(bridge, ANNA)
    assert (listed.row.answer, listed.row.delivered) == ("It answered 204.", bridge.clock.now())
    assert listed.secret == hook.secret
    assert website.url.encode() in kept(bridge.db)
    assert hook.secret.encode() not in kept(bridge.db)


def test_what_was_not_taken_is_told_again_later_and_later(bridge: Bridge, website: Website) -> None:
    webhooks.add(bridge, ANNA, website.url)
    first = book(bridge)
    website.status = 500
    waits = []
    for _ in range(12):
        assert webhooks.deliver(bridge) == 0
        before = bridge.clock.now()
        assert webhooks.deliver(bridge) == 0, "not before its time"
        row = webhooks.list_(bridge, ANNA)[0].row
        assert row.next_try is not None
        waits.append(row.next_try - before)
        bridge.clock.moment = row.next_try  # type: ignore[attr-defined]
    assert waits[:3] == [timedelta(seconds=30), timedelta(seconds=60), timedelta(seconds=120)]
    assert waits[-1] == timedelta(hours=6)
    assert len({told["id"] for told in website.told()}) == 1
    website.status = 200
    second = book(bridge)
    assert webhooks.deliver(bridge) == 1
    assert [one["uid"] for one in website.told()[-1]["changes"]] == [first, second]
    row = webhooks.list_(bridge, ANNA)[0].row
    assert (row.failures, row.next_try) == (0, None)


def test_after_more_than_one_delivery_names_it_says_that_everything_may_be_new(
    bridge: Bridge, website: Website, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhooks.add(bridge, ANNA, website.url)
    monkeypatch.setattr(webhooks, "MOST_CHANGES", 2)
    for _ in range(3):
        book(bridge)
    webhooks.deliver(bridge)
    assert website.told()[-1]["changes"] == []
    assert website.told()[-1]["everything"]
    book(bridge)
    with bridge.db.writing() as tx:
        forget_changes(tx, bridge.clock.now() + timedelta(seconds=1))
    assert webhooks.deliver(bridge) == 1
    assert website.told()[-1]["everything"]


def test_a_redirect_is_not_followed_and_a_private_address_not_called(
    bridge: Bridge, website: Website
) -> None:
    webhooks.add(bridge, ANNA, website.url)
    book(bridge)
    website.status, website.location = 307, website.url + "/elsewhere"
    assert webhooks.deliver(bridge) == 0
    assert len(website.taken) == 1
    for url in ("http://example.com/", "ftp://example.com/", "https://a:b@example.com/", "nonsense", ""):
        with pytest.raises((Blocked, Invalid)):
            webhooks.add(bridge, ANNA, url)
    inside = webhooks.add(bridge, ANNA, "https://10.0.0.1/hook")
    book(bridge)
    webhooks.deliver(bridge)
    row = next(one.row for one in webhooks.list_(bridge, ANNA) if one.row.id == inside.row.id)
    assert "private network" in (row.answer or "")


def test_a_website_that_is_away_is_no_news_for_anybody_else(bridge: Bridge, website: Website) -> None:
    webhooks.add(bridge, ANNA, "http://127.0.0.1:9/hook")
    webhooks.add(bridge, ANNA, website.url)
    book(bridge)
    assert webhooks.deliver(bridge) == 1
    away, there = webhooks.list_(bridge, ANNA)
    assert "does not answer" in (away.row.answer or "")
    assert there.row.delivered == bridge.clock.now()


def test_webhooks_are_known_by_address_and_removed(bridge: Bridge, website: Website) -> None:
    webhooks.add(bridge, ANNA, website.url)
    with pytest.raises(AlreadyThere):
        webhooks.add(bridge, ANNA, website.url)
    webhooks.remove(bridge, ANNA, website.url)
    with pytest.raises(NotFound):
        webhooks.remove(bridge, ANNA, website.url)
    book(bridge)
    assert webhooks.deliver(bridge) == 0
