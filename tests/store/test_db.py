"""The database as a neighbour: what it promises, and what it says when it cannot."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select, text
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import DBAPIError

from bridge.errors import Invalid, StoreError
from bridge.store import installation, postgresql, sqlite
from bridge.store.db import Database
from bridge.store.tables import installation as table
from tests.servers.postgres import Cluster
from tests.store.studio import NOW


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://host/name", "sqlite://", "sqlite:///:memory:"])
def test_an_address_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(Invalid, match=r"SQLite|sqlite"):
        Database(url)


def test_the_password_of_the_address_is_never_shown() -> None:
    assert "geheim" not in repr(Database("postgresql://bridge:geheim@localhost/bridge"))


def test_a_snapshot_is_for_reading_only(db: Database) -> None:
    with db.reading() as tx, pytest.raises(DBAPIError):
        installation.ensure(tx, NOW)
    with db.reading() as tx:
        assert installation.get(tx) is None


def test_an_error_never_quotes_what_was_written(db: Database) -> None:
    with db.writing() as tx, pytest.raises(DBAPIError) as refused:
        tx.execute(text("INSERT INTO nowhere VALUES (:secret)"), {"secret": "geheim"})
    assert "geheim" not in str(refused.value)


def test_a_snapshot_stays_as_it_was(db: Database) -> None:
    with db.reading() as tx:
        assert installation.get(tx) is None
        other = threading.Thread(target=lambda: ensure(db))
        other.start()
        other.join(10)
        assert installation.get(tx) is None
    with db.reading() as tx:
        assert installation.get(tx) is not None


def ensure(db: Database) -> None:
    with db.writing() as tx:
        installation.ensure(tx, NOW)


def test_a_write_inside_a_write_is_a_mistake_told_at_once(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path}/bridge.db")
    with db.writing(), pytest.raises(RuntimeError, match="inside another"):
        db.writing().__enter__()
    ensure_possible(db)


def ensure_possible(db: Database) -> None:
    db.migrate()
    ensure(db)
    assert db.is_current()


def test_instants_come_back_as_they_went(db: Database) -> None:
    at = NOW.replace(microsecond=123_000)
    with db.writing() as tx:
        installation.ensure(tx, at)
    with db.reading() as tx:
        found = installation.get(tx)
    assert found is not None
    assert found.created == at
    assert found.created.tzinfo is not None


def pragma(tx: Connection, name: str) -> object:
    return tx.execute(text(f"PRAGMA {name}")).scalar()


def test_sqlite_is_durable_and_private(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path}/bridge.db")
    db.migrate()
    with db.writing() as tx:
        assert (pragma(tx, "journal_mode"), pragma(tx, "synchronous"), pragma(tx, "foreign_keys")) == (
            "wal",
            2,
            1,
        )
        installation.ensure(tx, NOW)
    for name in ("bridge.db", "bridge.db-wal"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    db.close()


def test_what_was_committed_survives_a_killed_process(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path}/bridge.db")
    db.migrate()

    def write_and_die() -> None:
        ensure(db)
        os.kill(os.getpid(), signal.SIGKILL)

    process = get_context("fork").Process(target=write_and_die)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    with db.reading() as tx:
        assert tx.execute(select(table.c.id)).scalars().all() == [1]


def test_a_database_that_is_busy_for_too_long_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "PATIENCE", 0.2)
    db = Database(f"sqlite:///{tmp_path}/bridge.db")
    db.migrate()
    other_process = sqlite3.connect(tmp_path / "bridge.db", isolation_level=None)
    other_process.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="busy"):
        ensure(db)
    other_process.execute("ROLLBACK")
    ensure(db)
    other_process.close()


def test_a_change_waits_for_that_of_another_process(tmp_path: Path) -> None:
    """Longer than a single look takes; and it goes on when the other is done, or dead."""
    db = Database(f"sqlite:///{tmp_path}/bridge.db")
    db.migrate()
    begun, done = get_context("fork").Event(), get_context("fork").Event()

    def write_slowly_and_die() -> None:
        with db.writing():
            begun.set()
            time.sleep(0.3)
            done.set()
            os.kill(os.getpid(), signal.SIGKILL)

    process = get_context("fork").Process(target=write_slowly_and_die)
    process.start()
    assert begun.wait(10)
    with db.writing() as tx:
        assert done.is_set()
        installation.ensure(tx, NOW)
    process.join()
    assert process.exitcode == -signal.SIGKILL


def test_a_missing_folder_a_foreign_file_and_a_damaged_one_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="folder exists"):
        Database(f"sqlite:///{tmp_path}/missing/bridge.db").migrate()
    (tmp_path / "foreign.db").write_text("Dear diary, " * 1000)
    with pytest.raises(StoreError, match="not one of ours"):
        Database(f"sqlite:///{tmp_path}/foreign.db").migrate()
    assert (tmp_path / "foreign.db").read_text().startswith("Dear diary")
    damaged = tmp_path / "damaged.db"
    db = Database(f"sqlite:///{damaged}")
    db.migrate()
    db.close()
    content = damaged.read_bytes()
    damaged.write_bytes(content[:4096] + bytes(len(content) - 4096))
    with pytest.raises(StoreError, match="damaged"), Database(f"sqlite:///{damaged}").reading() as tx:
        tx.execute(select(table)).all()


def test_a_database_without_a_schema_says_what_to_do(empty: Database) -> None:
    with pytest.raises(StoreError, match="set up"), empty.reading() as tx:
        installation.get(tx)


def test_a_full_disk_takes_nothing_half(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path}/bridge.db")
    db.migrate()
    with pytest.raises(StoreError, match="disk is full"), db.writing() as tx:  # noqa: PT012
        installation.ensure(tx, NOW)
        tx.execute(text(f"PRAGMA max_page_count = {pragma(tx, 'page_count')}"))
        for number in range(100):
            values = {"slug": f"s{number}", "name": "x" * 10_000, "at": 0}
            tx.execute(text("INSERT INTO studio (slug, name, created) VALUES (:slug, :name, :at)"), values)
    with db.reading() as tx:
        assert installation.get(tx) is None


def test_a_postgresql_that_is_away_or_refuses_us_says_so(cluster: Cluster, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be reached"):
        Database(f"postgresql://postgres@/bridge?host={tmp_path}").migrate()
    with pytest.raises(StoreError, match=r"cannot be reached|does not accept"):
        Database(cluster.url("no_such_database")).migrate()


@pytest.fixture
def on_server(cluster: Cluster) -> Iterator[Database]:
    name = cluster.create()
    db = Database(cluster.url(name))
    yield db
    db.close()
    cluster.drop(name)


def broken(db: Database, cluster: Cluster) -> int:
    """What a restart does to a connection that lies idle; the one that it was."""
    with db.reading() as tx:
        number = int(tx.execute(text("SELECT pg_backend_pid()")).scalar_one())
    other = Database(cluster.url("postgres"))
    with other.writing() as tx:
        tx.execute(text("SELECT pg_terminate_backend(:number, 5000)"), {"number": number})
    other.close()
    return number


@pytest.mark.parametrize("trusted", [0.0, 60.0], ids=["it is asked", "its line says so"])
def test_a_connection_that_broke_while_it_lay_idle_is_replaced_unnoticed(
    on_server: Database, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, trusted: float
) -> None:
    monkeypatch.setattr(postgresql, "TRUSTED", trusted)
    number = broken(on_server, cluster)
    with on_server.writing() as tx:
        assert tx.execute(text("SELECT pg_backend_pid()")).scalar_one() != number


def test_what_a_migration_left_open_is_replaced_too(on_server: Database, cluster: Cluster) -> None:
    """Found by the fleet's faults: PostgreSQL restarted, and the second of two transactions at once was given
    a connection that only the migration had used."""
    on_server.migrate()
    other = Database(cluster.url("postgres"))
    with other.writing() as tx:
        all_of_it = text("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = :name")
        assert len(tx.execute(all_of_it, {"name": on_server.url.database}).all()) > 1
    other.close()
    with on_server.reading() as one, on_server.reading() as two, on_server.writing() as three:
        for tx in (one, two, three):
            assert installation.get(tx) is None


def test_one_in_use_just_now_is_not_asked(on_server: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with on_server.reading() as tx:
        tx.execute(text("SELECT 1"))
    asked = []
    monkeypatch.setattr(PGDialect_psycopg, "do_ping", lambda _, connection: asked.append(connection) or True)
    for trusted in (60.0, 0.0):
        monkeypatch.setattr(postgresql, "TRUSTED", trusted)
        with on_server.reading() as tx:
            tx.execute(text("SELECT 1"))
        assert len(asked) == (0 if trusted else 1)


def test_the_same_connection_reads_a_snapshot_and_then_writes(on_server: Database) -> None:
    on_server.migrate()
    ensure(on_server)
    on_server.close()  # opened anew one after the other, they share one
    used = set()
    for _ in range(2):
        with on_server.reading() as tx:
            used.add(tx.execute(text("SELECT pg_backend_pid()")).scalar_one())
            assert tx.execute(text("SHOW transaction_isolation")).scalar_one() == "repeatable read"
            with pytest.raises(DBAPIError, match="read-only"):
                tx.execute(text("DELETE FROM installation"))
        with on_server.writing() as tx:
            used.add(tx.execute(text("SELECT pg_backend_pid()")).scalar_one())
            assert tx.execute(text("SHOW transaction_isolation")).scalar_one() == "read committed"
            assert tx.execute(text("UPDATE installation SET id = id")).rowcount == 1
    assert len(used) == 1


def backend(db: Database) -> int:
    """Which of the server's processes answers."""
    with db.reading() as tx:
        return int(tx.execute(text("SELECT pg_backend_pid()")).scalar_one())


