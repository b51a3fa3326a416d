"""A fleet: ``python -m benchmarks.fleet [--studios N] [--workers W] [--threads T] [--outage]``.

N studios with two linked calendars each on PostgreSQL and Redis, W worker processes as in production, and
in the place of the provider a stand-in in each process that answers after a set time (what it holds is
shared memory). Measured: routine passes per second, our CPU per pass with nothing new, what looking costs
when nothing is due, how long a booking made here takes to the provider while everybody's routine is
waiting, and how long everybody takes to agree again after an outage of an hour. Other load on the machine
shows in all of them.
"""

from __future__ import annotations

import argparse
import json
import mmap
import multiprocessing
import random
import resource
import statistics
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select, text, update

from bridge.config import Settings
from bridge.errors import StoreError, Unreachable
from bridge.ports import Capabilities, Changes, Entry, Provider, RemoteCalendar
from bridge.store import objects, tables, turns
from bridge.wiring import Bridge
from bridge.worker import Worker, delay
from tests.servers.postgres import postgres
from tests.servers.process import free_port, running
from tests.service.conftest import event

SLOT = struct.Struct("<IIdI")  # version there, requests, when the last write came, writes


class Memory:
    """What the stand-in holds, for all processes: a slot for each calendar, and whether it is down."""

    def __init__(self, path: Path, slots: int):
        size = (slots + 1) * SLOT.size
        if not path.exists():
            path.write_bytes(bytes(size))
        self._file = path.open("r+b")
        self._map = mmap.mmap(self._file.fileno(), size)

    def read(self, slot: int) -> tuple[int, int, float, int]:
        return SLOT.unpack_from(self._map, slot * SLOT.size)

    def write(self, slot: int, *values: Any) -> None:
        SLOT.pack_into(self._map, slot * SLOT.size, *values)

    @property
    def down(self) -> bool:
        return bool(self.read(0)[0])

    @down.setter
    def down(self, is_down: bool) -> None:
        self.write(0, int(is_down), 0, 0.0, 0)


@dataclass
class StandIn:
    """One sign-in at it. Calendar ``/7/`` is slot 7; it holds one event, and what is written there."""

    memory: Memory
    latency: float
    requests: int = 0
    capabilities: Capabilities = field(default_factory=Capabilities)

    def _asked(self, calendar: str, *, wrote: bool = False) -> tuple[int, int]:
        self.requests += 1
        if self.latency:
            time.sleep(self.latency)
        if self.memory.down:
            raise Unreachable("The calendar server does not answer. We try again by ourselves.")
        slot = int(calendar.strip("/"))
        version, requests, wrote_at, writes = self.memory.read(slot)
        at = time.time() if wrote else wrote_at
        self.memory.write(slot, version, requests + 1, at, writes + wrote)
        return slot, version

    def calendars(self) -> list[RemoteCalendar]:
        return []

    def survey(self) -> None:
        return None

    def changes(self, calendar: str, cursor: str | None, known: Any = None) -> Changes:  # noqa: ARG002
        _, version = self._asked(calendar)
        now = f"v{version}"
        if cursor == now:
            return Changes((), frozenset(), False, now)
        return Changes([self._entry(calendar, version)], frozenset(), cursor is None, now)

    def _entry(self, calendar: str, version: int) -> Entry:
        slot = calendar.strip("/")
        return Entry(
            f"{calendar}e.ics",
            f"t{version}",
            event(f"e{slot}", f"v{version}", datetime(2027, 5, 1, 9).astimezone()),
        )

    def fetch(self, calendar: str, hrefs: Sequence[str]) -> list[Entry]:
        _, version = self._asked(calendar)
        return [self._entry(calendar, version) for href in hrefs if href.endswith("/e.ics")]

    def put(self, calendar: str, href: str, text: str, expect: str | None) -> Entry:  # noqa: ARG002
        self._asked(calendar, wrote=True)
        return Entry(href, f"t{hash(text)}", text)

    def delete(self, calendar: str, href: str, expect: str) -> None:  # noqa: ARG002
        self._asked(calendar, wrote=True)

    def new_href(self, calendar: str, key: str) -> str:
        return f"{calendar}{key}.ics"

    def close(self) -> None:
        pass


@dataclass
class FleetBridge(Bridge):
    """The bridge as in production, but for who is at the other end."""

    memory: Memory | None = None
    latency: float = 0.0

    def connect(self, account_id: int) -> Provider:  # noqa: ARG002
        assert self.memory is not None
        return StandIn(self.memory, self.latency)


