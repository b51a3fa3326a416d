"""Many clients, one slot: exactly one gets it, on SQLite and PostgreSQL, in threads and in processes."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from bridge.config import Settings
from bridge.service import client_booking
from bridge.service.client_booking import Taken
from bridge.service.clients import Client
from bridge.store import calendars, objects
from tests.booking.conftest import NOON, Studio, at, ics
from tests.servers.postgres import Cluster

CLIENTS = 16

#: What each process does: as many threads as asked for, all at the same slot, at the same moment.
PROGRAM = """
import json, sys, time
from datetime import datetime
from tests.booking.test_race import race_of
from bridge.config import Settings
from bridge.store import booking_events, people
from bridge.wiring import Bridge
from pathlib import Path

class Clock:
    def now(self):
        return datetime.fromisoformat(sys.argv[6])

bridge = Bridge.open(Settings(data=Path(sys.argv[1]), database_url=sys.argv[2]), Clock())
with bridge.db.reading() as tx:
    event = booking_events.get(tx, int(sys.argv[3]))
    user = people.user_by_id(tx, event.user_id)
print("ready", flush=True)
sys.stdin.readline()
print(json.dumps(race_of(bridge, event, user, int(sys.argv[4]), int(sys.argv[5]))))
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


def test_of_two_processes_with_many_threads_exactly_one_client_wins(
    studio: Studio, settings: Settings
) -> None:
    event = studio.event()
    arguments = [str(settings.data), settings.database_url, str(event.id), str(at("10:00")), str(CLIENTS)]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments, NOON.isoformat()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    total: Counter[str] = Counter()
    for process in processes:
        total.update(json.loads(process.communicate(timeout=120)[0]))
        assert process.returncode == 0
    assert total == {"won": 1, "taken": 2 * CLIENTS - 1}
    assert len(studio.texts()) == 1


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
