"""A whole store as plain rows, table by table: what backup, restore and move are made of.

Values are what JSON can carry and are the same for SQLite and PostgreSQL: instants as numbers, JSON columns
as their text, bytes in base64. Rows come in a fixed order, so that two stores can be compared side by side.
Files, keys and who may do this are the services' business.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Cast,
    Column,
    Connection,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    bindparam,
    cast,
    func,
    insert,
    select,
    text,
    update,
)

from bridge.errors import StoreError
from bridge.store import installation
from bridge.store.links import takes_part
from bridge.store.rows import batches
from bridge.store.tables import Instant, link, metadata, user

Row = tuple[Any, ...]
#: Called with a table's name, its rows done, and all its rows.
Progress = Callable[[str, int, int], None]

#: Rows that are fetched, written and compared at a time.
PORTION = 500
#: What is of no use to another store, or later.
PASSING = frozenset({"attempt", "ended_session"})
#: Ends every web session that was ended after the copy was made: nobody changes a password this often.
SESSIONS = 1000


class _JsonText(TypeDecorator[str]):
    """PostgreSQL's json as the text that it is, letter by letter."""

    impl = Text
    cache_ok = True

    def bind_expression(self, bindvalue: Any) -> Cast[Any]:
        return cast(bindvalue, JSON)

    def column_expression(self, column: Any) -> Cast[Any]:
        return cast(column, Text)


class Base64(TypeDecorator[str]):
    """Bytes as text."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> bytes | None:  # noqa: ARG002
        return None if value is None else base64.b64decode(value)

    def process_result_value(self, value: Any, dialect: Any) -> str | None:  # noqa: ARG002
        return None if value is None else base64.b64encode(value).decode()


@cache
def _raw(name: str, on_sqlite: bool) -> Table:
    """The table with nothing between us and what is stored."""

    def stored(column: Column[Any]) -> Column[Any]:
        kind: Any = column.type
        if isinstance(kind, Instant):
            kind = BigInteger()
        elif isinstance(kind, JSON):
            kind = Text() if on_sqlite else _JsonText()
        elif isinstance(kind, LargeBinary):
            kind = Base64()
        return Column(column.name, kind, primary_key=column.primary_key, autoincrement=False)

    return Table(name, MetaData(), *(stored(column) for column in metadata.tables[name].columns))


def plain(tx: Connection, name: str) -> Table:
    """The table as this store keeps it, whose values are what JSON can carry."""
    return _raw(name, tx.dialect.name == "sqlite")


def tables() -> list[str]:
    """Those that are kept, so that none comes before another it refers to."""
    return [table.name for table in metadata.sorted_tables if table.name not in PASSING]


def columns(name: str) -> list[str]:
    """A table's columns, in the order of its rows."""
    return [column.name for column in metadata.tables[name].columns]


def count(tx: Connection, name: str) -> int:
    return int(tx.execute(select(func.count()).select_from(plain(tx, name))).scalar_one())


def rows(tx: Connection, name: str) -> Iterator[Row]:
    """All rows, by key (or, where there is none, by every column), in little memory."""
    table = plain(tx, name)
    order = list(table.primary_key.columns) or list(table.columns)
    found = tx.execute(select(table).order_by(*order), execution_options={"yield_per": PORTION})
    for row in found:
        yield tuple(row)


def clear(tx: Connection) -> None:
    """Remove every row of every table."""
    for table in reversed(metadata.sorted_tables):
        tx.execute(table.delete())


def fill(tx: Connection, name: str, found: Iterable[Row], names: Sequence[str] | None = None) -> int:
    """Add rows to a table; returns how many. ``names``: which columns they have; all, unless said."""
    table = plain(tx, name)
    names = columns(name) if names is None else names
    adding = insert(table).values({column: bindparam(column) for column in names})
    added = 0
    for portion in batches(found, PORTION):
        tx.execute(adding, [dict(zip(names, row, strict=True)) for row in portion])
        added += len(portion)
    return added


def copy(source: Connection, target: Connection, progress: Progress) -> dict[str, int]:
    """Everything from one store into an empty one; how many rows of each table."""
    done: dict[str, int] = {}
    for name in tables():
        total = count(source, name)
        done[name] = fill(target, name, counted(rows(source, name), name, total, progress))
    advance(target, last_numbers(source))
    return done


