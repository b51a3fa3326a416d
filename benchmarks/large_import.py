"""The memory of a large first import: ``python -m benchmarks.large_import [EVENTS]`` (50,000).

The events are at Xandikos, and ``serve`` imports them. Measured is what it holds with all its processes
(proportional set size, so that what they share counts once): idle, and the most until all are here. One line
at the end; progress on standard error. Where there is memory enough, ``TMPDIR=/dev/shm`` saves waiting.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from tests.journeys.installation import Installation
from tests.servers.process import free_port, running
from tests.servers.xandikos import seed, xandikos
from tests.simulation.ledger import new_text

#: Seconds: between two looks at the memory, and until a server that has started is idle.
LOOK = 0.5
IDLE = 20.0


def family(pid: int) -> list[int]:
    """A process and all that it started."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    return found


def megabytes(pid: int) -> float:
    """What a process and all that it started hold."""
    total = 0
    for member in family(pid):
        try:
            lines = Path(f"/proc/{member}/smaps_rollup").read_text().splitlines()
        except OSError:  # it ended just now
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def imported(data: Path) -> tuple[int, bool]:
    """How many events are here, and whether the pass came to its end."""
    with closing(sqlite3.connect(f"file:{data}/bridge.sqlite?mode=ro", uri=True, timeout=30)) as db:
        (count,) = db.execute("SELECT count(*) FROM object").fetchone()
        (agreed,) = db.execute("SELECT count(*) FROM link WHERE agreed_at IS NOT NULL").fetchone()
    return count, agreed > 0


def measure(events: int, folder: Path) -> str:
    with xandikos(folder / "provider") as provider:
        calendar = provider.make_calendar("work", title="Work")
        seed(folder / "provider", calendar.path, {f"e{n}.ics": new_text(f"e{n}", n) for n in range(events)})
        anna = Installation.of_anna(folder / "data", provider)
        account = anna.connect(provider)
        remote = anna.remote_id(account, calendar)
        port = free_port()
        command = anna.command("serve", "--port", str(port))
        with running(command, port, folder / "serve.log", env=anna.environment) as server:
            time.sleep(IDLE)
            idle = most = megabytes(server.pid)
            began = time.monotonic()
            anna.run("account", "select", str(account), "--read", remote, "--yes")
            done, looks = False, 0
            while not done:
                most = max(most, megabytes(server.pid))
                looks += 1
                if looks % 10 == 0:
                    count, done = imported(anna.data)
                    print(f"{count} events, {most:.0f} MB at most", file=sys.stderr)
                time.sleep(LOOK)
            count, _ = imported(anna.data)
            seconds = time.monotonic() - began
    assert count == events, count
    return (
        f"{events} events in {seconds:.0f} s: {idle:.0f} MB idle, {most:.0f} MB at most, "
        f"{most - idle:.0f} MB above"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="The memory of a large first import.")
    parser.add_argument("events", nargs="?", type=int, default=50_000)
    with tempfile.TemporaryDirectory() as folder:
        print(measure(parser.parse_args().events, Path(folder)))


if __name__ == "__main__":
    main()
