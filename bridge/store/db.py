"""The one door to the database: reading and writing transactions, on SQLite or PostgreSQL.

Readers get a snapshot and never wait for writers. Writers take their turn: on SQLite the whole file
(``BEGIN IMMEDIATE``), on PostgreSQL row by row (``objects.lock`` comes first). Queries belong to the
sibling modules, the schema to ``tables``, its versions to ``schema``.

Engines are kept once per address and process: asking for the same ``Database`` twice is cheap, and a
forked child never touches its parent's connections.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bridge.errors import Invalid, StoreError

#: Seconds a writer waits for its turn before it gives up.
PATIENCE = 30


class Turn:
    """Lets one thread of this process write at a time. SQLite's own waiting polls with sleeps of up to
    0.1 s; a lock wakes the next writer at once, and only processes are left to meet at the file."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holder: int | None = None

    @contextmanager
    def __call__(self) -> Iterator[None]:
        if self._holder == threading.get_ident():
            raise RuntimeError("a writing transaction was opened inside another one")
        if not self._lock.acquire(timeout=PATIENCE):
            raise StoreError("The database is busy with another change. Please try again in a minute.")
        self._holder = threading.get_ident()
        try:
            yield
        finally:
            self._holder = None
            self._lock.release()


@dataclass(frozen=True, slots=True)
class Engines:
    """What one process keeps for one address."""

    read: Engine
    write: Engine
    turn: Turn | None


_engines: dict[tuple[str, int], Engines] = {}
_engines_lock = threading.Lock()


class Database:
    """The store behind ``url``: ``sqlite:////path/to/file`` or ``postgresql+psycopg://user@host/name``.

    Raises Invalid for an address of another kind; nothing is opened before the first transaction.
    """

    def __init__(self, url: str):
        try:
            parsed = make_url(url)
        except ArgumentError as error:
            raise Invalid(
                "The database address is not understood; it looks like sqlite:////path/to/file "
                "or postgresql+psycopg://user@host/name."
            ) from error
        if parsed.drivername in ("postgres", "postgresql"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() not in ("sqlite", "postgresql"):
            raise Invalid(
                "The database must be SQLite or PostgreSQL (sqlite:///… or postgresql+psycopg://…)."
            )
        if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
            raise Invalid("The SQLite database needs a file: sqlite:////path/to/file.")
        self.url = parsed
        self._key = parsed.render_as_string(hide_password=False)

    def __repr__(self) -> str:
        return f"Database({self.url.render_as_string()})"

    @property
    def on_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent snapshot, taken at the first query. Writing in it is an error."""
        with _explained(), self._open().read.begin() as tx:
            yield tx

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """All or nothing: committed (durably) on leaving, rolled back on any exception. Never nested."""
        engines = self._open()
        turn: AbstractContextManager[None] = engines.turn() if engines.turn else nullcontext()
        with turn, _explained(), engines.write.begin() as tx:
            yield tx

    @contextmanager
    def rebuilding(self) -> Iterator[Connection]:
        """As ``writing``, for migrations: SQLite alters a table by making it anew and dropping the old one,
        and that must not cascade to the rows that refer to it. References are checked before the commit."""
        if not self.on_sqlite:
            with self.writing() as tx:
                yield tx
            return
        engines = self._open()
        turn: AbstractContextManager[None] = engines.turn() if engines.turn else nullcontext()
        with turn, _explained(), engines.write.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.execute("PRAGMA foreign_keys=OFF")  # has no effect inside a transaction
            try:
                with connection.begin():
                    yield connection
                    if driver.execute("PRAGMA foreign_key_check").fetchone():
                        raise StoreError("The database could not be brought up to date; nothing was changed.")
            finally:
                driver.execute("PRAGMA foreign_keys=ON")

    def migrate(self) -> None:
        """Bring the schema to this version; cheap if it is. Raises StoreError for a newer one."""
        from bridge.store import schema

        schema.migrate(self)

    def is_current(self) -> bool:
        """Whether the schema is exactly this version's."""
        from bridge.store import schema

        return schema.is_current(self)

    def close(self) -> None:
        """Close this process's connections; the next transaction opens new ones."""
        with _engines_lock:
            engines = _engines.pop((self._key, os.getpid()), None)
        if engines is not None:
            engines.read.dispose()
            engines.write.dispose()

    def _open(self) -> Engines:
        key = (self._key, os.getpid())
        found = _engines.get(key)
        if found is None:
            with _engines_lock:
                found = _engines.get(key)
                if found is None:
                    found = _sqlite(self.url) if self.on_sqlite else _postgresql(self.url)
                    _engines[key] = found
        return found


def _sqlite(url: URL) -> Engines:
    _private_file(Path(str(url.database)))

    def engine(begin: str, *pragmas: str) -> Engine:
        made = create_engine(
            url,
            connect_args={
                "timeout": PATIENCE,  # the busy handler: waits for other processes
                "isolation_level": None,  # sqlite3 must not begin by itself
                "check_same_thread": False,  # the pool hands a connection to one thread at a time
                "cached_statements": 256,
            },
            pool_size=8,
            max_overflow=64,
            pool_use_lifo=True,  # the connection used last has its pages in memory still
            pool_timeout=PATIENCE,
            hide_parameters=True,  # errors must not quote events and secrets
        )

        @event.listens_for(made, "connect")
        def prepare(connection: sqlite3.Connection, _record: Any) -> None:
            _write_ahead(connection)
            for pragma in ("synchronous=FULL", "foreign_keys=ON", "cache_size=-8000", *pragmas):
                connection.execute(f"PRAGMA {pragma}")

        @event.listens_for(made, "begin")
        def start(connection: Connection) -> None:
            driver: Any = connection.connection.driver_connection
            driver.execute(begin)

        return made

    # a deferred transaction that turns to writing fails at once instead of waiting, so readers can't write
    return Engines(engine("BEGIN", "query_only=ON"), engine("BEGIN IMMEDIATE"), Turn())


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Readers and one writer side by side. The mode is kept in the file; switching it for the first time
    needs the file alone, and SQLite does not wait for that by itself."""
    if connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
        return
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _private_file(path: Path) -> None:
    """A new database file is its owner's alone; SQLite gives its -wal and -shm files the same mode."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise StoreError(
            f"The database file {path} cannot be opened ({error.strerror}). "
            "Check that the folder exists and may be written to."
        ) from error


