"""The time that a calendar's objects take, from the occurrence index; texts are read only where it must be.

What an event does to its time is decided in ``bridge.ical.busy``, when it is written. Hidden objects count:
a booking that was taken off one calendar is still the photographer's.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, bindparam, or_, select

from bridge.errors import Invalid
from bridge.ical.busy import Taken, Takes, taken
from bridge.slots.timeline import joined
from bridge.store.calendars import CalendarRow
from bridge.store.prepared import Prepared
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


_MEETING = Prepared(
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
#: The same, told by the index alone: a page that shows many times does not ask what takes each.
_TAKEN = Prepared(
    select(occurrence.c.starts, occurrence.c.ends)
    .where(
        occurrence.c.calendar_id == bindparam("calendar_id"),
        occurrence.c.starts >= bindparam("floor"),
        occurrence.c.starts < bindparam("end"),
        occurrence.c.ends > bindparam("start"),
        occurrence.c.takes.between(int(Takes.BUSY), bindparam("last")),
    )
    .order_by(occurrence.c.starts)
)
_UNSURE = Prepared(
    select(occurrence.c.object_id)
    .where(
        occurrence.c.calendar_id == bindparam("calendar_id"),
        occurrence.c.starts >= bindparam("floor"),
        occurrence.c.starts < bindparam("end"),
        occurrence.c.ends > bindparam("start"),
        occurrence.c.takes == int(Takes.ASKS),
    )
    .distinct()
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


#: By question; any change of the calendar's objects, zone or index makes another question of it.
_answers: dict[tuple[Hashable, ...], list[tuple[int, int]]] = {}
_MOST_ANSWERS = 512


def between(
    tx: Connection, calendar: CalendarRow, start: int, end: int, me: Collection[str]
) -> list[BusyRow]:
    """What takes time in ``[start, end)``, in no order. ``me``: the addresses under which the user is
    invited, lower case. Exact everywhere; outside the index's horizon series are expanded."""
    asked = {"calendar_id": calendar.id, "start": start, "end": end}
    found, unsure = [], set()
    meeting = _MEETING.all(tx, asked | {"floor": start - calendar.longest})
    for object_id, uid, kind, starts, ends, takes, exact in meeting:
        if exact and takes != Takes.ASKS:
            found.append(BusyRow(object_id, uid, kind, starts, ends, takes == Takes.TENTATIVE))
        else:
            unsure.add(object_id)
    if start < calendar.horizon_start or end > calendar.horizon_end:
        unsure |= set(tx.execute(_BEYOND, asked).scalars())
        found = [row for row in found if row.object_id not in unsure]
    found += _read(tx, unsure, start, end, ZoneInfo(calendar.time_zone), me)
    return found


def stretches(
    tx: Connection, calendar: CalendarRow, start: int, end: int, me: Collection[str], *, tentative: bool
) -> list[tuple[int, int]]:
    """The time that is taken in ``[start, end)``, in order and without overlaps; ``tentative``: what may
    take place counts, too. As exact as ``between``, and faster: it does not say what takes it, and a calendar
    that has not changed since is not asked again. In reading transactions only: what is written may be taken
    back, and its ``seq`` used again."""
    known = (calendar.installation_generation, calendar.generation, calendar.id, calendar.seq)
    index = (calendar.horizon_start, calendar.horizon_end, calendar.longest, calendar.time_zone)
    asked = (*known, *index, start, end, frozenset(me), tentative)
    if (answer := _answers.get(asked)) is None:
        if len(_answers) >= _MOST_ANSWERS:
            _answers.clear()
        answer = _answers[asked] = _stretches(tx, calendar, start, end, me, tentative)
    return answer


def _stretches(
    tx: Connection, calendar: CalendarRow, start: int, end: int, me: Collection[str], tentative: bool
) -> list[tuple[int, int]]:
    if start < calendar.horizon_start or end > calendar.horizon_end:
        rows = between(tx, calendar, start, end, me)
        return joined((row.starts, row.ends) for row in rows if tentative or not row.tentative)
    asked = {"calendar_id": calendar.id, "start": start, "end": end, "floor": start - calendar.longest}
    last = int(Takes.TENTATIVE if tentative else Takes.BUSY)
    found = _TAKEN.all(tx, asked | {"last": last})
    unsure = {object_id for (object_id,) in _UNSURE.all(tx, asked)}
    if unsure:
        read = _read(tx, unsure, start, end, ZoneInfo(calendar.time_zone), me)
        found += [(row.starts, row.ends) for row in read if tentative or not row.tentative]
    return joined(found)


def forget() -> None:
    """Ask anew from now on; for measurements."""
    _answers.clear()


def texts(tx: Connection, ids: Collection[int]) -> dict[int, str]:
    """The objects' texts, by number."""
    return {row.id: row.text for portion in batches(ids) for row in tx.execute(_TEXTS, {"ids": portion})}


def _read(
    tx: Connection, ids: Collection[int], start: int, end: int, zone: ZoneInfo, me: Collection[str]
) -> Iterator[BusyRow]:
    mine = frozenset(me)
    for portion in batches(ids):
        for row in tx.execute(_TEXTS, {"ids": portion}):
            for one in _taken(row.text, start, end, zone, mine):
                yield BusyRow(row.id, row.uid, row.kind, one.starts, one.ends, one.tentative)


@lru_cache(maxsize=2048)
def _taken(text: str, start: int, end: int, zone: ZoneInfo, me: frozenset[str]) -> list[Taken]:
    """As ``taken``; a page that is looked at again expands nothing again."""
    try:
        return taken(text, start, end, zone, me)
    except Invalid:
        return []  # its times can't be read: nobody can tell what it takes
