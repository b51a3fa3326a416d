"""A fleet of two workers and a CalDAV front on PostgreSQL and Redis, and what can go wrong with it, by name.

What goes wrong is over when its method returns; nothing is mended by it but what a supervisor would: a
process that ended is started again.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from pathlib import Path

import redis
from sqlalchemy import NullPool, create_engine, text

from bridge.ical.facts import facts
from bridge.store import calendars, objects, people
from bridge.wiring import Bridge
from tests.journeys.installation import Installation
from tests.journeys.phones import uid_of
from tests.journeys.test_crashes import retitle
from tests.servers.dav import Outside, Server
from tests.servers.postgres import Cluster
from tests.servers.process import free_port, listens
from tests.service.conftest import event

WORKERS = 2
#: How long a disk is full or a clock wrong, in seconds; and longer than any lease.
FOR_A_WHILE, LONGER_THAN_A_LEASE = 2.0, 9.0
HOUR = 3600


@dataclass
class Process:
    """One of ours, and the file that says how wrong its clock is."""

    words: list[str]
    clock: Path
    running: subprocess.Popen[bytes]


@dataclass
class Fleet:
    installation: Installation
    bridge: Bridge
    cluster: Cluster
    queue: redis.Redis
    provider: Server
    folder: Path
    chance: random.Random
    work: dict[str, Outside] = field(default_factory=dict)
    workers: list[Process] = field(default_factory=list)
    front: Process = field(init=False)
    port: int = field(default_factory=free_port)
    _started: int = 0

    # --- its processes -----------------------------------------------------------------------------------

    def start(self) -> None:
        self.workers = [self._new("worker") for _ in range(WORKERS)]
        self.front = self._new("dav", "--port", str(self.port))
        until(lambda: listens(self.port), 60)

    def end(self) -> None:
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                process.running.send_signal(signal.SIGCONT)
            process.running.kill()
            process.running.wait()

    @property
    def processes(self) -> list[Process]:
        return [*self.workers, self.front]

    def _new(self, *words: str) -> Process:
        self._started += 1
        clock = self.folder / f"clock-{self._started}"
        clock.write_text("0")
        # the command, by the clock of a machine that may be wrong
        command = [sys.executable, "-m", "tests.journeys.wrong_clock", str(clock)]
        command += ["--data", str(self.installation.data), *words]
        with (self.folder / "fleet.log").open("ab") as log:
            running = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)
        return Process(list(words), clock, running)

    @property
    def _environment(self) -> dict[str, str]:
        settings = self.bridge.settings
        own = {
            "PICSELLO_BRIDGE_DATABASE_URL": settings.database_url,
            "PICSELLO_BRIDGE_QUEUE_URL": settings.queue_url,
            "PICSELLO_BRIDGE_POLL_SECONDS": "10",
            "PICSELLO_BRIDGE_SERVER_PROCESSES": "2",
        }
        return {**self.installation.environment, **own}

    def _replaced(self, process: Process) -> Process:
        process.running.kill()
        process.running.wait()
        return self._new(*process.words)

    def tend(self) -> None:
        """As a supervisor does: what could not start because PostgreSQL was away is started again."""
        ended = [one for one in self.processes if one.running.poll() is not None]
        assert all(one.running.returncode == 1 for one in ended), ended
        self.workers = [self._replaced(one) if one in ended else one for one in self.workers]
        if self.front in ended:
            self.front = self._replaced(self.front)

    def _revived(self) -> None:
        """PostgreSQL is up again, started anew if it gave up."""
        for _ in range(100):
            with contextlib.suppress(Exception):
                return self.cluster.run("SELECT 1")
            if self.cluster.process is None or self.cluster.process.poll() is not None:
                return self.cluster.start()
            time.sleep(0.1)
        raise AssertionError("PostgreSQL did not come back")

    # --- what goes wrong ---------------------------------------------------------------------------------

    @property
    def troubles(self) -> list[Callable[[], None]]:
        return [
            self.worker_killed,
            self.front_killed,
            self.worker_frozen,
            self.queue_emptied,
            self.database_restarted,
            self.disks_full,
            self.disk_read_only,
            self.clock_jumped,
        ]

    def worker_killed(self) -> None:
        """A machine dies; another takes its place."""
        self.workers.append(self._replaced(self.workers.pop(0)))

    def front_killed(self) -> None:
        """The parent of the CalDAV processes dies, in the midst of requests."""
        self.front = self._replaced(self.front)
        until(lambda: listens(self.port), 60)

    def worker_frozen(self) -> None:
        """It sleeps through its lease and wakes late."""
        victim = self.chance.choice(self.workers).running
        victim.send_signal(signal.SIGSTOP)
        time.sleep(LONGER_THAN_A_LEASE)
        victim.send_signal(signal.SIGCONT)

    def queue_emptied(self) -> None:
        self.queue.flushall()

    def database_restarted(self) -> None:
        self.cluster.stop()
        self.cluster.start()

    def disks_full(self) -> None:
        """No file of PostgreSQL or of ours takes a byte more."""

        processes = [self.cluster.process, *(one.running for one in self.processes)]

        def allow(most: str) -> None:
            for process in processes:
                if process is not None and process.poll() is None:
                    limit_files(process.pid, most)

        allow("0")
        time.sleep(FOR_A_WHILE)
        allow("unlimited")
        self._revived()

    def disk_read_only(self) -> None:
        """PostgreSQL can no longer open a file to write; nobody keeps one open from before."""
        everything = [self.cluster.folder / "data", *(self.cluster.folder / "data").rglob("*")]
        with contextlib.suppress(FileNotFoundError):
            before = {path: path.stat().st_mode for path in everything if path.exists()}
        engine = create_engine(self.cluster.url("postgres"), poolclass=NullPool)
        with engine.connect() as connection:
            asked = text("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'")
            clients = list(connection.execute(asked).scalars())
        self._modes({path: 0o500 if path.is_dir() else 0o400 for path in before})
        for number in clients:
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGTERM)
        time.sleep(FOR_A_WHILE)
        self._modes(before)
        self._revived()

    def _modes(self, wanted: dict[Path, int]) -> None:
        for path, mode in wanted.items():
            with contextlib.suppress(FileNotFoundError):
                path.chmod(mode)

    def clock_jumped(self) -> None:
        """A machine, or all of them, is an hour before or behind the others, and then right again."""
        wrong = self.chance.choice([self.processes, self.workers, self.workers[:1], [self.front]])
        by = self.chance.choice([-HOUR, HOUR])
        for process in wrong:
            process.clock.write_text(str(by))
        time.sleep(FOR_A_WHILE)
        for process in wrong:
            process.clock.write_text("0")

    # --- what people do and see --------------------------------------------------------------------------

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

    def retitle_there(self, user: str, uid: str, title: str) -> None:
        there = self.work[user]
        name = there.name_of(uid)
        there.put(name, retitle(there.get(name) or "", title), there.etag(name))

    def titles_there(self, user: str) -> list[tuple[str, str]]:
        return sorted((uid_of(text), facts(text).summary) for text in self.work[user].texts().values())

    def settle(self, wanted: dict[str, dict[str, str]], seconds: float = 120) -> None:
        """By itself: both sides have every title, once, and nothing else."""
        deadline, seen, here = time.monotonic() + seconds, {}, {}
        while True:
            self.tend()
            with contextlib.suppress(Exception):
                seen = {user: self.titles_there(user) for user in wanted}
                here = {user: {u: facts(t).summary for u, t in self.here(user).items()} for user in wanted}
                if here == wanted and seen == {user: sorted(wanted[user].items()) for user in wanted}:
                    return
            assert time.monotonic() < deadline, differences(wanted, here, seen)
            time.sleep(0.5)


@dataclass
class Phone:
    """Somebody who edits all the time, by CalDAV, and goes on trying until told that it is saved."""

    user: str
    calendar: Outside
    chance: random.Random
    titles: dict[str, str] = field(default_factory=dict)
    refused: list[tuple[int, bytes]] = field(default_factory=list)
    tries: int = 0
    _hand: threading.Lock = field(default_factory=threading.Lock)
    _end: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        thread = threading.Thread(target=self._use, name=f"phone of {self.user}")
        thread.start()
        try:
            yield
        finally:
            self._end.set()
            thread.join()

    @contextlib.contextmanager
    def laid_down(self, meanwhile: Callable[[], None]) -> Iterator[None]:
        """Nothing is edited, once what it is at is saved. ``meanwhile``: called again and again till then."""
        while not self._hand.acquire(timeout=1):
            meanwhile()
        try:
            yield
        finally:
            self._hand.release()

    def _use(self) -> None:
        number = 0
        while not self._end.wait(self.chance.uniform(0.2, 0.8)):
            with self._hand:
                number += 1
                self._edit(f"{self.user}-phone-{self.chance.randrange(4)}", f"phone {number}")

    def _edit(self, uid: str, title: str) -> None:
        starts = datetime(2027, 6, 1 + int(uid[-1]), 9, tzinfo=UTC) + timedelta(hours=len(self.user))
        path, body = self.calendar.at(f"{uid}.ics"), event(uid, title, starts).encode()
        while not self._end.is_set():
            with contextlib.suppress(OSError, HTTPException):
                self.tries += 1
                kind = {"Content-Type": "text/calendar; charset=utf-8"}
                reply = self.calendar.server.request("PUT", path, body, kind)
                if reply.status in (201, 204):
                    self.titles[uid] = title
                    return
                if reply.status < 500:  # PostgreSQL has no name for the errors of our full disk
                    self.refused.append((reply.status, reply.body))
            time.sleep(0.2)


def limit_files(pid: int, most: str) -> None:
    """How large files may become by a process and its children, in bytes; the parent comes first, so that
    what it forks meanwhile has it too. Said by the process's own account: no more is needed for that."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    each = 'for pid; do prlimit --pid "$pid" "--fsize=$0:" || true; done'
    own = Path(f"/proc/{pid}").stat().st_uid
    subprocess.run(
        ["sh", "-c", each, most, str(pid), *children],
        user=own if own != os.geteuid() else None,
        stderr=subprocess.DEVNULL,  # a child may have ended
        check=True,
    )


def until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.05)


def differences(
    wanted: dict[str, dict[str, str]], here: dict[str, dict[str, str]], seen: dict[str, list[tuple[str, str]]]
) -> str:
    """What is otherwise than wanted, by user."""
    lines = []
    for user, titles in wanted.items():
        for side, found in (("here", list(here.get(user, {}).items())), ("there", seen.get(user, []))):
            missing, extra = set(titles.items()) - set(found), set(found) - set(titles.items())
            doubled = {uid for uid, _ in found if [one for one, _ in found].count(uid) > 1}
            lines.append(f"{user} {side}: wanted {missing}, found {extra}, twice {doubled}")
    return "\n".join(lines)
