"""The store's tests run twice: on SQLite and on a PostgreSQL of their own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.store.db import Database
from tests.servers.postgres import Cluster
from tests.store.studio import Studio


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "bridge.db"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    database.close()
    return path


@pytest.fixture(scope="session")
def migrated_name(cluster: Cluster) -> str:
    name = cluster.create()
    database = Database(cluster.url(name))
    database.migrate()
    database.close()
    return name


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without a schema."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path}/bridge.db")
        yield database
        database.close()
    else:
        cluster: Cluster = request.getfixturevalue("cluster")
        yield from _on(cluster, cluster.create())


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with the present schema."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "bridge.db")
        database = Database(f"sqlite:///{tmp_path}/bridge.db")
        yield database
        database.close()
    else:
        cluster: Cluster = request.getfixturevalue("cluster")
        yield from _on(cluster, cluster.create(request.getfixturevalue("migrated_name")))


def _on(cluster: Cluster, name: str) -> Iterator[Database]:
    database = Database(cluster.url(name))
    yield database
    database.close()
    cluster.drop(name)


@pytest.fixture
def studio(db: Database) -> Studio:
    """Anna's studio in Berlin, with her bookings calendar."""
    return Studio.opened(db, "anna@studio.example")
