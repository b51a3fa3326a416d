"""What a database keeps, byte by byte: for tests of what must not be readable in it."""

from __future__ import annotations

from pathlib import Path

from bridge.store.db import Database
from bridge.store.tables import metadata


def kept(db: Database) -> bytes:
    """The files of SQLite, the one of recent changes included; every table of PostgreSQL."""
    if db.on_sqlite:
        file = Path(str(db.url.database))
        return b"".join(part.read_bytes() for part in sorted(file.parent.glob(f"{file.name}*")))
    found = []
    with db.reading() as tx:
        for table in metadata.sorted_tables:
            with tx.connection.cursor().copy(f'COPY "{table.name}" TO STDOUT (FORMAT binary)') as rows:
                found += map(bytes, rows)
    return b"".join(found)
