"""The store of a simulated installation: one per process, emptied instead of made anew.

SQLAlchemy compiles every statement once per engine, so an engine is worth keeping for thousands of schedules.
What the store holds can be taken (as a crash at this moment would leave it: committed, nothing else) and put
back, which is how ``crash_points`` returns to a moment. It is a file of SQLite, or after ``keep_on`` a
database of a PostgreSQL server.
"""

from __future__ import annotations

import os
import pickle
import sqlite3
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, NullPool, create_engine, make_url

from bridge.store.db import Database
from bridge.store.tables import metadata


class _Kept:
    on: str | None = None


def keep_on(template: str | None) -> None:
    """From now on this process keeps its store on PostgreSQL, in a copy of the migrated database with this
    address; None: in a file again."""
    _Kept.on = template


def kept_on() -> str | None:
    """The address that ``keep_on`` was told."""
    return _Kept.on


def empty() -> bytes:
    """A migrated store with nothing in it."""
    return _nothing_on_server(_Kept.on) if _Kept.on else _nothing_in_file()


def put(content: bytes) -> str:
    """Let the store hold this and nothing else; its address."""
    return _put_on_server(_database(_Kept.on), content) if _Kept.on else _put_in_file(content)


def take() -> bytes:
    """What is committed at this moment."""
    return _on_server(_database(_Kept.on)) if _Kept.on else _in_file(_path())


# --- a file -------------------------------------------------------------------------------------------------


@cache
def _path() -> Path:
    """Where this process keeps its one store; in memory where the system has such a folder."""
    return Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)) / "store.sqlite"


@cache
def _nothing_in_file() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        db = Database(f"sqlite:///{folder}/empty.sqlite")
        db.migrate()
        db.close()
        return _in_file(Path(folder) / "empty.sqlite")


def _put_in_file(content: bytes) -> str:
    path = _path()
    url = f"sqlite:///{path}"
    Database(url).opened().close()
    for left in path.parent.iterdir():
        left.unlink()
    path.touch(0o600)
    path.write_bytes(content)
    return url


def _in_file(file: Path) -> bytes:
    connection = sqlite3.connect(file)
    try:
        return connection.serialize()
    finally:
        connection.close()


# --- a database of a server ---------------------------------------------------------------------------------

_TABLES = [f'"{table.name}"' for table in metadata.sorted_tables]


@cache
def _database(template: str) -> str:
    """The address of this process's own copy."""
    copied = make_url(template).database
    name = f"{copied}_of_{os.getpid()}"
    home = make_url(template).set(database="postgres")
    with create_engine(home, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as server:
        server.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {copied}")
    return home.set(database=name).render_as_string(hide_password=False)


@cache
def _nothing_on_server(template: str) -> bytes:
    return _on_server(_database(template))


def _put_on_server(url: str, content: bytes) -> str:
    """Ids begin anew, too, and rows lie in their tables in the order in which they were taken."""
    rows, sequences = pickle.loads(content)
    with Database(url).writing() as tx:
        tx.exec_driver_sql(f"TRUNCATE {', '.join(_TABLES)} RESTART IDENTITY")
        tx.exec_driver_sql("SET LOCAL session_replication_role = replica")  # foreign keys in any order
        for table, copied in rows.items():
            with _cursor(tx).copy(f"COPY {table} FROM STDIN") as target:
                target.write(copied)
        for sequence, last in sequences:
            tx.exec_driver_sql("SELECT setval(%s::regclass, %s)", (sequence, last))
    return url


def _on_server(url: str) -> bytes:
    with Database(url).reading() as tx:
        rows = {}
        for table in _TABLES:
            with _cursor(tx).copy(f"COPY {table} TO STDOUT") as source:
                if copied := b"".join(map(bytes, source)):
                    rows[table] = copied
        told = "SELECT quote_ident(sequencename), last_value FROM pg_sequences WHERE last_value IS NOT NULL"
        return pickle.dumps((rows, [tuple(row) for row in tx.exec_driver_sql(f"{told} ORDER BY 1")]))


def _cursor(tx: Connection) -> Any:
    """The driver's own, which knows COPY."""
    return tx.connection.cursor()
