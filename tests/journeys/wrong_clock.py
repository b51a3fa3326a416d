"""The command on a machine whose clock is wrong: ``python -m tests.journeys.wrong_clock FILE words…``.

The file says by how many seconds; it may change at any time, and the clock jumps with it. What measures
how long something takes (the monotonic clock) goes on evenly, as on a real machine.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bridge.cli import main
from bridge.clock import SystemClock


def set_wrong(file: Path) -> None:
    """From now on this process, and those it forks, see the clock that the file describes."""
    right = time.time

    def wrong() -> float:
        return right() + float(file.read_text() or 0)

    def now(_: SystemClock) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(file.read_text() or 0))

    time.time = wrong
    setattr(SystemClock, "now", now)  # noqa: B010 - that it is another clock's is the point


if __name__ == "__main__":
    set_wrong(Path(sys.argv[1]))
    sys.exit(main(sys.argv[2:]))
