"""A last look at the linked calendars that close slots, before a slot is sold.

Passes run in threads of their own and at most once at a time per link, in all processes together; whoever
books waits for them a few seconds, no longer. A look that fails or takes too long changes nothing: how old
the last agreement may be is judged by ``availability``.
"""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import Future, wait
from datetime import datetime, timedelta

from bridge.errors import BridgeError
from bridge.service import Bridge
from bridge.store import links
from bridge.store.links import LinkRow

log = logging.getLogger(__name__)

#: What was read this recently need not be read again.
RECENT = timedelta(seconds=20)
#: Nobody who books waits longer.
PATIENCE_SECONDS = 6.0
LOOK_AGAIN_SECONDS = 0.1

_running: dict[tuple[str, int], Future[None]] = {}
_lock = threading.Lock()


def read(bridge: Bridge, user_id: int) -> None:
    """Read the user's calendars that close slots, unless that was done just now."""
    now = bridge.clock.now()
    with bridge.db.reading() as tx:
        old = [
            link.id
            for link in links.of_user(tx, user_id)
            if link.reads and link.blocks_slots and link.released and not link.held and _is_old(link, now)
        ]
    if old:
        wait([_pass(bridge, link_id) for link_id in old], timeout=PATIENCE_SECONDS)


def _pass(bridge: Bridge, link_id: int) -> Future[None]:
    """The pass of this link that runs in this process, started if there is none."""
    key = (bridge.installation, link_id)
    with _lock:
        known = _running.get(key)
        if known is not None:
            return known
        future: Future[None] = Future()
        _running[key] = future
    threading.Thread(target=_run, args=(bridge, link_id, key, future), daemon=True).start()
    return future


def _run(bridge: Bridge, link_id: int, key: tuple[str, int], future: Future[None]) -> None:
    try:
        _look(bridge, link_id)
    except BridgeError as error:
        log.info("link %s could not be read before a booking (%s)", link_id, type(error).__name__)
    except Exception:
        log.exception("link %s: the pass before a booking broke off", link_id)
    finally:
        with _lock:
            _running.pop(key, None)
        future.set_result(None)


def _look(bridge: Bridge, link_id: int) -> None:
    """A pass; where one is running elsewhere, its end is as good."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while bridge.engine().run(link_id).busy and time.monotonic() < ends:
        time.sleep(LOOK_AGAIN_SECONDS)
        with bridge.db.reading() as tx:
            if not _is_old(links.get(tx, link_id), bridge.clock.now()):
                return


def _is_old(link: LinkRow, now: datetime) -> bool:
    return link.agreed_at is None or now - link.agreed_at > RECENT
