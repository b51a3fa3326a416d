"""Rows as plain frozen values: how a dataclass names the columns it wants and is filled from a row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from typing import Any, TypeVar

from sqlalchemy import Column, Table

T = TypeVar("T")

#: How many values one IN (...) may carry; SQLite's oldest limit is 999 variables.
BATCH = 500


def columns(row: type[Any], table: Table, start: int = 0, stop: int | None = None) -> list[Column[Any]]:
    """The table's columns in the order of the dataclass's fields, so that ``Row(*selected)`` fits."""
    return [table.c[field.name] for field in fields(row)[start:stop]]


def batches(values: Iterable[T], size: int = BATCH) -> Iterator[Sequence[T]]:
    """``values`` in portions of at most ``size``."""
    portion: list[T] = []
    for value in values:
        portion.append(value)
        if len(portion) == size:
            yield portion
            portion = []
    if portion:
        yield portion
