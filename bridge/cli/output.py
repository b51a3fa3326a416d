"""What a call says: results on standard output, everything else on standard error.

With ``--json`` standard output is exactly one JSON value. Without it, listings are tables: aligned by rich on
a terminal, tab-separated where a program reads them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

Row = Mapping[str, Any]


class Output:
    """Where one call's results go."""

    def __init__(self, *, json: bool = False):
        self.json = json

    def value(self, value: Any, text: str = "") -> None:
        """One result: the JSON value, or the text (nothing, if empty)."""
        if self.json:
            print(json.dumps(value, ensure_ascii=False, default=_json))
        elif text:
            print(text)

    def rows(self, rows: Iterable[Row], columns: Sequence[str], nothing: str) -> None:
        """A listing. ``columns``: which keys the table shows (JSON has them all). ``nothing``: what to say
        when there are none."""
        rows = list(rows)
        if self.json:
            self.value([dict(row) for row in rows])
        elif not rows:
            self.note(nothing)
        elif sys.stdout.isatty():
            self._table(rows, columns)
        else:
            for row in rows:
                print("\t".join(_cell(row[column]) for column in columns))

    def show(self, text: str) -> None:
        """What people need before the result is there; at once, and never between a program and its JSON."""
        print(text, file=sys.stderr if self.json else sys.stdout, flush=True)

    def note(self, text: str) -> None:
        """Said in passing, to people: never on standard output."""
        print(text, file=sys.stderr)

    @staticmethod
    def _table(rows: Sequence[Row], columns: Sequence[str]) -> None:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in columns:
            table.add_column(column.replace("_", " "))
        for row in rows:
            table.add_row(*(Text(_cell(row[column])) for column in columns))
        Console().print(table)


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        case list() | tuple():
            return "; ".join(_cell(part) for part in value)
        case _:
            return " ".join(str(value).split())


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds").replace("+00:00", "Z")
    raise TypeError(f"{type(value).__name__} has no JSON form")
