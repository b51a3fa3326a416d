"""PostgreSQL: its connections, and what its transactions promise.

As with ``sqlite``, connections stay open between transactions, and COMMIT goes straight to the driver: what a
pool and SQLAlchemy do around a transaction takes a fifth of a pass that finds nothing new.
"""

from __future__ import annotations

import select
import time
from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import Any

from sqlalchemy import URL, Connection, create_engine
from sqlalchemy.exc import DBAPIError, NoSuchModuleError

from bridge.errors import StoreError

#: Seconds to wait for a free connection.
PATIENCE = 30
#: Connections that stay open while nobody uses them, and how many there may be.
KEPT, MOST = 8, 32
#: A connection that was of use within so many seconds, and whose line is quiet, is taken to be still there.
TRUSTED = 1.0


class Server:
    """One database on a server."""

    def __init__(self, url: URL):
        try:
            self._engine = create_engine(
                url,
                pool_size=KEPT,
                max_overflow=MOST - KEPT,
                pool_timeout=PATIENCE,
                pool_pre_ping=True,  # what a migration used lies there, not with the idle
                hide_parameters=True,  # errors must not quote events and secrets
            )
            from psycopg import IsolationLevel
        except (ImportError, NoSuchModuleError) as error:
            raise StoreError(
                "PostgreSQL needs the package psycopg and the library libpq5; install both."
            ) from error
        self.errors = self._engine.dialect.loaded_dbapi.Error
        self._levels = {True: IsolationLevel.REPEATABLE_READ, False: IsolationLevel.READ_COMMITTED}
        self._idle: list[tuple[Connection, float]] = []  # and when it was last of use

    def reading(self) -> AbstractContextManager[Connection]:
        return _Transaction(self, reads=True)

    def writing(self) -> AbstractContextManager[Connection]:
        return _Transaction(self, reads=False)

    def rebuilding(self) -> AbstractContextManager[Connection]:
        """Altering a table is a transaction like any other here."""
        return self.writing()

    def close(self) -> None:
        """Close what nobody uses; the next transaction opens anew."""
        self._end_idle()
        self._engine.dispose()

    def take(self, *, reads: bool) -> tuple[Connection, Any]:
        """A connection for one transaction, and its driver's. Raises SQLAlchemy's TimeoutError if too many
        are in use, and its DBAPIError kinds."""
        connection = self._living()
        driver: Any = connection.connection.driver_connection
        if driver.read_only is not reads:
            driver.isolation_level = self._levels[reads]
            driver.read_only = reads
        return connection, driver

    def give_back(self, connection: Connection) -> None:
        if len(self._idle) < KEPT:
            self._idle.append((connection, time.monotonic()))
        else:
            end(connection)

    def told(self, error: Exception) -> Exception:
        """An error of the driver, as SQLAlchemy would have raised it."""
        return DBAPIError.instance(
            "COMMIT", None, error, self.errors, hide_parameters=True, dialect=self._engine.dialect
        )

    def _living(self) -> Connection:
        """The server may have been restarted: a connection is asked whether it still lives. Of one that was
        in use just now it is enough that its line is quiet, for a server that goes says so; a busy worker
        would ask before every transaction."""
        try:
            connection, used = self._idle.pop()
        except IndexError:
            return self._engine.connect()
        driver: Any = connection.connection.driver_connection
        try:
            if not (time.monotonic() - used < TRUSTED and _quiet(driver)):
                self._engine.dialect.do_ping(driver)
        except self.errors:
            end(connection)
            self._end_idle()  # those beside it are gone, too
            return self._engine.connect()
        return connection

    def _end_idle(self) -> None:
        with suppress(IndexError):  # others take from them, too
            while True:
                end(self._idle.pop()[0])


class _Transaction:
    """Commits on leaving, rolls back on any exception. SQLAlchemy's own transaction is begun once in a
    connection's life and means nothing: what counts is what the driver is told."""

    __slots__ = ("_connection", "_driver", "_reads", "_server")

    def __init__(self, server: Server, *, reads: bool):
        self._server = server
        self._reads = reads

    def __enter__(self) -> Connection:
        self._connection, self._driver = self._server.take(reads=self._reads)
        return self._connection

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._driver.commit()
            else:
                self._driver.rollback()
        except self._server.errors as error:
            end(self._connection)
            if kind is None:
                raise self._server.told(error) from error
            # the line broke; what was raised because of it goes on
        except BaseException:
            end(self._connection)
            raise
        else:
            self._server.give_back(self._connection)


def end(connection: Connection) -> None:
    """Close a connection for good."""
    connection.invalidate()
    connection.close()


def _quiet(connection: Any) -> bool:
    """Whether nothing waits to be read: neither a last word of the server nor the end of the line."""
    if connection.closed:
        return False
    line = select.poll()
    line.register(connection.fileno(), select.POLLIN)
    return not line.poll(0)
