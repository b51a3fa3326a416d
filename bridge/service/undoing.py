"""One undo under way: its lease, its pass, what became of each object, and its writes on our side.

Which objects, and what is to happen to each, is ``undo``'s business; writes to the other side are
``undo_there``'s.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from bridge.errors import Refused
from bridge.ports import Provider
from bridge.service import Bridge
from bridge.store import links, objects
from bridge.store.links import LinkRow
from bridge.store.objects import StoredObject
from bridge.sync.undo import Touched


@dataclass(slots=True)
class Undoing:
    """``put_back``: what is as it was; ``left``: sentences about the rest. ``unfinished``: another try may
    bring more back. ``provider`` is None where nothing was written there."""

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

    def hold(self, tx: Connection) -> None:
        """Comes first in each transaction. Raises as the function ``hold``."""
        hold(tx, self.link, self.fence)

    def put_here(
        self,
        tx: Connection,
        one: Touched,
        text: str,
        stored: StoredObject | None,
        now: datetime,
        *,
        hidden: bool = False,
    ) -> objects.Stored:
        """Our side's text again, in place of ``stored``. The link is told of it: the next pass carries it to
        the other side."""
        only_seen = stored is not None and stored.text == text
        return objects.put(
            tx,
            one.calendar_id,
            stored.href if stored else one.here.href if one.here else objects.href_for(one.uid),
            text,
            hidden=hidden,
            actor=f"pass:{self.pass_id}",
            pass_id=self.pass_id,
            action="delete" if hidden and only_seen else "restore" if only_seen else None,
            now=now,
        )


def hold(tx: Connection, link: LinkRow, fence: int) -> None:
    """Raises Refused if the lease has gone to somebody else."""
    if not links.still_mine(tx, link.id, fence):
        raise Refused(f"“{link.name}” is being synced right now. Try again in a minute.")
