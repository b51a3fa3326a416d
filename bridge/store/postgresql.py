"""PostgreSQL: its connections, and what its transactions promise."""

from __future__ import annotations

import select
import time
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import InvalidatePoolError, NoSuchModuleError

from bridge.errors import StoreError

#: Seconds to wait for a free connection.
PATIENCE = 30
#: A connection that was of use within so many seconds, and whose line is quiet, is taken to be still there.
TRUSTED = 1.0


class Server:
    """One database on a server."""

    def __init__(self, url: URL):
        try:
            self._engine = create_engine(
                url,
                pool_size=8,
                max_overflow=24,
                pool_timeout=PATIENCE,
                hide_parameters=True,  # errors must not quote events and secrets
                isolation_level="READ COMMITTED",
            )
        except (ImportError, NoSuchModuleError) as error:
            raise StoreError(
                "PostgreSQL needs the package psycopg and the library libpq5; install both."
            ) from error
        _ask_the_rested(self._engine)
        self._readers = self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )

    def reading(self) -> AbstractContextManager[Connection]:
        return self._readers.begin()

    def writing(self) -> AbstractContextManager[Connection]:
        return self._engine.begin()

    def rebuilding(self) -> AbstractContextManager[Connection]:
        """Altering a table is a transaction like any other here."""
        return self.writing()

    def close(self) -> None:
        self._engine.dispose()


def _ask_the_rested(engine: Engine) -> None:
    """A connection is asked whether it still lives before it is used: the server may have been restarted. Of
    one that was in use just now it is enough that its line is quiet, for a server that goes says so; a busy
    worker would ask before every transaction."""

    def laid_down(_: Any, record: Any) -> None:
        record.info["used"] = time.monotonic()

    def taken_up(connection: Any, record: Any, _: Any) -> None:
        used = record.info.get("used")  # None: it was made for this
        if used is None or (time.monotonic() - used < TRUSTED and _quiet(connection)):
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error  # those beside it are gone, too

    event.listen(engine, "checkin", laid_down)
    event.listen(engine, "checkout", taken_up)


def _quiet(connection: Any) -> bool:
    """Whether nothing waits to be read: neither a last word of the server nor the end of the line."""
    if connection.closed:
        return False
    line = select.poll()
    line.register(connection.fileno(), select.POLLIN)
    return not line.poll(0)
