"""The change log and the sync tokens that point into it (RFC 6578).

Each change of an object takes one ``seq`` of its calendar and leaves one row; a deletion's row is its
tombstone. A token names installation generation, calendar, calendar generation and seq, so one from
another store, from before a restore, from the future, or from before the log begins is recognised and
refused: the client then lists everything, which is slow but never wrong. Old rows go (``pruning``), and
``pruned_seq`` moves with them: no token that we still accept misses a tombstone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select

from bridge.errors import Invalid
from bridge.store.calendars import CalendarRow
from bridge.store.prepared import Prepared
from bridge.store.tables import calendar, change

PREFIX = "urn:picsello-bridge:sync:"


@dataclass(frozen=True, slots=True)
class Change:
    """The last thing that happened to one href."""

    href: str
    uid: str
    seq: int
    actor: str


@dataclass(frozen=True, slots=True)
class Delta:
    """What happened since a seq; no href is in both lists."""

    changed: Sequence[Change]
    deleted: Sequence[Change]


@dataclass(frozen=True, slots=True)
class Position:
    """How much of a calendar a client has been told: changes up to ``seq``. While it is still told what was
    there at the seq ``began``, portion by portion, deletions count from ``began`` on: what went before, it
    has never seen."""

    seq: int
    began: int


_APPEND = Prepared(insert(change))
_SINCE = Prepared(
    select(change.c.href, change.c.uid, change.c.seq, change.c.actor, change.c.deleted)
    .where(change.c.calendar_id == bindparam("calendar_id"), change.c.seq > bindparam("since"))
    .order_by(change.c.seq)
)
_PRUNED = Prepared(select(calendar.c.pruned_seq).where(calendar.c.id == bindparam("id")))


def token(row: CalendarRow) -> str:
    """The sync token for the calendar as ``row`` saw it: an absolute URI, as RFC 6578 6.2 wants."""
    return f"{PREFIX}{row.installation_generation}:{row.id}:{row.generation}:{row.seq}"


def token_at(row: CalendarRow, position: Position) -> str:
    """The sync token for a client that has been told the calendar only up to ``position``."""
    start = f"{PREFIX}{row.installation_generation}:{row.id}:{row.generation}:"
    if position.seq >= position.began:
        return f"{start}{position.seq}"
    return f"{start}{position.seq}:{position.began}"


def position(value: str, row: CalendarRow) -> Position:
    """Where the client with this token stands. Raises Invalid (``valid-sync-token``) if it is none of ours
    for this calendar, or too old."""
    parts = value.removeprefix(PREFIX).split(":") if value.startswith(PREFIX) else []
    if len(parts) in (4, 5) and all(part.isascii() and part.isdigit() and len(part) < 20 for part in parts):
        *calendar_of, seq, began = map(int, parts if len(parts) == 5 else [*parts, parts[-1]])
        ours = [row.installation_generation, row.id, row.generation]
        if calendar_of == ours and seq <= began and row.pruned_seq <= began <= row.seq:
            return Position(seq, began)
    raise _refused()


def parse_token(value: str, row: CalendarRow) -> int:
    """The seq a token of ``token`` stands for. Raises Invalid as ``position`` does."""
    found = position(value, row)
    if found.seq != found.began:
        raise _refused()
    return found.seq


def changed_since(tx: Connection, calendar_id: int, seq: int) -> Delta:
    """What happened after ``seq``, each href once, in the order of the last changes.

    Hidden objects count as deleted. Raises Invalid (``valid-sync-token``) if the log no longer reaches back.
    """
    (pruned,) = _PRUNED.first(tx, {"id": calendar_id}) or (0,)
    if seq < pruned:
        raise _refused()
    last: dict[str, tuple[Change, bool]] = {}
    for href, uid, at, actor, deleted in _SINCE.all(tx, {"calendar_id": calendar_id, "since": seq}):
        last.pop(href, None)  # so that the order is that of the last change
        last[href] = Change(href, uid, at, actor), deleted
    return Delta(
        [found for found, deleted in last.values() if not deleted],
        [found for found, deleted in last.values() if deleted],
    )


def append(
    tx: Connection,
    calendar_id: int,
    seq: int,
    href: str,
    uid: str,
    *,
    deleted: bool,
    actor: str,
    now: datetime,
) -> None:
    """Record one change; ``objects`` does so under the calendar's lock."""
    same = {"calendar_id": calendar_id, "deleted": deleted, "actor": actor, "at": now}
    _APPEND.run(tx, same | {"seq": seq, "href": href, "uid": uid})


def append_new(
    tx: Connection,
    calendar_id: int,
    made: Iterable[tuple[int, str, str]],
    *,
    actor: str,
    now: datetime,
) -> None:
    """Record that these objects, ``(seq, href, uid)``, are new."""
    same = {"calendar_id": calendar_id, "deleted": False, "actor": actor, "at": now}
    _APPEND.run_many(tx, [{"seq": seq, "href": href, "uid": uid} for seq, href, uid in made], same)


def _refused() -> Invalid:
    return Invalid(
        "This sync token is not known here (any more): list the calendar again.", "valid-sync-token"
    )
