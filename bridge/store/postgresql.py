"""PostgreSQL: its connections, and what its transactions promise."""

from __future__ import annotations

from contextlib import AbstractContextManager

from sqlalchemy import URL, Connection, create_engine
from sqlalchemy.exc import NoSuchModuleError

from bridge.errors import StoreError

#: Seconds to wait for a free connection.
PATIENCE = 30


class Server:
    """One database on a server."""

    def __init__(self, url: URL):
        try:
            self._engine = create_engine(
                url,
                pool_size=8,
                max_overflow=24,
                pool_timeout=PATIENCE,
                pool_pre_ping=True,
                hide_parameters=True,  # errors must not quote events and secrets
            )
        except (ImportError, NoSuchModuleError) as error:
            raise StoreError(
                "PostgreSQL needs the package psycopg and the library libpq5; install both."
            ) from error
        self._readers = self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        self._writers = self._engine.execution_options(isolation_level="READ COMMITTED")

    def reading(self) -> AbstractContextManager[Connection]:
        return self._readers.begin()

    def writing(self) -> AbstractContextManager[Connection]:
        return self._writers.begin()

    def rebuilding(self) -> AbstractContextManager[Connection]:
        """Altering a table is a transaction like any other here."""
        return self.writing()

    def close(self) -> None:
        self._engine.dispose()
