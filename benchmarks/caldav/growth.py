"""``python -m benchmarks.caldav.growth [--events 500,50000] [--users 2000] [--rounds K] [--json FILE]``

How our server grows: the everyday requests with few and with many events in a calendar, and with many
studios in the same SQLite file; and the memory of a worker. The servers run side by side and are asked in
turn, so the ratios hold on a busy machine too. ``--users 0`` leaves the many studios out; 2,000 take 2 GB.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import text

from benchmarks.caldav.operations import OPERATIONS, Calendar, Operation
from benchmarks.caldav.servers import Ours
from bridge.config import Settings
from bridge.service import people
from bridge.store import calendars
from bridge.store.people import user_by_email
from bridge.wiring import Bridge

#: What must not grow with what others keep, or with what is not asked for.
CONSTANT = (
    "poll: ctag",
    "poll: ctag, token",
    "GET",
    "PUT update",
    "PUT new",
    "DELETE",
    "delta of 10",
    "delta of none",
    "query by UID",
)
#: Whose answers hold everything: asked once before memory is looked at.
WHOLE = ("all ETags", "first sync", "export")

MOST_GROWTH, MOST_MEGABYTES = 1.5, 150.0


class Sized(Ours):
    """One of several of our servers, each in a folder of its own."""

    def __init__(self, folder: Path, name: str):
        self.name = name
        super().__init__(folder)

    def memory(self) -> tuple[float, float]:
        """What the largest of its processes holds now and has held at most, in MB."""
        assert self.process is not None
        parent = self.process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        said = [Path(f"/proc/{one}/status").read_text() for one in (parent, *children)]
        now, most = (
            max(int(text.split(f"{name}:")[1].split()[0]) / 1024 for text in said)
            for name in ("VmRSS", "VmHWM")
        )
        return now, most


class Crowded(Sized):
    """Many studios in one file, each with as many events."""

    def __init__(self, folder: Path, name: str, users: int):
        super().__init__(folder, name)
        self._users = users

    def fill(self, events: int) -> None:
        super().fill(events)
        bridge = Bridge.open(Settings.load(str(self.folder / "data"), None, {}))
        others = [f"studio{number}@studio.example" for number in range(self._users - 1)]
        for email in others:
            people.add_user(bridge, email, time_zone="America/New_York")
        with bridge.db.writing() as tx:
            first = calendars.bookings(tx, user_by_email(tx, self.user).id).id
            step = int(tx.execute(text("SELECT max(id) FROM object")).scalar_one())
            for number, email in enumerate(others, 1):
                calendar = calendars.bookings(tx, user_by_email(tx, email).id).id
                for statement in _COPIES:
                    asked = {"source": first, "target": calendar, "by": number * step}
                    tx.execute(text(statement), asked)
        bridge.db.close()


#: A calendar's rows once more, as another user's.
_COPIES = (
    """INSERT INTO object SELECT id + :by, :target, href, uid, etag, component, kind, hidden,
       status, starts, ends, recurring, seq, created, modified, text FROM object
       WHERE calendar_id = :source""",
    """INSERT INTO occurrence (object_id, calendar_id, starts, ends, exact, takes)
       SELECT object_id + :by, :target, starts, ends, exact, takes FROM occurrence
       WHERE calendar_id = :source""",
    """INSERT INTO change (calendar_id, seq, href, uid, deleted, actor, at)
       SELECT :target, seq, href, uid, deleted, actor, at FROM change WHERE calendar_id = :source""",
    """UPDATE calendar SET (seq, longest) = (SELECT seq, longest FROM calendar WHERE id = :source)
       WHERE id = :target""",
)


def main() -> None:
    options = _options()
    few, many = (int(number) for number in options.events.split(","))
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        servers: dict[str, tuple[Sized, int]] = {
            f"{few} events": (Sized(Path(folder), "few"), few),
            f"{many} events": (Sized(Path(folder), "many"), many),
        }
        if options.users:
            crowd = Crowded(Path(folder), "crowded", options.users)
            servers[f"{options.users} users"] = (crowd, few)
        try:
            for name, (server, events) in servers.items():
                print(f"filling: {name}", file=sys.stderr)
                server.start(events)
            result = _measured(servers, options.rounds)
        finally:
            for server, _ in servers.values():
                server.stop()
    print(_table(result))
    if options.json:
        Path(options.json).write_text(json.dumps(result, indent=1))
    sys.exit(0 if result["holds"] else 1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.caldav.growth")
    parser.add_argument("--events", default="500,50000", help="few,many")
    parser.add_argument("--users", type=int, default=2000, help="in one file, each with the few events")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--json", help="a file for the result")
    return parser.parse_args()


def _measured(servers: Mapping[str, tuple[Sized, int]], rounds: int) -> dict[str, object]:
    learned = {}
    for name, (server, events) in servers.items():
        learned[name] = Calendar(server.client(), server.path, events)
        learned[name].learn()
    base, *others = learned
    rows = {}
    for operation in OPERATIONS:
        if operation.name in CONSTANT:
            medians = _medians(operation, learned, rounds)
            growth = {name: medians[name] / medians[base] for name in others}
            rows[operation.name] = {"ms": medians, "growth": growth}
    for operation in OPERATIONS:
        if operation.name in WHOLE:
            for calendar in learned.values():
                operation.request(calendar)
    memory = {name: server.memory() for name, (server, _) in servers.items()}
    holds = all(grown <= MOST_GROWTH for row in rows.values() for grown in row["growth"].values())
    return {
        "date": time.strftime("%Y-%m-%d"),
        "machine": f"{platform.platform()}, {os.cpu_count()} cores",
        "rows": rows,
        "megabytes": {name: {"now": now, "most": most} for name, (now, most) in memory.items()},
        "holds": holds and all(now <= MOST_MEGABYTES for now, _ in memory.values()),
    }


def _medians(operation: Operation, calendars_: Mapping[str, Calendar], rounds: int) -> dict[str, float]:
    """In turn within each round, the first answer of each turn left out: it warms the caches."""
    found: dict[str, list[float]] = {name: [] for name in calendars_}
    each = 4 if "10" in operation.name else 30
    for _ in range(rounds):
        for name, calendar in calendars_.items():
            operation.request(calendar)
            for _ in range(each):
                reply = operation.request(calendar)
                if not operation.right(calendar, reply):
                    raise SystemExit(f"{operation.name}: a wrong answer ({reply.status}) with {name}.")
                found[name].append(reply.seconds * 1000)
    return {name: statistics.median(times) for name, times in found.items()}


def _table(result: dict[str, object]) -> str:
    rows: dict[str, dict[str, dict[str, float]]] = result["rows"]  # type: ignore[assignment]
    memory: dict[str, dict[str, float]] = result["megabytes"]  # type: ignore[assignment]
    names = list(memory)
    head = [*names, *(f"× {name}" for name in names[1:])]
    lines = [f"{result['date']}, {result['machine']}", "", f"| median ms | {' | '.join(head)} |"]
    lines.append("|---|" + "--:|" * len(head))
    for name, row in rows.items():
        times = [f"{row['ms'][each]:.3g}" for each in names]
        grown = [_bounded(row["growth"][each], MOST_GROWTH, ".2f") for each in names[1:]]
        lines.append(f"| {name} | {' | '.join([*times, *grown])} |")
    held = []
    for each in names:
        now = _bounded(memory[each]["now"], MOST_MEGABYTES, ".0f")
        held.append(f"{now} ({memory[each]['most']:.0f})")
    lines.append(f"| MB after it all (at most) | {' | '.join(held)} |" + " |" * (len(names) - 1))
    return "\n".join(lines)


def _bounded(value: float, most: float, shape: str) -> str:
    return f"{value:{shape}}" if value <= most else f"**{value:{shape}}**"


if __name__ == "__main__":
    main()
