"""``undo``: put both sides back to what they held before a pass, where nobody has edited since.

What that means for each object is decided by ``bridge.sync.undo``. An undo is a pass itself, with a journal
of its own, so it can be undone. Every write is conditional; one that is refused, or whose answer is lost,
leaves a state that the next ordinary pass understands (``undo_there``).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from bridge.errors import ProviderError, Refused
from bridge.ports import Entry, Provider
from bridge.service import Bridge
from bridge.service.undo_there import Prepared, prepare, send
from bridge.service.undoing import Undoing, hold
from bridge.store import links, objects, pairings, passes
from bridge.store.links import LinkRow
from bridge.store.objects import StoredObject
from bridge.store.passes import PassRow
from bridge.store.rows import batches
from bridge.sync import lease
from bridge.sync.plan import Hub, Remote
from bridge.sync.undo import DeleteThere, PutHere, PutThere, Touched, Undo, decide, touched

#: Objects per transaction.
PORTION = 100


@dataclass(frozen=True, slots=True)
class Undone:
    """What came of it. ``put_back``: the titles of what is as it was; ``left``: sentences about the rest."""

    pass_id: int
    put_back: list[str]
    left: list[str]
    uids: list[str]  # of what was put back


def undo(bridge: Bridge, pass_id: int, *, user_id: int | None = None) -> Undone:
    """Undo one pass; ``user_id`` None: whoever's it is, for the administrator.

    Raises NotFound, Refused (undone already, changed nothing, a pass that does not end), and what the
    provider raises if it cannot be used at all; then nothing was changed.
    """
    with bridge.db.reading() as tx:
        row = passes.get(tx, user_id, pass_id)
        link = links.get(tx, row.link_id)
        changes = touched(passes.changes_of(tx, pass_id))
    if row.undone is not None:
        raise Refused(f"Pass {pass_id} was undone already.")
    if not changes:
        raise Refused(f"Pass {pass_id} changed nothing, so there is nothing to undo.")
    with lease.held(
        bridge.db, bridge.clock, link.id, lease.name(), wait=True, sleep=time.sleep, heartbeat=True
    ) as fence:
        if fence is None:
            raise Refused(f"“{link.name}” is being synced right now. Try again in a minute.")
        provider = _provider(bridge, link, changes)
        try:
            return _undo(bridge, row, link, fence, provider, changes)
        finally:
            if provider is not None:
                provider.close()


def _provider(bridge: Bridge, link: LinkRow, changes: Sequence[Touched]) -> Provider | None:
    """Signed in, and seen to answer; None if nothing was written there."""
    hrefs = [one.there.href for one in changes if one.there is not None]
    if not hrefs:
        return None
    provider = bridge.connect(link.account_id)
    try:
        list(provider.fetch(link.remote_id, hrefs[:1]))
    except ProviderError:
        provider.close()
        raise
    return provider


def _undo(
    bridge: Bridge,
    row: PassRow,
    link: LinkRow,
    fence: int,
    provider: Provider | None,
    changes: Sequence[Touched],
) -> Undone:
    with bridge.db.writing() as tx:
        hold(tx, link, fence)
        undo_id = passes.start(tx, link.id, row.user_id, bridge.clock.now())
    work = Undoing(bridge, link, row.user_id, fence, provider, undo_id, row.id)
    for portion in batches(changes, PORTION):
        _portion(work, portion)
    with bridge.db.writing() as tx:
        hold(tx, link, fence)
        now = bridge.clock.now()
        counts = {"undone": len(work.put_back), "left": len(work.left)}
        passes.finish(tx, undo_id, outcome="failed" if work.unfinished else "done", counts=counts, now=now)
        if not work.unfinished:
            passes.mark_undone(tx, row.id, now)
        links.make_due(tx, link.id, now)
    bridge.enqueue(link.id)
    done = work.put_back
    return Undone(undo_id, [one.title for one in done], work.left, [one.uid for one in done])


def _portion(work: Undoing, portion: Sequence[Touched]) -> None:
    hrefs = [one.there.href for one in portion if one.there is not None]
    found: dict[str, Entry] = {}
    if hrefs and work.provider is not None:
        found = {entry.href: entry for entry in work.provider.fetch(work.link.remote_id, hrefs)}
    sending: list[tuple[Touched, PutThere | DeleteThere, Prepared]] = []
    with work.bridge.db.writing() as tx:
        work.hold(tx)
        now = work.bridge.clock.now()
        for one in portion:
            stored = objects.by_uid(tx, one.calendar_id, one.uid, with_hidden=True)
            entry = found.get(one.there.href) if one.there else None
            remote = Remote(entry.href, entry.tag, entry.text) if entry and entry.text is not None else None
            what = decide(one, _hub(stored), remote, work.link.name)
            if what.why is not None:
                work.left.append(what.why)
                continue
            if _on_its_way(work, tx, one, what):
                what = replace(what, there=None)  # an undo that was broken off has sent it; a pass finds out
            if what == Undo():
                continue
            try:
                with tx.begin_nested():
                    hub = _here(work, tx, one, what.here, stored, now)
                    prepared = prepare(work, tx, one, what.there, hub, now)
            except Refused as error:
                work.left.append(f"“{one.title}”: {error}")
                continue
            if what.there is not None and prepared is not None:
                sending.append((one, what.there, prepared))
            else:
                work.put_back.append(one)
    for one, step, prepared in sending:
        send(work, one, step, prepared)


def _on_its_way(work: Undoing, tx: Connection, one: Touched, what: Undo) -> bool:
    if not isinstance(what.there, PutThere) or what.there.expect is not None:
        return False
    row = pairings.by_uid(tx, work.link.id, one.calendar_id, one.uid)
    return row is not None and (row.flight is not None or row.base_tag is not None)


def _hub(stored: StoredObject | None) -> Hub | None:
    if stored is None:
        return None
    cancelled = stored.kind == "booking" and stored.status == "CANCELLED"
    return Hub(stored.href, stored.etag, stored.text, cancelled, stored.hidden)


def _here(
    work: Undoing,
    tx: Connection,
    one: Touched,
    step: PutHere | None,
    stored: StoredObject | None,
    now: datetime,
) -> Hub | None:
    """Our side, as it is afterwards."""
    if step is None:
        return _hub(stored)
    written = work.put_here(tx, one, step.text, stored, now, hidden=step.hidden)
    return Hub(written.href, written.etag, step.text, hidden=step.hidden)
