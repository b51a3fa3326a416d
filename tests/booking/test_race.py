"""Many clients, one slot: exactly one gets it, on SQLite and PostgreSQL, in threads and in processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from random import Random

import pytest

from bridge.config import Settings
from bridge.service import client_booking
from bridge.service.client_booking import Taken
from bridge.service.clients import Client
from bridge.store import booking_events, calendars, objects
from bridge.store.booking_events import EventRow
from tests.booking.conftest import NOON, Studio, at, ics
from tests.servers.postgres import Cluster

CLIENTS = 16
PROCESSES = 4
#: ``ROUNDS=200`` before a release.
ROUNDS = int(os.environ.get("ROUNDS", "2"))

#: What each process does: in every round, as many threads as asked for, all at the same slot.
PROGRAM = """
import json, sys
from datetime import datetime
from pathlib import Path
from tests.booking.test_race import race_of
from bridge.config import Settings
from bridge.store import booking_events, people
from bridge.wiring import Bridge

class Clock:
    def now(self):
        return datetime.fromisoformat(sys.argv[4])

bridge = Bridge.open(Settings(data=Path(sys.argv[1]), database_url=sys.argv[2]), Clock())
with bridge.db.reading() as tx:
    event = booking_events.get(tx, int(sys.argv[3]))
    user = people.user_by_id(tx, event.user_id)
print("ready", flush=True)
for line in sys.stdin:
    start, clients = map(int, line.split())
    print(json.dumps(race_of(bridge, event, user, start, clients)), flush=True)
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return ""
    cluster: Cluster = request.getfixturevalue("cluster")
    return cluster.url(cluster.create())


def race_of(bridge, event, user, start: int, clients: int) -> dict[str, int]:  # type: ignore[no-untyped-def]
    """So many clients at once; how often what came of it."""
    ready = threading.Barrier(clients)

    def book(number: int) -> str:
        client = Client(f"Client {number}", f"c{number}@client.example", "+1 2")
        ready.wait(30)
        try:
            client_booking.take(bridge, event, user, start, client)
        except Taken as taken:
            return "taken" if all(slot.starts != start for slot in taken.nearest) else "offered again"
        return "won"

    with ThreadPoolExecutor(clients) as pool:
        return dict(Counter(pool.map(book, range(clients))))


def test_of_many_threads_exactly_one_wins(studio: Studio) -> None:
    event = studio.event()
    for wall in ("09:00", "10:00", "11:00", "12:00"):
        done = race_of(studio.bridge, event, studio.anna, at(wall), CLIENTS)
        assert done == {"won": 1, "taken": CLIENTS - 1}
    assert len(studio.texts()) == 4 and studio.free(event) == []


@contextmanager
def processes(settings: Settings, event_id: int) -> Iterator[list[subprocess.Popen[str]]]:
    """Workers of a fleet, each with its own connections, ready to race."""
    arguments = [str(settings.data), settings.database_url, str(event_id), NOON.isoformat()]
    started = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(PROCESSES)
    ]
    try:
        assert [answer(process) for process in started] == ["ready\n"] * PROCESSES
        yield started
    finally:
        for process in started:
            assert process.stdin is not None
            process.stdin.close()
        assert [process.wait(60) for process in started] == [0] * PROCESSES