def counted(found: Iterable[Row], name: str, total: int, progress: Progress) -> Iterator[Row]:
    """The same rows, telling how far they are."""
    number = 0
    for number, row in enumerate(found, 1):
        if number % PORTION == 0:
            progress(name, number, total)
        yield row
    progress(name, number, total)


def compare(source: Connection, target: Connection, progress: Progress) -> int:
    """Go through both stores row by row; how many objects were found equal, and whole by their own tag.

    Raises StoreError at the first difference, naming it.
    """
    objects = 0
    for name in tables():
        total = count(source, name)
        if count(target, name) != total:
            raise StoreError(f"The copy is not complete: it has another number of rows in “{name}”.")
        pairs = zip(rows(source, name), counted(rows(target, name), name, total, progress), strict=True)
        etag, body = (columns("object").index(word) for word in ("etag", "text"))
        for ours, theirs in pairs:
            if ours != theirs:
                raise StoreError(f"The copy is not the same: row {ours[0]} of “{name}” differs.")
            if name == "object":
                if hashlib.sha256(theirs[body].encode()).hexdigest()[:32] != theirs[etag]:
                    raise StoreError(
                        f"Object {ours[0]} is not what its tag says: see picsello-bridge doctor."
                    )
                objects += 1
    return objects


# --- numbers that are never used again -----------------------------------------------------------------


def _numbered() -> list[str]:
    return [table.name for table in metadata.sorted_tables if table.autoincrement_column is not None]


def last_numbers(tx: Connection) -> dict[str, int]:
    """The last number that each table gave to a row."""
    if tx.dialect.name == "sqlite":
        kept = {name: int(seq) for name, seq in tx.execute(text("SELECT name, seq FROM sqlite_sequence"))}
        return {name: max(kept.get(name, 0), _highest(tx, name)) for name in _numbered()}
    found = {}
    for name in _numbered():
        if sequence := _sequence(tx, name):
            last = tx.execute(text(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}"))  # noqa: S608
            found[name] = int(last.scalar_one())
    return found


def advance(tx: Connection, numbers: Mapping[str, int]) -> None:
    """No row gets a number up to these any more; what had got further stays there."""
    for name in _numbered():
        least = max(numbers.get(name, 0), _highest(tx, name))
        if not least:
            continue
        if tx.dialect.name == "sqlite":
            if metadata.tables[name].dialect_options["sqlite"].get("autoincrement"):
                values = {"name": name, "least": least}
                tx.execute(text("DELETE FROM sqlite_sequence WHERE name = :name AND seq <= :least"), values)
                missing = "WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = :name)"
                tx.execute(
                    text(f"INSERT INTO sqlite_sequence (name, seq) SELECT :name, :least {missing}"),
                    values,
                )
        elif sequence := _sequence(tx, name):
            further = f"SELECT setval('{sequence}', GREATEST(:least, last_value)) FROM {sequence}"  # noqa: S608
            tx.execute(text(further), {"least": least})


def _highest(tx: Connection, name: str) -> int:
    column = metadata.tables[name].c.id
    return int(tx.execute(select(func.coalesce(func.max(column), 0))).scalar_one())


def _sequence(tx: Connection, name: str) -> str | None:
    quoted = tx.dialect.identifier_preparer.quote(name)
    asked = text("SELECT pg_get_serial_sequence(:name, 'id')")
    found: str | None = tx.execute(asked, {"name": quoted}).scalar()
    return found


# --- after a restore ---------------------------------------------------------------------------------------


def fences(tx: Connection) -> int:
    """The highest fence that any pass here was ever given."""
    return int(tx.execute(select(func.coalesce(func.max(link.c.fence), 0))).scalar_one())


def wake_up(tx: Connection, *, generation: int, fence: int, why: str) -> int:
    """What holds after a restore (design, section 4, rule 12): no sync token, web session, lease or fence
    from before it is good, and links with a role are held, ``why`` being the sentence. Returns how many."""
    installation.start_generation(tx, beyond=generation)
    installation.set_moved(tx, None)
    tx.execute(update(user).values(session_version=user.c.session_version + SESSIONS))
    free = {"lease_holder": None, "lease_until": None, "fence": link.c.fence + fence + 1}
    tx.execute(update(link).values(free))
    held = {
        "restored": True,
        "released": False,
        "held": [why],
        "state": "held",
        "state_reason": why,
        "due_at": None,
        "cursor": None,
        "listed_at": None,
    }
    return int(tx.execute(update(link).where(takes_part()).values(held)).rowcount)
