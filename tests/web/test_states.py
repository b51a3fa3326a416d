"""Each bad day on the settings page: what is wrong, since when, the one thing to do, and the way back."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from bridge.config import Settings
from bridge.store import turns
from bridge.store.people import UserRow
from bridge.wiring import Bridge
from bridge.worker import Worker
from tests.providers.answers import error, xml
from tests.servers import fault
from tests.servers.dav import Outside, Server
from tests.servers.fault import FaultProxy
from tests.servers.radicale import radicale
from tests.web.browser import Browser
from tests.web.conftest import Clock
from tests.web.test_journey import DENTIST, booking

_numbers = itertools.count()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with radicale(Path(tmp_path_factory.mktemp("states"))) as running:
        yield running


@pytest.fixture
def faults(server: Server) -> Iterator[FaultProxy]:
    with FaultProxy(server.url) as proxy:
        yield proxy


@pytest.fixture
def settings(tmp_path: Path, faults: FaultProxy) -> Settings:
    return Settings(data=tmp_path, allow_hosts=frozenset({faults.host_and_port}))


@pytest.fixture
def work(server: Server) -> Outside:
    calendar = server.make_calendar(f"work-{next(_numbers)}", title="Work")
    calendar.put("dentist.ics", DENTIST)
    return calendar


class Day:
    """Anna's settings page, and a worker that works when it is told to."""

    def __init__(self, browser: Browser, bridge: Bridge, clock: Clock):
        self.browser, self.clock = browser, clock
        self._worker = Worker(bridge)
        self._bridge = bridge

    def pass_(self, *, later: float = 0) -> str:
        """So many seconds later, the worker has run what is due; the settings page then."""
        self.clock.pass_(seconds=later)
        now = self.clock.now()
        until = now + timedelta(seconds=60)
        with self._bridge.db.writing() as tx:
            taken = turns.take(tx, turns.due(tx, now), now, until)
        for link_id in taken:
            self._worker._run(link_id, int(until.timestamp()))
        return self.browser.open("/calendar/settings").text

    def sync_now(self) -> str:
        self.browser.open("/calendar/settings").press("Sync now")
        return self.pass_()


@pytest.fixture
def day(
    at_annas: Browser,
    bridge: Bridge,
    clock: Clock,
    server: Server,
    faults: FaultProxy,
    work: Outside,
) -> Day:
    """Work is read and written, and all is well."""
    seen = SimpleNamespace(url=faults.url, user=server.user, password=server.password)
    at_annas.open("/calendar/settings").follow("Connect a calendar")
    at_annas.follow("Connect Another calendar server (CalDAV)")
    at_annas.press(
        "Sign in and list calendars", url=seen.url, username=seen.user, password=seen.password
    ).press("Save", read=[work.path], write=work.path).press("Start syncing")
    made = Day(at_annas, bridge, clock)
    assert "In agreement just now" in made.pass_()
    return made


def test_trouble_has_a_beginning_and_a_next_try_and_passes_by_itself(day: Day, faults: FaultProxy):
    for method in ("PROPFIND", "REPORT"):
        faults.fault(method, fault.answer(503), times=30)
    said = day.sync_now()
    assert "Having trouble" in said
    assert "has trouble at the moment" in said
    assert "Since today at 12:00." in said
    assert "We try again by ourselves today at 12:00." in said
    assert "Sync now" in said, "for who does not want to wait"
    faults.heal()
    assert "In agreement just now" in day.pass_(later=60)


def test_a_pause_that_the_provider_asks_for_is_kept(day: Day, faults: FaultProxy):
    for method in ("PROPFIND", "REPORT"):
        faults.fault(method, fault.answer(503, headers={"Retry-After": "1800"}), times=1)
    assert "We try again by ourselves today at 12:30." in day.sync_now()
    before = len(faults.log)
    day.pass_(later=1700)
    assert len(faults.log) == before
    assert "In agreement just now" in day.pass_(later=200)


def test_a_refused_password_has_its_form_right_there(day: Day, faults: FaultProxy, server: Server):
    for method in ("PROPFIND", "REPORT"):
        faults.fault(method, fault.answer(401), times=30)
    said = day.sync_now()
    assert "Needs you to sign in again" in said
    assert "does not accept this user name and password" in said
    assert "Waits for the sign-in" in said
    before = len(faults.log)
    day.pass_(later=7200)
    assert len(faults.log) == before, "nobody knocks with a password that is refused"
    faults.heal()
    day.browser.press("Sign in again", password=server.password)
    assert "In agreement just now" in day.pass_()


def test_a_right_that_was_taken_away_is_said_of_its_calendar_and_may_come_back(
    day: Day, bridge: Bridge, anna: UserRow, faults: FaultProxy, work: Outside
):
    faults.fault("PUT", xml(error("d:need-privileges"), 403), times=30)
    uid = booking(bridge, anna, "Smith wedding", "2026-11-25T14:00")
    said = day.pass_()
    assert "May not be changed by us" in said
    assert "does not let us change this calendar" in said
    assert "Choose calendars" in said
    assert "Having trouble" not in said, "the account is well"
    faults.heal()
    assert "In agreement just now" in day.sync_now()
    assert work.by_uid(uid) is not None


def test_a_calendar_that_is_gone_is_replaced_by_choosing_another(
    day: Day, bridge: Bridge, anna: UserRow, server: Server, work: Outside
):
    uid = booking(bridge, anna, "Smith wedding", "2026-11-25T14:00")
    day.pass_()
    work.drop()
    said = day.sync_now()
    assert "No longer at the provider" in said
    assert "no longer exists" in said
    other = server.make_calendar(f"other-{next(_numbers)}", title="Other")
    day.browser.follow("Choose calendars")
    day.browser.press("Save", write=other.path).press("Start syncing")
    said = day.pass_()
    assert other.by_uid(uid) is not None
    assert "No longer at the provider" not in said
