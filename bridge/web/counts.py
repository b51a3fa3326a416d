"""How often somebody asked, counted for all processes of a machine together: Flask-Limiter's storage where
there is no Redis.

A small SQLite file in the data folder, which may be lost at any moment without harm: it knows no names (keys
are digests), is never flushed to the disk, and drops what is over. Where it cannot be written, Flask-Limiter
counts in the process meanwhile.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any, ClassVar

from limits.storage import Storage

SCHEME = "counts"

_TABLE = "CREATE TABLE IF NOT EXISTS counts (key BLOB PRIMARY KEY, count INTEGER, ends REAL) WITHOUT ROWID"
#: A window that is over begins anew.
_MORE = """
INSERT INTO counts VALUES (:key, :amount, :ends) ON CONFLICT (key) DO UPDATE SET
    count = CASE WHEN ends > :now THEN count + :amount ELSE :amount END,
    ends = CASE WHEN ends > :now THEN ends ELSE :ends END
RETURNING count
"""


class Counts(Storage):
    """Fixed windows; the address is ``counts:///path/to/file``."""

    STORAGE_SCHEME: ClassVar[list[str] | None] = [SCHEME]  # type: ignore[misc]

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **options: Any):
        super().__init__(uri, wrap_exceptions, **options)
        self._file = Path((uri or "").removeprefix(f"{SCHEME}://"))
        self._lock = threading.Lock()
        self._opened: dict[int, sqlite3.Connection] = {}  # by process: a fork must not use its parent's
        with contextlib.suppress(OSError, sqlite3.Error):
            os.close(os.open(self._file, os.O_CREAT | os.O_RDWR, 0o600))
            with contextlib.closing(self._open()) as connection:  # before there are several
                connection.execute("PRAGMA journal_mode=WAL")

    @property
    def base_exceptions(self) -> type[Exception]:
        return sqlite3.Error

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = time.time()
        values = {"key": _digest(key), "amount": amount, "ends": now + expiry, "now": now}
        count = int(self._ask(_MORE, values))
        if count == amount:
            self._ask("DELETE FROM counts WHERE ends <= :now", {"now": now})
        return count

    def get(self, key: str) -> int:
        return int(self._of(key, "count") or 0)

    def get_expiry(self, key: str) -> float:
        return float(self._of(key, "ends") or time.time())

    def check(self) -> bool:
        try:
            self._ask("SELECT count(*) FROM counts", {})
        except sqlite3.Error:
            return False
        return True

    def reset(self) -> int | None:
        self._ask("DELETE FROM counts", {})
        return None

    def clear(self, key: str) -> None:
        self._ask("DELETE FROM counts WHERE key = :key", {"key": _digest(key)})

    def _of(self, key: str, column: str) -> Any:
        values = {"key": _digest(key), "now": time.time()}
        return self._ask(f"SELECT {column} FROM counts WHERE key = :key AND ends > :now", values)  # noqa: S608

    def _ask(self, statement: str, values: dict[str, Any]) -> Any:
        """The first value of the answer, if there is one."""
        with self._lock:
            connection = self._opened.get(os.getpid())
            if connection is None:
                connection = self._opened[os.getpid()] = self._open()
            rows = connection.execute(statement, values).fetchall()
        return rows[0][0] if rows else None

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file, timeout=5, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute(_TABLE)
        return connection


def _digest(key: str) -> bytes:
    return hashlib.blake2b(key.encode(), digest_size=16).digest()
