"""A database that fails, told in a sentence that says what to do. Statements that are wrong stay as they are.

By words on SQLite, which has few codes, and by SQLSTATE on PostgreSQL.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bridge.errors import StoreError

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


@contextmanager
def explained() -> Iterator[None]:
    """Turn a database that fails (not a statement that is wrong) into a sentence."""
    try:
        yield
    except PoolTimeout as error:
        raise StoreError("The database has no free connection. Please try again in a minute.") from error
    except (DBAPIError, sqlite3.Error) as error:
        if sentence := _sentence(error):
            raise StoreError(sentence) from error
        raise


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
