"""Many schedules at once: a process per core, each with a store of its own, on SQLite or PostgreSQL."""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from multiprocessing.pool import Pool

from bridge.store.db import Database
from bridge.store.tables import metadata
from tests.servers.postgres import Cluster, postgres
from tests.simulation import store

DATABASES = ("sqlite", "postgresql")


def add_options(parser: argparse.ArgumentParser) -> None:
    """``--processes`` and ``--database``."""
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--database", choices=DATABASES, default=DATABASES[0])


@contextmanager
def on(database: str) -> Iterator[None]:
    """Until the block ends, stores are kept there; PostgreSQL is a server of our own for the time."""
    with postgres() if database == "postgresql" else nullcontext() as cluster, stores_in(cluster):
        yield


@contextmanager
def stores_in(cluster: Cluster | None) -> Iterator[None]:
    """Until the block ends, stores are databases of this server; None: files."""
    before = store.kept_on()
    store.keep_on(None if cluster is None else _migrated(cluster))
    try:
        yield
    finally:
        store.keep_on(before)


def _migrated(cluster: Cluster) -> str:
    """An empty store. Nobody counts its rows in the background: the planner would change its mind in the
    middle, and rows that nobody orders would come in another order."""
    template = Database(cluster.url(cluster.create()))
    template.migrate()
    with template.writing() as tx:
        for table in metadata.sorted_tables:
            tx.exec_driver_sql(f'ALTER TABLE "{table.name}" SET (autovacuum_enabled = off)')
    template.close()
    return template.url.render_as_string(hide_password=False)


def workers(processes: int) -> Pool:
    """Processes whose stores are where ours are."""
    return multiprocessing.get_context("spawn").Pool(processes, _begin, (store.kept_on(),))


def _begin(template: str | None) -> None:
    """What a schedule leaves behind is small, and looking for it often takes a twentieth of the time."""
    store.keep_on(template)
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
