"""What the steps of one pass share: the two sides, the fence that makes the link ours, and what is to be
looked at again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Connection

from bridge.errors import BridgeError
from bridge.ports import Clock, Entry, Provider
from bridge.store import links
from bridge.store.db import Database
from bridge.sync.context import Context
from bridge.sync.memory import Memory
from bridge.sync.observe import Looked
from bridge.sync.plan import DeleteRemote, Hub, PutRemote
from bridge.sync.report import Report
from bridge.sync.survey import Sight


class LeaseLost(BridgeError):
    """Another pass took this link over; it goes on from here."""


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
class Work:
    """The work of one pass. ``again`` collects what must be looked at once more."""

    db: Database
    clock: Clock
    context: Context
    provider: Provider
    fence: int
    report: Report
    again: list[Sight] = field(default_factory=list)
    made: set[int] = field(default_factory=set)  # pairings of what this pass made there
    not_permitted: str | None = None  # why we may no longer write there, if we may not
    memory: Memory = field(init=False)

    def __post_init__(self) -> None:
        self.memory = Memory(self.context, self.report)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction of this pass. Raises LeaseLost if another took over."""
        with self.db.writing() as tx:
            if not links.still_mine(tx, self.context.link.id, self.fence):
                raise LeaseLost("Another pass took over; it goes on from here.")
            yield tx
