"""A clock that was ahead is right again: what was put off by its wrong time comes when it was meant to.

Nothing is lost by a wrong clock, but a calendar whose next look was reckoned by one that was an hour ahead
would wait for that hour, and so would an account that rests. Every worker watches its machine's clock
(``SetBack``). It happens so rarely that all accounts are gone through, one after the other.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from bridge.service import Bridge
from bridge.store import accounts, links
from bridge.store.accounts import AccountRow

log = logging.getLogger("picsello_bridge")

#: By less nobody is kept waiting; clocks are set right by that much all the time.
LEAST = timedelta(seconds=30)


class SetBack:
    """Notices that the clock was set back, by one that goes on evenly (``even``, in seconds)."""

    def __init__(self, now: Callable[[], datetime], even: Callable[[], float] = time.monotonic):
        self._now, self._even = now, even
        self._apart = self._between()

    def _between(self) -> timedelta:
        return timedelta(seconds=self._now().timestamp() - self._even())

    def by(self) -> timedelta | None:
        """By how much since it was last asked, if that is worth mending."""
        before, self._apart = self._apart, self._between()
        back = before - self._apart
        return back if back >= LEAST else None


def put_right(bridge: Bridge, by: timedelta) -> int:
    """Bring forward by so much what would be due later than in that time. Who rests because a provider asked
    for more asks that much sooner, and is told again. Returns how many links."""
    far = bridge.clock.now() + by
    log.warning("the clock was set back by %d s: what it had put off is brought forward", by.total_seconds())
    with bridge.db.reading() as tx:
        everybody = accounts.everybody(tx)
    return sum(_of_account(bridge, account, far, by) for account in everybody)


def _of_account(bridge: Bridge, account: AccountRow, far: datetime, by: timedelta) -> int:
    with bridge.db.reading() as tx:
        due = {row.id: row.due_at for row in links.of_account(tx, account.id) if row.due_at is not None}
    late, rest = {link_id: at for link_id, at in due.items() if at > far}, account.next_try
    if late or (rest is not None and rest > far):
        with bridge.db.writing() as tx:
            if rest is not None and rest > far:
                accounts.set_(tx, account.id, next_try=rest - by)
            for link_id, at in late.items():
                links.make_due(tx, link_id, at - by)
    return len(late)