def _postgresql(url: URL) -> Engines:
    try:
        engine = create_engine(
            url,
            pool_size=8,
            max_overflow=24,
            pool_timeout=PATIENCE,
            pool_pre_ping=True,
            hide_parameters=True,
        )
    except (ImportError, NoSuchModuleError) as error:
        raise StoreError(
            "PostgreSQL needs the package psycopg and the library libpq5; install both."
        ) from error
    read = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    write = engine.execution_options(isolation_level="READ COMMITTED")
    return Engines(read, write, None)


@contextmanager
def _explained() -> Iterator[None]:
    """Turn a database that fails (not a statement that is wrong) into a sentence."""
    try:
        yield
    except PoolTimeout as error:
        raise StoreError("The database has no free connection. Please try again in a minute.") from error
    except (DBAPIError, sqlite3.Error) as error:
        if sentence := _sentence(error):
            raise StoreError(sentence) from error
        raise


#: What a database says that was moved away (``bridge.store.closing``).
MOVED = "picsello-bridge was moved to another database"
_MOVED_SENTENCE = (
    "Everything was moved to another database: nothing was saved here. Restart with the new address in "
    "PICSELLO_BRIDGE_DATABASE_URL."
)

_SQLITE_SENTENCES = (
    (MOVED, _MOVED_SENTENCE),
    ("locked", "The database is busy with another change. Please try again in a minute."),
    ("full", "The disk is full: nothing was saved. Free some space and try again."),
    ("readonly", "The database may not be written to. Check the permissions of the data folder."),
    ("malformed", "The database file is damaged. Stop the server and restore the last backup."),
    ("not a database", "The database file is not one of ours. Check --data, or restore the last backup."),
    ("unable to open", "The database file cannot be opened. Check that the data folder exists and is yours."),
    ("disk i/o", "The disk failed while the database was used. Check the disk, then try again."),
    ("no such table", "The database has not been set up yet. Start the server once, or check --data."),
)


def _sentence(error: Exception) -> str | None:
    origin = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(origin, sqlite3.Error):
        told = str(origin).lower()
        return next((sentence for word, sentence in _SQLITE_SENTENCES if word in told), None)
    return _postgresql_sentence(getattr(origin, "sqlstate", None), str(origin), type(origin).__name__)


def _postgresql_sentence(state: str | None, told: str, kind: str) -> str | None:
    """By SQLSTATE (PostgreSQL, appendix A); a connection that never came about has none."""
    if state in ("40001", "40P01", "55P03"):  # serialization, deadlock, lock time-out
        return "The database is busy with another change. Please try again in a minute."
    if state in ("53100", "53200"):  # disk full, out of memory
        return "The database server has no room left: nothing was saved. Free some space and try again."
    if MOVED in told:
        return _MOVED_SENTENCE
    if state == "42P01":  # undefined table
        return "The database has not been set up yet. Start the server once."
    if "authentication failed" in told or (state or "").startswith("28"):
        return "PostgreSQL does not accept the user name or password of the database address."
    if (state or "").startswith(("08", "57")) or (state is None and kind == "OperationalError"):
        return "The PostgreSQL database cannot be reached. Check that it runs, its address and password."
    return None
