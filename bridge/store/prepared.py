"""Statements of the hot paths: compiled once, then handed to the database's driver as they are.

What SQLAlchemy does for every execution of a statement takes ten times as long as SQLite's answer. Here it is
asked once for each kind of database and set of columns: for the SQL, and for how values are converted there
and back. Statements that are built anew for each question, or take lists (``IN``), stay with SQLAlchemy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Generic, TypeVar, overload

from sqlalchemy import CompoundSelect, Connection, Delete, Insert, Select, Update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.selectable import SelectBase

R = TypeVar("R")
Convert = Callable[[Any], Any]
Values = Mapping[str, Any]
Statement = Select[Any] | CompoundSelect[Any] | Insert | Update | Delete

_NOTHING: Values = {}


class Prepared(Generic[R]):
    """One statement. ``row`` is called with the values of each row that comes back.

    An insert or update sets the columns that it is given values for, as with SQLAlchemy; columns with a
    default get that. Raises SQLAlchemy's ``DBAPIError`` kinds.
    """

    __slots__ = ("_row", "_sent", "_writes", "statement")

    @overload
    def __init__(self: Prepared[tuple[Any, ...]], statement: Statement): ...
    @overload
    def __init__(self, statement: Statement, row: Callable[..., R]): ...
    def __init__(self, statement: Statement, row: Callable[..., Any] | None = None):
        self.statement = statement
        self._writes = not isinstance(statement, SelectBase)
        self._row: Callable[..., Any] = row or _as_they_come
        self._sent: dict[tuple[str, ...], _Sent] = {}

    def all(self, tx: Connection, values: Values = _NOTHING) -> list[R]:
        """Every row."""
        sent = self._for(tx, values)
        rows: Iterable[Any] = sent.read(sent.execute(tx, values).fetchall())
        return list(rows) if self._row is _as_they_come else [self._row(*found) for found in rows]

    def first(self, tx: Connection, values: Values = _NOTHING) -> R | None:
        """The first row, None if there is none."""
        sent = self._for(tx, values)
        found: R | None = None
        for values_ in sent.read(sent.execute(tx, values).fetchall()[:1]):
            found = self._row(*values_)
        return found

    def run(self, tx: Connection, values: Values = _NOTHING) -> int:
        """Returns how many rows it touched."""
        return int(self._for(tx, values).execute(tx, values).rowcount)

    def run_many(self, tx: Connection, rows: Sequence[Values], same: Values = _NOTHING) -> None:
        """Once for each of ``rows``, which all name the same columns in the same order; ``same`` holds for
        all of them."""
        if rows:
            self._for(tx, {**same, **rows[0]}).execute_many(tx, rows, same)

    def _for(self, tx: Connection, values: Values) -> _Sent:
        key = (tx.dialect.name, *values) if self._writes else (tx.dialect.name,)
        sent = self._sent.get(key)
        if sent is None:
            sent = self._sent[key] = _Sent(self.statement, tx, list(values))
        return sent


def made(insert: Prepared[Any], tx: Connection, values: Values) -> int:
    """Run an insert that returns the new row's id."""
    row = insert.first(tx, values)
    assert row is not None
    return int(row[0])


@contextmanager
def savepoint(tx: Connection) -> Iterator[None]:
    """What fails in here is undone, the rest of the transaction stays."""
    driver: Any = tx.connection.driver_connection
    driver.execute("SAVEPOINT part")
    try:
        yield
    except BaseException:
        driver.execute("ROLLBACK TO SAVEPOINT part")
        raise
    finally:
        driver.execute("RELEASE SAVEPOINT part")


