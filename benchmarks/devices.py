"""Mixed load by many devices for long: ``python -m benchmarks.devices [--minutes M] [--devices N]``.

N simulated devices, four of each user, poll, read, write and delete on CalDAV over two server processes
(gunicorn's, or our own with ``--server ours``) and a PostgreSQL that syncs to the disk, each about every five
seconds. Asked: no error, memory that does not grow (the last third of the time against the middle one), and a
99th percentile not far from the median. One JSON line; exit 1 if one of the three does not hold.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.caldav import gunicorn
from benchmarks.caldav.client import Client
from benchmarks.caldav.events import event, uid
from benchmarks.caldav.operations import OPERATIONS, Calendar
from bridge.config import Settings
from bridge.service import people
from bridge.store import calendars, objects
from bridge.store.people import user_by_email
from bridge.wiring import Bridge
from tests.servers.postgres import AS_IT_COMES, postgres
from tests.servers.process import free_port, running

OF_A_USER = 4
EVENTS = 100
#: How often a device does what, of a hundred times.
SHARES = {
    "poll: ctag, token": 45,
    "delta of none": 20,
    "PUT update": 12,
    "GET": 10,
    "multiget of 50": 5,
    "PUT new": 3,
    "DELETE": 3,
    "month: data": 2,
}
MOST_GROWTH, MOST_RATIO = 1.03, 5.0


@dataclass
class Found:
    """What the devices met, by kind."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)  # since the begin (s), MB


def furnish(settings: Settings, users: int) -> list[tuple[str, str]]:
    """Users with a filled calendar each; e-mail and app password."""
    bridge = Bridge.open(settings)
    found = []
    for number in range(users):
        email = f"u{number}@studio.example"
        people.add_user(bridge, email, time_zone="America/New_York")
        found.append((email, people.add_device(bridge, email, "Bench").password))
        with bridge.db.writing() as tx:
            calendar, now = calendars.bookings(tx, user_by_email(tx, email).id).id, bridge.clock.now()
            for which in range(EVENTS):
                text, href = event(which).decode(), f"{uid(which)}.ics"
                objects.put(tx, calendar, href, text, kind="block", actor="command", now=now)
    bridge.db.close()
    return found


@contextmanager
def served(settings: Settings, server: str, folder: Path) -> Iterator[tuple[str, int]]:
    """The origin, and the parent of the processes behind it."""
    port = free_port()
    environment = {
        **os.environ,
        "PICSELLO_BRIDGE_DATA": str(settings.data),
        "PICSELLO_BRIDGE_DATABASE_URL": settings.database_url,
        "PICSELLO_BRIDGE_SERVER_PROCESSES": str(gunicorn.PROCESSES),
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }
    command = [sys.executable, "-m", "bridge.cli", "dav", "--port", str(port)]
    if server == "gunicorn":
        command = gunicorn.command(port, settings.threads)
    with running(command, port, folder / "server.log", env=environment) as process:
        yield f"http://127.0.0.1:{port}", process.pid


def memory(parent: int) -> float:
    """MB that the processes of a parent hold, what they share divided among them. Libraries are left out: how
    much of them counts depends on who else on the machine has them open."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    total = 0
    for process in [str(parent), *children]:
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            total += int(line.split()[1]) if line.startswith("Pss_Anon:") else 0
    return total / 1024


def device(number: int, origin: str, user: tuple[str, str], pause: float, end: float, found: Found) -> None:
    """One app, until the end."""
    dice = random.Random(number)  # noqa: S311 - no secret
    path = f"/dav/{user[0].replace('@', '%40')}/bookings/"
    mine = Calendar(Client(origin, *user), path, 0, dice)
    mine.numbers = {f"{path}{uid(which).replace('@', '%40')}.ics": which for which in range(EVENTS)}
    mine.hrefs, mine.revision = list(mine.numbers), number * 1_000_000
    operations = {one.name: one for one in OPERATIONS if one.name in SHARES}
    names, weights = list(SHARES), list(SHARES.values())
    time.sleep(dice.uniform(0, pause))
    while time.monotonic() < end:
        one = operations[dice.choices(names, weights)[0]]
        try:
            reply = one.request(mine)
            found.seconds[one.name].append(reply.seconds)
            if not one.right(mine, reply):
                found.errors.append(f"{one.name}: {reply.status} {reply.body[:200]!r}")
        except (OSError, EOFError) as error:
            found.errors.append(f"{one.name}: {error!r}")
        time.sleep(dice.uniform(0.5, 1.5) * pause)
    mine.client.close()


def measured(options: argparse.Namespace) -> dict[str, Any]:
    with ExitStack() as stack:
        cluster = stack.enter_context(postgres(durable=True, settings=AS_IT_COMES))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        settings = Settings(
            data=folder / "data",
            database_url=cluster.url(cluster.create()),
            server_processes=gunicorn.PROCESSES,
        )
        users = furnish(settings, max(options.devices // OF_A_USER, 1))
        origin, parent = stack.enter_context(served(settings, options.server, folder))
        found, begun = Found(), time.monotonic()
        end = begun + options.minutes * 60
        devices = [
            threading.Thread(
                target=device, args=(number, origin, users[number % len(users)], options.pause, end, found)
            )
            for number in range(options.devices)
        ]
        for thread in devices:
            thread.start()
        while time.monotonic() < end:
            time.sleep(min(5.0, options.minutes * 60 / 30))
            found.memory.append((time.monotonic() - begun, memory(parent)))
        for thread in devices:
            thread.join()
    return summary(options, found)


def summary(options: argparse.Namespace, found: Found) -> dict[str, Any]:
    third = options.minutes * 60 / 3
    middle, last = (
        statistics.fmean(size for at, size in found.memory if n * third < at <= (n + 1.2) * third)
        for n in (1, 2)
    )
    every = sorted(seconds for kind in found.seconds.values() for seconds in kind)
    median, worst = _at(every, 0.5), _at(every, 0.99)
    holds = {
        "no_error": not found.errors,
        "memory_flat": last <= middle * MOST_GROWTH,
        "p99_near_the_median": worst <= median * MOST_RATIO,
    }
    return {
        "devices": options.devices,
        "minutes": options.minutes,
        "server": options.server,
        "requests": len(every),
        "errors": len(found.errors),
        "first_errors": found.errors[:3],
        "median_ms": round(median * 1000, 1),
        "p99_ms": round(worst * 1000, 1),
        "p99_over_median": round(worst / median, 2),
        "by_kind_ms": {
            name: [round(_at(sorted(kind), share) * 1000, 1) for share in (0.5, 0.99)]
            for name, kind in sorted(found.seconds.items())
        },
        "memory_mb": {"middle": round(middle, 1), "last": round(last, 1)},
        "memory_growth": round(last / middle - 1, 4),
        **holds,
    }


def _at(ordered: list[float], share: float) -> float:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--devices", type=int, default=200)
    parser.add_argument("--pause", type=float, default=5, help="seconds between two requests of a device")
    parser.add_argument("--server", choices=("gunicorn", "ours"), default="gunicorn")
    result = measured(parser.parse_args())
    print(json.dumps(result))
    return 0 if all(result[name] for name in ("no_error", "memory_flat", "p99_near_the_median")) else 1


if __name__ == "__main__":
    sys.exit(main())
