"""Step one, *here*: our side of each decision, and the record of what is about to be sent.

Everything of one object is one savepoint in the caller's transaction: an object that cannot be changed takes
no other with it. Sending is left to ``there``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from bridge.errors import Stale
from bridge.ical.build import with_status
from bridge.store import notices, objects, pairings
from bridge.sync.apply.work import Sending, Work
from bridge.sync.observe import Looked, derived_key
from bridge.sync.plan import (
    Agree,
    Base,
    Decision,
    DeleteHub,
    DeleteRemote,
    Forget,
    Hub,
    Keep,
    PutHub,
    PutRemote,
    Restored,
    Stop,
    Suggest,
    Tell,
)


class Moved(Exception):
    """Our object changed after it was looked at."""


@dataclass(slots=True)
class Here:
    """Our side of a pass."""

    work: Work

    def change(self, tx: Connection, looked: Looked, decision: Decision, now: datetime) -> Sending | None:
        """Our side of one decision; returns what is to be sent. Raises Moved, and what the store refuses."""
        item, hub = decision.item, decision.item.hub
        base = decision.between
        sending: PutRemote | DeleteRemote | None = None
        if looked.instead_of is not None:
            pairings.forget(tx, looked.instead_of)
        if looked.notice is not None:
            notices.add(tx, self.work.context.user.id, *looked.notice, now=now)
        if decision.arrived:
            self.work.memory.journal_arrival(tx, looked, now)
        outward = any(isinstance(action, PutRemote | DeleteRemote) for action in decision.actions)
        for action in decision.actions:
            match action:
                case PutHub():
                    hub = self._put_hub(tx, looked, action, now, overruled=bool(decision.conflicts))
                    if not outward and item.remote is not None:
                        base = Base(hub.text, hub.etag, item.remote.text, item.remote.tag)
                case DeleteHub(expect):
                    self._expect(tx, looked, expect)
                    assert hub is not None
                    objects.delete(
                        tx, looked.calendar_id, hub.href, now=now, **self.work.memory.by_pass(tx, now)
                    )
                    self.work.memory.forget(tx, looked)
                case PutRemote() | DeleteRemote():
                    sending = action
                case Agree(agreed):
                    base = (
                        agreed
                        if hub is item.hub or hub is None
                        else replace(agreed, hub=hub.text, etag=hub.etag)
                    )
                case Forget():
                    self.work.memory.forget(tx, looked)
                case Keep(kept):
                    base = kept
                case Restored():
                    self.work.memory.tell_restored(tx, item, now)
                case Suggest():
                    self.work.memory.suggest(tx, looked, action, now)
                case Stop(why):
                    self.work.memory.stop(tx, looked, why)
                case Tell(message):
                    self.work.memory.tell(tx, item, message, now)
        row = looked.pairing.id if looked.pairing else None
        if row is not None and not decision.actions:
            pairings.clear_problem(tx, row)  # it had one, and is well again
        if base is not None:
            row = self.work.memory.settle(tx, looked, base, item.remote.href if item.remote else None)
        if decision.conflicts:
            self.work.memory.record_conflicts(tx, looked, decision, now)
        self.work.memory.count(decision)
        if sending is None:
            return None
        sent = self._record_flight(tx, looked, sending, hub, row, now)
        sent.rewrites = item.rewrites + 1 if decision.puts_back else 0
        return sent

    def _put_hub(
        self, tx: Connection, looked: Looked, action: PutHub, now: datetime, *, overruled: bool
    ) -> Hub:
        item = looked.item
        if action.expect is not None:
            self._expect(tx, looked, action.expect)
        text = with_status(action.text, "CANCELLED", now) if action.cancel else action.text
        try:
            stored = objects.put(
                tx,
                looked.calendar_id,
                item.hub.href if item.hub else objects.href_for(item.uid),
                text,
                kind=item.kind,
                # one that was cancelled and comes back is seen again
                hidden=action.cancel or (item.hub is not None and item.hub.hidden and not item.hub.cancelled),
                now=now,
                loser=item.hub.text if item.hub and overruled else None,
                fresh=action.expect is None,
                **self.work.memory.by_pass(tx, now),
            )
        except Stale as error:
            raise Moved from error
        self.work.memory.tell_strange_zones(tx, item, text, now)
        return Hub(stored.href, stored.etag, text, action.cancel)

    def _expect(self, tx: Connection, looked: Looked, etag: str | None) -> None:
        """Our object must be as it was when it was looked at."""
        current = objects.by_uid(tx, looked.calendar_id, looked.item.uid, with_hidden=True)
        if (current.etag if current else None) != etag:
            raise Moved

    def _record_flight(
        self,
        tx: Connection,
        looked: Looked,
        action: PutRemote | DeleteRemote,
        hub: Hub | None,
        row: int | None,
        now: datetime,
    ) -> Sending:
        self.work.memory.pass_id(tx, now)
        link, item = self.work.context.link, looked.item
        if isinstance(action, PutRemote) and action.expect is None:
            generation = action.generation
            stored = objects.by_uid(tx, looked.calendar_id, item.uid, with_hidden=True)
            if stored is None:  # deleted here just now
                raise Moved
            key = derived_key(self.work.context.policy.installation, item.uid, stored.created, generation)
            href = self.work.provider.new_href(link.remote_id, key)
            row = pairings.upsert(tx, link.id, looked.calendar_id, item.uid, href, generation=generation)
            self.work.made.add(row)
        else:
            assert item.remote is not None
            href = item.remote.href
            if row is None or looked.pairing is None or looked.pairing.href != href:  # new, or renamed there
                row = pairings.upsert(tx, link.id, looked.calendar_id, item.uid, href)
        if isinstance(action, DeleteRemote):
            pairings.set_flight(tx, row, "delete", expect=action.expect)
        else:
            assert hub is not None
            pairings.set_flight(
                tx, row, "put", hub=hub.text, etag=hub.etag, text=action.text, expect=action.expect
            )
        return Sending(looked, action, row, href, hub)
