"""What keeps a lease alive while its pass lasts.

Most passes are over before their lease needs that: a thread for each of them costs up to a fifth of such a
pass. One thread for all waits until one has lasted for a beat, and that one gets a thread of its own from
there on: whatever its database makes it wait for, no other lease waits with it. What a lease is, and how it
is renewed: ``lease``.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable

BEAT_SECONDS = 2.0
#: How much later than that the first beat may come.
LATE_SECONDS = 0.5


class Heartbeat:
    """Calls ``beat`` once a lease has been held for ``BEAT_SECONDS``, and that often from then on, until it
    returns False or ``end`` was called. After ``end`` has returned, no beat runs."""

    def __init__(self, beat: Callable[[], bool]):
        self.due = time.monotonic() + BEAT_SECONDS
        self.ended = False
        self._beat = beat
        self._thread: threading.Thread | None = None
        _watch.over(self)

    def begin(self) -> None:
        """It has lasted: a thread of its own. The watch calls this, and never after ``end``."""
        self._rest = threading.Event()
        self._thread = threading.Thread(target=self._keep_beating, name="lease", daemon=True)
        self._thread.start()

    def end(self) -> None:
        with _watch.lock:
            self.ended = True
        if self._thread is not None:
            self._rest.set()
            self._thread.join()

    def _keep_beating(self) -> None:
        while self._beat() and not self._rest.wait(BEAT_SECONDS):
            pass


class _Watch:
    """Looks after the heartbeats that have not begun; its thread lives while there are any."""

    lock: threading.Lock
    _young: deque[Heartbeat]  # the oldest first
    _awake: bool

    def __init__(self) -> None:
        self.anew()

    def anew(self) -> None:
        """A forked child has none of its parent's threads, and the lock may have been held."""
        self.lock, self._young, self._awake = threading.Lock(), deque(), False

    def over(self, heart: Heartbeat) -> None:
        with self.lock:
            self._young.append(heart)
            if not self._awake:
                threading.Thread(target=self._look, name="leases", daemon=True).start()
                self._awake = True

    def _look(self) -> None:
        while True:
            time.sleep(LATE_SECONDS)
            with self.lock:
                now = time.monotonic()
                while self._young and (self._young[0].ended or self._young[0].due <= now):
                    heart = self._young.popleft()
                    if not heart.ended:
                        heart.begin()
                if not self._young:
                    self._awake = False
                    return


_watch = _Watch()
os.register_at_fork(after_in_child=_watch.anew)