def given_up(db: Database, meanwhile: Callable[[Connection], object] = lambda tx: None) -> None:
    with db.writing() as tx:
        installation.ensure(tx, NOW)
        meanwhile(tx)
        raise ZeroDivisionError


def gone_through(db: Database, meanwhile: Callable[[Connection], object]) -> None:
    with db.writing() as tx:
        installation.ensure(tx, NOW)
        meanwhile(tx)


def test_a_connection_outlives_a_transaction_that_was_given_up(on_server: Database) -> None:
    on_server.migrate()
    before = backend(on_server)
    with pytest.raises(ZeroDivisionError):
        given_up(on_server)
    assert backend(on_server) == before
    with on_server.reading() as tx:
        assert installation.get(tx) is None


@pytest.mark.parametrize(
    ("transaction", "raised", "told"),
    [(gone_through, StoreError, "cannot be reached"), (given_up, ZeroDivisionError, None)],
)
def test_a_line_that_breaks_in_a_transaction_is_told_and_the_next_has_another(
    on_server: Database, cluster: Cluster, transaction: Any, raised: type[Exception], told: str | None
) -> None:
    on_server.migrate()
    other = Database(cluster.url("postgres"))

    def ended(tx: Connection) -> None:
        own = tx.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with other.writing() as elsewhere:
            elsewhere.execute(text("SELECT pg_terminate_backend(:own, 5000)"), {"own": own})

    with pytest.raises(raised, match=told):
        transaction(on_server, ended)
    other.close()
    with on_server.reading() as tx:
        assert installation.get(tx) is None


