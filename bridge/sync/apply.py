"""Carrying a plan out, and remembering what came of it.

A portion of decisions goes through three steps, each ending in one transaction:

1. *here*: our side is changed, and every write that is about to be sent is recorded as in flight;
2. *there*: the writes are sent one by one, conditional on what was seen;
3. *read back*: what the provider made of them becomes the base, and the journal gets before and after.

A crash between any two leaves either the old agreement or a write in flight that the next pass settles.
An object whose ground moved (somebody was faster, an answer was lost) is handed back to be looked at again;
one that is refused gets a problem row; neither stops the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from bridge.errors import (
    BridgeError,
    NotPermitted,
    ObjectGone,
    ObjectRefused,
    Refused,
    TagMismatch,
    UnknownOutcome,
)
from bridge.ical.build import with_status
from bridge.ical.fields import changed, fingerprint
from bridge.ports import Clock, Entry, Provider
from bridge.store import links, notices, objects, pairings
from bridge.store.db import Database
from bridge.store.prepared import savepoint
from bridge.sync.context import Context
from bridge.sync.memory import Memory
from bridge.sync.observe import Looked, Unusable, derived_key
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
    rewritten,
)
from bridge.sync.report import Report
from bridge.sync.survey import Sight


class LeaseLost(BridgeError):
    """Another pass took this link over; it goes on from here."""


class _Moved(Exception):
    """Our object changed after it was looked at."""


@dataclass(slots=True)
class Sending:
    """A write in flight and what it is for."""

    looked: Looked
    action: PutRemote | DeleteRemote
    pairing_id: int
    href: str
    hub: Hub | None  # our object that it stands for
    rewrites: int = 0  # what the loop breaker counts, once it is written
    answer: Entry | None = None


@dataclass(slots=True)
class Applier:
    """Carries out the decisions of one pass. ``again`` collects what must be looked at once more."""

    db: Database
    clock: Clock
    context: Context
    provider: Provider
    fence: int
    report: Report
    again: list[Sight] = field(default_factory=list)
    made: set[int] = field(default_factory=set)  # pairings of what this pass made there
    not_permitted: str | None = None  # why we may no longer write there, if we may not
    _refused_once: set[int] = field(default_factory=set)
    _knows_more: bool = False
    memory: Memory = field(init=False)

    def __post_init__(self) -> None:
        self.memory = Memory(self.context, self.report)

    def carry_out(self, decisions: Sequence[tuple[Looked, Decision]], unusable: Sequence[Unusable]) -> None:
        """Raises LeaseLost, and what the provider raises when it cannot be used at all."""
        if not decisions and not unusable:
            return
        sending: list[Sending] = []
        with self.db.writing() as tx:
            self.hold_lease(tx)
            now = self.clock.now()
            if any(_changes_something(decision) for _, decision in decisions):
                self.memory.pass_id(tx, now)
            for looked, decision in decisions:
                try:
                    with savepoint(tx):
                        sent = self._here(tx, looked, decision, now)
                    if sent is not None:
                        sending.append(sent)
                except _Moved:
                    self.again.append(_look_again(looked))
                except Refused as error:
                    self.memory.give_up(tx, looked, error)
            for left_out in unusable:
                self.memory.leave_out(tx, left_out, now)
            if any(one.item.base is None and one.item.remote is not None for one, _ in decisions):
                self._got_to_know(tx)
        written = [sent for sent in sending if self._there(sent)]
        self._read_back(written)

    def _got_to_know(self, tx: Connection) -> None:
        """Until this pass has come to its end, the next one lists everything: the cursor it would ask with is
        older than what we now know, and what came and went since may be in no delta (RFC 6578 3.5.2)."""
        if not self._knows_more:
            links.set_(tx, self.context.link.id, listed_at=None)
            self._knows_more = True

    def hold_lease(self, tx: Connection) -> None:
        """First statement of every writing transaction of a pass. Raises LeaseLost."""
        if not links.still_mine(tx, self.context.link.id, self.fence):
            raise LeaseLost("Another pass took over; it goes on from here.")

    # --- here ---------------------------------------------------------------------------------------

    def _here(self, tx: Connection, looked: Looked, decision: Decision, now: datetime) -> Sending | None:
        """Our side of one decision, in one savepoint; returns what is to be sent."""
        item, hub = decision.item, decision.item.hub
        base = decision.between
        sending: PutRemote | DeleteRemote | None = None
        if looked.instead_of is not None:
            pairings.forget(tx, looked.instead_of)
        if looked.notice is not None:
            notices.add(tx, self.context.user.id, *looked.notice, now=now)
        if decision.arrived:
            self.memory.journal_arrival(tx, looked, now)
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
                    objects.delete(tx, looked.calendar_id, hub.href, now=now, **self.memory.by_pass(tx, now))
                    self.memory.forget(tx, looked)
                case PutRemote() | DeleteRemote():
                    sending = action
                case Agree(agreed):
                    base = (
                        agreed
                        if hub is item.hub or hub is None
                        else replace(agreed, hub=hub.text, etag=hub.etag)
                    )
                case Forget():
                    self.memory.forget(tx, looked)
                case Keep(kept):
                    base = kept
                case Restored():
                    self.memory.tell_restored(tx, item, now)
                case Suggest():
                    self.memory.suggest(tx, looked, action, now)
                case Stop(why):
                    self.memory.stop(tx, looked, why)
                case Tell(message):
                    self.memory.tell(tx, item, message, now)
        row = looked.pairing.id if looked.pairing else None
        if row is not None and not decision.actions:
            pairings.clear_problem(tx, row)  # it had one, and is well again
        if base is not None:
            row = self.memory.settle(tx, looked, base, item.remote.href if item.remote else None)
        if decision.conflicts:
            self.memory.record_conflicts(tx, looked, decision, now)
        self.memory.count(decision)
        if sending is None:
            return None
        sent = self._record_flight(tx, looked, sending, hub, row, now)
        sent.rewrites = item.rewrites + 1 if decision.puts_back else 0
        return sent

    def _put_hub(
        self, tx: Connection, looked: Looked, action: PutHub, now: datetime, *, overruled: bool
    ) -> Hub:
        item = looked.item
        self._expect(tx, looked, action.expect)
        text = with_status(action.text, "CANCELLED", now) if action.cancel else action.text
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
            **self.memory.by_pass(tx, now),
        )
        self.memory.tell_strange_zones(tx, item, text, now)
        return Hub(stored.href, stored.etag, text, action.cancel)

    def _expect(self, tx: Connection, looked: Looked, etag: str | None) -> None:
        """Our object must be as it was when it was looked at."""
        current = objects.by_uid(tx, looked.calendar_id, looked.item.uid, with_hidden=True)
        if (current.etag if current else None) != etag:
            raise _Moved

    def _record_flight(
        self,
        tx: Connection,
        looked: Looked,
        action: PutRemote | DeleteRemote,
        hub: Hub | None,
        row: int | None,
        now: datetime,
    ) -> Sending:
        self.memory.pass_id(tx, now)
        link, item = self.context.link, looked.item
        if isinstance(action, PutRemote) and action.expect is None:
            generation = action.generation
            if (
                looked.pairing is None
            ):  # made again after it was deleted: the old name may be remembered there
                generation += objects.last_deleted(tx, looked.calendar_id, item.uid)
            key = derived_key(self.context.policy.installation, item.uid, generation)
            href = self.provider.new_href(link.remote_id, key)
            row = pairings.upsert(tx, link.id, looked.calendar_id, item.uid, href, generation=generation)
            self.made.add(row)
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

    # --- there --------------------------------------------------------------------------------------

    def _there(self, sent: Sending) -> bool:
        """Send one write; True if it was carried out. The outcomes of one object never raise."""
        calendar, action = self.context.link.remote_id, sent.action
        try:
            if isinstance(action, PutRemote):
                sent.answer = self.provider.put(calendar, sent.href, action.text, action.expect)
            else:
                self.provider.delete(calendar, sent.href, action.expect)
        except ObjectGone:
            if action.expect is None:
                self._name_taken(sent)
            else:
                self.again.append(Sight(sent.pairing_id, sent.href, fresh=True, deleted=True))
        except (TagMismatch, UnknownOutcome):
            self.again.append(Sight(sent.pairing_id, sent.href, fresh=True))
        except NotPermitted as error:
            # one refusal is no proof: it is confirmed by a second try
            if sent.pairing_id in self._refused_once:
                self.not_permitted = str(error)
                self._refused_there(sent, error, "ask")
            else:
                self._refused_once.add(sent.pairing_id)
                self._nothing_sent(sent)
                self.again.append(Sight(sent.pairing_id, sent.href, fresh=True))
        except ObjectRefused as error:
            self._refused_there(sent, error, "give up")
        else:
            return True
        return False

    def _name_taken(self, sent: Sending) -> None:
        """A create was answered: what had this name is deleted. If it was sent before, and its answer lost,
        that was ours: it had arrived, and somebody deleted it. Else it is of an earlier life of the object,
        which gets another name."""
        before, uid = sent.looked.pairing, sent.looked.item.uid
        with self.db.writing() as tx:
            self.hold_lease(tx)
            if before is not None and before.flight_text is not None and before.href == sent.href:
                assert before.flight_hub is not None and before.flight_etag is not None
                pairings.settle(
                    tx,
                    sent.pairing_id,
                    hub=before.flight_hub,
                    etag=before.flight_etag,
                    remote=before.flight_text,
                    tag="",
                )
            else:
                link_id, calendar_id = self.context.link.id, sent.looked.calendar_id
                known = pairings.by_uid(tx, link_id, calendar_id, uid)
                pairings.clear_flight(tx, sent.pairing_id)
                taken = known.generation if known is not None else 1
                pairings.upsert(tx, link_id, calendar_id, uid, sent.href, generation=taken + 1)
        self.again.append(Sight(sent.pairing_id, sent.href, fresh=True, deleted=True))

    def _nothing_sent(self, sent: Sending) -> None:
        """The far side said no, so nothing is on its way there, and nothing of ours is missing there."""
        with self.db.writing() as tx:
            self.hold_lease(tx)
            pairings.clear_flight(tx, sent.pairing_id)

    def _refused_there(self, sent: Sending, error: BridgeError, kind: str) -> None:
        item = sent.looked.item
        with self.db.writing() as tx:
            self.hold_lease(tx)
            pairings.clear_flight(tx, sent.pairing_id)
            pairings.set_problem(
                tx,
                sent.pairing_id,
                str(error),
                kind,
                tag=item.remote.tag if item.remote else None,
                etag=sent.hub.etag if sent.hub else None,
            )
        self.report.errors.append(self.memory.about(sent.looked, error))

    # --- read back ----------------------------------------------------------------------------------

    def _read_back(self, written: Sequence[Sending]) -> None:
        wanted = [s.href for s in written if s.answer is not None and s.answer.text is None]
        found = {s.href: s.answer for s in written if s.answer is not None and s.answer.text is not None}
        if wanted:
            found.update((e.href, e) for e in self.provider.fetch(self.context.link.remote_id, wanted))
        if not written:
            return
        with self.db.writing() as tx:
            self.hold_lease(tx)
            now = self.clock.now()
            for sent in written:
                if isinstance(sent.action, DeleteRemote):
                    self._deleted_there(tx, sent, now)
                else:
                    self._written_there(tx, sent, sent.action, found.get(sent.href), now)

    def _deleted_there(self, tx: Connection, sent: Sending, now: datetime) -> None:
        item = sent.looked.item
        if sent.hub is not None:  # cancelled here: remember that it is not there, and may come back
            agreed = Base(sent.hub.text, sent.hub.etag, None, None)
            self.memory.settle(tx, sent.looked, agreed, sent.href, sent.pairing_id)
        else:
            pairings.forget(tx, sent.pairing_id)
        self.memory.journal(
            tx, sent.looked, sent.href, "delete", item.remote.text if item.remote else None, None, now
        )

    def _written_there(
        self, tx: Connection, sent: Sending, action: PutRemote, read: Entry | None, now: datetime
    ) -> None:
        assert sent.hub is not None and sent.answer is not None
        remote, tag = action.text, sent.answer.tag
        if read is not None and read.text is not None:
            if _ours(action.text, sent.answer, read):
                remote, tag = read.text, read.tag
            elif sent.answer.read_after:
                tag = ""  # of what we wrote: nobody ever told us
        if self.context.policy.is_source and read is not None and read.text is not None:
            if changed(action.text, read.text):  # its rules made something else of it: that comes back
                remote, tag = action.text, ""
                self.again.append(Sight(sent.pairing_id, sent.href, tag=read.tag, text=read.text))
            else:
                remote, tag = read.text, read.tag
        elif read is None or tag != read.tag:  # somebody was there between our write and our reading
            self.again.append(Sight(sent.pairing_id, sent.href, fresh=True, deleted=read is None))
        base = Base(sent.hub.text, sent.hub.etag, remote, tag)
        self.memory.settle(tx, sent.looked, base, sent.href, sent.pairing_id, sent.rewrites)
        item = sent.looked.item
        self.memory.journal(
            tx,
            sent.looked,
            sent.href,
            "update" if action.expect is not None else "restore" if item.base else "create",
            item.remote.text if item.remote else None,
            remote,
            now,
        )


def _changes_something(decision: Decision) -> bool:
    quiet = Agree | Forget | Keep | Stop | Tell
    return decision.arrived or not all(isinstance(action, quiet) for action in decision.actions)


def _ours(sent: str, answer: Entry, read: Entry) -> bool:
    """Whether what was read is our write as the server keeps it. Its tag proves that, if the server's answer
    to the write named it; otherwise what it says must."""
    assert read.text is not None
    if read.tag == answer.tag and not answer.read_after:
        return True
    if fingerprint(read.text) == fingerprint(sent):
        return True
    return answer.read_after and rewritten(sent, read.text)


def _look_again(looked: Looked) -> Sight:
    item = looked.item
    if looked.pairing is not None:
        return Sight(looked.pairing.id, looked.pairing.href, fresh=True)
    if item.remote is not None:
        return Sight(None, item.remote.href, fresh=True)
    return Sight(None, None, looked.calendar_id, item.uid)
