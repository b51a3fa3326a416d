"""The worker: a phone's write is at the provider within seconds; a failing account is left alone a while."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge import metrics
from bridge.service import accounts, clock_set_back
from bridge.store import accounts as account_rows
from bridge.store import links, turns
from bridge.wiring import Bridge
from bridge.worker import AHEAD, FIRST_DELAY, LONGEST_DELAY, Worker, delay, interval
from tests.servers.process import free_port, running
from tests.service.conftest import TODAY, Annas, annas, event, provider

__all__ = ["annas", "provider"]


def _soon(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


@pytest.fixture
def working(annas: Annas) -> Iterator[Annas]:
    """Anna's bookings go to *Work*, and a worker runs."""
    accounts.select(annas.bridge, annas.connect(), write=annas.work.path, yes=True)
    worker = Worker(annas.bridge)
    worker.start()
    yield annas
    worker.stop()


def _links(bridge: Bridge) -> list[links.LinkRow]:
    with bridge.db.reading() as tx:
        return links.of_account(tx, 1)


def test_what_changes_here_is_at_the_provider_within_seconds(working: Annas) -> None:
    _soon(lambda: _links(working.bridge)[0].agreed_at is not None)
    begun = time.monotonic()
    working.book("a@studio", 3)
    working.bridge.enqueue(1)
    _soon(lambda: working.work.by_uid("a@studio") is not None, 10)
    assert time.monotonic() - begun < 10


def test_passes_are_counted_by_provider_and_outcome(working: Annas) -> None:
    _soon(lambda: _links(working.bridge)[0].agreed_at is not None)
    before = _counted()
    working.book("a@studio", 3)
    _soon(lambda: _counted()["changes", "pushed"] > before["changes", "pushed"])
    after = _counted()
    assert after["passes", "done"] > before["passes", "done"]
    assert after["requests", ""] > before["requests", ""]


def _counted() -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for name, counter, label in (
        ("passes", metrics.PASSES, "outcome"),
        ("changes", metrics.CHANGES, "what"),
        ("requests", metrics.REQUESTS, ""),
    ):
        for sample in next(iter(counter.collect())).samples:
            if sample.name.endswith("_total") and sample.labels["provider"] == "caldav":
                found[name, sample.labels.get(label, "")] += int(sample.value)
    return found


def test_a_change_that_nobody_told_of_is_found_too(working: Annas) -> None:
    _soon(lambda: _links(working.bridge)[0].agreed_at is not None)
    working.book("a@studio", 3)
    _soon(lambda: working.work.by_uid("a@studio") is not None, 10)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    """The address of a Redis of our own."""
    port = free_port()
    options = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path))
    with running(["redis-server", *options], port, tmp_path / "redis.log"):
        yield f"redis://127.0.0.1:{port}/0"


def test_a_fleet_queues_in_redis(annas: Annas, redis: str) -> None:
    accounts.select(annas.bridge, annas.connect(), write=annas.work.path, yes=True)
    settings = replace(annas.bridge.settings, queue_url=redis)
    worker = Worker(replace(annas.bridge, settings=settings))
    worker.start()
    try:
        annas.book("a@studio", 3)
        _soon(lambda: annas.work.by_uid("a@studio") is not None, 10)
    finally:
        begun = time.monotonic()
        worker.stop()
    assert time.monotonic() - begun < 10


def test_a_stopped_worker_leaves_nothing_running(annas: Annas) -> None:
    accounts.select(annas.bridge, annas.connect(), write=annas.work.path, yes=True)
    worker = Worker(annas.bridge)
    worker.start()
    _soon(lambda: _links(annas.bridge)[0].agreed_at is not None)
    begun = time.monotonic()
    worker.stop()
    assert time.monotonic() - begun < 10
    assert _links(annas.bridge)[0].lease_holder is None


def test_two_lookers_take_a_due_link_once(annas: Annas, tmp_path: Path) -> None:
    accounts.select(annas.bridge, annas.connect(), write=annas.work.path, yes=True)
    other = replace(annas.bridge.settings, queue_url=f"sqlite:///{tmp_path}/other.sqlite")
    lookers = [Worker(annas.bridge), Worker(replace(annas.bridge, settings=other))]
    assert sum(worker.look() for worker in itertools.chain(lookers, lookers)) == 1


