"""Bookings that came by a subscription to Picsello's own feed, when they begin to come from Picsello itself.

While nothing else shows them they stand in the mirror of the calendar that subscribes to them. With a source
they are in the bookings, so the mirror lets go of its copies. Over there nothing is touched, and the next
pass says what it leaves out and why (``sync.observe``).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from bridge.store import links, objects, pairings
from bridge.sync.observe import of_old_subscription


def let_go(tx: Connection, user_id: int, now: datetime) -> None:
    """In the transaction that sets the source, so that there is no moment with both or none."""
    for link in links.of_user(tx, user_id):
        if link.mirror_id is None:
            continue
        copies = [
            row for row in pairings.of_calendar(tx, link.id, link.mirror_id) if of_old_subscription(row.uid)
        ]
        if not copies:
            continue
        links.overtake(tx, link.id)  # a running pass would take what goes here for the user's deletions
        for row in copies:
            pairings.forget(tx, row.id)
            stored = objects.by_uid(tx, link.mirror_id, row.uid)
            if stored is not None:
                objects.delete(
                    tx, link.mirror_id, stored.href, actor=f"user:{user_id}", now=now, link_id=link.id
                )
        links.set_(tx, link.id, cursor=None, listed_at=None, due_at=now)