def test_a_commit_that_is_refused_is_told_and_leaves_nothing_open(on_server: Database) -> None:
    with on_server.writing() as tx:
        tx.execute(text("CREATE TABLE one (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)"))
    with pytest.raises(DBAPIError, match="COMMIT"), on_server.writing() as tx:
        tx.execute(text("INSERT INTO one VALUES (1), (1)"))
    with on_server.writing() as tx:
        assert tx.execute(text("SELECT count(*) FROM one")).scalar_one() == 0


def test_no_more_connections_than_agreed(on_server: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "PATIENCE", 0.1)
    with ExitStack() as stack:
        used = {
            stack.enter_context(on_server.reading()).execute(text("SELECT pg_backend_pid()")).scalar_one()
            for _ in range(postgresql.MOST)
        }
        assert len(used) == postgresql.MOST
        with pytest.raises(StoreError, match="no free connection"), on_server.reading():
            pass
    with on_server.reading() as tx:
        name = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        assert tx.execute(name).scalar_one() <= postgresql.KEPT + 1  # one that ends is listed for a moment


def test_a_restarted_postgresql_is_found_again(cluster: Cluster) -> None:
    name = cluster.create()
    db = Database(cluster.url(name))
    db.migrate()
    ensure(db)
    cluster.stop()
    with pytest.raises(StoreError, match="cannot be reached"):
        db.is_current()
    cluster.start()
    deadline = time.monotonic() + 10
    while True:
        try:
            ensure(db)
            break
        except StoreError:
            assert time.monotonic() < deadline
    db.close()
    cluster.drop(name)
