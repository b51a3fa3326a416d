"""Objects as calendar clients see them: the lean reads behind the answers that every phone asks for.

Rows here hold no more than an answer needs; hidden objects are never among them. Whole objects are read by
``contents``, what happens when by ``horizon``. All of these are asked in one reading transaction with the
calendar's row, so that tokens and rows are of one moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, LargeBinary, bindparam, cast, false, func, literal, select, true, union_all

from bridge.ical.busy import Takes
from bridge.store.prepared import Prepared
from bridge.store.rows import batches
from bridge.store.tables import change, object_, occurrence


class Named(NamedTuple):
    """One line of a listing."""

    href: str
    etag: str
    component: str


class Shown(NamedTuple):
    """One object with its text; ``starts`` and ``ends`` enclose it, exactly if it does not recur."""

    id: int
    href: str
    etag: str
    component: str
    recurring: bool
    starts: int | None
    ends: int | None
    text: str


class Step(NamedTuple):
    """One line of a delta: the object at ``href`` was last changed by ``seq``. No etag: it is gone."""

    seq: int
    href: str
    etag: str | None
    component: str


class Span(NamedTuple):
    """Time of one object; inexact: it takes place somewhere in there. ``takes``: see ``bridge.ical.busy``."""

    object_id: int
    starts: int
    ends: int
    takes: int
    exact: bool


_o = object_.c
_mine = (_o.calendar_id == bindparam("calendar_id"), _o.hidden == false())

SHOWN = select(_o.id, _o.href, _o.etag, _o.component, _o.recurring, _o.starts, _o.ends, _o.text)
_named = select(_o.href, _o.etag, _o.component).where(*_mine)
_all = SHOWN.where(*_mine)
_of_hrefs = _all.where(_o.href.in_(bindparam("hrefs", expanding=True)))
_of_uid = Prepared(_all.where(_o.uid == bindparam("uid")), Shown)
_texts = select(_o.text).where(*_mine).execution_options(yield_per=500)
_count = select(func.count(), func.sum(func.length(cast(_o.text, LargeBinary)))).where(*_mine)

_taken = Prepared(
    select(
        occurrence.c.object_id,
        occurrence.c.starts,
        occurrence.c.ends,
        occurrence.c.takes,
        occurrence.c.exact,
    )
    .join(object_, _o.id == occurrence.c.object_id)
    .where(
        occurrence.c.calendar_id == bindparam("calendar_id"),
        occurrence.c.starts >= bindparam("floor"),
        occurrence.c.starts < bindparam("end"),
        occurrence.c.ends > bindparam("start"),
        occurrence.c.takes != int(Takes.FREE),
        _o.hidden == false(),
    ),
    Span,
)
_of_ids = select(_o.id, _o.text).where(_o.id.in_(bindparam("ids", expanding=True)))

# The log names an href for each of its changes; what is there now speaks for it, and only if nothing is
# there is it gone. Both halves walk an index from the asked seq on, however large the calendar is.
_there = select(_o.seq.label("seq"), _o.href, _o.etag, _o.component).where(
    *_mine, _o.seq > bindparam("after")
)
_log = change.alias("log")
_gone = (
    select(func.max(_log.c.seq).label("seq"), _log.c.href, literal(None), literal(""))
    .where(
        _log.c.calendar_id == bindparam("calendar_id"),
        _log.c.seq > bindparam("gone_after"),
        _log.c.deleted == true(),
        ~select(_o.id).where(*_mine, _o.href == _log.c.href).exists(),
    )
    .group_by(_log.c.href)
)
_steps = Prepared(union_all(_there, _gone).order_by("seq").limit(bindparam("most")), Step)


def names(tx: Connection, calendar_id: int) -> Sequence[tuple[str, str, str]]:
    """``Named`` of every object, in no order."""
    return tx.execute(_named, {"calendar_id": calendar_id}).all()


def everything(tx: Connection, calendar_id: int) -> Iterator[Shown]:
    """Streamed: leave the transaction open until done."""
    streamed = tx.execute(_all.execution_options(yield_per=500), {"calendar_id": calendar_id})
    return map(Shown._make, streamed)


def of_hrefs(tx: Connection, calendar_id: int, hrefs: Iterable[str]) -> dict[str, Shown]:
    """By href; what does not exist is missing."""
    return {
        row.href: row
        for portion in batches(hrefs)
        for row in map(Shown._make, tx.execute(_of_hrefs, {"calendar_id": calendar_id, "hrefs": portion}))
    }


def of_uid(tx: Connection, calendar_id: int, uid: str) -> list[Shown]:
    """The object with this UID, or none."""
    return _of_uid.all(tx, {"calendar_id": calendar_id, "uid": uid})


def texts(tx: Connection, calendar_id: int) -> Iterator[str]:
    """The text of every object, streamed: leave the transaction open until done."""
    return iter(tx.execute(_texts, {"calendar_id": calendar_id}).scalars())


def steps(
    tx: Connection, calendar_id: int, after: int, gone_after: int | None, most: int | None
) -> list[Step]:
    """What changed after the seq ``after``, each href once, by seq; at most ``most`` of them. Deletions count
    from ``gone_after`` on; None: none are told."""
    asked = {
        "calendar_id": calendar_id,
        "after": after,
        "gone_after": 2**62 if gone_after is None else gone_after,
        "most": 2**62 if most is None else most,
    }
    return _steps.all(tx, asked)


def taken(tx: Connection, calendar_id: int, floor: int, start: int, end: int) -> list[Span]:
    """What takes time in ``[start, end)``, from the index alone; nothing longer began before ``floor``."""
    return _taken.all(tx, {"calendar_id": calendar_id, "floor": floor, "start": start, "end": end})


def texts_of(tx: Connection, ids: Iterable[int]) -> list[str]:
    """The texts of these objects, in no order."""
    return [row.text for portion in batches(ids) for row in tx.execute(_of_ids, {"ids": portion})]


def size(tx: Connection, calendar_id: int) -> int:
    """How many bytes the objects have together."""
    return int(tx.execute(_count, {"calendar_id": calendar_id}).one()[1] or 0)
