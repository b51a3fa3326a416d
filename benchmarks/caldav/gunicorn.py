"""Our CalDAV part under gunicorn, as a fleet runs it: what it serves, and how it is started."""

from __future__ import annotations

import os
import sys
from typing import Any

from bridge.config import Settings
from bridge.wiring import Bridge

PROCESSES = 2


def application() -> Any:
    """``picsello-bridge dav`` without its own server; its settings come from the environment."""
    from bridge import serve
    from bridge.cli.processes import _dav_app, _origin

    bridge = Bridge.open(Settings.load(None, None, os.environ))
    bridge.db.close()
    return _origin(bridge, serve.not_found, {"/dav": _dav_app(bridge)})


def command(port: int, threads: int) -> list[str]:
    """``PROCESSES`` of so many threads each; runs in the root of the tree."""
    options: dict[str, object] = {"--bind": f"127.0.0.1:{port}", "--workers": PROCESSES}
    options |= {
        "--worker-class": "gthread",
        "--threads": threads,
        "--keep-alive": 75,
        "--log-level": "warning",
    }
    words = [str(word) for option in options.items() for word in option]
    return [sys.executable, "-m", "gunicorn", *words, "benchmarks.caldav.gunicorn:application()"]
