"""The occurrence index: rows of when objects take place, searched by time and rolled on with the years.

Objects that do not recur have one row, wherever they lie; recurring ones have a row per occurrence inside
the calendar's horizon (``times``). Inside it a question is one query; outside, the few series whose enclosing
range touches the window are expanded, so the answer is exact everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, and_, bindparam, delete, insert, or_, select, true, update

from bridge.ical.occurrences import occurrences
from bridge.store import calendars
from bridge.store.calendars import CalendarRow
from bridge.store.contents import SELECT, StoredObject
from bridge.store.tables import calendar, object_, occurrence
from bridge.store.times import STEP, Times, times, window

#: Beyond these no calendar reaches (years 1 and 9999); an open end of a window becomes one of them.
FIRST, LAST = -62_135_596_800, 253_402_300_799

_FORGET = delete(occurrence).where(occurrence.c.object_id == bindparam("row_id"))
_WRITE = insert(occurrence)

# RFC 4791 9.9: [starts, ends) meets [start, end); an occurrence of no length counts where it is. No row
# is longer than the calendar's longest, which bounds the index search on both sides.
_indexed = select(occurrence.c.object_id).where(
    occurrence.c.calendar_id == bindparam("calendar_id"),
    occurrence.c.starts >= bindparam("floor"),
    occurrence.c.starts < bindparam("end"),
    or_(
        occurrence.c.ends > bindparam("start"),
        and_(occurrence.c.ends == occurrence.c.starts, occurrence.c.ends == bindparam("start")),
    ),
)
_IN_RANGE = SELECT.where(~object_.c.hidden, object_.c.id.in_(_indexed))
_SERIES = SELECT.where(
    object_.c.calendar_id == bindparam("calendar_id"),
    object_.c.recurring,
    ~object_.c.hidden,
    object_.c.starts < bindparam("end"),
    or_(object_.c.ends.is_(None), object_.c.ends >= bindparam("start")),
)
_OF_CALENDAR = SELECT.where(
    object_.c.calendar_id == bindparam("calendar_id"), object_.c.id > bindparam("after")
)
_STALE = select(calendar.c.id).where(calendar.c.horizon_end < bindparam("limit")).order_by(calendar.c.id)


def in_range(tx: Connection, calendar_id: int, start: int | None, end: int | None) -> list[StoredObject]:
    """The visible objects with an occurrence in ``[start, end)``, exactly. Seconds since 1970, None: open.

    Raises NotFound if there is no such calendar.
    """
    row = calendars.get(tx, calendar_id)
    start = FIRST if start is None else max(start, FIRST)
    end = LAST if end is None else min(end, LAST)
    window_ = {"calendar_id": calendar_id, "start": start, "end": end}
    rows = tx.execute(_IN_RANGE, window_ | {"floor": start - row.longest})
    found = {object_row.id: object_row for object_row in (StoredObject(*values) for values in rows)}
    if start < row.horizon_start or end > row.horizon_end:
        for series in (StoredObject(*values) for values in tx.execute(_SERIES, window_)):
            if series.id not in found and _outside(series, row, start, end):
                found[series.id] = series
    return list(found.values())


def _outside(series: StoredObject, row: CalendarRow, start: int, end: int) -> bool:
    """Whether a series takes place in the parts of the window that the index does not cover."""
    if series.ends is None and end == LAST:
        return True  # without end: it comes after any moment
    zone = ZoneInfo(row.time_zone)
    last = end if series.ends is None else min(end, series.ends + 1)
    first = start if series.starts is None else max(start, series.starts)
    parts = ((first, min(last, row.horizon_start)), (max(first, row.horizon_end), last))
    return any(early < late and occurrences(series.text, early, late, zone) for early, late in parts)


def write_spans(
    tx: Connection, calendar_id: int, object_id: int, spans: Sequence[tuple[int, int]], *, replace: bool
) -> None:
    """The occurrence rows of one object."""
    if replace:
        tx.execute(_FORGET, {"row_id": object_id})
    if spans:
        same = {"object_id": object_id, "calendar_id": calendar_id}
        tx.execute(_WRITE, [same | {"starts": starts, "ends": ends} for starts, ends in spans])


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
    """Index everything anew in another zone: dates and floating times have moved when the user did. No bytes
    change, so neither etags nor tokens do."""
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
            _set_times(tx, stored, when)
            longest = max(longest, when.longest)
        after = portion[-1].id
    tx.execute(update(calendar).where(calendar.c.id == row.id).values(longest=longest))


def _set_times(tx: Connection, stored: StoredObject, when: Times) -> None:
    if (stored.starts, stored.ends) != (when.starts, when.ends):
        enclosing = {"starts": when.starts, "ends": when.ends}
        tx.execute(update(object_).where(object_.c.id == stored.id).values(enclosing))
    write_spans(tx, stored.calendar_id, stored.id, when.spans, replace=True)
