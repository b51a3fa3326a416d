"""Whose turn it is: which links a worker runs next, fairly, and when each comes again.

A link is *due* when ``due_at`` has come; *urgent* when something changed here that must go out. A worker
*takes* links, which makes them due again soon: should the job, the queue or the worker be lost, they are
found again by that. When its pass is done the link *rests* until its next look. Everything is found by
index, in time proportional to what is due, however many links there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Integer,
    Select,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    update,
)

from bridge.store.links import LONGEST_LEASE, takes_part
from bridge.store.prepared import Prepared
from bridge.store.tables import account, link, user

#: So many of the longest waiting are compared with each other; the rest waits behind them.
COMPARED = 2000
#: A link whose job was lost (a worker killed, the queue emptied) is due again after this.
TAKEN = timedelta(seconds=20)
#: An account that waits for its user is looked at again so often; signing in makes its links due at once.
WAITING = timedelta(minutes=10)


def due(tx: Connection, now: datetime, limit: int = 50) -> list[int]:
    """Ids of the links that should run now: what changed here before routine looks, then turn by turn one
    link of each studio, the longest waiting first; of an account at most one, since its links run one after
    the other. Nobody is at work in their account, which neither backs off nor waits for its user."""
    asked = {"now": now, "longest": now + LONGEST_LEASE}
    found = _URGENT.all(tx, asked | {"limit": limit})
    if len(found) < limit:
        found += _ROUTINE.all(tx, asked | {"limit": limit - len(found)})
    return [link_id for (link_id,) in found]


def _fair(kind: ColumnElement[bool]) -> Prepared[tuple[int]]:
    """``now``; ``longest``: no lease that is meant reaches further; ``limit``."""
    now: BindParameter[Any] = bindparam("now")
    sibling = link.alias()
    at_work = exists().where(
        sibling.c.account_id == link.c.account_id,
        sibling.c.lease_until > now,
        sibling.c.lease_until <= bindparam("longest"),
    )
    waiting = (
        select(link.c.id, link.c.due_at, link.c.account_id, user.c.studio_id)
        .join(account, account.c.id == link.c.account_id)
        .join(user, user.c.id == account.c.user_id)
        .where(link.c.due_at <= now, kind, takes_part(), ~at_work, *_able(now))
        .order_by(link.c.due_at)
        .limit(COMPARED)
        .subquery()
    )
    order = (waiting.c.due_at, waiting.c.id)
    first = select(
        waiting,
        func.row_number().over(partition_by=waiting.c.account_id, order_by=order).label("of_account"),
    ).subquery()
    turn = func.row_number().over(partition_by=first.c.studio_id, order_by=(first.c.due_at, first.c.id))
    return Prepared(
        select(first.c.id)
        .where(first.c.of_account == 1)
        .order_by(turn, first.c.due_at, first.c.id)
        .limit(bindparam("limit", type_=Integer))
    )


def _able(now: datetime | BindParameter[Any]) -> tuple[ColumnElement[bool], ...]:
    """The account can be used now."""
    return (
        or_(account.c.next_try.is_(None), account.c.next_try <= now),
        or_(account.c.state == "healthy", account.c.state == "retrying"),
    )


_URGENT, _ROUTINE = _fair(link.c.urgent), _fair(~link.c.urgent)


def take(tx: Connection, ids: Sequence[int], now: datetime, until: datetime) -> list[int]:
    """Take those that are still due; each goes to one worker alone. They are due again at ``until``, unless
    they come to ``rest`` before."""
    taken = set(tx.execute(_TAKE, {"ids": ids, "now": now, "until": until}).scalars())
    return [link_id for link_id in ids if link_id in taken]


_still_due = select(link.c.id).where(
    link.c.id.in_(bindparam("ids", expanding=True)), link.c.due_at <= bindparam("now")
)
_TAKE = (
    update(link)
    .where(link.c.id.in_(_still_due.with_for_update(skip_locked=True)))
    .values(due_at=bindparam("until"), urgent=False)
    .returning(link.c.id)
)


@dataclass(frozen=True, slots=True)
class Turn:
    """A link that was taken: when it is due again, when a pass last had something to do, and where it is."""

    due_at: datetime | None
    active_at: datetime | None
    provider: str


_TURN = Prepared(
    select(link.c.due_at, link.c.active_at, account.c.provider)
    .join(account, account.c.id == link.c.account_id)
    .where(link.c.id == bindparam("id")),
    Turn,
)
_ACTIVE = Prepared(update(link).where(link.c.id == bindparam("row_id")))
_REST = Prepared(update(link).where(link.c.id == bindparam("row_id"), link.c.due_at == bindparam("taken")))


def ours(tx: Connection, link_id: int, taken: datetime, now: datetime) -> Turn | None:
    """The link that was taken until ``taken``, if it is still to be run for that: nobody took it again since,
    and it was not removed or put off."""
    turn = _TURN.first(tx, {"id": link_id})
    if turn is None or turn.due_at is None:
        return None
    return turn if turn.due_at == taken or turn.due_at <= now else None


def rest(tx: Connection, link_id: int, taken: datetime, until: datetime, *, active: datetime | None) -> None:
    """The pass is done: look again at ``until``, unless it became due meanwhile, or its pass said when.
    ``active``: now, if there was something to do."""
    if active is not None:
        _ACTIVE.run(tx, {"row_id": link_id, "active_at": active})
    _REST.run(tx, {"row_id": link_id, "taken": taken, "due_at": until})


def put_off(tx: Connection, now: datetime) -> int:
    """Links that are due but can't be run, because their account backs off or waits for its user, are put off
    until it may work, so that looking for what is due does not pass them every time. Returns how many."""
    backs_off = select(account.c.next_try).where(account.c.id == link.c.account_id, account.c.next_try > now)
    resting = update(link).where(link.c.id.in_(_free(now, exists(backs_off))))
    count = int(tx.execute(resting.values(due_at=backs_off.scalar_subquery())).rowcount)
    stuck = exists().where(account.c.id == link.c.account_id, ~and_(*_able(now)))
    waiting = update(link).where(link.c.id.in_(_free(now, stuck)))
    return count + int(tx.execute(waiting.values(due_at=now + WAITING)).rowcount)


def _free(now: datetime, condition: ColumnElement[bool]) -> Select[Any]:
    """Due links of that kind which nobody is changing: two workers that each wait for a row of the other's
    would wait for ever."""
    due = select(link.c.id).where(link.c.due_at <= now, condition)
    return due.with_for_update(of=link, skip_locked=True)
