"""Live progress: what the settings page is told while a first sync runs, and stopping and going on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from bridge.service import first_sync
from bridge.store import links, turns
from bridge.store.people import UserRow
from bridge.web import progress
from bridge.wiring import Bridge
from tests.servers.dav import Server
from tests.servers.radicale import radicale
from tests.web import studio
from tests.web.browser import Browser
from tests.web.conftest import BERT
from tests.web.studio import event
from tests.web.test_journey import connect, let_the_worker_work

STREAM = "/calendar/settings/progress"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with radicale(tmp_path / "radicale") as running:
        yield running


@pytest.fixture
def under_way(bridge: Bridge, anna: UserRow) -> int:
    """A first sync that is running: 120 of 250."""
    number = studio.link(bridge, studio.account(bridge, anna), "Family", reads=True)
    with bridge.db.writing() as tx:
        links.acquire(tx, number, "somebody", bridge.clock.now(), 60)
        links.set_(tx, number, done=120, to_do=250)
    return number


def told(browser: Browser, headers: dict[str, str] | None = None, address: str = STREAM) -> str:
    """What the stream says within a moment."""
    with browser.client.get(address, headers=headers) as answer:
        assert answer.content_type.startswith("text/event-stream")
        return answer.get_data(as_text=True)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LASTS_SECONDS", 0.0)


def test_counts_are_told_while_a_pass_runs(at_annas: Browser, under_way: int) -> None:
    said = told(at_annas)
    assert f'event: count\ndata: {{"{under_way}": [120, 250]}}' in said
    assert "event: rest" not in said
    page = at_annas.open("/calendar/settings")
    assert "120 of 250" in page.text
    assert "Stop" in [button.text_content() for button in page.document.iter("button")]


def test_the_page_is_to_be_fetched_again_only_when_it_changed(
    at_annas: Browser, bridge: Bridge, under_way: int
) -> None:
    (address,) = re.findall(r'data-progress-url="([^"]+)"', at_annas.open("/calendar/settings").html)
    assert "event: look" not in told(at_annas, address=address)
    with bridge.db.writing() as tx:
        links.set_(tx, under_way, name="Family", state="retrying")
        links.release(tx, under_way, links.get(tx, under_way).fence)
    (seen,) = re.findall(r"event: look\nid: (\w+)", told(at_annas, address=address))
    assert "event: look" not in told(at_annas, {"Last-Event-ID": seen})


def test_where_nothing_is_under_way_the_stream_ends_at_once(at_annas: Browser) -> None:
    assert told(at_annas).endswith("event: rest\ndata: \n\n")


def test_a_pass_that_waits_in_the_queue_is_under_way(
    at_annas: Browser, bridge: Bridge, anna: UserRow
) -> None:
    """A worker took the link and has not begun: whoever just asked for it must see what becomes of it."""
    number = studio.link(bridge, studio.account(bridge, anna), "Family", reads=True)
    now = bridge.clock.now()
    with bridge.db.writing() as tx:
        links.set_(tx, number, due_at=now)
        assert turns.take(tx, [number], now, now + turns.TAKEN) == [number]
    assert "event: rest" not in told(at_annas)
    assert "data-progress-url" in at_annas.open("/calendar/settings").html
    with bridge.db.writing() as tx:
        turns.rest(tx, number, now + turns.TAKEN, now + turns.TAKEN * 3, active=None)
    assert "event: rest" in told(at_annas)


def test_nobody_sees_how_far_anothers_pass_is(app: Flask, bert: UserRow, under_way: int) -> None:
    assert "250" not in told(Browser(app).sign_in(BERT))


def test_open_pages_never_take_all_the_threads(app: Flask, at_annas: Browser) -> None:
    room = app.extensions["streams"]
    taken = 0
    while room.acquire(blocking=False):
        taken += 1
    assert 1 <= taken <= app.extensions["bridge"].settings.threads // 2
    assert at_annas.client.get(STREAM).status_code == 503
    room.release()
    for _ in range(2):
        assert "rest" in told(at_annas), "given back each time"


def test_without_a_script_the_page_looks_again_by_itself(at_annas: Browser, under_way: int) -> None:
    assert '<noscript><meta http-equiv="refresh"' in at_annas.open("/calendar/settings").html


def test_a_first_sync_is_stopped_and_goes_on_where_it_ended(
    at_annas: Browser, bridge: Bridge, anna: UserRow, server: Server
) -> None:
    work = server.make_calendar("work", title="Work")
    for number in range(230):
        studio.book(bridge, anna, event(f"b{number}", f"Session {number}", "DTSTART:20261201T100000Z"))
    connect(at_annas, server).press("Save", write=work.path).press("Start syncing")
    with bridge.db.reading() as tx:
        (link,) = links.of_user(tx, anna.id)
    counter, counts = first_sync.Counter(bridge, link.id), []

    def count_and_stop(done: int, to_do: int) -> None:
        counter(done, to_do)
        counts.append((done, to_do))
        if done:
            at_annas.open("/calendar/settings").press("Stop")

    bridge.engine().run(link.id, progress=count_and_stop)
    assert counts == [(0, 230), (200, 230)]
    assert "Stopped. What was done until now stays" in at_annas.text
    assert "Stopped by you" in at_annas.text
    let_the_worker_work(bridge, idle=True)
    written = set(work.texts())
    assert 0 < len(written) < 230, "nothing more is written once it was stopped"
    at_annas.press("Go on")
    assert "Syncing has started." in at_annas.text
    let_the_worker_work(bridge)
    assert len(work.texts()) == 230
    assert written < set(work.texts())
    assert "In agreement just now" in at_annas.open("/calendar/settings").text
    assert "of 230" not in at_annas.text


def test_nobody_stops_anothers_sync(app: Flask, bridge: Bridge, bert: UserRow, under_way: int) -> None:
    with bridge.db.reading() as tx:
        account = links.get(tx, under_way).account_id
    stranger = Browser(app).sign_in(BERT)
    assert stranger.send(f"/calendar/settings/accounts/{account}/stop").status == 404
    with bridge.db.reading() as tx:
        assert links.get(tx, under_way).released
