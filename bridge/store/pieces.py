"""What each booking contributes to a feed, worked out when it is written (``bridge.ical.published.piece``).

Only calendars of bookings are read by feeds. An object without a row here must be read as it is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, delete, false, insert, or_, select

from bridge.ical.published import piece as piece_of
from bridge.store.prepared import Prepared
from bridge.store.rows import batches
from bridge.store.tables import object_, piece


@dataclass(frozen=True, slots=True)
class Pieces:
    """What a feed shows: ``pieces`` in the order of their objects' making, what they say of ``zones``, the
    ``texts`` of objects without a piece. ``first`` and ``last``: the first
    beginning, the last end or beginning; in seconds, None if there is nothing."""

    pieces: list[str]
    zones: set[str]
    texts: list[str]
    first: int | None
    last: int | None


_FORGET = Prepared(delete(piece).where(piece.c.object_id == bindparam("row_id")))
_WRITE = Prepared(insert(piece))


def _shown(events: ColumnElement[str]) -> Prepared[Any]:
    return Prepared(
        select(object_.c.id, object_.c.starts, object_.c.ends, piece.c.zones, events)
        .select_from(object_.outerjoin(piece, piece.c.object_id == object_.c.id))
        .where(
            object_.c.calendar_id == bindparam("calendar_id"),
            object_.c.component == "VEVENT",
            object_.c.starts < bindparam("until"),
            or_(object_.c.ends.is_(None), object_.c.ends >= bindparam("since")),
            # a subscriber must learn that a session is off, also when clients don't see it any more
            or_(object_.c.hidden == false(), object_.c.status == "CANCELLED"),
        )
    )


_FULL, _BUSY = _shown(piece.c.events), _shown(piece.c.busy)
_TEXTS = select(object_.c.text).where(object_.c.id.in_(bindparam("ids", expanding=True)))


def write(tx: Connection, object_id: int, text: str, *, replace: bool) -> None:
    """Keep what this object, an event, contributes. ``replace``: it may have a row already."""
    if replace:
        _FORGET.run(tx, {"row_id": object_id})
    made = piece_of(text)
    if made is not None:
        _WRITE.run(tx, {"object_id": object_id, **made._asdict()})


def shown(tx: Connection, calendar_id: int, since: int, until: int, *, busy_only: bool) -> Pieces:
    """The events that take place from ``since`` until before ``until``, both in seconds."""
    asked = {"calendar_id": calendar_id, "since": since, "until": until}
    rows = sorted(
        (_BUSY if busy_only else _FULL).all(tx, asked), key=itemgetter(0)
    )  # the database moves texts
    if not rows:
        return Pieces([], set(), [], None, None)
    ids, starts, ends, zones, events = zip(*rows, strict=True)
    bare = [object_id for object_id, made in zip(ids, events, strict=True) if made is None]
    texts = [text for some in batches(bare) for text in tx.execute(_TEXTS, {"ids": some}).scalars()]
    last = max(*starts, *filter(None, ends))
    named = set(zones) - {None}
    return Pieces([made for made in events if made is not None], named, texts, min(starts), last)
