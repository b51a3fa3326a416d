"""The right to run a link: one pass at a time, taken over from whoever died.

A lease is short and kept alive by a heartbeat, so that a killed process blocks nobody for longer than
``SECONDS``, and on the same machine not at all: holders are named so that their end can be seen. The fence
that comes with a lease keeps a process that was merely asleep from writing afterwards.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from sqlalchemy import Connection

from bridge.errors import StoreError
from bridge.ports import Clock
from bridge.store import links
from bridge.store.db import Database
from bridge.sync.heartbeat import Heartbeat

SECONDS = 8.0
#: How long somebody at the keyboard waits for a running pass.
PATIENCE_SECONDS = 900.0
LOOK_AGAIN_SECONDS = 0.2


def name() -> str:
    """Who we are: this boot and process namespace of this machine, process, thread."""
    return f"{_where()}/{os.getpid()}/{threading.get_ident()}"


def is_dead(holder: str) -> bool:
    """Whether that holder's process, seen from here, has ended; False where we cannot know."""
    where, _, rest = holder.rpartition("/")[0].rpartition("/")
    if where != _where() or not rest.isdigit():
        return False
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


@cache
def _where() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}:{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return f"elsewhere:{os.urandom(8).hex()}"  # nobody else's name begins like this


@contextmanager
def held(
    db: Database,
    clock: Clock,
    link_id: int,
    holder: str,
    *,
    wait: bool,
    sleep: Callable[[float], None],
    heartbeat: bool,
    beside: Callable[[Connection, int | None], None] | None = None,
    given_back: Callable[[], bool] = lambda: False,
) -> Iterator[int | None]:
    """The fence of a lease on the link, or None if somebody is at work and we were not to wait.

    ``beside`` is called in the transaction that takes the lease, with what came of that; ``given_back`` says
    whether a last transaction of its holder has given it back already."""
    fence = _acquire(db, clock, link_id, holder, wait, sleep, beside)
    if fence is None:
        yield None
        return
    heart = Heartbeat(lambda: _renewed(db, clock, link_id, fence)) if heartbeat else None
    try:
        yield fence
    finally:
        if heart is not None:
            heart.end()
        if not given_back():
            with db.writing() as tx:
                links.release(tx, link_id, fence)


def _acquire(
    db: Database,
    clock: Clock,
    link_id: int,
    holder: str,
    wait: bool,
    sleep: Callable[[float], None],
    beside: Callable[[Connection, int | None], None] | None,
) -> int | None:
    waited = 0.0
    while True:
        with db.writing() as tx:
            fence = links.acquire(tx, link_id, holder, clock.now(), SECONDS, dead=is_dead)
            if beside is not None:
                beside(tx, fence)
        if fence is not None or not wait or waited > PATIENCE_SECONDS:
            return fence
        sleep(LOOK_AGAIN_SECONDS)
        waited += LOOK_AGAIN_SECONDS


def _renewed(db: Database, clock: Clock, link_id: int, fence: int) -> bool:
    """False if somebody took over; the next transaction of the pass finds out."""
    try:
        with db.writing() as tx:
            return links.renew(tx, link_id, fence, clock.now(), SECONDS)
    except StoreError:
        return True  # busy; the next beat may come through in time
