"""Many studios on one Picsello database: the first import, passes that find nothing, one changed shoot.

``python -m benchmarks.sources [STUDIOS] [SHOOTS EACH]`` on a PostgreSQL and a store of its own.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from bridge.config import Settings
from bridge.service import sources
from bridge.store import links
from bridge.sync.report import Report
from bridge.wiring import Bridge
from tests.servers.postgres import postgres
from tests.sources.picsello import build

FILL = (
    "INSERT INTO organizations (name, slug, inserted_at, updated_at)"
    " SELECT 'S' || i, 's' || i, now(), now() FROM generate_series(1, {studios}) i",
    "INSERT INTO users (email, name, organization_id, inserted_at, updated_at)"
    " SELECT 'u' || i || '@studio.example', 'U', i, now(), now() FROM generate_series(1, {studios}) i",
    "INSERT INTO clients (name, email, organization_id, inserted_at, updated_at)"
    " SELECT 'C ' || i, 'c' || i || '@x.example', 1 + i % {studios}, now(), now()"
    " FROM generate_series(1, {all}) i",
    "INSERT INTO jobs (type, client_id, inserted_at, updated_at)"
    " SELECT 'wedding', i, now(), now() FROM generate_series(1, {all}) i",
    "INSERT INTO payment_schedules (job_id, due_at, paid_at, description, inserted_at, updated_at)"
    " SELECT i, now(), now(), 'Deposit', now(), now() FROM generate_series(1, {all}) i",
    "INSERT INTO shoots"
    " (job_id, starts_at, duration_minutes, name, location, address, inserted_at, updated_at)"
    " SELECT i, timestamp '2027-01-01 15:00' + (i % 300) * interval '1 day', 60, 'Engagement', 'studio',"
    " '1 Main St', now(), now() FROM generate_series(1, {all}) i",
    "ANALYZE",
)


def measured(name: str, act: Callable[[], list[Report]]) -> None:
    """Run once and print time, our own CPU time, and what was asked and done."""
    cpu, wall = _cpu(), time.perf_counter()
    reports = act()
    wall, cpu = time.perf_counter() - wall, _cpu() - cpu
    pulled, requests = sum(one.pulled for one in reports), sum(one.requests for one in reports)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{name:24} {wall:7.2f} s, CPU {cpu:6.2f} s, {pulled} pulled, {requests} queries, peak {peak:.0f} MB"
    )


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main(studios: int, each: int) -> None:
    with postgres() as cluster, tempfile.TemporaryDirectory() as folder:
        name = cluster.create()
        with psycopg.connect(cluster.url(name).replace("+psycopg", ""), autocommit=True) as picsello:
            build(picsello, 1)
            for statement in FILL:
                picsello.execute(statement.format(studios=studios, all=studios * each))
            bridge = Bridge.open(Settings(data=Path(folder)))
            url = f"postgresql://postgres@/{name}?host={cluster.folder}"
            chosen = sources.set_all(bridge, url, "", {})
            with bridge.db.reading() as tx:
                found = [links.of_source(tx, one.user.id) for one in chosen]
            ids = [link.id for link in found if link is not None]
            engine = bridge.engine()

            def passes() -> list[Report]:
                return [engine.run(link_id) for link_id in ids]

            measured("first import", passes)
            measured("nothing new", passes)
            measured("nothing new, once more", passes)
            picsello.execute("UPDATE shoots SET notes = 'changed' WHERE id = 7")
            measured("one shoot changed", passes)
            bridge.db.close()


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:3]]
    main(*given, *(200, 100)[len(given) :])
