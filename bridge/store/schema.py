"""Which version the schema has, and the way to the present one (Alembic, from ``migrations/versions``).

Alembic is imported only when there is something to do: it costs a quarter of a second, and a start
with nothing to migrate should not pay for it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from bridge.errors import StoreError

if TYPE_CHECKING:
    from bridge.store.db import Database

#: The newest revision in ``migrations/versions``; a test holds the two together.
HEAD = "0001"

#: Names our migrations among PostgreSQL's advisory locks: any number, the same for ever.
ADVISORY_LOCK = 0x7069_6373


def revision(tx: Connection) -> str | None:
    """The schema's revision; None for an empty database."""
    if not inspect(tx).has_table("alembic_version"):
        return None
    return tx.execute(text("SELECT version_num FROM alembic_version")).scalar()


def is_current(db: Database) -> bool:
    with db.reading() as tx:
        return revision(tx) == HEAD


def migrate(db: Database) -> None:
    """Apply what is missing, in one transaction; of several processes one works and the others wait.

    Raises StoreError if the data was written by a newer version of the program.
    """
    if is_current(db):
        return
    with db.rebuilding() as tx:
        if not db.on_sqlite:
            tx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
        _upgrade(tx)


def _upgrade(tx: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    found = revision(tx)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise StoreError(
            "This data was written by a newer version of picsello-bridge. "
            "Install that version again, or restore a backup made with this one; nothing was changed."
        )
    config.attributes["connection"] = tx
    command.upgrade(config, "head")
