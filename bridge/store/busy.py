"""The time that a calendar's objects take, from the occurrence index; texts are read only where it must be.

What an event does to its time is decided in ``bridge.ical.busy``, when it is written. Hidden objects count:
a booking that was taken off one calendar is still the photographer's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, bindparam, or_, select

from bridge.errors import Invalid
from bridge.ical.busy import Takes, taken
from bridge.store.calendars import CalendarRow
from bridge.store.rows import batches
from bridge.store.tables import object_, occurrence


class BusyRow(NamedTuple):
    """``[starts, ends)`` in seconds since 1970, never empty; ``kind``: booking, block or foreign."""

    object_id: int
    uid: str
    kind: str
    starts: int
    ends: int
    tentative: bool


_MEETING = (
    select(
        occurrence.c.object_id,
        object_.c.uid,
        object_.c.kind,
        occurrence.c.starts,
        occurrence.c.ends,
        occurrence.c.takes,
        occurrence.c.exact,
    )
    .join(object_, object_.c.id == occurrence.c.object_id)
    .where(
        occurrence.c.calendar_id == bindparam("calendar_id"),
        occurrence.c.starts >= bindparam("floor"),
        occurrence.c.starts < bindparam("end"),
        occurrence.c.ends > bindparam("start"),
        occurrence.c.takes != int(Takes.FREE),
    )
)
#: Series that may take place where the index does not reach.
_BEYOND = select(object_.c.id).where(
    object_.c.calendar_id == bindparam("calendar_id"),
    object_.c.recurring,
    object_.c.starts < bindparam("end"),
    or_(object_.c.ends.is_(None), object_.c.ends > bindparam("start")),
)
_TEXTS = select(object_.c.id, object_.c.uid, object_.c.kind, object_.c.text).where(
    object_.c.id.in_(bindparam("ids", expanding=True))
)


def between(
    tx: Connection, calendar: CalendarRow, start: int, end: int, me: Collection[str]
) -> list[BusyRow]:
    """What takes time in ``[start, end)``, in no order. ``me``: the addresses under which the user is
    invited, lower case. Exact everywhere; outside the index's horizon series are expanded."""
    asked = {"calendar_id": calendar.id, "start": start, "end": end}
    found, unsure = [], set()
    for row in tx.execute(_MEETING, asked | {"floor": start - calendar.longest}):
        if row.exact and row.takes != Takes.ASKS:
            tentative = row.takes == Takes.TENTATIVE
            found.append(BusyRow(row.object_id, row.uid, row.kind, row.starts, row.ends, tentative))
        else:
            unsure.add(row.object_id)
    if start < calendar.horizon_start or end > calendar.horizon_end:
        unsure |= set(tx.execute(_BEYOND, asked).scalars())
        found = [row for row in found if row.object_id not in unsure]
    found += _read(tx, unsure, start, end, ZoneInfo(calendar.time_zone), me)
    return found


def texts(tx: Connection, ids: Collection[int]) -> dict[int, str]:
    """The objects' texts, by number."""
    return {row.id: row.text for portion in batches(ids) for row in tx.execute(_TEXTS, {"ids": portion})}


def _read(
    tx: Connection, ids: Collection[int], start: int, end: int, zone: ZoneInfo, me: Collection[str]
) -> Iterator[BusyRow]:
    for portion in batches(ids):
        for row in tx.execute(_TEXTS, {"ids": portion}):
            try:
                spans = taken(row.text, start, end, zone, me)
            except Invalid:
                continue  # its times can't be read: nobody can tell what it takes
            for one in spans:
                yield BusyRow(row.id, row.uid, row.kind, one.starts, one.ends, one.tentative)