def worker(settings: Settings, memory: Path, slots: int, latency: float, stop: Any, used: Any) -> None:
    """A worker process, until it is told to stop; ``used`` is the CPU seconds that it used so far."""
    opened = Bridge.open(settings)
    bridge = FleetBridge(
        settings, opened.db, opened.clock, opened.installation, memory=Memory(memory, slots), latency=latency
    )
    running_worker = Worker(bridge)
    running_worker.start()
    while not stop.wait(0.1):
        times = resource.getrusage(resource.RUSAGE_SELF)
        used.value = times.ru_utime + times.ru_stime
    running_worker.stop()


def furnish(bridge: Bridge, studios: int) -> None:
    """N studios: a user, a bookings calendar, a mirror, an account, a link that reads and one that writes."""
    now = bridge.clock.now()
    rows: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("studio", "user", "calendar", "account", "link")
    }
    for n in range(1, studios + 1):
        rows["studio"].append({"id": n, "slug": f"s{n}", "name": f"s{n}", "created": now})
        rows["user"].append(
            {
                "id": n,
                "studio_id": n,
                "email": f"u{n}@x.example",
                "time_zone": "Europe/Berlin",
                "created": now,
            }
        )
        for kind, number in (("bookings", 2 * n - 1), ("mirror", 2 * n)):
            rows["calendar"].append(
                {
                    "id": number,
                    "user_id": n,
                    "name": kind,
                    "kind": kind,
                    "title": kind,
                    "generation": 1,
                    "modified": now,
                }
            )
        rows["account"].append(
            {"id": n, "user_id": n, "provider": "caldav", "label": "x", "secret": b"x", "created": now}
        )
        for number, roles in (
            (2 * n - 1, {"writes": True, "reads": False}),
            (2 * n, {"writes": False, "reads": True}),
        ):
            rows["link"].append(
                {
                    "id": number,
                    "account_id": n,
                    "remote_id": f"/{number}/",
                    "name": "x",
                    "created": now,
                    "released": True,
                    "mirror_id": 2 * n if roles["reads"] else None,
                    "due_at": now,
                    **roles,
                }
            )
    with bridge.db.writing() as tx:
        for name, found in rows.items():
            for start in range(0, len(found), 1000):
                tx.execute(insert(tables.metadata.tables[name]), found[start : start + 1000])
            tx.execute(text(f"SELECT setval(pg_get_serial_sequence('\"{name}\"', 'id'), {len(found)})"))
    with bridge.db.writing() as tx:
        tx.execute(text("ANALYZE"))


def all_due(bridge: Bridge, spread: float = 0.0) -> datetime:
    """Everybody's next look is now, or within so many seconds."""
    now = bridge.clock.now()
    everyone = select(tables.link.c.id).order_by(tables.link.c.id).with_for_update()
    for last in (False, False, True):  # the workers may have rows in another order
        try:
            with bridge.db.writing() as tx:
                tx.execute(everyone).all()
                tx.execute(update(tables.link).values(due_at=now + timedelta(seconds=spread), urgent=False))
            break
        except StoreError:
            if last:
                raise
    return now


def agreed(bridge: Bridge, since: datetime) -> int:
    """How many links have agreed since."""
    with bridge.db.reading() as tx:
        return int(tx.execute(select(func.count()).where(tables.link.c.agreed_at >= since)).scalar_one())


def until(condition: Callable[[], bool], seconds: float) -> float:
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > seconds:
            raise TimeoutError("it takes too long")
        time.sleep(0.2)
    return time.monotonic() - begun


def looking(bridge: Bridge) -> float:
    """Milliseconds for one look when nothing is due."""
    far = bridge.clock.now() - timedelta(days=1)
    took = []
    for _ in range(30):
        begun = time.perf_counter()
        with bridge.db.reading() as tx:
            assert turns.due(tx, far) == []
        took.append(time.perf_counter() - begun)
    return statistics.median(took) * 1000