def answer(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def race(racers: list[subprocess.Popen[str]], start: int, meanwhile: Callable[[], None]) -> Counter[str]:
    """All clients of all processes at one slot, while something else happens."""
    for process in racers:
        assert process.stdin is not None
        process.stdin.write(f"{start} {CLIENTS}\n")
        process.stdin.flush()
    meanwhile()
    total: Counter[str] = Counter()
    for process in racers:
        total.update(json.loads(answer(process)))
    return total


def slots_of(studio: Studio) -> tuple[EventRow, list[int]]:
    """A page with a slot for every round."""
    studio.open(hours={str(day): [[9 * 3600, 17 * 3600]] for day in range(7)})
    event = studio.event(dates=[], blocks=[])
    first = at("00:00")
    found = client_booking.slots(studio.bridge, event, studio.anna, first, first + 86_400 * (2 + ROUNDS // 8))
    return event, [slot.starts for slot in found[:ROUNDS]]


def written(studio: Studio) -> tuple[int, int]:
    """How many sessions there are, in the calendar and in the list of who booked."""
    with studio.bridge.db.reading() as tx:
        return len(studio.texts()), len(booking_events.clients_of_user(tx, studio.anna.id))


def test_of_many_clients_in_many_processes_exactly_one_wins_each_round(
    studio: Studio, settings: Settings
) -> None:
    event, starts = slots_of(studio)
    assert len(starts) == ROUNDS
    with processes(settings, event.id) as racers:
        for number, start in enumerate(starts, 1):
            done = race(racers, start, lambda: None)
            assert done == {"won": 1, "taken": PROCESSES * CLIENTS - 1}
            assert written(studio) == (number, number)


def test_an_event_that_comes_in_between_is_before_or_after_the_winner(
    studio: Studio, settings: Settings
) -> None:
    mirror, (event, starts) = studio.mirror(), slots_of(studio)
    dice, won, seen = Random(7), 0, Counter[str]()
    late = 0.15  # seconds; longer and shorter by turns, so that neither is always first on any machine
    with processes(settings, event.id) as racers:
        for start in starts:
            first: list[bool] = []

            def arrives(start: int = start, first: list[bool] = first, late: float = late) -> None:
                """As a pass brings it: what closes slots is locked while it is written."""
                time.sleep(dice.uniform(0, late))
                begins = datetime.fromtimestamp(start, UTC)
                text = ics(f"private-{start}", f"DTSTART:{begins:%Y%m%dT%H%M%SZ}", "DURATION:PT1H")
                with studio.bridge.db.writing() as tx:
                    objects.put(
                        tx, mirror, f"{start}.ics", text, actor="test", now=studio.clock.now(), kind=None
                    )
                    bookings = calendars.bookings(tx, studio.anna.id).id
                    first.append(not objects.in_range(tx, bookings, start, start + 3600))

            done = race(racers, start, arrives)
            assert done["won"] == (0 if first[0] else 1) and done["offered again"] == 0
            won += done["won"]
            seen["event first" if first[0] else "client first"] += 1
            late = late * 1.5 if first[0] else late / 1.5
            assert written(studio) == (won, won)
    assert len(starts) == ROUNDS and (ROUNDS < 50 or min(seen["event first"], seen["client first"]) > 9), seen
    print(dict(seen))


def test_of_overlapping_sessions_of_two_pages_only_one_is_sold(studio: Studio) -> None:
    short, long = studio.event("Short", length=30), studio.event("Long", length=120)
    ready = threading.Barrier(2)

    def book(event: object) -> str:
        ready.wait(30)
        try:
            client_booking.take(
                studio.bridge, event, studio.anna, at("09:00"), Client("A", "a@x.example", "+1 2")
            )  # type: ignore[arg-type]
        except Taken:
            return "taken"
        return "won"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(book, [short, long])) == ["taken", "won"]


def test_an_event_that_arrives_during_the_race_is_before_or_after_the_sale_never_beside_it(
    studio: Studio,
) -> None:
    """Whichever comes first in the store: either the slot was sold before, or nobody got it."""
    event, mirror = studio.event(), studio.mirror()
    for number, wall in enumerate(("09:00", "10:00", "11:00", "12:00")):
        begins = f"{datetime.fromtimestamp(at(wall), UTC):%Y%m%dT%H%M%SZ}"
        text = ics(f"private-{number}", f"DTSTART:{begins}", "DURATION:PT1H")
        with ThreadPoolExecutor(2) as pool:
            arriving = pool.submit(studio.put, text, calendar=mirror)
            done = pool.submit(race_of, studio.bridge, event, studio.anna, at(wall), 6).result()
            arriving.result()
        assert done.get("won", 0) <= 1 and "offered again" not in done
        with studio.bridge.db.reading() as tx:
            (private,) = [one for one in objects.all_objects(tx, mirror) if one.text == text]
            sold = [
                one
                for one in objects.all_objects(tx, calendars.bookings(tx, studio.anna.id).id)
                if one.starts == at(wall)
            ]
        assert len(sold) == done.get("won", 0) and private.starts == at(wall)
