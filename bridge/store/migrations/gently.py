"""What a migration does to tables with a million rows, so that nobody waits for more than a moment.

The rules for whoever writes one (``docs/operation.md`` has them in words): a step that alters a table does
that alone, and only what PostgreSQL does without touching rows (a column that may be NULL or has a constant
default). Filling a column and making an index are steps of their own, made of these calls; what they did
stays when they are cut off, and they may begin again. ``considerate`` sees to it that no transaction waits
for a table, or holds it, for long.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from alembic import op
from sqlalchemy import TextClause, text

from bridge.store.considerate import LONGEST_WAIT_MS, patiently

#: Rows in one transaction of ``fill``.
PORTION = 5000


def add_index(name: str, table: str, columns: Sequence[str], *, unique: bool = False) -> None:
    """An index, made while everybody reads and writes."""
    if op.get_bind().dialect.name == "sqlite":
        op.create_index(name, table, list(columns), unique=unique)
        return
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")  # it waits for transactions that are open, and nobody waits for it
        op.drop_index(name, table, if_exists=True, postgresql_concurrently=True)  # half of one, cut off
        op.create_index(name, table, list(columns), unique=unique, postgresql_concurrently=True)
        op.execute(f"SET lock_timeout = {LONGEST_WAIT_MS}")


def fill(table: str, values: str, where: str) -> None:
    """``UPDATE table SET values WHERE where``, by ranges of its ``id``. ``where`` must no longer hold for a
    row that was filled."""
    quoted = op.get_bind().dialect.identifier_preparer.quote(table)
    statement = text(f"UPDATE {quoted} SET {values} WHERE id > :after AND id <= :upto AND ({where})")  # noqa: S608
    if op.get_bind().dialect.name == "sqlite":
        _ranges(statement, quoted)
        return
    with op.get_context().autocommit_block():
        _ranges(statement, quoted)


def _ranges(statement: TextClause, quoted: str) -> None:
    connection = op.get_bind()
    last = connection.execute(text(f"SELECT max(id) FROM {quoted}")).scalar() or 0  # noqa: S608
    for after in range(0, last, PORTION):
        patiently(partial(connection.execute, statement, {"after": after, "upto": after + PORTION}))