def bookings_under_load(bridge: Bridge, memory: Memory, studios: int, count: int) -> list[float]:
    """Everybody's routine is due at once; bookings made meanwhile: seconds until each is at the provider."""
    all_due(bridge)
    chosen = random.sample(range(1, studios + 1), count)
    made = {}
    for n in chosen:
        slot = 2 * n - 1
        before = memory.read(slot)[3]
        now = bridge.clock.now()
        with bridge.db.writing() as tx:
            body = event(f"b{n}-{now:%H%M%S%f}", "Shoot", now + timedelta(days=30))
            objects.put(tx, slot, f"b{n}-{now:%H%M%S%f}.ics", body, kind="booking", actor="command", now=now)
        made[slot] = (time.time(), before)
        time.sleep(0.02)
    until(lambda: all(memory.read(slot)[3] > before for slot, (_, before) in made.items()), 300)
    return sorted(max(memory.read(slot)[2] - at, 0.0) for slot, (at, _) in made.items())


def after_an_outage(bridge: Bridge, memory: Memory, links: int) -> dict[str, float]:
    """As everything stands when a provider comes back after an hour: every account failed many times."""
    now = bridge.clock.now()
    with bridge.db.writing() as tx:
        for (number,) in tx.execute(select(tables.account.c.id)).all():
            rest = timedelta(seconds=delay(8, random.random()) * random.random())  # noqa: S311 - no secret
            failing = {"state": "retrying", "failures": 8, "next_try": now + rest}
            tx.execute(update(tables.account).where(tables.account.c.id == number).values(failing))
    since = all_due(bridge)
    took = until(lambda: agreed(bridge, since) == links, 900)
    busiest = max(memory.read(slot)[1] for slot in range(1, links + 1))
    return {"drained_after_s": round(took, 1), "requests_to_the_busiest_calendar": busiest}


def measured(options: argparse.Namespace) -> dict[str, Any]:
    links = 2 * options.studios
    with tempfile.TemporaryDirectory() as made, postgres() as cluster:
        folder, port = Path(made), free_port()
        redis = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", made]
        with running(redis, port, folder / "redis.log"):
            settings = Settings(
                data=folder / "data",
                database_url=cluster.url(cluster.create()),
                queue_url=f"redis://127.0.0.1:{port}/0",
                poll_seconds=86_400,
                worker_threads=options.threads,
            )
            bridge = Bridge.open(settings)
            memory = Memory(folder / "memory", links)
            begun = time.monotonic()
            furnish(bridge, options.studios)
            result: dict[str, Any] = {"links": links, "furnished_s": round(time.monotonic() - begun, 1)}
            spawn = multiprocessing.get_context("spawn")
            stop = spawn.Event()
            used = [spawn.Value("d", 0.0) for _ in range(options.workers)]
            how = (settings, folder / "memory", links, options.latency / 1000, stop)
            workers = [spawn.Process(target=worker, args=(*how, cpu)) for cpu in used]
            for process in workers:
                process.start()
            try:
                since = bridge.clock.now() - timedelta(days=1)
                result["first_sync_s"] = round(until(lambda: agreed(bridge, since) == links, 3000), 1)
                time.sleep(1)
                rounds = []
                for _ in range(options.rounds):
                    cpu = sum(value.value for value in used)
                    since = all_due(bridge)
                    took = until(lambda: agreed(bridge, since) == links, 3000)  # noqa: B023
                    time.sleep(0.3)
                    rounds.append((links / took, (sum(value.value for value in used) - cpu) / links * 1000))
                result["cpu_ms_each_round"] = [round(cpu, 2) for _, cpu in rounds]
                result["passes_per_s"] = round(statistics.median(rate for rate, _ in rounds), 1)
                result["cpu_ms_per_pass"] = round(statistics.median(cpu for _, cpu in rounds), 2)
                result["look_ms"] = round(looking(bridge), 2)
                waits = bookings_under_load(bridge, memory, options.studios, min(200, options.studios))
                result["booking_to_provider_s"] = {
                    "median": round(statistics.median(waits), 2),
                    "p99": round(waits[int(len(waits) * 0.99) - 1], 2),
                }
                if options.outage:
                    print(json.dumps(result), file=sys.stderr, flush=True)  # ten minutes are long
                    result |= after_an_outage(bridge, memory, links)
                with bridge.db.reading() as tx:
                    size = tx.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
                result["database_bytes_per_link"] = round(size / links)
            finally:
                stop.set()
                for process in workers:
                    process.join(20)
                    if process.is_alive():
                        process.kill()
            bridge.db.close()
    return result


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--studios", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=8, help="passes at the same time in each worker")
    parser.add_argument("--latency", type=float, default=20, help="of the stand-in, in milliseconds")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--outage", action="store_true", help="also an outage of an hour (takes ten minutes)")
    print(json.dumps(measured(parser.parse_args())))


if __name__ == "__main__":
    main()
