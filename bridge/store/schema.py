"""Which version the schema has, and the way to the present one (Alembic, from ``migrations/versions``).

Alembic is imported only when there is something to do: it costs a quarter of a second, and a start
with nothing to migrate should not pay for it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from bridge.errors import StoreError

if TYPE_CHECKING:
    from bridge.store.db import Database

#: The newest revision in ``migrations/versions``; a test holds the two together.
HEAD = "0001"

#: Names our migrations among PostgreSQL's advisory locks: any number, the same for ever.
ADVISORY_LOCK = 0x7069_6373
#: Milliseconds that a step waits for a table on PostgreSQL; seconds until it tries again, and for how long.
LONGEST_WAIT_MS = 500
LOOK_AGAIN = 0.5
PATIENCE = 600
LOCK_NOT_AVAILABLE = "55P03"  # SQLSTATE


def revision(tx: Connection) -> str | None:
    """The schema's revision; None for an empty database."""
    if not inspect(tx).has_table("alembic_version"):
        return None
    return tx.execute(text("SELECT version_num FROM alembic_version")).scalar()


def is_current(db: Database) -> bool:
    with db.reading() as tx:
        return revision(tx) == HEAD


def migrate(db: Database) -> None:
    """Apply what is missing; of several processes one works and the others wait. On SQLite all of it is one
    transaction, on PostgreSQL each step is, so that nobody is kept from reading (``migrations.gently``).

    Raises StoreError if the data was written by a newer version of the program.
    """
    if not is_current(db):
        apply(db)


def apply(db: Database, *further: Path) -> None:
    """The steps that are missing, and those in folders ``further`` on."""
    with db.rebuilding() as tx:
        if db.on_sqlite:
            _upgrade(tx, further)
            return
        engine = tx.engine
    asked = {"key": ADVISORY_LOCK}
    # outside of any transaction: an index that is made waits for those
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as turn:
        while not turn.execute(text("SELECT pg_try_advisory_lock(:key)"), asked).scalar():
            time.sleep(LOOK_AGAIN)
        try:
            _upgrade_beside(engine, further)
        finally:
            turn.execute(text("SELECT pg_advisory_unlock(:key)"), asked)


def _upgrade_beside(engine: Engine, further: Sequence[Path]) -> None:
    """A statement that waits for a table keeps all who come after it from reading: so it waits for half a
    second, lets them go first, and tries again."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with engine.connect() as connection:
                connection.execute(text(f"SET lock_timeout = {LONGEST_WAIT_MS}"))
                connection.commit()
                try:
                    _upgrade(connection, further)
                finally:
                    connection.rollback()
                    connection.execute(text("RESET lock_timeout"))
                    connection.commit()
            return
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE or time.monotonic() > deadline:
                raise
        time.sleep(LOOK_AGAIN)


def _upgrade(tx: Connection, further: Sequence[Path]) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    folders = [Path(__file__).parent / "migrations" / "versions", *further]
    config.set_main_option("path_separator", "os")
    config.set_main_option("version_locations", os.pathsep.join(map(str, folders)).replace("%", "%%"))
    found = revision(tx)
    if tx.dialect.name != "sqlite":
        tx.rollback()  # each step begins a transaction of its own
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise StoreError(
            "This data was written by a newer version of picsello-bridge. "
            "Install that version again, or restore a backup made with this one; nothing was changed."
        )
    config.attributes["connection"] = tx
    command.upgrade(config, "head")
