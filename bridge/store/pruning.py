"""What is old enough to be forgotten, a portion at a time: changes, journal and passes, what was settled.

Each call is one short transaction of the caller's, so that nobody waits for long; they are repeated until
nothing is left. How old is old is the service's business. Nothing that waits for somebody is ever taken:
conflicts and suggestions without an answer, standing notices, and the passes that they or a journal row
belong to.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, Table, bindparam, delete, exists, func, select, update

from bridge.store.prepared import Prepared
from bridge.store.tables import calendar, change, conflict, journal, notice, pass_, suggestion

#: Rows that go in one transaction.
PORTION = 500

_oldest = (
    select(change.c.at)
    .where(change.c.calendar_id == calendar.c.id)
    .order_by(change.c.seq)
    .limit(1)
    .scalar_subquery()
)
_portion = select(calendar.c.id, _oldest.label("oldest")).order_by(calendar.c.id).limit(bindparam("most"))
_CALENDARS = Prepared(_portion.where(calendar.c.id > bindparam("after")))
_old = (
    select(change.c.seq)
    .where(change.c.calendar_id == bindparam("calendar_id"), change.c.at < bindparam("older_than"))
    .order_by(change.c.seq)
    .limit(bindparam("most"))
)
_LAST_OLD = Prepared(select(func.max(_old.subquery().c.seq)))
_MARK = Prepared(update(calendar).where(calendar.c.id == bindparam("calendar_id")))
_FORGET = Prepared(
    delete(change).where(change.c.calendar_id == bindparam("calendar_id"), change.c.seq <= bindparam("upto"))
)
_PASSES = (
    select(pass_.c.id, pass_.c.started)
    .where(pass_.c.id > bindparam("after"))
    .order_by(pass_.c.id)
    .limit(bindparam("most"))
)


def calendars_with_old_changes(
    tx: Connection, older_than: datetime, after: int, most: int = PORTION
) -> tuple[list[int], int | None]:
    """Of the next calendars after number ``after``: those whose log begins before that moment, and the last
    number that was looked at; None when there are no more."""
    rows = _CALENDARS.all(tx, {"after": after, "most": most})
    found = [number for number, oldest in rows if oldest is not None and oldest < older_than]
    return found, rows[-1][0] if rows else None


def changes(tx: Connection, calendar_id: int, older_than: datetime, most: int = PORTION) -> int:
    """Forget the oldest changes of a calendar; returns how many rows went. ``pruned_seq`` moves with them, so
    that no token that is still accepted misses a deletion."""
    asked = {"calendar_id": calendar_id, "older_than": older_than, "most": most}
    (upto,) = _LAST_OLD.first(tx, asked) or (None,)
    if upto is None:
        return 0
    # the seq first: its row lock keeps writers out while the rows go
    _MARK.run(tx, {"calendar_id": calendar_id, "pruned_seq": upto})
    return _FORGET.run(tx, {"calendar_id": calendar_id, "upto": upto})


def journal_rows(tx: Connection, older_than: datetime, most: int = PORTION) -> int:
    """Forget the oldest rows of the journal."""
    return _gone(tx, journal, select(journal.c.id).where(journal.c.at < older_than).limit(most))


def passes(tx: Connection, older_than: datetime, after: int, most: int = PORTION) -> tuple[int, int | None]:
    """Of the next passes after number ``after``, forget the old ones that nothing belongs to any more.
    Returns how many went, and the last number that was looked at; None when no more of them are old."""
    rows = tx.execute(_PASSES, {"after": after, "most": most}).all()
    old = [row.id for row in rows if row.started < older_than]
    kept = exists().where(journal.c.pass_id == pass_.c.id), exists().where(conflict.c.pass_id == pass_.c.id)
    wanted = select(pass_.c.id).where(pass_.c.id.in_(old), ~kept[0], ~kept[1])
    return (_gone(tx, pass_, wanted), rows[-1].id) if old else (0, None)


def settled(tx: Connection, older_than: datetime, most: int = PORTION) -> int:
    """Forget conflicts and suggestions that were answered, and notices that were put away."""
    conflicts = select(conflict.c.id).where(conflict.c.at < older_than, conflict.c.resolved.is_not(None))
    answered = select(suggestion.c.id).where(suggestion.c.at < older_than, suggestion.c.answer.is_not(None))
    put_away = select(notice.c.id).where(notice.c.at < older_than, notice.c.dismissed < older_than)
    return (
        _gone(tx, conflict, conflicts.limit(most))
        + _gone(tx, suggestion, answered.limit(most))
        + _gone(tx, notice, put_away.limit(most))
    )


def _gone(tx: Connection, table: Table, wanted: Select[Any]) -> int:
    return tx.execute(delete(table).where(table.c.id.in_(wanted))).rowcount
