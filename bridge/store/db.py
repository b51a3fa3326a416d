"""The one door to the database: reading and writing transactions, on SQLite or PostgreSQL.

Readers get a snapshot and never wait for writers. Writers take their turn: on SQLite the whole file
(``BEGIN IMMEDIATE``), on PostgreSQL row by row (``objects.lock`` comes first). Queries belong to the
sibling modules, the schema to ``tables``, its versions to ``schema``, what a failing database is told as to
``failures``.

Connections are kept once per address and process: asking for the same ``Database`` twice is cheap, and a
forked child never touches its parent's connections.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from sqlalchemy import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError

from bridge.errors import Invalid
from bridge.store.failures import explained


class Opened(Protocol):
    """What one process keeps open of one database: ``sqlite.File`` or ``postgresql.Server``."""

    def reading(self) -> AbstractContextManager[Connection]: ...
    def writing(self) -> AbstractContextManager[Connection]: ...
    def rebuilding(self) -> AbstractContextManager[Connection]: ...
    def close(self) -> None: ...


_opened: dict[tuple[str, int], Opened] = {}
_opening = threading.Lock()


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
        with explained(), self.opened().reading() as tx:
            yield tx

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """All or nothing: committed (durably) on leaving, rolled back on any exception. Never nested."""
        with explained(), self.opened().writing() as tx:
            yield tx

    @contextmanager
    def rebuilding(self) -> Iterator[Connection]:
        """As ``writing``, for migrations."""
        with explained(), self.opened().rebuilding() as tx:
            yield tx

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
        with _opening:
            opened = _opened.pop((self._key, os.getpid()), None)
        if opened is not None:
            opened.close()

    def opened(self) -> Opened:
        """What this process keeps open for this address."""
        key = (self._key, os.getpid())
        found = _opened.get(key)
        if found is None:
            with _opening:
                found = _opened.get(key)
                if found is None:
                    found = _opened[key] = _open(self.url)
        return found


def _open(url: URL) -> Opened:
    if url.get_backend_name() == "sqlite":
        from bridge.store import sqlite

        return sqlite.File(url)
    from bridge.store import postgresql

    return postgresql.Server(url)
