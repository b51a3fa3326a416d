"""What a pass leaves behind: bases, journal, conflicts, suggestions, notices, problems, and its own row.

Everything is written in the caller's transaction, beside the change it is about. When to write what is left
to ``apply``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from bridge.errors import BridgeError
from bridge.ical.facts import facts
from bridge.store import conflicts, notices, pairings, passes, suggestions
from bridge.sync.context import Context
from bridge.sync.observe import Looked, Unusable
from bridge.sync.plan import Base, Decision, Item, Suggest, tally
from bridge.sync.report import Report
from bridge.sync.strange_zones import StrangeZones
from bridge.sync.survey import UNREAD


@dataclass(slots=True)
class Memory:
    """The memory of one pass. Its row is made with the first change, so that a quiet pass leaves none."""

    context: Context
    report: Report
    _zones: StrangeZones = field(default_factory=StrangeZones)

    def count(self, decision: Decision) -> None:
        for name, number in tally(decision.actions).items():
            setattr(self.report, name, getattr(self.report, name) + number)
        self.report.merged += decision.merged
        self.report.conflicts += bool(decision.conflicts)

    def tell_restored(self, tx: Connection, item: Item, now: datetime) -> None:
        title = facts(item.hub.text).summary if item.hub else item.uid
        message = f"“{title}” was deleted in {self.context.link.name}. As a booking it was put back there."
        notices.add(tx, self.context.user.id, "booking-restored", message, now=now, uid=item.uid)

    def tell(self, tx: Connection, item: Item, message: str | None, now: datetime) -> None:
        if message is None:
            notices.withdraw(tx, self.context.user.id, "source-note", now, uid=item.uid)
            return
        title = facts(item.hub.text).summary if item.hub else item.uid
        text = f"“{title}”: {message}"
        notices.add(tx, self.context.user.id, "source-note", text, now=now, uid=item.uid)

    def suggest(self, tx: Connection, looked: Looked, action: Suggest, now: datetime) -> None:
        user, uid = self.context.user.id, looked.item.uid
        suggestions.add(
            tx,
            user,
            calendar_id=looked.calendar_id,
            uid=uid,
            before=action.before,
            after=action.after,
            actor=f"pass:{self.pass_id(tx, now)}",
            now=now,
        )
        title = facts(action.before).summary or uid
        message = f"“{title}” was changed in {self.context.link.name}. The change waits for your approval."
        notices.add(tx, user, "approval", message, now=now, uid=uid)

    def stop(self, tx: Connection, looked: Looked, why: str) -> None:
        row, item = looked.pairing, looked.item
        assert row is not None and item.hub is not None and item.remote is not None
        pairings.set_problem(tx, row.id, why, "ask", tag=item.remote.tag, etag=item.hub.etag)
        self.report.errors.append(self.about(looked, BridgeError(why)))

    def tell_strange_zones(self, tx: Connection, item: Item, text: str, now: datetime) -> None:
        names = self._zones.of(text)
        if not names:
            return
        user = self.context.user
        message = (
            f"“{facts(text).summary or item.uid}” names a time zone that nobody knows: {', '.join(names)}. "
            f"Its times are shown as if they were meant in {user.time_zone}; check them."
        )
        notices.add(tx, user.id, "unknown-zone", message, now=now, uid=item.uid)

    def settle(
        self,
        tx: Connection,
        looked: Looked,
        base: Base,
        href: str | None,
        pairing_id: int | None = None,
        rewrites: int = 0,
    ) -> int:
        link, item = self.context.link, looked.item
        row = pairing_id or (looked.pairing.id if looked.pairing else None)
        known = looked.pairing.href if looked.pairing else None
        agreed: dict[str, Any] = {
            "hub": base.hub,
            "etag": base.etag,
            "remote": base.remote,
            "tag": base.tag,
            "rewrites": rewrites,
        }
        if row is None or (href is not None and pairing_id is None and href != known):
            assert href is not None
            return pairings.upsert(
                tx, link.id, looked.calendar_id, item.uid, href, **pairings.settled(**agreed)
            )
        pairings.settle(tx, row, **agreed)
        return row

    def forget(self, tx: Connection, looked: Looked) -> None:
        if looked.pairing is not None:
            pairings.forget(tx, looked.pairing.id)

    def journal(
        self,
        tx: Connection,
        looked: Looked,
        href: str,
        action: str,
        before: str | None,
        after: str | None,
        now: datetime,
    ) -> None:
        passes.journal(
            tx,
            user_id=self.context.user.id,
            calendar_id=looked.calendar_id,
            side="remote",
            action=action,
            uid=looked.item.uid,
            href=href,
            before=before,
            after=after,
            now=now,
            **self.by_pass(tx, now),
        )

    def journal_arrival(self, tx: Connection, looked: Looked, now: datetime) -> None:
        """A write of an earlier pass, whose answer was lost, was carried out after all."""
        row = looked.pairing
        assert row is not None
        after = row.flight_text if row.flight == "put" else None
        passes.journal(
            tx,
            user_id=self.context.user.id,
            calendar_id=looked.calendar_id,
            side="remote",
            action="delete" if after is None else "update" if row.flight_expect else "create",
            uid=row.uid,
            href=row.href,
            before=row.base_remote,
            after=after,
            now=now,
            **self.by_pass(tx, now),
        )

    def record_conflicts(self, tx: Connection, looked: Looked, decision: Decision, now: datetime) -> None:
        item = decision.item
        assert item.hub is not None and item.remote is not None
        pass_id = self.pass_id(tx, now)
        for conflict in decision.conflicts:
            conflicts.add(
                tx,
                self.context.user.id,
                link_id=self.context.link.id,
                calendar_id=looked.calendar_id,
                pass_id=pass_id,
                uid=item.uid,
                instance=conflict.key[0],
                group=conflict.key[1],
                ours=item.hub.text,
                theirs=item.remote.text,
                winner=self.context.policy.prefer(item.kind),
                now=now,
            )

    def give_up(self, tx: Connection, looked: Looked, error: BridgeError) -> None:
        """Our store refused the object (a UID twice, a text that cannot be kept): the others go on."""
        item = looked.item
        href = item.remote.href if item.remote else (looked.pairing.href if looked.pairing else None)
        if href is not None:
            uid = item.uid if looked.pairing else UNREAD + href
            row = pairings.upsert(tx, self.context.link.id, looked.calendar_id, uid, href)
            tag = item.remote.tag if item.remote else None
            pairings.set_problem(
                tx, row, str(error), "give up", tag=tag, etag=item.hub.etag if item.hub else None
            )
        self.report.errors.append(self.about(looked, error))

    def leave_out(self, tx: Connection, found: Unusable, now: datetime) -> None:
        link = self.context.link
        calendar_id = self.context.mirror.id if self.context.mirror else self.context.bookings.id
        uid = UNREAD + found.href
        if found.gone:
            row = pairings.by_uid(tx, link.id, calendar_id, uid)
            if row is not None:
                pairings.forget(tx, row.id)
            return
        if not self.context.link.reads and not found.ours:
            return  # nobody asked to see it
        row_id = pairings.upsert(tx, link.id, calendar_id, uid, found.href)
        pairings.set_problem(tx, row_id, found.why, "give up", tag=found.tag, etag=None)
        if found.notice:
            notices.add(tx, self.context.user.id, found.notice, found.why, now=now)
        elif not found.quiet:
            self.report.errors.append(found.why)

    def about(self, looked: Looked, error: BridgeError) -> str:
        shown = looked.item.hub or looked.item.remote
        title = facts(shown.text).summary if shown else ""
        return f"“{title or looked.item.uid}”: {error}"

    def pass_id(self, tx: Connection, now: datetime) -> int:
        if self.report.pass_id is None:
            self.report.pass_id = passes.start(tx, self.context.link.id, self.context.user.id, now)
        return self.report.pass_id

    def by_pass(self, tx: Connection, now: datetime) -> dict[str, Any]:
        pass_id = self.pass_id(tx, now)
        return {"actor": f"pass:{pass_id}", "pass_id": pass_id, "link_id": self.context.link.id}
