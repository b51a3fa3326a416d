"""The address book: where sessions take place, what is kept free around them, where the sun is watched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, delete, insert, select, update

from bridge.errors import NotFound
from bridge.store.rows import columns
from bridge.store.tables import place


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """Degrees and seconds. ``light``: its golden hours are told by the Light calendar."""

    id: int
    user_id: int
    name: str
    address: str
    latitude: float | None
    longitude: float | None
    before: int
    after: int
    light: bool


_PLACE: Select[Any] = select(*columns(PlaceRow, place))


def create(tx: Connection, user_id: int, **values: Any) -> int:
    """A new place; returns its id. The caller sees to it that its name is new."""
    values = {"user_id": user_id, **values}
    return int(tx.execute(insert(place).returning(place.c.id), values).scalar_one())


def of_user(tx: Connection, user_id: int) -> list[PlaceRow]:
    """By name."""
    rows = tx.execute(_PLACE.where(place.c.user_id == user_id).order_by(place.c.name))
    return [PlaceRow(*row) for row in rows]


def mine(tx: Connection, user_id: int, place_id: int) -> PlaceRow:
    """Raises NotFound, also for somebody else's."""
    row = tx.execute(_PLACE.where(place.c.user_id == user_id, place.c.id == place_id)).first()
    if row is None:
        raise NotFound("There is no such place in your address book (any more).")
    return PlaceRow(*row)


def watched(tx: Connection) -> list[PlaceRow]:
    """The places of everybody whose light is told in a calendar."""
    return [PlaceRow(*row) for row in tx.execute(_PLACE.where(place.c.light).order_by(place.c.id))]


def set_(tx: Connection, place_id: int, **values: Any) -> None:
    """Change columns."""
    tx.execute(update(place).where(place.c.id == place_id).values(values))


def remove(tx: Connection, place_id: int) -> None:
    """Booking pages that use it keep what they took over from it."""
    tx.execute(delete(place).where(place.c.id == place_id))
