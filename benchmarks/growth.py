"""Our part of a pass, by size of the calendar: ``python -m benchmarks.growth [EVENTS ...]`` (500 and 50,000).

The provider answers from memory and costs next to nothing, so what grows here is ours: the CPU of a first
import for each event, that of a pass with nothing new (median), and the memory above what was there before.
Each size is measured in a process of its own, and ends in one line.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

from bridge.clock import SystemClock
from bridge.ports import Capabilities, Changes, Entry, Provider
from bridge.store import accounts, calendars, installation, links, people
from bridge.store.db import Database
from bridge.sync.engine import Engine
from tests.simulation.ledger import new_text

SIZES = (500, 50_000)
PASSES = 51


class Still:
    """A calendar of so many events that nobody edits."""

    capabilities = Capabilities()
    requests = 0

    def __init__(self, events: int):
        self._events = events

    def survey(self) -> Mapping[str, str] | None:
        return None

    def changes(self, calendar: str, cursor: str | None) -> Changes:
        if cursor is not None:
            return Changes((), frozenset(), False, cursor)
        entries = [Entry(f"{calendar}{number}", f'"{number}"', None) for number in range(self._events)]
        return Changes(entries, frozenset(), True, "now")

    def fetch(self, calendar: str, hrefs: Sequence[str]) -> Iterator[Entry]:
        for href in hrefs:
            number = int(href.removeprefix(calendar))
            yield Entry(href, f'"{number}"', new_text(f"e{number}", number))

    def close(self) -> None:
        """Nothing was opened."""


def linked(db: Database, clock: SystemClock) -> int:
    """A studio with one calendar to read; the link's id."""
    db.migrate()
    now = clock.now()
    with db.writing() as tx:
        installation.ensure(tx, now)
        studio = people.add_studio(tx, "anna", "Anna", now)
        user = people.add_user(tx, studio, "anna@studio.example", time_zone="Europe/Berlin", now=now)
        calendars.create(tx, user, "bookings", kind="bookings", title="Bookings", now=now)
        mirror = calendars.create(tx, user, "mirror", kind="mirror", title="Mirror", now=now)
        account = accounts.create(tx, user, "caldav", label="still", now=now)
        link = links.create(tx, account, "/still/", name="Still", color=None, writable=True, now=now)
        links.set_(tx, link, reads=True, released=True, mirror_id=mirror)
    return link


def measure(events: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        db, clock = Database(f"sqlite:///{Path(folder) / 'store.sqlite'}"), SystemClock()
        link = linked(db, clock)
        engine = Engine(db, clock, lambda _: cast(Provider, Still(events)), "growth")
        before, began = peak(), time.process_time()
        pulled = engine.run(link).pulled
        first, memory = time.process_time() - began, peak() - before
        assert pulled == events
        quiet = [one_pass(engine, link) for _ in range(PASSES)]
        db.close()
    print(
        f"{events:6} events: first import {first / events * 1000:.2f} ms of CPU an event, {memory:.0f} MB; "
        f"nothing new {statistics.median(quiet) * 1000:.2f} ms of CPU"
    )


def one_pass(engine: Engine, link: int) -> float:
    began = time.process_time()
    engine.run(link)
    return time.process_time() - began


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(sizes: Sequence[str]) -> None:
    if len(sizes) == 1:
        measure(int(sizes[0]))
        return
    for size in sizes or SIZES:
        subprocess.run([sys.executable, "-m", "benchmarks.growth", str(size)], check=True)  # noqa: S603


if __name__ == "__main__":
    main(sys.argv[1:])