def test_a_link_whose_job_was_lost_is_due_again_soon(annas: Annas) -> None:
    accounts.select(annas.bridge, annas.connect(), write=annas.work.path, yes=True)
    before = annas.bridge.clock.now()
    assert Worker(annas.bridge).look() == 1
    (link,) = _links(annas.bridge)
    assert link.due_at is not None
    assert abs(link.due_at - before - turns.TAKEN) <= timedelta(seconds=2)


def test_a_calendar_is_looked_at_again_after_the_polling_time_more_or_less(working: Annas) -> None:
    _soon(lambda: _links(working.bridge)[0].agreed_at is not None)
    far = timedelta(seconds=working.bridge.settings.poll_seconds * 0.8)
    _soon(lambda: (_links(working.bridge)[0].due_at or TODAY) - working.bridge.clock.now() > far)


def test_busy_calendars_are_looked_at_often_and_quiet_ones_rarely() -> None:
    minutes, days = (lambda n: timedelta(minutes=n)), (lambda n: timedelta(days=n))
    looks = [interval(300, quiet, 0.5) for quiet in (minutes(1), minutes(30), days(1), days(2), days(90))]
    assert looks == [minutes(1), minutes(5), minutes(5), minutes(10), minutes(15)]
    assert interval(300, None, 0.5) == minutes(5)
    assert (interval(300, None, 0), interval(300, None, 1)) == (
        timedelta(seconds=270),
        timedelta(seconds=330),
    )
    assert interval(10, minutes(1), 0.5) == timedelta(seconds=10), "never without a pause"


def test_only_a_little_is_queued_ahead(annas: Annas) -> None:
    """So that a change made now does not wait behind everybody's routine."""
    bridge = replace(annas.bridge, settings=replace(annas.bridge.settings, worker_threads=1))
    now = bridge.clock.now()
    with bridge.db.writing() as tx:
        for number in range(AHEAD + 3):
            account = account_rows.create(tx, 1, "caldav", label=f"{number}", now=now)
            made = links.create(tx, account, "/c/", name="c", color=None, writable=True, now=now)
            links.set_(tx, made, reads=True, due_at=now)
    worker = Worker(bridge)
    assert worker.look() == AHEAD
    assert worker.look() == 0


def test_an_account_that_fails_rests_and_its_links_with_it(annas: Annas) -> None:
    accounts.select(annas.bridge, annas.connect(), write=annas.work.path, yes=True)
    away = replace(annas.bridge.settings, allow_hosts=frozenset())
    bridge = replace(annas.bridge, settings=away)
    worker = Worker(bridge)
    worker.start()
    try:
        _soon(lambda: accounts.find(bridge, 1).failures == 1)
        row = accounts.find(bridge, 1)
        assert row.next_try is not None
        assert row.next_try > bridge.clock.now()
        with bridge.db.writing() as tx:
            links.make_due(tx, 1, bridge.clock.now())
        assert worker.look() == 0
        with bridge.db.writing() as tx:
            account_rows.set_(tx, 1, next_try=bridge.clock.now())
        _soon(lambda: accounts.find(bridge, 1).failures == 2)
    finally:
        worker.stop()


def test_the_rest_doubles_to_eight_minutes_and_differs_by_chance() -> None:
    full = [delay(failures, 0) for failures in range(1, 12)]
    assert full[:4] == [30, 60, 120, 240]
    assert full[-1] == LONGEST_DELAY
    assert delay(500, 0) == LONGEST_DELAY
    assert delay(1, 1) == FIRST_DELAY * 0.75
    assert all(later >= earlier for earlier, later in itertools.pairwise(full))


@dataclass
class Noon:
    """A clock that stands, until it is set."""

    moment: datetime = field(
        default_factory=lambda: datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    )

    def now(self) -> datetime:
        return self.moment


