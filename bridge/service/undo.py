"""``undo``: put both sides back to what they held before a pass, where nobody has edited since.

What that means for each object is decided by ``bridge.sync.undo``. An undo is a pass itself, with a journal
of its own, so it can be undone. Every write is conditional; one that is refused, or whose answer is lost,
leaves a state that the next ordinary pass understands.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from bridge.errors import ObjectGone, ProviderError, Refused, TagMismatch, UnknownOutcome
from bridge.ical.marker import unmark
from bridge.ical.merge import first_merge
from bridge.ports import Entry, Provider
from bridge.service import Bridge
from bridge.store import links, objects, pairings, passes
from bridge.store.links import LinkRow
from bridge.store.objects import StoredObject
from bridge.store.pairings import PairingRow
from bridge.store.passes import PassRow
from bridge.store.rows import batches
from bridge.sync import lease
from bridge.sync.observe import derived_key
from bridge.sync.plan import Base, Hub, Remote
from bridge.sync.undo import DeleteThere, PutHere, PutThere, Touched, Undo, decide, touched

#: Objects per transaction.
PORTION = 100
#: Above the generations that passes reach by making objects again.
GENERATIONS = 1_000_000


@dataclass(frozen=True, slots=True)
class Undone:
    """What came of it. ``put_back``: the titles of what is as it was; ``left``: sentences about the rest."""

    pass_id: int
    put_back: list[str]
    left: list[str]
    uids: list[str]  # of what was put back


@dataclass(slots=True)
class _Undoing:
    """One undo under way."""

    bridge: Bridge
    link: LinkRow
    user_id: int
    fence: int
    provider: Provider | None
    pass_id: int
    undone: int  # the pass that is undone
    put_back: list[Touched] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    unfinished: bool = False


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
        _hold(tx, link, fence)
        undo_id = passes.start(tx, link.id, row.user_id, bridge.clock.now())
    work = _Undoing(bridge, link, row.user_id, fence, provider, undo_id, row.id)
    for portion in batches(changes, PORTION):
        _portion(work, portion)
    with bridge.db.writing() as tx:
        _hold(tx, link, fence)
        now = bridge.clock.now()
        counts = {"undone": len(work.put_back), "left": len(work.left)}
        passes.finish(tx, undo_id, outcome="failed" if work.unfinished else "done", counts=counts, now=now)
        if not work.unfinished:
            passes.mark_undone(tx, row.id, now)
        links.make_due(tx, link.id, now)
    bridge.enqueue(link.id)
    done = work.put_back
    return Undone(undo_id, [one.title for one in done], work.left, [one.uid for one in done])


def _hold(tx: Connection, link: LinkRow, fence: int) -> None:
    if not links.still_mine(tx, link.id, fence):
        raise Refused(f"“{link.name}” is being synced right now. Try again in a minute.")


def _portion(work: _Undoing, portion: Sequence[Touched]) -> None:
    hrefs = [one.there.href for one in portion if one.there is not None]
    found: dict[str, Entry] = {}
    if hrefs and work.provider is not None:
        found = {entry.href: entry for entry in work.provider.fetch(work.link.remote_id, hrefs)}
    sending: list[tuple[Touched, PutThere | DeleteThere, _Prepared]] = []
    with work.bridge.db.writing() as tx:
        _hold(tx, work.link, work.fence)
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
                    prepared = _prepare(work, tx, one, what.there, hub, now)
            except Refused as error:
                work.left.append(f"“{one.title}”: {error}")
                continue
            if what.there is not None and prepared is not None:
                sending.append((one, what.there, prepared))
            else:
                work.put_back.append(one)
    for one, step, prepared in sending:
        _there(work, one, step, prepared)


def _on_its_way(work: _Undoing, tx: Connection, one: Touched, what: Undo) -> bool:
    if not isinstance(what.there, PutThere) or what.there.expect is not None:
        return False
    row = pairings.by_uid(tx, work.link.id, one.calendar_id, one.uid)
    return row is not None and (row.flight is not None or row.base_tag is not None)


def _hub(stored: StoredObject | None) -> Hub | None:
    if stored is None:
        return None
    cancelled = stored.kind == "booking" and stored.status == "CANCELLED"
    return Hub(stored.href, stored.etag, stored.text, cancelled, stored.hidden)


# --- here --------------------------------------------------------------------------------------------


def _here(
    work: _Undoing,
    tx: Connection,
    one: Touched,
    step: PutHere | None,
    stored: StoredObject | None,
    now: datetime,
) -> Hub | None:
    """Our side, as it is afterwards. The link is told of it: the next pass carries it to the other side."""
    if step is None:
        return _hub(stored)
    written = _put(work, tx, one, step.text, stored, now, hidden=step.hidden)
    return Hub(written.href, written.etag, step.text, hidden=step.hidden)


def _put(
    work: _Undoing,
    tx: Connection,
    one: Touched,
    text: str,
    stored: StoredObject | None,
    now: datetime,
    *,
    hidden: bool = False,
) -> objects.Stored:
    only_seen = stored is not None and stored.text == text
    return objects.put(
        tx,
        one.calendar_id,
        stored.href if stored else one.here.href if one.here else objects.href_for(one.uid),
        text,
        hidden=hidden,
        actor=f"pass:{work.pass_id}",
        pass_id=work.pass_id,
        action="delete" if hidden and only_seen else "restore" if only_seen else None,
        now=now,
    )


# --- there -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Prepared:
    """Where a write goes, and what to remember if it is refused, or once it is done."""

    href: str
    pairing_id: int | None
    before: PairingRow | None  # what was remembered until now
    hub: Hub | None


def _prepare(
    work: _Undoing,
    tx: Connection,
    one: Touched,
    step: PutThere | DeleteThere | None,
    hub: Hub | None,
    now: datetime,
) -> _Prepared | None:
    """Remember what is about to be sent, so that the next pass understands whatever comes of it."""
    if step is None:
        return None
    assert one.there is not None and work.provider is not None
    row = pairings.by_uid(tx, work.link.id, one.calendar_id, one.uid)
    if isinstance(step, DeleteThere):
        if row is not None and hub is not None:
            pairings.settle(tx, row.id, hub=hub.text, etag=hub.etag, remote=None, tag=None)
        return _Prepared(one.there.href, row.id if row else None, row, hub)
    if step.expect is not None:
        return _Prepared(one.there.href, None, row, hub)
    if hub is None:
        text = _original(tx, work.user_id, one) or unmark(step.text)
        written = _put(work, tx, one, text, None, now)
        # an edit that had not been carried there before the deletion is still to be carried
        known = first_merge(text, step.text, "theirs").hub
        hub = Hub(written.href, written.etag if known == text else "", known)
    stored = objects.by_uid(tx, one.calendar_id, one.uid, with_hidden=True)
    assert stored is not None
    generation = GENERATIONS + work.undone  # a name never used there, and the same if this is repeated
    key = derived_key(work.bridge.installation, one.uid, stored.created, generation)
    href = work.provider.new_href(work.link.remote_id, key)
    made = pairings.upsert(tx, work.link.id, one.calendar_id, one.uid, href, generation=generation)
    pairings.set_flight(tx, made, "put", hub=hub.text, etag=hub.etag, text=step.text, expect=None)
    return _Prepared(href, made, None, hub)


def _original(tx: Connection, user_id: int, one: Touched) -> str | None:
    """What our side held before it was deleted here."""
    rows = passes.journal_of(tx, user_id, uid=one.uid, limit=50)
    gone = (row for row in rows if row.side == "hub" and row.calendar_id == one.calendar_id)
    last = next(gone, None)
    return last.before if last is not None and last.after is None else None


def _there(work: _Undoing, one: Touched, step: PutThere | DeleteThere, prepared: _Prepared) -> None:
    """Send one write and remember what came of it. Trouble with one object never stops the others."""
    assert work.provider is not None
    calendar, written = work.link.remote_id, None
    try:
        if isinstance(step, DeleteThere):
            work.provider.delete(calendar, prepared.href, step.expect)
        else:
            written = work.provider.put(calendar, prepared.href, step.text, step.expect)
    except (TagMismatch, ObjectGone):
        work.left.append(f"“{one.title}” was changed in {work.link.name} just now, so it stays as it is.")
        _take_back(work, step, prepared)
        return
    except ProviderError as error:
        work.left.append(f"“{one.title}”: {error}")
        work.unfinished = True
        if not isinstance(error, UnknownOutcome):
            _take_back(work, step, prepared)
        return
    work.put_back.append(one)
    with work.bridge.db.writing() as tx:
        _hold(tx, work.link, work.fence)
        if written is not None and prepared.pairing_id is not None and prepared.hub is not None:
            base = Base(prepared.hub.text, prepared.hub.etag, written.text or _text(step), written.tag)
            pairings.settle(
                tx, prepared.pairing_id, hub=base.hub, etag=base.etag, remote=base.remote, tag=base.tag
            )
        elif written is None and prepared.hub is None and prepared.pairing_id is not None:
            pairings.forget(tx, prepared.pairing_id)
        _journal(tx, work, one, step, prepared.href)


def _text(step: PutThere | DeleteThere) -> str | None:
    return step.text if isinstance(step, PutThere) else None


def _take_back(work: _Undoing, step: PutThere | DeleteThere, prepared: _Prepared) -> None:
    """Nothing was written there: remember what was remembered before."""
    with work.bridge.db.writing() as tx:
        _hold(tx, work.link, work.fence)
        row = prepared.before
        if isinstance(step, DeleteThere) and row is not None and row.base_hub is not None:
            assert row.base_etag is not None
            pairings.settle(
                tx, row.id, hub=row.base_hub, etag=row.base_etag, remote=row.base_remote, tag=row.base_tag
            )
        elif row is None and prepared.pairing_id is not None:
            pairings.clear_flight(tx, prepared.pairing_id)


def _journal(tx: Connection, work: _Undoing, one: Touched, step: PutThere | DeleteThere, href: str) -> None:
    assert one.there is not None
    after = _text(step)
    passes.journal(
        tx,
        user_id=work.user_id,
        pass_id=work.pass_id,
        link_id=work.link.id,
        calendar_id=one.calendar_id,
        side="remote",
        action="delete" if after is None else "update" if one.there.after is not None else "restore",
        uid=one.uid,
        href=href,
        before=one.there.after,
        after=after,
        actor=f"pass:{work.pass_id}",
        now=work.bridge.clock.now(),
    )
