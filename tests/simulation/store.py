"""The store of a simulated installation: one file per process, emptied instead of made anew.

SQLAlchemy compiles every statement once per engine, so an engine is worth keeping for thousands of schedules.
What the file holds can be taken (as a crash at this moment would leave it: committed, nothing else) and put
back, which is how ``crash_points`` returns to a moment.
"""

from __future__ import annotations

import sqlite3
import tempfile
from functools import cache
from pathlib import Path

from bridge.store.db import Database


@cache
def path() -> Path:
    """Where this process keeps its one store; in memory where the system has such a folder."""
    return Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)) / "store.sqlite"


@cache
def empty() -> bytes:
    """A migrated store with nothing in it."""
    with tempfile.TemporaryDirectory() as folder:
        db = Database(f"sqlite:///{folder}/empty.sqlite")
        db.migrate()
        db.close()
        return _content(Path(folder) / "empty.sqlite")


def put(content: bytes) -> str:
    """Let the store hold this and nothing else; its address."""
    url = f"sqlite:///{path()}"
    Database(url).opened().close()
    for left in path().parent.iterdir():
        left.unlink()
    path().touch(0o600)
    path().write_bytes(content)
    return url


def take() -> bytes:
    """What is committed at this moment."""
    return _content(path())


def _content(file: Path) -> bytes:
    connection = sqlite3.connect(file)
    try:
        return connection.serialize()
    finally:
        connection.close()
