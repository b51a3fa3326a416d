"""What one pass needs to know before it looks at anything: the link, whose it is, and the user's wishes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from sqlalchemy import Connection

from bridge.store import pairings, whole
from bridge.store.accounts import AccountRow
from bridge.store.calendars import CalendarRow
from bridge.store.links import LinkRow
from bridge.store.people import UserRow
from bridge.sync.plan import OnDelete, OnMove, Policy, Prefer, SourceEdits


@dataclass(frozen=True, slots=True)
class Context:
    """Rows as they were when the pass began."""

    link: LinkRow
    account: AccountRow
    user: UserRow
    bookings: CalendarRow
    mirror: CalendarRow | None
    policy: Policy
    first_look: bool  # a link made again, or restored: look at everything over there for our own

    def hub_sides(self) -> list[tuple[int, int, bool]]:
        """Per calendar of ours: its id, the seq up to which passes have seen it, and whether its changes go
        out."""
        goes_out = self.link.writes or self.link.source
        sides = [(self.bookings.id, self.link.bookings_seq, goes_out)]
        if self.mirror is not None:
            sides.append((self.mirror.id, self.link.mirror_seq, self.link.edits))
        return sides

    def withdrawn(self) -> list[int]:
        """Calendars that no longer take part, whose pairings are to be taken back."""
        gone = [] if self.link.writes or self.link.source else [self.bookings.id]
        if self.mirror is not None and not self.link.reads:
            gone.append(self.mirror.id)
        return gone


def load(tx: Connection, link_id: int, installation: str) -> Context:
    """Raises NotFound if the link was removed."""
    link, account, user = whole.of_link(tx, link_id)
    bookings, mirror = whole.sides(tx, user.id, link.mirror_id)
    policy = Policy(
        reads=link.reads,
        edits=link.edits,
        writes=link.writes,
        installation=installation,
        prefer_own=cast(Prefer, account.conflict or "ours"),
        prefer_foreign=cast(Prefer, account.conflict or "theirs"),
        on_delete=cast(OnDelete, user.on_delete),
        on_move=cast(OnMove, user.on_move),
        source=cast(SourceEdits, account.profile.get("edits", "refuse") if link.source else "none"),
        restored=link.restored,
    )
    first_look = link.writes and (link.restored or not pairings.any_(tx, link_id))
    return Context(link, account, user, bookings, mirror, policy, first_look)
