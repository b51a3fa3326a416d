"""Connections to Picsello's own database, and what its errors mean for us.

One connection per database and process lies ready between passes. Every transaction is short, in UTC, with
ISO dates, and gives up on a lock after a few seconds, so that the application never waits for us for long.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import errors
from psycopg.rows import namedtuple_row

from bridge.errors import (
    Invalid,
    NotACalendarServer,
    NotPermitted,
    ProviderError,
    RetryLater,
    SignInNeeded,
    UnknownOutcome,
    Unreachable,
)

CONNECT_SECONDS = 10
#: How long a statement, or waiting for a lock, may take (milliseconds).
SETTINGS = "-c timezone=UTC -c datestyle=ISO -c statement_timeout=60000 -c lock_timeout=5000"
#: Idle connections are given up after so many seconds.
IDLE_SECONDS = 120.0

Connection = psycopg.Connection[Any]

_idle: dict[tuple[str, str], list[tuple[float, Connection]]] = {}
_idle_lock = threading.Lock()


def checked_url(url: str) -> str:
    """The address without a password. Raises Invalid."""
    url = url.strip().replace("postgresql+psycopg://", "postgresql://", 1)
    try:
        parts = urlsplit(url)
        password = parts.password
    except ValueError as error:
        raise Invalid(f"“{url}” is not a database address.") from error
    if parts.scheme not in ("postgresql", "postgres") or not parts.path.strip("/"):
        raise Invalid(
            "Picsello's database has an address like postgresql://user@host/database; give it with --url."
        )
    if password:
        raise Invalid(
            "Leave the password out of the address, where others could read it, and give it on standard "
            "input: --password-stdin."
        )
    return urlunsplit(parts)


@dataclass(slots=True)
class Database:
    """One database, signed in when first needed. ``statements`` counts what was asked of it."""

    url: str
    secret: str = field(repr=False)
    statements: int = 0
    _connection: Connection | None = None

    @property
    def name(self) -> str:
        """For sentences: the host's name, without user or password."""
        return urlsplit(self.url).hostname or "this machine"

    @contextlib.contextmanager
    def looking(self) -> Iterator[Asking]:
        """For one statement, which needs no transaction around it."""
        with self._transaction(None, writes=False) as asking:
            yield asking

    @contextlib.contextmanager
    def reading(self) -> Iterator[Asking]:
        """A snapshot to read from."""
        with self._transaction("ISOLATION LEVEL REPEATABLE READ READ ONLY", writes=False) as asking:
            yield asking

    @contextlib.contextmanager
    def writing(self) -> Iterator[Asking]:
        """A transaction to write in; raises UnknownOutcome if its end is not known."""
        with self._transaction("ISOLATION LEVEL READ COMMITTED READ WRITE", writes=True) as asking:
            yield asking

    def close(self) -> None:
        """Put the connection back for the next pass."""
        connection, self._connection = self._connection, None
        if connection is None or connection.closed:
            return
        now = time.monotonic()
        with _idle_lock:
            kept = _idle.setdefault((self.url, self.secret), [])
            while kept and kept[0][0] < now - IDLE_SECONDS:
                kept.pop(0)[1].close()
            if len(kept) < 4:
                kept.append((now, connection))
                return
        connection.close()

    def _open(self) -> Connection:
        if self._connection is not None and not self._connection.closed:
            return self._connection
        with _idle_lock:
            kept = _idle.get((self.url, self.secret), [])
            while kept:
                at, connection = kept.pop()
                if not connection.closed and at > time.monotonic() - IDLE_SECONDS:
                    self._connection = connection
                    return connection
                connection.close()
        self._connection = psycopg.connect(
            self.url,
            password=self.secret or None,
            autocommit=True,
            connect_timeout=CONNECT_SECONDS,
            options=SETTINGS,
            application_name="picsello-bridge",
            row_factory=namedtuple_row,
        )
        return self._connection

    @contextlib.contextmanager
    def _transaction(self, mode: str | None, *, writes: bool) -> Iterator[Asking]:
        for last in (False, True):
            try:
                connection = self._open()
                if mode is not None:
                    connection.execute("BEGIN " + mode)
                break
            except psycopg.Error as error:
                self._drop()
                if last or not isinstance(error, psycopg.OperationalError) or _refused_sign_in(error):
                    raise meaning(error, self.name) from error
        asking = Asking(connection, self)
        try:
            yield asking
        except psycopg.Error as error:
            self._roll_back(connection)
            raise meaning(error, self.name) from error
        except BaseException:
            self._roll_back(connection)
            raise
        if mode is None:
            return
        try:
            connection.execute("COMMIT")
        except psycopg.Error as error:
            self._drop()
            if writes and error.sqlstate is None:
                raise UnknownOutcome(
                    f"Picsello's database at {self.name} did not confirm a change. We look at it again."
                ) from error
            raise meaning(error, self.name) from error

    def _roll_back(self, connection: Connection) -> None:
        try:
            if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                connection.execute("ROLLBACK")
        except psycopg.Error:
            self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(psycopg.Error):
                self._connection.close()
            self._connection = None


