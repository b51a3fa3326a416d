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

from bridge.errors import StoreError
from bridge.store import considerate

if TYPE_CHECKING:
    from bridge.store.db import Database

#: The newest revision in ``migrations/versions``; a test holds the two together.
HEAD = "0001"

#: Names our migrations among PostgreSQL's advisory locks: any number, the same for ever.
ADVISORY_LOCK = 0x7069_6373
LOOK_AGAIN = 0.5  # seconds, for who waits until another process has done it


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
    transaction, on PostgreSQL each step is, so that nobody is kept from reading (``considerate``).

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
    """Beside all who read and write. Raises StoreError if they never leave a moment for a step."""

    def found() -> str | None:
        with engine.connect() as connection:
            return revision(connection)

    def attempt() -> None:
        with considerate.connected(engine, bounded=found() is not None) as connection:
            _upgrade(connection, further)

    try:
        considerate.patiently(attempt, progress=found)
    except Exception as error:
        if not considerate.stood_back(error):
            raise
        raise StoreError(
            f"The database could not be brought up to date: {considerate.PATIENCE // 60} minutes long there "
            f"was no moment of {considerate.LONGEST_STEP_MS / 1000:g} s for the next step. Nothing is lost. "
            "End long reports and dumps of the database, or stop the other processes, then start again."
        ) from error


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
