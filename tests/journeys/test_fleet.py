"""A fleet that is ill-treated: killed, frozen, out of room, with clocks that jump, its servers restarted.

Two worker processes on PostgreSQL and Redis carry the bookings of two studios to a real CalDAV server. All
the time each studio's phone edits by CalDAV; in each round one thing goes wrong (``fleet.troubles``), in
random order, and somebody edits on either side. In the end, without a hand, everything is there once, with
its last title, and nothing of one studio is with the other. ROUNDS=200 runs as many.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import redis

from bridge.config import Settings
from bridge.service import accounts
from bridge.service import people as people_service
from bridge.store import calendars, objects, people
from bridge.wiring import Bridge
from tests.journeys.fleet import Fleet, Phone
from tests.journeys.installation import Installation
from tests.servers.dav import Outside, Server
from tests.servers.postgres import postgres
from tests.servers.process import free_port, running
from tests.servers.radicale import radicale
from tests.service.conftest import event

ROUNDS = int(os.environ.get("ROUNDS", "8"))
SEED = int(os.environ.get("SEED", "9"))
USERS = ("anna", "berta")
BOOKINGS = 16


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    port = free_port()
    command = [
        "redis-server",
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--dir",
        str(tmp_path),
    ]
    with (
        postgres(durable=True) as cluster,
        running(command, port, tmp_path / "redis.log"),
        radicale(tmp_path / "provider", users=dict.fromkeys(USERS, "geheim")) as provider,
    ):
        settings = replace(
            Settings(data=tmp_path / "data", allow_hosts=frozenset({provider.host_and_port})),
            database_url=cluster.url(cluster.create()),
            queue_url=f"redis://127.0.0.1:{port}/0",
        )
        bridge = Bridge.open(settings)
        installation = Installation(tmp_path / "data", [provider.host_and_port])
        queue = redis.Redis(port=port)
        made = Fleet(installation, bridge, cluster, queue, provider, tmp_path, random.Random(SEED))
        made.start()
        try:
            yield made
        finally:
            made.end()
            bridge.db.close()


def furnish(fleet: Fleet, user: str) -> tuple[Phone, dict[str, str]]:
    """A studio with bookings, which go to its calendar; its phone, and what the titles are."""
    email = f"{user}@studio.example"
    people_service.add_user(fleet.bridge, email, time_zone="Europe/Berlin")
    home = replace(fleet.provider, user=user, home=f"/{user}/")
    fleet.work[user] = home.make_calendar("work", title="Work")
    account = accounts.add(fleet.bridge, email, "caldav", url=home.url, username=user, secret="geheim")
    accounts.select(fleet.bridge, account.account_id, write=fleet.work[user].path, yes=True)
    titles = {f"{user}-{number}@picsello-bridge": "new" for number in range(BOOKINGS)}
    now = fleet.bridge.clock.now()
    with fleet.bridge.db.writing() as tx:
        bookings = calendars.bookings(tx, people.user_by_email(tx, email).id).id
        for day, uid in enumerate(titles, 1):
            text = event(uid, "new", now + timedelta(days=day))
            objects.put(tx, bookings, f"{uid}.ics", text, kind="booking", actor="command", now=now)
    password = people_service.add_device(fleet.bridge, email, "Phone").password
    front = Server(f"http://127.0.0.1:{fleet.port}/", email, password, f"/dav/{user}%40studio.example/")
    return Phone(user, Outside(front, f"{front.home}bookings/"), random.Random(f"{user} {SEED}")), titles


def test_whatever_goes_wrong_nothing_is_lost_doubled_or_with_somebody_else(fleet: Fleet) -> None:
    chance = fleet.chance
    phones, wanted = {}, {}
    for user in USERS:
        phones[user], wanted[user] = furnish(fleet, user)

    def settle() -> None:
        with ExitStack() as rest:
            for phone in phones.values():
                rest.enter_context(phone.laid_down(fleet.tend))
            began = time.monotonic()
            fleet.settle({user: wanted[user] | phones[user].titles for user in USERS})
            print(f"both sides agree after {time.monotonic() - began:.1f} s", flush=True)

    settle()
    touched: set[str] = set()
    coming: list[Callable[[], None]] = []
    with ExitStack() as hands:
        for phone in phones.values():
            hands.enter_context(phone.in_use())
        for round_ in range(ROUNDS):
            user = chance.choice(USERS)
            if len(wanted[user].keys() - touched) < 2:  # or both sides would mean the same title
                settle()
                touched.clear()
            uid, other = chance.sample(sorted(wanted[user].keys() - touched), 2)
            touched |= {uid, other}
            fleet.retitle_there(user, other, f"there {round_}")
            wanted[user][other] = f"there {round_}"
            fleet.retitle_here(user, uid, f"here {round_}")
            wanted[user][uid] = f"here {round_}"
            time.sleep(chance.uniform(0, 0.6))
            if not coming:
                coming = chance.sample(fleet.troubles, len(fleet.troubles))
            trouble, began = coming.pop(), time.monotonic()
            trouble()
            fleet.tend()
            print(f"round {round_}: {trouble.__name__}, {time.monotonic() - began:.1f} s", flush=True)
        settle()
    assert [phone.refused for phone in phones.values()] == [[], []]
    assert all(len(phone.titles) > 1 for phone in phones.values())