@dataclass(frozen=True, slots=True)
class Asking:
    """Statements within one transaction."""

    connection: Connection
    database: Database

    def rows(self, statement: str, *values: Any) -> list[Any]:
        self.database.statements += 1
        return list(self.connection.execute(statement, values or None).fetchall())

    def one(self, statement: str, *values: Any) -> Any | None:
        """The first row, if there is one."""
        found = self.rows(statement, *values)
        return found[0] if found else None

    def do(self, statement: str, *values: Any) -> int:
        """Change something; how many rows."""
        self.database.statements += 1
        return self.connection.execute(statement, values or None).rowcount

    def each(self, statement: str, values: Sequence[Any]) -> None:
        for row in values:
            self.do(statement, *row)


def meaning(error: psycopg.Error, host: str) -> ProviderError:
    """What a database error means for the source."""
    match error:
        case errors.InvalidPassword() | errors.InvalidAuthorizationSpecification():
            return SignInNeeded(f"Picsello's database at {host} does not accept the user or password.")
        case errors.InsufficientPrivilege():
            said = (error.diag.message_primary or "").removeprefix("permission denied for ")
            return NotPermitted(
                f"Picsello's database at {host} does not let us use {said or 'something we need'}. "
                "Ask its administrator to grant it."
            )
        case errors.UndefinedTable() | errors.UndefinedColumn() | errors.UndefinedFunction():
            return NotACalendarServer(
                f"The database at {host} does not look like a Picsello that we know "
                f"({error.diag.message_primary}). Update the bridge, or choose another source."
            )
        case errors.InvalidCatalogName():
            return NotACalendarServer(f"There is no such database at {host}. Check the address.")
        case (
            errors.LockNotAvailable()
            | errors.DeadlockDetected()
            | errors.SerializationFailure()
            | errors.QueryCanceled()
            | errors.TooManyConnections()
        ):
            return RetryLater(f"Picsello's database at {host} is busy. We try again by ourselves.")
    if isinstance(error, psycopg.OperationalError) or (error.sqlstate or "08")[:2] in ("08", "57", "53"):
        if _refused_sign_in(error):
            return SignInNeeded(f"Picsello's database at {host} does not accept the user or password.")
        if "does not exist" in str(error) and "database" in str(error):
            return NotACalendarServer(f"There is no such database at {host}. Check the address.")
        return Unreachable(
            f"Picsello's database at {host} does not answer. Bookings are still served; changes are kept, "
            "and delivered when it is back."
        )
    return NotACalendarServer(
        f"Picsello's database at {host} answered with an error: {error.diag.message_primary}"
    )


def _refused_sign_in(error: psycopg.Error) -> bool:
    said = str(error)
    return any(word in said for word in ("password", "authentication", 'role "', "pg_hba"))
