"""What need not be kept any longer is dropped, and the index of times rolls on.

Every hour, by every worker: counted failures, ended sessions, old entries of the access log; that is cheap.
Once a day, by one of them (``installation.tidied``): changes and history beyond what the administrator wants
kept, and what was settled long ago. That may be much, so it goes portion by portion in a thread of its own,
and between two portions whoever waits to write has their turn.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection

from bridge.errors import BridgeError, NotFound
from bridge.service import Bridge, attempts
from bridge.service.audit import KEPT
from bridge.store import audit, ended, horizon, installation, pruning

log = logging.getLogger("picsello_bridge.housekeeping")

T = TypeVar("T")

EVERY = timedelta(days=1)
#: Between two portions: as long as the last one took, and at least this many seconds.
LEAST_PAUSE = 0.02

_at_work = threading.Semaphore(1)


def hourly(bridge: Bridge) -> None:
    """Cheap, and safe in several processes at once. What is due daily is begun, if nobody has."""
    now = bridge.clock.now()
    attempts.forget(bridge)
    with bridge.db.writing() as tx:
        ended.forget(tx, now)
        audit.forget(tx, now - KEPT)
        today = installation.claim_tidying(tx, now, EVERY)
    if today and _at_work.acquire(blocking=False):
        threading.Thread(target=_quietly, args=(bridge,), name="housekeeping", daemon=True).start()


def _quietly(bridge: Bridge) -> None:
    try:
        gone = daily(bridge)
        log.info("housekeeping ended", extra={"what": gone})
    except BridgeError as error:
        log.warning("housekeeping stopped, and goes on tomorrow: %s", error)
    except Exception:  # nobody waits for this thread
        log.exception("housekeeping broke off")
    finally:
        _at_work.release()


def daily(bridge: Bridge, pause: Callable[[float], None] = time.sleep) -> dict[str, int]:
    """All of it; returns how many rows went, and how many calendars were indexed anew."""
    work = _Work(bridge, pause)
    return {
        "changes": work.changes(),
        "journal": work.portions(lambda tx: pruning.journal_rows(tx, work.history)),
        "settled": work.portions(lambda tx: pruning.settled(tx, min(work.history, work.now - KEPT))),
        "passes": work.passes(),  # after what belongs to them
        "indexed": work.index(),
    }


class _Work:
    """One day's housekeeping, a short transaction at a time."""

    def __init__(self, bridge: Bridge, pause: Callable[[float], None]):
        self._bridge, self._pause = bridge, pause
        self.now = bridge.clock.now()
        self.history = self.now - timedelta(days=bridge.settings.history_days)

    def portions(self, take: Callable[[Connection], int]) -> int:
        """Until nothing is left; how many rows went."""
        gone = 0
        while some := self._once(take):
            gone += some
        return gone

    def changes(self) -> int:
        older = self.now - timedelta(days=self._bridge.settings.changes_days)
        gone, after = 0, 0
        while True:
            with self._bridge.db.reading() as tx:
                found, last = pruning.calendars_with_old_changes(tx, older, after)
            gone += sum(
                self.portions(partial(pruning.changes, calendar_id=id_, older_than=older)) for id_ in found
            )
            if last is None:
                return gone
            after = last

    def passes(self) -> int:
        gone, after = 0, 0
        while True:
            some, last = self._once(partial(pruning.passes, older_than=self.history, after=after))
            gone += some
            if last is None:
                return gone
            after = last

    def index(self) -> int:
        with self._bridge.db.reading() as tx:
            stale = horizon.stale_horizons(tx, self.now)
        return sum(self._once(partial(_extended, calendar_id=id_, now=self.now)) for id_ in stale)

    def _once(self, take: Callable[[Connection], T]) -> T:
        begun = time.monotonic()
        with self._bridge.db.writing() as tx:
            came = take(tx)
        self._pause(max(time.monotonic() - begun, LEAST_PAUSE))
        return came


def _extended(tx: Connection, calendar_id: int, now: datetime) -> bool:
    try:
        return horizon.extend_horizon(tx, calendar_id, now)
    except NotFound:
        return False  # removed meanwhile
