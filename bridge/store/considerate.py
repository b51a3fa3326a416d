"""How a step to another schema keeps out of everybody's way on PostgreSQL.

Altering a table takes a lock that keeps readers out, and a statement that waits for that lock keeps out all
who come after it. So nothing here holds or awaits one for long: a step's transaction has ``LONGEST_STEP_MS``
in all, ``LONGEST_WAIT_MS`` of them to wait for a table; the server itself ends it then, even if this process
is frozen, and lets those behind it go first before it is tried again. What a step does outside of a
transaction (``migrations.gently``) keeps no reader out and takes its time.

Known to the server, per statement: ``lock_timeout``, ``statement_timeout``,
``idle_in_transaction_session_timeout`` (https://www.postgresql.org/docs/15/runtime-config-client.html).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import DBAPIError

#: Milliseconds that a statement of a step waits for a table, and that a step's transaction takes in all. A
#: process that is frozen in the middle holds it for as long again, and no longer.
LONGEST_WAIT_MS = 200
LONGEST_STEP_MS = 400
#: Seconds until it is tried again, and for how long without getting anywhere.
LOOK_AGAIN = 0.5
PATIENCE = 600
#: SQLSTATE of a step that stood back: lock and statement time-outs, a deadlock, idle in its transaction.
STOOD_BACK = frozenset({"55P03", "57014", "40P01", "25P03"})


class TookTooLong(Exception):
    """The step's transaction has used up its time between two statements."""


@contextmanager
def connected(engine: Engine, *, bounded: bool = True) -> Iterator[Connection]:
    """A connection for steps, of no use to anybody else; ``bounded`` unless nobody can be waiting."""
    with engine.connect() as connection:
        try:
            # whatever the role was given: this is for what runs outside of a transaction
            connection.execute(text(f"SET statement_timeout = 0; SET lock_timeout = {LONGEST_WAIT_MS}"))
            connection.commit()
            if bounded:
                event.listen(connection, "before_cursor_execute", _Clock().bound)
            yield connection
        finally:
            connection.invalidate()  # its settings are for nobody else


class _Clock:
    """What is left of the transaction that runs on a connection."""

    def __init__(self) -> None:
        self._until = 0.0

    def bound(self, connection: Connection, cursor: Any, *_: Any) -> None:
        """Before each statement: the server ends it, and the pause after it, when the time is over."""
        raw: Any = connection.connection.dbapi_connection
        if raw.autocommit:
            return
        if raw.info.transaction_status == raw.info.transaction_status.IDLE:
            self._until = time.monotonic() + LONGEST_STEP_MS / 1000
            # a step that is lost in a crash begins again: the disk need not be waited for under the lock
            cursor.execute("SET LOCAL synchronous_commit = off")
        left = round((self._until - time.monotonic()) * 1000)
        if left < 1:
            raise TookTooLong
        cursor.execute(
            f"SET LOCAL lock_timeout = {min(left, LONGEST_WAIT_MS)}; SET LOCAL statement_timeout = {left}; "
            f"SET LOCAL idle_in_transaction_session_timeout = {left}"
        )


def stood_back(error: Exception) -> bool:
    """Whether this ended so that others can go first, and may be tried again."""
    if isinstance(error, TookTooLong):
        return True
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in STOOD_BACK


def patiently(attempt: Callable[[], object], progress: Callable[[], object] = lambda: None) -> None:
    """Run ``attempt`` until it goes through. Raises what made it stand back if ``progress`` has been the same
    for ``PATIENCE`` seconds."""
    known, deadline = progress(), time.monotonic() + PATIENCE
    while True:
        try:
            attempt()
            return
        except Exception as error:
            if not stood_back(error):
                raise
            if known != (known := progress()):
                deadline = time.monotonic() + PATIENCE
            if time.monotonic() > deadline:
                raise
        time.sleep(LOOK_AGAIN)
