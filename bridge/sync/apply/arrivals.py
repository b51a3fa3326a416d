"""Step one for newcomers: objects of theirs that are plainly new here, written together.

A first import consists of nothing else. What does not go through as a whole is left to ``here``, one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from sqlalchemy import Connection

from bridge.errors import Stale
from bridge.store import objects, pairings
from bridge.sync.apply.work import Work
from bridge.sync.observe import Looked
from bridge.sync.plan import Decision, PutHub

Arrival = tuple[Looked, Decision]


def is_arrival(looked: Looked, decision: Decision) -> bool:
    """Whether nothing of ours is concerned: a stranger is to be made here, and that is all."""
    match decision.actions:
        case (PutHub(_, None, False),):
            known = looked.pairing or looked.instead_of or looked.notice or looked.item.hub
            return known is None and looked.item.remote is not None and not decision.conflicts
    return False


def bring_in(work: Work, tx: Connection, arrivals: Sequence[Arrival], now: datetime) -> None:
    """Make them, and pair them as agreed. Raises what the store refuses, Stale if one is here by now."""
    by_place = sorted(arrivals, key=_place)  # calendars are locked in the order of their ids
    for (calendar_id, kind), group in groupby(by_place, key=_place):
        _bring_in(work, tx, calendar_id, kind, list(group), now)
    for _, decision in arrivals:
        work.memory.count(decision)


def _place(arrival: Arrival) -> tuple[int, str]:
    return arrival[0].calendar_id, arrival[0].item.kind


def _bring_in(
    work: Work, tx: Connection, calendar_id: int, kind: str, arrivals: Sequence[Arrival], now: datetime
) -> None:
    texts: dict[str, str] = {}
    for looked, decision in arrivals:
        (put,) = decision.actions
        assert isinstance(put, PutHub)
        texts[objects.href_for(looked.item.uid)] = put.text
    if len(texts) < len(arrivals):
        raise Stale("Two of these events have the same identity.")
    etags = objects.put_new(tx, calendar_id, texts, kind=kind, now=now, **work.memory.by_pass(tx, now))
    rows = []
    for (looked, _), text, etag in zip(arrivals, texts.values(), etags, strict=True):
        remote = looked.item.remote
        assert remote is not None
        agreed = pairings.settled(hub=text, etag=etag, remote=remote.text, tag=remote.tag)
        rows.append({"uid": looked.item.uid, "href": remote.href} | agreed)
        work.memory.tell_strange_zones(tx, looked.item, text, now)
    pairings.pair(tx, work.context.link.id, calendar_id, rows)
