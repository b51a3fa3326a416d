"""The first sync after calendars were chosen: shown as a plan, begun when the user says so, counted while it
runs, stopped and taken up again at the user's word.

What choosing means is in ``roles``; carrying a plan out is the engine's business.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.service import Bridge
from bridge.service.roles import Roles, give_back
from bridge.store import accounts, links
from bridge.store.links import LinkRow

if TYPE_CHECKING:
    from bridge.sync.report import Report


#: A count is written at most so often.
COUNTED_SECONDS = 0.5


@dataclass(slots=True)
class Counter:
    """Writes down how far a link's pass is, for whoever looks on; handed to the engine as ``progress``."""

    bridge: Bridge
    link_id: int
    _written: float = 0.0

    def __call__(self, done: int, to_do: int) -> None:
        if to_do == 0 or time.monotonic() - self._written < COUNTED_SECONDS:
            return
        self._written = time.monotonic()
        with self.bridge.db.writing() as tx:
            links.set_(tx, self.link_id, done=done, to_do=to_do)


def stop(bridge: Bridge, account_id: int) -> None:
    """End what runs on the account's calendars before its next write, and begin nothing more until ``start``.
    What agrees already stays so: going on finds it."""
    with bridge.db.writing() as tx:
        for link in links.of_account(tx, account_id):
            if Roles.of(link) and link.released:
                links.stop(tx, link.id)


def waiting(bridge: Bridge, account_id: int) -> list[LinkRow]:
    """The links that do nothing before their plan was looked at: the account's own, and a calendar of another
    account that the bookings are leaving for this one."""
    with bridge.db.reading() as tx:
        user_id = accounts.get(tx, account_id).user_id
        unreleased = [link for link in links.of_user(tx, user_id) if not link.released]
    return [link for link in unreleased if link.account_id == account_id or link.agreed_at is not None]


def preview(bridge: Bridge, account_id: int) -> list[Report]:
    """What each of them would do; nothing is written on either side."""
    engine = bridge.engine()
    return [engine.run(link.id, dry_run=True, by_hand=True) for link in waiting(bridge, account_id)]


def start(bridge: Bridge, account_id: int) -> list[Report]:
    """Let them go ahead: the worker takes those with a role. Those that lost every role give back at once
    what was pushed there; their reports are returned."""
    chosen: list[int] = []
    dropped: list[int] = []
    for link in waiting(bridge, account_id):
        (chosen if Roles.of(link) else dropped).append(link.id)
    with bridge.db.writing() as tx:
        for link_id in chosen:
            going_on = {"state": "new"} if links.get(tx, link_id).state == "stopped" else {}
            links.set_(tx, link_id, released=True, held=None, **going_on)
            links.make_due(tx, link_id, bridge.clock.now())
    for link_id in chosen:
        bridge.enqueue(link_id)
    return [give_back(bridge, link_id) for link_id in dropped]
