"""Links: the remote calendars that take part, their roles, their state, and who may run a pass now.

A pass holds a *lease* (short, renewed while it works) and a *fence* (a number that grows with every
lease). The lease keeps two passes of one account apart; the fence keeps a holder that slept through its
lease from writing after somebody else took over: every transaction of a pass starts with ``still_mine``.

Order of locks on PostgreSQL: ``still_mine``, then calendars, then changes of the link's own row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    bindparam,
    delete,
    insert,
    or_,
    select,
    update,
)

from bridge.errors import NotFound
from bridge.store.calendars import CalendarRow
from bridge.store.prepared import Prepared
from bridge.store.rows import columns
from bridge.store.tables import account, link

#: A lease that claims to last longer than this was made by a clock that has since been set back.
LONGEST_LEASE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class LinkRow:
    """One link. ``restored``: from a backup, and no pass since; ``held``: why it waits for the user;
    ``agreed_at``: the last full agreement; ``user_id`` and ``provider`` are its account's."""

    id: int
    account_id: int
    remote_id: str
    name: str
    color: str | None
    writable: bool
    reads: bool
    edits: bool
    writes: bool
    source: bool
    blocks_slots: bool
    mirror_id: int | None
    released: bool
    restored: bool
    held: Sequence[str] | None
    state: str
    state_reason: str | None
    cursor: str | None
    bookings_seq: int
    mirror_seq: int
    listed_at: datetime | None
    agreed_at: datetime | None
    due_at: datetime | None
    done: int | None
    to_do: int | None
    lease_holder: str | None
    lease_until: datetime | None
    fence: int
    user_id: int
    provider: str


_LINK: Select[Any] = select(*columns(LinkRow, link, stop=-2), account.c.user_id, account.c.provider).join(
    account, account.c.id == link.c.account_id
)
_BY_ID = Prepared(_LINK.where(link.c.id == bindparam("id")), LinkRow)
_SET = Prepared(update(link).where(link.c.id == bindparam("row_id")))
_FENCE = Prepared(
    select(link.c.fence).where(link.c.id == bindparam("id")).with_for_update(read=True, key_share=True)
)
_account_of = select(link.c.account_id).where(link.c.id == bindparam("id")).scalar_subquery()
_LEASES = Prepared(
    select(link.c.id, link.c.lease_until, link.c.lease_holder, link.c.fence)
    .where(link.c.account_id == _account_of)
    .order_by(link.c.id)
    .with_for_update()
)
_HELD = Prepared(
    update(link).where(link.c.id == bindparam("row_id"), link.c.fence == bindparam("shown_fence"))
)
_RENEW = Prepared(
    update(link).where(
        link.c.id == bindparam("row_id"),
        link.c.fence == bindparam("shown_fence"),
        link.c.lease_holder.is_not(None),
    )
)
_SOONER = Prepared(
    update(link)
    .where(
        link.c.id == bindparam("row_id"),
        or_(link.c.due_at.is_(None), link.c.due_at > bindparam("at")),
    )
    .values(due_at=bindparam("at"))
)


def create(
    tx: Connection,
    account_id: int,
    remote_id: str,
    *,
    name: str,
    color: str | None,
    writable: bool,
    now: datetime,
) -> int:
    """A remote calendar becomes known, without roles; returns its id."""
    values = {
        "account_id": account_id,
        "remote_id": remote_id,
        "name": name,
        "color": color,
        "writable": writable,
        "created": now,
    }
    return int(tx.execute(insert(link).returning(link.c.id), values).scalar_one())


def get(tx: Connection, link_id: int) -> LinkRow:
    """Raises NotFound. For the engine; requests of people go by account or user (``of_account`` ...)."""
    row = _BY_ID.first(tx, {"id": link_id})
    if row is None:
        raise NotFound("This linked calendar does not exist (any more).")
    return row


def of_account(tx: Connection, account_id: int) -> list[LinkRow]:
    rows = tx.execute(_LINK.where(link.c.account_id == account_id).order_by(link.c.id))
    return [LinkRow(*row) for row in rows]


def of_user(tx: Connection, user_id: int) -> list[LinkRow]:
    rows = tx.execute(_LINK.where(account.c.user_id == user_id).order_by(link.c.id))
    return [LinkRow(*row) for row in rows]


def of_mirror(tx: Connection, calendar_id: int) -> LinkRow | None:
    """The link whose events a mirror shows."""
    row = tx.execute(_LINK.where(link.c.mirror_id == calendar_id)).first()
    return None if row is None else LinkRow(*row)


def writer(tx: Connection, user_id: int) -> LinkRow | None:
    """The link that the user's bookings are written to."""
    row = tx.execute(_LINK.where(account.c.user_id == user_id, link.c.writes)).first()
    return None if row is None else LinkRow(*row)


def of_source(tx: Connection, user_id: int) -> LinkRow | None:
    """The link that the user's bookings come from; None for the built-in source."""
    row = tx.execute(_LINK.where(account.c.user_id == user_id, link.c.source)).first()
    return None if row is None else LinkRow(*row)


def set_(tx: Connection, link_id: int, **values: Any) -> None:
    """Change columns of one link (roles, state, cursor, moments), never its lease."""
    if forbidden := values.keys() & {"id", "lease_holder", "lease_until", "fence"}:
        raise TypeError(f"not to be set by hand: {', '.join(sorted(forbidden))}")
    _SET.run(tx, values | {"row_id": link_id})


