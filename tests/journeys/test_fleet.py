"""A fleet that is ill-treated: workers killed and frozen, Redis emptied, PostgreSQL restarted.

Two worker processes on PostgreSQL and Redis carry the bookings of two studios to a real CalDAV server,
while in each round one thing goes wrong and somebody edits on either side. In the end, without a hand,
everything is there once, with its last title, and nothing of one studio is with the other. ROUNDS=200 runs
as many.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
import redis

from bridge.config import Settings
from bridge.ical.facts import facts
from bridge.service import accounts
from bridge.service import people as people_service
from bridge.store import calendars, objects, people
from bridge.wiring import Bridge
from tests.journeys.installation import Installation
from tests.journeys.phones import uid_of
from tests.journeys.test_crashes import retitle
from tests.servers.dav import Outside, Server
from tests.servers.postgres import Cluster, postgres
from tests.servers.process import free_port, running
from tests.servers.radicale import radicale
from tests.service.conftest import event

ROUNDS = int(os.environ.get("ROUNDS", "4"))
USERS = ("anna", "berta")


@dataclass
class Fleet:
    """Everything that can go wrong, with names."""

    installation: Installation
    bridge: Bridge
    cluster: Cluster
    queue: redis.Redis
    provider: Server
    work: dict[str, Outside]
    folder: Path
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        with (self.folder / "workers.log").open("ab") as log:
            self.workers.append(
                subprocess.Popen(
                    self.installation.command("worker"), env=self.environment, stdout=log, stderr=log
                )
            )

    @property
    def environment(self) -> dict[str, str]:
        settings = self.bridge.settings
        own = {
            "PICSELLO_BRIDGE_DATABASE_URL": settings.database_url,
            "PICSELLO_BRIDGE_QUEUE_URL": settings.queue_url,
            "PICSELLO_BRIDGE_POLL_SECONDS": "10",
        }
        return {**self.installation.environment, **own}

    # --- what goes wrong -------------------------------------------------------------------------------

    def killed(self) -> None:
        """A machine dies; another takes its place."""
        victim = self.workers.pop(0)
        victim.kill()
        victim.wait()
        self.start()

    def frozen(self) -> None:
        """A worker sleeps through its lease and wakes late."""
        victim = self.workers[0]
        victim.send_signal(signal.SIGSTOP)
        time.sleep(9)
        victim.send_signal(signal.SIGCONT)

    def emptied(self) -> None:
        self.queue.flushall()

    def restarted(self) -> None:
        self.cluster.stop()
        self.cluster.start()

    # --- what people do ----------------------------------------------------------------------------------

    def here(self, user: str) -> dict[str, str]:
        """UID to text of the user's bookings calendar."""
        with self.bridge.db.reading() as tx:
            owner = people.user_by_email(tx, f"{user}@studio.example")
            return {o.uid: o.text for o in objects.all_objects(tx, calendars.bookings(tx, owner.id).id)}

    def retitle_here(self, user: str, uid: str, title: str) -> None:
        with self.bridge.db.writing() as tx:
            owner = people.user_by_email(tx, f"{user}@studio.example")
            calendar = calendars.bookings(tx, owner.id)
            stored = objects.by_uid(tx, calendar.id, uid)
            assert stored is not None
            now = self.bridge.clock.now()
            objects.put(tx, calendar.id, stored.href, retitle(stored.text, title), actor="device:1", now=now)

    def titles_there(self, user: str) -> list[tuple[str, str]]:
        return sorted((uid_of(text), facts(text).summary) for text in self.work[user].texts().values())

    def settle(self, wanted: dict[str, dict[str, str]], seconds: float = 120) -> None:
        """By itself: both sides have every title, once."""
        deadline = time.monotonic() + seconds
        while True:
            with contextlib.suppress(Exception):
                seen = {user: self.titles_there(user) for user in USERS}
                here = {user: {u: facts(t).summary for u, t in self.here(user).items()} for user in USERS}
                if here == wanted and seen == {user: sorted(wanted[user].items()) for user in USERS}:
                    return
            assert time.monotonic() < deadline, (wanted, seen, here)
            time.sleep(0.5)


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
        postgres() as cluster,
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
        made = Fleet(installation, bridge, cluster, redis.Redis(port=port), provider, {}, tmp_path)
        try:
            yield made
        finally:
            for worker in made.workers:
                with contextlib.suppress(ProcessLookupError):
                    worker.send_signal(signal.SIGCONT)
                worker.kill()
                worker.wait()
            bridge.db.close()


def furnish(fleet: Fleet) -> dict[str, dict[str, str]]:
    """Both studios with four bookings each, which go to their calendars; what the titles are."""
    wanted: dict[str, dict[str, str]] = {}
    for user in USERS:
        email = f"{user}@studio.example"
        people_service.add_user(fleet.bridge, email, time_zone="Europe/Berlin")
        home = replace(fleet.provider, user=user, home=f"/{user}/")
        fleet.work[user] = home.make_calendar("work", title="Work")
        account = accounts.add(
            fleet.bridge, email, "caldav", url=home.url, username=user, secret="geheim"
        ).account_id
        accounts.select(fleet.bridge, account, write=fleet.work[user].path, yes=True)
        wanted[user] = {f"{user}-{number}@picsello-bridge": "new" for number in range(4)}
        now = fleet.bridge.clock.now()
        with fleet.bridge.db.writing() as tx:
            bookings = calendars.bookings(tx, people.user_by_email(tx, email).id).id
            for day, uid in enumerate(wanted[user], 1):
                text = event(uid, "new", now + timedelta(days=day))
                objects.put(tx, bookings, f"{uid}.ics", text, kind="booking", actor="command", now=now)
    return wanted


def test_whatever_goes_wrong_nothing_is_lost_doubled_or_with_somebody_else(fleet: Fleet) -> None:
    chance = random.Random(9)
    wanted = furnish(fleet)
    fleet.start()
    fleet.start()
    fleet.settle(wanted)
    troubles = [fleet.killed, fleet.emptied, fleet.restarted, fleet.frozen]
    touched: set[str] = set()
    for round_ in range(ROUNDS):
        user = chance.choice(USERS)
        if len(wanted[user].keys() - touched) < 2:  # or both sides would mean the same title
            fleet.settle(wanted)
            touched.clear()
        uid, other = chance.sample(sorted(wanted[user].keys() - touched), 2)
        touched |= {uid, other}
        there = fleet.work[user]
        name = there.name_of(other)
        there.put(name, retitle(there.get(name) or "", f"there {round_}"), there.etag(name))
        wanted[user][other] = f"there {round_}"
        fleet.retitle_here(user, uid, f"here {round_}")
        wanted[user][uid] = f"here {round_}"
        time.sleep(chance.uniform(0, 0.6))
        troubles[round_ % len(troubles)]()
    fleet.settle(wanted)
