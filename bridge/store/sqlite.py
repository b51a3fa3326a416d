"""SQLite: how its file is opened, how a transaction on it begins and ends, and whose turn it is to write.

Connections are kept open between transactions, and BEGIN and COMMIT go straight to the driver: what a pool
and SQLAlchemy do around a transaction takes longer than most of what is done in one.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, text

from bridge.errors import StoreError

#: Seconds a writer waits for its turn before it gives up.
PATIENCE = 30

#: Connections of each kind that stay open while nobody uses them, and how many there may be.
KEPT, MOST = 8, 72

#: A writer that meets another process's looks again after a millisecond.
_LOOK_SOON = "busy_timeout=1"


class Turn:
    """Lets one thread of this process write at a time: a lock wakes the next writer at once, and only
    processes are left to meet at the file."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holder: int | None = None

    def take(self) -> None:
        """Raises StoreError after PATIENCE."""
        if self._holder == threading.get_ident():
            raise RuntimeError("a writing transaction was opened inside another one")
        if not self._lock.acquire(timeout=PATIENCE):
            raise StoreError("The database is busy with another change. Please try again in a minute.")
        self._holder = threading.get_ident()

    def give_up(self) -> None:
        self._holder = None
        self._lock.release()


class File:
    """One SQLite file, with connections that read and others that write."""

    def __init__(self, url: URL):
        _private_file(Path(str(url.database)))
        self._url = url
        self._turn = Turn()
        # a deferred transaction that turns to writing fails at once instead of waiting: readers can't write
        self._readers = _Connections(_engine(url, "query_only=ON"))
        self._writers = _Connections(_engine(url, _LOOK_SOON))

    def reading(self) -> AbstractContextManager[Connection]:
        return _Transaction(self._readers, _begin, None)

    def writing(self) -> AbstractContextManager[Connection]:
        return _Transaction(self._writers, _begin_writing, self._turn)

    @contextmanager
    def rebuilding(self) -> Iterator[Connection]:
        """SQLite alters a table by making it anew and dropping the old one, and that must not cascade to
        the rows that refer to it. References are checked before the commit."""
        unbound = _Connections(_engine(self._url, _LOOK_SOON, "foreign_keys=OFF"))
        try:
            with _Transaction(unbound, _begin_writing, self._turn) as tx:
                yield tx
                if tx.execute(text("PRAGMA foreign_key_check")).first():
                    raise StoreError("The database could not be brought up to date; nothing was changed.")
        finally:
            unbound.close()

    def close(self) -> None:
        """Close what nobody uses; the next transaction opens anew."""
        self._readers.close()
        self._writers.close()


class _Connections:
    """Open connections that nobody uses. SQLAlchemy's own transaction is begun once in a connection's life
    and means nothing: what counts is what the driver is told."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self._idle: list[Connection] = []

    def take(self) -> Connection:
        """Raises SQLAlchemy's TimeoutError if too many are in use."""
        try:
            return self._idle.pop()  # the one used last has its pages in memory still
        except IndexError:
            return self._engine.connect()

    def give_back(self, connection: Connection) -> None:
        if len(self._idle) < KEPT:
            self._idle.append(connection)
        else:
            connection.close()

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()
        self._engine.dispose()


class _Transaction:
    """Commits on leaving, rolls back on any exception."""

    __slots__ = ("_begin", "_connection", "_connections", "_driver", "_turn")

    def __init__(self, connections: _Connections, begin: Callable[[Any], None], turn: Turn | None):
        self._connections = connections
        self._begin = begin
        self._turn = turn

    def __enter__(self) -> Connection:
        if self._turn:
            self._turn.take()
        try:
            self._connection = self._connections.take()
            driver: Any = self._connection.connection.driver_connection
            try:
                self._begin(driver)
            except BaseException:
                self._connection.invalidate()
                raise
        except BaseException:
            if self._turn:
                self._turn.give_up()
            raise
        self._driver = driver
        return self._connection

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._driver.commit()
            else:
                self._driver.rollback()
        except BaseException:
            # a commit that failed (a full disk) may leave the transaction open; it ends with its connection
            self._connection.invalidate()
            self._connection.close()
            raise
        else:
            self._connections.give_back(self._connection)
        finally:
            if self._turn:
                self._turn.give_up()


def _begin(driver: Any) -> None:
    driver.execute("BEGIN")


def _begin_writing(driver: Any) -> None:
    """As soon as no other process writes. SQLite's own waiting sleeps longer and longer, up to 0.1 s, for
    what takes a few milliseconds; so it waits but a moment, and is asked again."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            driver.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        else:
            return


def _engine(url: URL, *pragmas: str) -> Engine:
    engine = create_engine(
        url,
        connect_args={
            "timeout": PATIENCE,  # the busy handler: waits for other processes
            "isolation_level": None,  # sqlite3 must not begin by itself
            "check_same_thread": False,  # one thread at a time, but not always the same
            "cached_statements": 256,
        },
        pool_size=KEPT,
        max_overflow=MOST - KEPT,
        pool_timeout=PATIENCE,
        hide_parameters=True,  # errors must not quote events and secrets
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        _write_ahead(connection)
        for pragma in ("synchronous=FULL", "foreign_keys=ON", "cache_size=-8000", *pragmas):
            connection.execute(f"PRAGMA {pragma}")

    return engine


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