def test_double_bookings_are_looked_for_when_something_changed_and_every_hour(
    annas: Annas, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look reads all that takes time; most passes find nothing new, and need none."""
    clock = annas.bridge.clock = Noon()
    accounts.select(annas.bridge, annas.connect(), read=[annas.private.path], yes=True)
    worker, looked = Worker(annas.bridge), list[int]()
    monkeypatch.setattr("bridge.service.clashes.look", lambda _bridge, link_id: looked.append(link_id))

    def looks() -> int:
        """How many a pass makes."""
        looked.clear()
        until = clock.now() + turns.TAKEN
        with annas.bridge.db.writing() as tx:
            links.set_(tx, 1, due_at=until)
        worker._run(1, int(until.timestamp()))
        return len(looked)

    assert looks() == 1, "it was never looked at"
    while looks():  # until what the passes themselves wrote here is seen
        pass
    annas.book("a@studio", 3)
    assert (looks(), looks()) == (1, 0), "a booking was made"
    annas.private.put("b.ics", event("b@private", "Dentist", TODAY))
    assert looks() == 1, "an event came in"
    while looks():
        pass
    clock.moment += timedelta(minutes=59)
    assert looks() == 0
    clock.moment += timedelta(minutes=1)
    assert (looks(), looks()) == (1, 0), "a new hour began"


def test_a_job_that_somebody_else_has_taken_over_is_left_to_them(
    annas: Annas, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts.select(annas.bridge, annas.connect(), read=[annas.private.path], yes=True)
    before = annas.bridge.clock.now().replace(microsecond=0)
    with annas.bridge.db.writing() as tx:
        links.set_(tx, 1, due_at=before + timedelta(seconds=40))
    Worker(annas.bridge)._run(1, int((before + timedelta(seconds=20)).timestamp()))
    link = _links(annas.bridge)[0]
    assert (link.agreed_at, link.fence, link.lease_holder) == (None, 0, None), "not even a lease was taken"
    assert link.due_at == before + timedelta(seconds=40)


@dataclass
class Wrong:
    """A clock that may be set."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


def test_a_clock_that_was_an_hour_ahead_keeps_nobody_waiting_for_that_hour(annas: Annas) -> None:
    clock = Wrong(timedelta(hours=1))
    accounts.select(annas.bridge, annas.connect(), write=annas.work.path, yes=True)
    worker = Worker(replace(annas.bridge, clock=clock))
    worker.start()
    try:
        _soon(lambda: (_links(annas.bridge)[0].due_at or TODAY) > datetime.now(UTC) + timedelta(hours=1))
        clock.ahead = timedelta()
        _soon(lambda: (_links(annas.bridge)[0].due_at or TODAY) < datetime.now(UTC) + timedelta(minutes=20))
    finally:
        worker.stop()


def test_an_account_that_rests_by_a_wrong_clock_rests_no_longer_than_it_should(annas: Annas) -> None:
    account, now = annas.connect(), annas.bridge.clock.now()
    accounts.select(annas.bridge, account, write=annas.work.path, yes=True)
    rest, back = timedelta(seconds=480), timedelta(hours=1)
    with annas.bridge.db.writing() as tx:
        account_rows.set_(tx, account, failures=5, next_try=now + back + rest)
        links.set_(tx, 1, due_at=now + back + rest)
    assert clock_set_back.put_right(annas.bridge, back) == 1
    with annas.bridge.db.reading() as tx:
        rests = account_rows.get(tx, account).next_try
    assert rests == _links(annas.bridge)[0].due_at
    assert abs((rests or TODAY) - now - rest) < timedelta(seconds=1)
    assert clock_set_back.put_right(annas.bridge, back) == 0, "it is right now"


def test_a_clock_set_right_by_little_and_one_set_forward_are_no_news() -> None:
    even = iter(range(0, 1000, 10))
    begun = datetime.now(UTC)
    shown = iter([0, 10, 19, 3630, 40, 50])  # seconds by the clock, at each look; ten pass in between

    watch = clock_set_back.SetBack(lambda: begun + timedelta(seconds=next(shown)), lambda: next(even))
    assert [watch.by() for _ in range(5)] == [None, None, None, timedelta(seconds=3600), None]
