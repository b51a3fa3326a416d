"""A step to another schema under load: ``python -m benchmarks.migration [--objects N]``.

PostgreSQL with N objects in calendars of 1,000 each. While the trial step of the tests is applied as at an
upgrade (``tests/store/trial``: a column for the objects, filled, with an index), clients keep reading and
writing, and somebody holds a long report open. Measured: how long the step takes, and the longest that
anybody waited meanwhile; for comparison the longest wait in a time before. One JSON line.
"""

from __future__ import annotations

import argparse
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import text

from bridge.store import objects, schema
from bridge.store.db import Database
from tests.servers.postgres import postgres
from tests.store.studio import NOW, Studio, event

TRIAL = Path(__file__).parents[1] / "tests" / "store" / "trial"
IN_A_CALENDAR = 1000
_FILL = text(
    """
    INSERT INTO object (calendar_id, href, uid, etag, component, kind, hidden, status, starts,
                        ends, recurring, seq, created, modified, text)
    SELECT :calendar, n || '.ics', 'u' || n, md5(n || '-' || :calendar), 'VEVENT', 'foreign',
           false, 'CONFIRMED', 1800000000 + n * 3600, 1800003600 + n * 3600, false, n, :now, :now,
           replace(:body, 'UID:UID', 'UID:u' || n)
    FROM generate_series(1, :most) AS n
    """
)
_NOT_FILLED = text("SELECT count(*) FROM object WHERE trial IS NULL AND href !~ '^new'")


def fill(db: Database, count: int) -> list[int]:
    """Calendars with so many objects in all, by the database itself; returns the calendars."""
    studio = Studio.opened(db, "anna@studio.example")
    calendars = [studio.mirror(f"m{number}") for number in range(max(count // IN_A_CALENDAR, 1))]
    body = event("UID", "Shoot")
    for calendar in calendars:
        with db.writing() as tx:
            tx.execute(
                _FILL,
                {
                    "calendar": calendar,
                    "body": body,
                    "now": int(NOW.timestamp() * 1000),
                    "most": IN_A_CALENDAR,
                },
            )
            tx.execute(
                text("UPDATE calendar SET seq = :most WHERE id = :calendar"),
                {"most": IN_A_CALENDAR, "calendar": calendar},
            )
    with db.writing() as tx:
        tx.execute(text("ANALYZE object"))
    return calendars


class Clients:
    """Readers and a writer at work, and how long the slowest answer of each took (seconds)."""

    def __init__(self, db: Database, calendars: list[int], readers: int):
        self._db, self._calendars = db, calendars
        self._stop = threading.Event()
        self.longest = {"read": 0.0, "write": 0.0}
        self.answers = {"read": 0, "write": 0}
        self.errors: list[str] = []
        jobs: list[tuple[str, Callable[[random.Random, int], None]]] = [("read", self._read)] * readers
        self._threads = [
            threading.Thread(target=self._work, args=(what, job, number), daemon=True)
            for number, (what, job) in enumerate([*jobs, ("write", self._write)])
        ]

    @contextmanager
    def at_work(self) -> Iterator[None]:
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join()

    def _work(self, what: str, job: Callable[[random.Random, int], None], number: int) -> None:
        chance = random.Random(number)  # noqa: S311 - no secret
        while not self._stop.wait(0.01):
            begun = time.monotonic()
            try:
                job(chance, chance.choice(self._calendars))
            except Exception as error:
                self.errors.append(f"{what}: {error}")
            self.longest[what] = max(self.longest[what], time.monotonic() - begun)
            self.answers[what] += 1

    def _read(self, chance: random.Random, calendar: int) -> None:
        with self._db.reading() as tx:
            found = objects.get(tx, calendar, f"{chance.randint(1, IN_A_CALENDAR)}.ics")
            assert found is not None
            len(list(objects.listing(tx, calendar)))

    def _write(self, chance: random.Random, calendar: int) -> None:
        name = f"new-{chance.randint(1, 50)}"
        with self._db.writing() as tx:
            body = event(name, str(chance.random()))
            objects.put(tx, calendar, f"{name}.ics", body, kind="foreign", actor="command", now=NOW)

    def told(self) -> dict[str, Any]:
        return {
            **{f"longest_{what}_ms": round(longest * 1000) for what, longest in self.longest.items()},
            **{f"{what}s": count for what, count in self.answers.items()},
            "errors": self.errors[:3],
        }


def a_long_report(db: Database, seconds: float, begun: threading.Event) -> None:
    with db.reading() as tx:
        tx.execute(text("SELECT count(*) FROM object WHERE id < 1000")).scalar_one()
        begun.set()
        time.sleep(seconds)


def measured(options: argparse.Namespace) -> dict[str, Any]:
    with ExitStack() as stack:
        cluster = stack.enter_context(postgres())
        db = Database(cluster.url(cluster.create()))
        stack.callback(db.close)
        db.migrate()
        begun = time.monotonic()
        calendars = fill(db, options.objects)
        result: dict[str, Any] = {
            "objects": len(calendars) * IN_A_CALENDAR,
            "filled_s": round(time.monotonic() - begun, 1),
        }
        before = Clients(db, calendars, options.readers)
        with before.at_work():
            time.sleep(options.before)
        result["before"] = before.told()
        during, reported = Clients(db, calendars, options.readers), threading.Event()
        report = threading.Thread(target=a_long_report, args=(db, options.report, reported))
        report.start()
        reported.wait()
        with during.at_work():
            begun = time.monotonic()
            schema.apply(db, TRIAL)
            result["stepped_s"] = round(time.monotonic() - begun, 1)
        report.join()
        result["during"] = during.told()
        with db.reading() as tx:
            left = tx.execute(
                text("SELECT count(*) FROM object WHERE trial IS NULL AND href !~ '^new'")
            ).scalar_one()
        result["not_filled"] = left
        return result


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--objects", type=int, default=1_000_000)
    parser.add_argument("--readers", type=int, default=3)
    parser.add_argument("--before", type=float, default=20, help="seconds of load before the step")
    parser.add_argument("--report", type=float, default=5, help="seconds that somebody reads on end")
    print(json.dumps(measured(parser.parse_args())))


if __name__ == "__main__":
    main()
