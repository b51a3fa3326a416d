"""Carrying a plan out, and remembering what came of it.

A portion of decisions goes through three steps, a file each, each ending in one transaction:

1. *here*: our side is changed, and every write that is about to be sent is recorded as in flight;
2. *there*: the writes are sent one by one, conditional on what was seen;
3. *read back*: what the provider made of them becomes the base, and the journal gets before and after.

A crash between any two leaves either the old agreement or a write in flight that the next pass settles.
An object whose ground moved (somebody was faster, an answer was lost) is handed back to be looked at again;
one that is refused gets a problem row; neither stops the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from bridge.errors import Refused, Stale
from bridge.store import links
from bridge.store.prepared import savepoint
from bridge.sync.apply.arrivals import bring_in, is_arrival
from bridge.sync.apply.here import Here, Moved
from bridge.sync.apply.read_back import ReadBack
from bridge.sync.apply.there import There
from bridge.sync.apply.work import LeaseLost, Sending, Work
from bridge.sync.observe import Looked, Unusable
from bridge.sync.plan import Agree, Decision, Forget, Keep, Stop, Tell
from bridge.sync.survey import Sight

__all__ = ["Applier", "LeaseLost", "Work"]

Decisions = Sequence[tuple[Looked, Decision]]


@dataclass(slots=True)
class Applier:
    """Carries out the decisions of one pass, portion by portion."""

    work: Work
    _here: Here = field(init=False)
    _there: There = field(init=False)
    _read_back: ReadBack = field(init=False)
    _knows_more: bool = False

    def __post_init__(self) -> None:
        self._here, self._there, self._read_back = Here(self.work), There(self.work), ReadBack(self.work)

    def carry_out(self, decisions: Decisions, unusable: Sequence[Unusable]) -> None:
        """Raises LeaseLost, and what the provider raises when it cannot be used at all."""
        if not decisions and not unusable:
            return
        sending: list[Sending] = []
        with self.work.writing() as tx:
            now = self.work.clock.now()
            if any(_changes_something(decision) for _, decision in decisions):
                self.work.memory.pass_id(tx, now)
            for looked, decision in self._after_arrivals(tx, decisions, now):
                try:
                    with savepoint(tx):
                        sent = self._here.change(tx, looked, decision, now)
                    if sent is not None:
                        sending.append(sent)
                except Moved:
                    self.work.again.append(_look_again(looked))
                except Refused as error:
                    self.work.memory.give_up(tx, looked, error)
            for left_out in unusable:
                self.work.memory.leave_out(tx, left_out, now)
            if any(one.item.base is None and one.item.remote is not None for one, _ in decisions):
                self._got_to_know(tx)
        written = [sent for sent in sending if self._there.send(sent)]
        self._read_back.remember(written)

    def _after_arrivals(self, tx: Connection, decisions: Decisions, now: datetime) -> Decisions:
        """Newcomers are brought in together, if all goes well; what is left to be done one by one."""
        arrivals = [one for one in decisions if is_arrival(*one)]
        if not arrivals:
            return decisions
        try:
            with savepoint(tx):
                bring_in(self.work, tx, arrivals, now)
        except (Stale, Refused):
            return decisions
        return [one for one in decisions if not is_arrival(*one)]

    def _got_to_know(self, tx: Connection) -> None:
        """Until this pass has come to its end, the next one lists everything: the cursor it would ask with is
        older than what we now know, and what came and went since may be in no delta (RFC 6578 3.5.2)."""
        if not self._knows_more:
            links.set_(tx, self.work.context.link.id, listed_at=None)
            self._knows_more = True


def _changes_something(decision: Decision) -> bool:
    quiet = Agree | Forget | Keep | Stop | Tell
    return decision.arrived or not all(isinstance(action, quiet) for action in decision.actions)


def _look_again(looked: Looked) -> Sight:
    item = looked.item
    if looked.pairing is not None:
        return Sight(looked.pairing.id, looked.pairing.href, fresh=True)
    if item.remote is not None:
        return Sight(None, item.remote.href, fresh=True)
    return Sight(None, None, looked.calendar_id, item.uid)