class _Sent:
    """A statement as one kind of database gets it, with these values."""

    __slots__ = ("_constants", "_dialect", "_in_order", "_kinds", "_reads", "_sql")

    def __init__(self, statement: Any, tx: Connection, names: list[str]):
        self._dialect = dialect = tx.dialect
        columns = None if isinstance(statement, SelectBase) else names
        compiled: SQLCompiler = statement.compile(dialect=dialect, column_keys=columns)
        if compiled.post_compile_params or compiled.literal_execute_params:
            raise TypeError("a statement that takes a list can't be prepared")
        self._sql = str(compiled)
        defaults = {column.key: column.default for column in compiled.insert_prefetch}
        self._constants: dict[str, Callable[[], Any]] = {}  # what is not among the values
        self._kinds: dict[str, Convert | None] = {}
        for bind, name in compiled.bind_names.items():
            self._kinds[name] = bind.type.dialect_impl(dialect).bind_processor(dialect)
            if name not in names:
                if name in defaults:
                    self._constants[name] = _default(defaults[name])
                elif not bind.required:
                    self._constants[name] = _constant(bind.effective_value)
        order = compiled.positiontup  # None: the driver takes names
        self._in_order = None if order is None else [(name, self._kinds[name]) for name in order]
        reads = [
            column.type.dialect_impl(dialect).result_processor(dialect, None)
            for column in _columns(statement)
        ]
        self._reads = [(at, convert) for at, convert in enumerate(reads) if convert is not None]

    def execute(self, tx: Connection, values: Values) -> Any:
        driver: Any = tx.connection.driver_connection
        try:
            return driver.execute(self._sql, self._written(values))
        except self._dialect.loaded_dbapi.Error as error:
            raise self._explained(error) from error

    def execute_many(self, tx: Connection, rows: Sequence[Values], same: Values) -> None:
        driver: Any = tx.connection.driver_connection
        try:
            driver.cursor().executemany(self._sql, self._written_many(rows, same))
        except self._dialect.loaded_dbapi.Error as error:
            raise self._explained(error) from error

    def read(self, rows: list[tuple[Any, ...]]) -> Iterable[tuple[Any, ...]]:
        if not self._reads:
            return rows
        return map(self._converted, rows)

    def _converted(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        values = list(row)
        for at, convert in self._reads:
            values[at] = convert(values[at])
        return tuple(values)

    def _written(self, values: Values) -> Any:
        if self._constants:
            values = {name: constant() for name, constant in self._constants.items()} | dict(values)
        if self._in_order is None:
            return {
                name: values[name] if convert is None else convert(values[name])
                for name, convert in self._kinds.items()
            }
        return [
            values[name] if convert is None else convert(values[name]) for name, convert in self._in_order
        ]

    def _written_many(self, rows: Sequence[Values], same: Values) -> Iterator[Any]:
        """As ``_written``; what is the same in all of them is converted once."""
        template = self._written({**dict.fromkeys(rows[0]), **same})
        names = list(self._kinds) if self._in_order is None else [name for name, _ in self._in_order]
        places: Iterable[str] | range = names if self._in_order is None else range(len(names))
        varying = [
            (p, name, self._kinds[name]) for p, name in zip(places, names, strict=True) if name in rows[0]
        ]
        for values in rows:
            written = template.copy()
            for place, name, convert in varying:
                written[place] = values[name] if convert is None else convert(values[name])
            yield written

    def _explained(self, error: Exception) -> Exception:
        """As SQLAlchemy would have raised it; its text must not quote events and secrets."""
        return DBAPIError.instance(
            self._sql,
            None,
            error,
            self._dialect.loaded_dbapi.Error,
            hide_parameters=True,
            dialect=self._dialect,
        )


def _columns(statement: Any) -> Iterable[Any]:
    """What comes back."""
    columns: Iterable[Any] = (
        statement.selected_columns if isinstance(statement, SelectBase) else statement.exported_columns
    )
    return columns


def _as_they_come(*values: Any) -> tuple[Any, ...]:
    return values


def _default(default: Any) -> Callable[[], Any]:
    if default.is_callable:
        return lambda: default.arg(None)
    return _constant(default.arg)


def _constant(value: Any) -> Callable[[], Any]:
    return lambda: value
