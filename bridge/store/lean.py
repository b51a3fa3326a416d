"""Short questions that every phone asks all day, without what SQLAlchemy does for each call.

A statement is spelled by SQLAlchemy once per process; on SQLite it then goes to the driver as text, since
there the question itself takes less time than asking it. PostgreSQL is a network away: it is asked as usual.
Statements with lists (``IN``) or of many rows are better asked as usual everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import CompoundSelect, Connection, Dialect, Select

Question = Select[Any] | CompoundSelect[Any]


class Lean:
    """A select whose parameters are numbers and texts, given by name."""

    def __init__(self, statement: Question):
        self.statement = statement
        self._spelled: _Spelled | None = None

    def all(self, tx: Connection, **values: int | str) -> Sequence[Any]:
        """The rows, as tuples in the order of the columns."""
        if tx.dialect.name != "sqlite":
            return tx.execute(self.statement, values).all()
        if self._spelled is None:
            self._spelled = _Spelled(self.statement, tx.dialect)
        return self._spelled.rows(tx, values)

    def first(self, tx: Connection, **values: int | str) -> Any | None:
        """The first row, of a question that has one answer at most."""
        rows = self.all(tx, **values)
        return rows[0] if rows else None


class _Spelled:
    """The statement as SQLite's driver takes it."""

    def __init__(self, statement: Question, dialect: Dialect):
        compiled: Any = statement.compile(dialect=dialect)
        self._text = str(compiled)
        self._order: Sequence[str] = compiled.positiontup
        self._constant = {name: value for name, value in compiled.params.items() if name in self._order}
        self._readers: list[Callable[[Any], Any] | None] = [
            column.type.dialect_impl(dialect).result_processor(dialect, None)
            for column in statement.selected_columns
        ]
        self._plain = not any(self._readers)

    def rows(self, tx: Connection, values: dict[str, int | str]) -> list[Any]:
        driver: Any = tx.connection.driver_connection
        given = self._constant | values
        found: list[Any] = driver.execute(self._text, [given[name] for name in self._order]).fetchall()
        if self._plain:
            return found
        return [
            tuple([read(value) if read else value for read, value in zip(self._readers, row, strict=True)])
            for row in found
        ]
