"""The first sync after calendars were chosen: shown as a plan, and begun only when the user says so.

What choosing means is in ``roles``; carrying a plan out is the engine's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.service import Bridge
from bridge.service.roles import Roles, give_back
from bridge.store import accounts, links
from bridge.store.links import LinkRow

if TYPE_CHECKING:
    from bridge.sync.report import Report


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
            links.set_(tx, link_id, released=True, held=None)
            links.make_due(tx, link_id, bridge.clock.now())
    for link_id in chosen:
        bridge.enqueue(link_id)
    return [give_back(bridge, link_id) for link_id in dropped]
