"""How processes that listen at one port share the connections that come in.

All hear of a new one at once, and whoever looks first would take one after the other while the rest stay
idle. So the one with the fewest goes first: the others look away for a moment, and take it only if it is
there still. How many connections each one has stands in memory that they share.
"""

from __future__ import annotations

import mmap
import time
from typing import Any

#: For so long whoever has more than others looks away. Nobody waits longer for a process that is stuck.
AWAY_SECONDS = 0.002
#: What waits still this much later has found nobody else.
_STILL_SECONDS = 0.02

_BYTES = 4


class Share:
    """One process's part of the connections; the part of ``use``'s server."""

    def __init__(self, counts: memoryview, mine: int):
        self._counts = counts
        self._mine = mine
        self._back_at = 0.0

    def use(self, server: Any) -> None:
        """Let this Waitress server take connections in turn with the other processes. A new process begins
        with none, whatever the one before it had."""
        accept, readable, channels = server.handle_accept, server.readable, server.active_channels

        def handle_accept() -> None:
            self._count(len(channels))
            now = time.monotonic()
            if self._is_larger() and not self._back_at <= now < self._back_at + _STILL_SECONDS:
                self._back_at = now + AWAY_SECONDS
                return
            accept()
            self._count(len(channels))

        def looks() -> bool:
            self._count(len(channels))
            return not self.looks_away and bool(readable())

        server.handle_accept, server.readable = handle_accept, looks

    @property
    def looks_away(self) -> bool:
        """Whether new connections are left to others just now."""
        return time.monotonic() < self._back_at

    def _count(self, connections: int) -> None:
        self._counts[self._mine] = connections

    def _is_larger(self) -> bool:
        return min(self._counts) < self._counts[self._mine]


def shares(processes: int) -> list[Share]:
    """One for each process; make them before they fork."""
    counts = memoryview(mmap.mmap(-1, processes * _BYTES)).cast("I")
    return [Share(counts, mine) for mine in range(processes)]
