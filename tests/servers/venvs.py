"""Virtual environments for programs that must not share ours: made once, found again.

The set-up (``make test``) makes them under ``.venvs``; ``$PICSELLO_BRIDGE_TEST_VENVS`` names another folder.
What is missing is made here, under a lock, so that tests that run side by side make it once.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import venv
from pathlib import Path

FOLDER = Path(os.environ.get("PICSELLO_BRIDGE_TEST_VENVS", Path(__file__).parents[2] / ".venvs"))


def program(name: str, *requirements: str) -> Path:
    """The folder with the environment's programs, after installing the requirements into it if need be."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    place = FOLDER / name
    ready = place / "ready"
    with (FOLDER / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists() and not (FOLDER / f"{name}.stamp").exists():
            venv.create(place, with_pip=True)
            pip = [place / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
            done = subprocess.run([*pip, *requirements], stdout=sys.stderr, check=False)
            if done.returncode:
                raise RuntimeError(f"{', '.join(requirements)} could not be installed into {place}.")
            ready.touch()
    return place / "bin"
