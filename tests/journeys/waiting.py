"""Waiting for what processes of ours do by themselves."""

from __future__ import annotations

import time
from collections.abc import Callable


def soon(happened: Callable[[], bool], what: str, seconds: float = 40) -> None:
    """Look until it has happened; a slow machine is given its time."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"it did not happen: {what}"
        time.sleep(0.2)
