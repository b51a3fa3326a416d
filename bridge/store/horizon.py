"""The occurrence index: rows of when objects take place, searched by time and rolled on with the years.

What the rows hold is decided in ``times``. Inside a calendar's horizon a question is one query; outside, and
for very dense series, the few that may match are expanded, so the answer is exact everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import starmap
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, Select, and_, bindparam, delete, insert, or_, select, true, update

from bridge.ical.occurrences import occurrences
from bridge.store import calendars
from bridge.store.calendars import CalendarRow
from bridge.store.contents import SELECT, StoredObject
from bridge.store.prepared import Prepared
from bridge.store.shown import SHOWN, Shown
from bridge.store.tables import calendar, object_, occurrence
from bridge.store.times import STEP, Times, times, window

#: Beyond these no calendar reaches (years 1 and 9999); an open end of a window becomes one of them.
FIRST, LAST = -62_135_596_800, 253_402_300_799

Found = TypeVar("Found", StoredObject, Shown)

_FORGET = Prepared(delete(occurrence).where(occurrence.c.object_id == bindparam("row_id")))
_WRITE = Prepared(insert(occurrence))

# RFC 4791 9.9: [starts, ends) meets [start, end); an occurrence of no length counts where it is. No row
# is longer than the calendar's longest, which bounds the index search on both sides.
_meeting = select(occurrence.c.object_id).where(
    occurrence.c.calendar_id == bindparam("calendar_id"),
    occurrence.c.starts >= bindparam("floor"),
    occurrence.c.starts < bindparam("end"),
    or_(
        occurrence.c.ends > bindparam("start"),
        and_(occurrence.c.ends == occurrence.c.starts, occurrence.c.ends == bindparam("start")),
    ),
)


@dataclass(frozen=True, slots=True)
class _Question(Generic[Found]):
    """The three queries behind one question, and the rows they are told in: what certainly takes place, what
    is in there somewhere, and series that may lie beyond the horizon."""

    exact: Select[Any]
    dense: Select[Any]
    series: Select[Any]
    row: Callable[..., Found]

    @classmethod
    def of(cls, selected: Select[Any], row: Callable[..., Found]) -> _Question[Found]:
        visible = selected.where(~object_.c.hidden)
        return cls(
            visible.where(object_.c.id.in_(_meeting.where(occurrence.c.exact))),
            visible.where(object_.c.id.in_(_meeting.where(~occurrence.c.exact))),
            visible.where(
                object_.c.calendar_id == bindparam("calendar_id"),
                object_.c.recurring,
                object_.c.starts < bindparam("end"),
                or_(object_.c.ends.is_(None), object_.c.ends >= bindparam("start")),
            ),
            row,
        )


_WHOLE = _Question.of(SELECT, StoredObject)
_SHOWN = _Question.of(SHOWN, Shown)
_OF_CALENDAR = SELECT.where(
    object_.c.calendar_id == bindparam("calendar_id"), object_.c.id > bindparam("after")
)
_STALE = select(calendar.c.id).where(calendar.c.horizon_end < bindparam("limit")).order_by(calendar.c.id)


def in_range(tx: Connection, calendar_id: int, start: int | None, end: int | None) -> list[StoredObject]:
    """The visible objects with an occurrence in ``[start, end)``, exactly. Seconds since 1970, None: open.

    Raises NotFound if there is no such calendar.
    """
    return _answer(tx, calendars.get(tx, calendar_id), start, end, _WHOLE)


def shown_in_range(tx: Connection, row: CalendarRow, start: int | None, end: int | None) -> list[Shown]:
    """As ``in_range``, for a calendar whose row was read in this transaction, with less of each object."""
    return _answer(tx, row, start, end, _SHOWN)


def _answer(
    tx: Connection, row: CalendarRow, start: int | None, end: int | None, question: _Question[Found]
) -> list[Found]:
    start = FIRST if start is None else max(start, FIRST)
    end = LAST if end is None else min(end, LAST)
    asked: dict[str, int] = {"calendar_id": row.id, "start": start, "end": end}
    bounded = asked | {"floor": start - row.longest}
    found = {each.id: each for each in starmap(question.row, tx.execute(question.exact, bounded))}
    unsure: list[Row[Any]] = list(tx.execute(question.dense, bounded))
    if start < row.horizon_start or end > row.horizon_end:
        unsure += tx.execute(question.series, asked)
    for series in starmap(question.row, unsure):
        if series.id not in found and _takes_place(series, ZoneInfo(row.time_zone), start, end):
            found[series.id] = series
    return list(found.values())


def _takes_place(series: StoredObject | Shown, zone: ZoneInfo, start: int, end: int) -> bool:
    """Whether the series has an occurrence in the window, by expansion."""
    if series.ends is None and end == LAST:
        return True  # without end: it comes after any moment
    first = start if series.starts is None else max(start, series.starts)
    last = end if series.ends is None else min(end, series.ends + 1)
    return bool(occurrences(series.text, first, last, zone))


def write_spans(tx: Connection, calendar_id: int, object_id: int, when: Times, *, replace: bool) -> None:
    """The occurrence rows of one object."""
    if replace:
        _FORGET.run(tx, {"row_id": object_id})
    write_many(tx, calendar_id, {object_id: when})


def write_many(tx: Connection, calendar_id: int, of: Mapping[int, Times]) -> None:
    """The occurrence rows of many objects (by id) that have none."""
    rows = [
        {"object_id": object_id, "exact": when.exact, "starts": starts, "ends": ends, "takes": int(takes)}
        for object_id, when in of.items()
        for starts, ends, takes in when.spans
    ]
    _WRITE.run_many(tx, rows, {"calendar_id": calendar_id})


def stale_horizons(tx: Connection, now: datetime) -> list[int]:
    """The calendars whose horizon should be moved on."""
    return list(tx.execute(_STALE, {"limit": window(now)[1] - STEP}).scalars())


def extend_horizon(tx: Connection, calendar_id: int, now: datetime) -> bool:
    """Roll the horizon on if it lags behind, and index the recurring objects anew; True if it did."""
    row = calendars.lock(tx, calendar_id)
    start, end = window(now)
    if end - row.horizon_end < STEP:
        return False
    changed = {"horizon_start": start, "horizon_end": end}
    tx.execute(update(calendar).where(calendar.c.id == calendar_id).values(changed))
    _index_anew(tx, row, ZoneInfo(row.time_zone), start, end, only_recurring=True)
    return True


def reindex(tx: Connection, calendar_id: int, zone: ZoneInfo) -> None:
    """Index everything anew in another zone: dates and floating times have moved when the user did.

    No bytes change, so neither etags nor tokens do.
    """
    row = calendars.lock(tx, calendar_id)
    _index_anew(tx, row, zone, row.horizon_start, row.horizon_end, only_recurring=False)


def _index_anew(
    tx: Connection, row: CalendarRow, zone: ZoneInfo, start: int, end: int, *, only_recurring: bool
) -> None:
    wanted = (
        _OF_CALENDAR.where(object_.c.recurring if only_recurring else true())
        .order_by(object_.c.id)
        .limit(200)
    )
    after, longest = 0, row.longest
    while portion := [StoredObject(*v) for v in tx.execute(wanted, {"calendar_id": row.id, "after": after})]:
        for stored in portion:
            when = times(stored.text, zone, start, end)
            if (stored.starts, stored.ends) != (when.starts, when.ends):
                enclosing = {"starts": when.starts, "ends": when.ends}
                tx.execute(update(object_).where(object_.c.id == stored.id).values(enclosing))
            write_spans(tx, row.id, stored.id, when, replace=True)
            longest = max(longest, when.longest)
        after = portion[-1].id
    tx.execute(update(calendar).where(calendar.c.id == row.id).values(longest=longest))