def remove(tx: Connection, link_id: int) -> None:
    """The link and its pairings; its mirror stays until ``calendars.remove``."""
    tx.execute(delete(link).where(link.c.id == link_id))


# --- becoming due -----------------------------------------------------------------------------------


def takes_part() -> ColumnElement[bool]:
    """Has a role: without one nothing is ever done with a link."""
    return or_(link.c.reads, link.c.edits, link.c.writes, link.c.source)


def make_due(tx: Connection, link_id: int, at: datetime) -> None:
    """Run it at that moment, or earlier if it was due earlier."""
    _SOONER.run(tx, {"row_id": link_id, "at": at})


def _due(condition: ColumnElement[bool]) -> Prepared[tuple[int]]:
    soon = or_(link.c.due_at.is_(None), link.c.due_at > bindparam("now"), ~link.c.urgent)
    return Prepared(
        update(link)
        .where(condition, link.c.id != bindparam("but"), soon)
        .values(due_at=bindparam("now"), urgent=True)
        .returning(link.c.id)
    )


_of_user = select(account.c.id).where(account.c.user_id == bindparam("user_id")).scalar_subquery()
_DUE_WRITERS = _due(link.c.account_id.in_(_of_user) & or_(link.c.writes, link.c.source))
_DUE_EDITORS = _due((link.c.mirror_id == bindparam("calendar_id")) & link.c.edits)


def wake(tx: Connection, row: CalendarRow, now: datetime, *, but: int | None) -> tuple[int, ...]:
    """A calendar changed: the links that carry its changes are due now, those that bookings come from or are
    written to, or the one whose mirror may be edited here; none for a personal calendar. A pass (``but``) is
    not told of its own writes."""
    if row.kind == "personal":
        return ()
    values = {"now": now, "but": but or 0}
    if row.kind == "mirror":
        woken = _DUE_EDITORS.all(tx, values | {"calendar_id": row.id})
    else:
        woken = _DUE_WRITERS.all(tx, values | {"user_id": row.user_id})
    return tuple(id_ for (id_,) in woken)


# --- lease and fence -------------------------------------------------------------------------------


def acquire(
    tx: Connection,
    link_id: int,
    holder: str,
    now: datetime,
    seconds: float = 10,
    *,
    dead: Callable[[str], bool] = lambda _holder: False,
) -> int | None:
    """Try to become the one who runs this link for ``seconds`` (at most 60; renew before they are over).

    Returns the fence to show to ``still_mine``, or None if somebody is at work: on this link, or on another
    one of its account, because a provider counts the requests of an account together. A holder may run
    several links of an account. One that died is overtaken when its lease ends, after 10 s by default, or at
    once if ``dead`` knows that it died. Raises NotFound.
    """
    fences: dict[int, int] = {}
    for row_id, until, by, fence in _LEASES.all(tx, {"id": link_id}):
        fences[row_id] = fence
        at_work = until is not None and now < until <= now + LONGEST_LEASE and not dead(by)
        if at_work and (row_id == link_id or by != holder):
            return None
    if link_id not in fences:
        raise NotFound("This linked calendar does not exist (any more).")
    mine = fences[link_id] + 1
    values = {"lease_holder": holder, "lease_until": now + _length(seconds), "fence": mine}
    _SET.run(tx, values | {"row_id": link_id})
    return mine


def renew(tx: Connection, link_id: int, fence: int, now: datetime, seconds: float = 10) -> bool:
    """Go on for ``seconds`` from now; False if it was given back, somebody else took over, or the link is
    gone: stop at once."""
    until = now + _length(seconds)
    return _RENEW.run(tx, {"lease_until": until, "row_id": link_id, "shown_fence": fence}) == 1


def release(tx: Connection, link_id: int, fence: int) -> None:
    """Done; nothing happens if somebody else took over."""
    free = {"lease_holder": None, "lease_until": None, "done": None, "to_do": None}
    _HELD.run(tx, free | {"row_id": link_id, "shown_fence": fence})


def overtake(tx: Connection, link_id: int) -> None:
    """A pass that is running ends before its next write, and another may begin. What it did so far stays,
    and is found when it goes on."""
    tx.execute(update(link).where(link.c.id == link_id).values(_overtaken()))


def stop(tx: Connection, link_id: int) -> None:
    """The user's word: as ``overtake``, and no pass begins before the link is released again."""
    resting = {"released": False, "state": "stopped", "state_reason": None, "held": None, "due_at": None}
    tx.execute(update(link).where(link.c.id == link_id).values({**_overtaken(), **resting}))


def _overtaken() -> dict[str, Any]:
    return {
        "fence": link.c.fence + 1,
        "lease_holder": None,
        "lease_until": None,
        "done": None,
        "to_do": None,
    }


def still_mine(tx: Connection, link_id: int, fence: int) -> bool:
    """Whether nobody took over; and until this transaction ends nobody can. First statement of every
    transaction in which a pass writes."""
    return _FENCE.first(tx, {"id": link_id}) == (fence,)


def _length(seconds: float) -> timedelta:
    return min(timedelta(seconds=seconds), LONGEST_LEASE)
