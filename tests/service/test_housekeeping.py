"""Once a day what is old is forgotten, in steps so short that others go on meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.config import Settings
from bridge.service import bookings, housekeeping, people
from bridge.store import calendars, objects, passes
from bridge.store import people as people_rows
from bridge.store.pruning import PORTION
from bridge.wiring import Bridge

ANNA = "anna@studio.example"


@dataclass
class Clock:
    moment: datetime = datetime(2027, 3, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bridge(tmp_path: Path, clock: Clock) -> Iterator[Bridge]:
    opened = Bridge.open(Settings(data=tmp_path, history_days=30, changes_days=7), clock)
    people.add_user(opened, ANNA, time_zone="Europe/Berlin")
    yield opened
    opened.db.close()


def book(bridge: Bridge, count: int = 1) -> None:
    now = bridge.clock.now()
    with bridge.db.writing() as tx:
        user = people_rows.user_by_email(tx, ANNA)
        for _ in range(count):
            bookings.add(tx, user, "Shoot", "2027-04-01T10:00", 60, "", "", "confirmed", now)


def calendar(bridge: Bridge) -> calendars.CalendarRow:
    with bridge.db.reading() as tx:
        return calendars.bookings(tx, people_rows.user_by_email(tx, ANNA).id)


def history(bridge: Bridge) -> int:
    with bridge.db.reading() as tx:
        return len(passes.journal_of(tx, calendar(bridge).user_id, limit=10_000))


def test_a_day_passes_and_others_write_between_the_steps(bridge: Bridge, clock: Clock) -> None:
    many = 2 * PORTION + 10
    book(bridge, many)
    clock.moment += timedelta(days=20)
    book(bridge)
    recent = calendar(bridge)
    clock.moment += timedelta(days=5)
    pauses = []

    def somebody_writes(seconds: float) -> None:
        pauses.append(seconds)
        book(bridge)

    gone = housekeeping.daily(bridge, somebody_writes)
    assert gone["changes"] == many
    assert gone["journal"] == 0, "the history is kept longer"
    assert len(pauses) > 3
    with bridge.db.reading() as tx:
        after = objects.changed_since(tx, recent.id, recent.seq)
    assert len(after.changed) == len(pauses), "what was written meanwhile is told"
    before = history(bridge)
    clock.moment += timedelta(days=15)
    assert housekeeping.daily(bridge, lambda _: None)["journal"] == many
    assert history(bridge) == before - many


def test_the_index_of_times_rolls_on_by_itself(bridge: Bridge, clock: Clock) -> None:
    until = calendar(bridge).horizon_end
    clock.moment += timedelta(days=100)
    assert housekeeping.daily(bridge, lambda _: None)["indexed"] >= 1
    assert calendar(bridge).horizon_end == until + 100 * 86_400
    assert housekeeping.daily(bridge, lambda _: None)["indexed"] == 0


def test_of_many_workers_one_keeps_house_each_day(
    bridge: Bridge, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = []
    monkeypatch.setattr(housekeeping, "daily", lambda bridge: begun.append(bridge.clock.now()) or {})
    for _ in range(3 * 24):
        for _worker in range(3):
            housekeeping.hourly(bridge)
            for thread in threading.enumerate():
                if thread.name == "housekeeping":
                    thread.join()
        clock.moment += timedelta(hours=1)
    assert len(begun) == 3
