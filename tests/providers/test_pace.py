"""How many requests a provider gets in a while, from one process and from a fleet."""

from __future__ import annotations

import time
from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.providers import pace
from bridge.providers.guard import Guard
from bridge.providers.pace import POLITE, Pace, Rate, Turns, every, rate_at, rate_of
from bridge.store import accounts, people
from bridge.store.db import Database
from tests.providers.conftest import Connect
from tests.providers.talkers import talk_together
from tests.servers import fault
from tests.servers.fault import FaultProxy

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


class Fleet:
    """Processes of a fleet that share a store and a clock, which only waiting moves."""

    def __init__(self, folder: Path):
        self.now = NOW
        self.db = Database(f"sqlite:///{folder}/fleet.db")
        self.db.migrate()
        with self.db.writing() as tx:
            studio = people.add_studio(tx, "anna", "Anna", NOW)
            user = people.add_user(tx, studio, "anna@example.org", time_zone="Europe/Berlin", now=NOW)
            self.account = accounts.create(tx, user, "caldav", label="Work", now=NOW)

    def process(self) -> Turns:
        def take(cost: float, depth: float) -> float:
            with self.db.writing() as tx:
                return accounts.take_turns(tx, self.account, cost, depth, self.now)

        return Turns(take)

    def wait(self, seconds: float) -> None:
        assert seconds > 0
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return Fleet(tmp_path)


@pytest.mark.parametrize("rate", [every(2.0), rate_of("google"), rate_of("microsoft"), POLITE])
def test_whoever_asks_no_while_sees_more_than_a_provider_allows(fleet: Fleet, rate: Rate):
    """Three processes take their turns one by one, as fast as they may."""
    processes = [Pace(rate, fleet.process(), fleet.wait) for _ in range(3)]
    sent = []
    for number in range(3 * rate.many):
        processes[number % 3].wait()
        sent.append(fleet.now)
    window = timedelta(seconds=rate.seconds)
    fullest = max(bisect_left(sent, at + window) - first for first, at in enumerate(sent))
    carried = 3 * (rate.portion - 1)  # what processes had taken, and made use of later
    assert fullest <= rate.many + carried <= rate.many * 1.1
    assert (sent[-1] - sent[0]).total_seconds() < 6 * rate.seconds, "slower than it need be"


def test_who_rested_may_hurry(fleet: Fleet):
    google = rate_of("google")
    assert google is not None
    for _ in range(3):
        anna = Pace(google, fleet.process(), fleet.wait)
        assert sum(anna.wait() for _ in range(google.burst)) == 0
        assert sum(anna.wait() for _ in range(google.portion)) > 0
        fleet.now += timedelta(minutes=2)


def test_a_single_request_of_a_pass_costs_no_write_of_its_own(fleet: Fleet):
    """Ten passes that find nothing: one portion."""
    google, process = rate_of("google"), fleet.process()
    assert google is not None
    with fleet.db.writing() as tx:
        accounts.set_(tx, fleet.account, spent_until=None)
    for _ in range(google.portion):
        Pace(google, process, fleet.wait).wait()
    with fleet.db.writing() as tx:
        left = accounts.take_turns(tx, fleet.account, 0.0, 0.0, fleet.now)
    assert left == pytest.approx(google.portion * google.interval)


def test_a_clock_that_was_set_back_stops_nobody_for_long(fleet: Fleet):
    anna = Pace(every(2.0), fleet.process(), fleet.wait)
    anna.wait()
    fleet.now -= timedelta(days=30)
    assert anna.wait() <= accounts.LONGEST_DEBT / 1000 + 2


def test_an_account_that_was_disconnected_meanwhile_waits_for_nothing(fleet: Fleet):
    anna = Pace(every(2.0), fleet.process(), fleet.wait)
    anna.wait()
    with fleet.db.writing() as tx:
        accounts.remove(tx, fleet.account)
    assert anna.wait() == 0


@pytest.mark.parametrize(
    ("url", "rate"),
    [
        ("https://caldav.gmx.net/begenda/dav/a/", every(2.0)),
        ("https://caldav.icloud.com/", POLITE),
        ("https://caldav.gmx.net.evil.example/", POLITE),
        ("https://cloud.studio.internal/dav/", None),  # the administrator's own
    ],
)
def test_the_table_says_who_wants_it(url: str, rate: Rate | None):
    assert rate_at(url, Guard({"cloud.studio.internal"})) == rate


def test_a_provider_keeps_to_it_with_every_request(
    server: FaultProxy, connected: Connect, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pace, "_table", lambda: {"127.0.0.1": every(1.0)})
    server.fault("PROPFIND", fault.answer(404), times=9)
    provider = connected()
    start = time.monotonic()
    for _ in range(2):
        with pytest.raises(Exception, match="no longer exists"):
            provider.calendars()
    assert len(server.log) == 2
    assert time.monotonic() - start > 0.9


def test_two_processes_ask_no_faster_than_one(tmp_path: Path):
    """Each sends six requests to a server that wants 0.3 s between two; it counts, and looks at its watch."""
    arrivals = talk_together(tmp_path, processes=2, requests=6, seconds=0.3)
    assert len(arrivals) == 12
    assert arrivals[-1] - arrivals[0] > 0.3 * 8, "each kept to it for itself alone"
