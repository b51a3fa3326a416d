"""Many new objects at once: what a first import writes.

Everything that ``objects.put`` does for one, asked and written once for all of them. One that cannot be kept
stops all: the caller then writes them one by one, and learns which it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, or_, select

from bridge.errors import Stale
from bridge.store import changes, horizon, links, passes, pieces
from bridge.store.calendars import lock, moved_on
from bridge.store.kept import kept
from bridge.store.prepared import Prepared
from bridge.store.tables import object_

_INSERT = Prepared(insert(object_))
_MEETS = select(object_.c.id).where(
    object_.c.calendar_id == bindparam("calendar_id"),
    or_(
        object_.c.href.in_(bindparam("hrefs", expanding=True)),
        object_.c.uid.in_(bindparam("uids", expanding=True)),
    ),
)
_MADE = Prepared(
    select(object_.c.id)
    .where(object_.c.calendar_id == bindparam("calendar_id"), object_.c.seq > bindparam("since"))
    .order_by(object_.c.seq)
)


def put_new(
    tx: Connection,
    calendar_id: int,
    texts: Mapping[str, str],
    *,
    kind: str,
    actor: str,
    now: datetime,
    pass_id: int | None = None,
    link_id: int | None = None,
) -> Sequence[str]:
    """Create an object at each href (at most some hundred); returns their etags, in the same order.

    Raises Stale if an href or a UID of them is taken, or is there twice; Invalid as ``objects.put`` does.
    NotFound: no such calendar.
    """
    row = lock(tx, calendar_id)
    read = [kept(text, row) for text in texts.values()]
    uids = {one.facts.uid for one in read}
    meets: dict[str, Any] = {"calendar_id": calendar_id, "hrefs": list(texts), "uids": list(uids)}
    if len(uids) < len(read) or tx.execute(_MEETS, meets).first() is not None:
        raise Stale("One of these events is here by now.")
    made = list(zip(range(row.seq + 1, row.seq + 1 + len(read)), texts.items(), read, strict=True))
    _INSERT.run_many(
        tx,
        [one.columns(href, text, kind, seq, now, hidden=False) for seq, (href, text), one in made],
        {"calendar_id": calendar_id, "created": now},
    )
    ids = [id_ for (id_,) in _MADE.all(tx, {"calendar_id": calendar_id, "since": row.seq})]
    horizon.write_many(tx, calendar_id, {id_: one.when for id_, one in zip(ids, read, strict=True)})
    if row.kind == "bookings":
        for id_, text, one in zip(ids, texts.values(), read, strict=True):
            if one.facts.component == "VEVENT":  # feeds read no others
                pieces.write(tx, id_, text, replace=False)
    longest = max((one.when.longest for one in read), default=0)
    moved_on(tx, row, row.seq + len(read), now, longest=longest)
    changes.append_new(
        tx, calendar_id, [(seq, href, one.facts.uid) for seq, (href, _), one in made], actor=actor, now=now
    )
    passes.journal_new(
        tx,
        [(one.facts.uid, href, text) for _, (href, text), one in made],
        user_id=row.user_id,
        side="hub",
        actor=actor,
        now=now,
        pass_id=pass_id,
        link_id=link_id,
        calendar_id=calendar_id,
    )
    links.wake(tx, row, now, but=link_id)
    return [one.etag for one in read]
