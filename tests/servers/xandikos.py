"""Xandikos, in a virtual environment of its own, as somebody's calendar provider. It signs nobody in."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.servers.dav import Server
from tests.servers.process import free_port, running
from tests.servers.venvs import program

_COMMIT = """
import sys
from dulwich import porcelain
folder = sys.argv[1]
porcelain.add(folder, [f"{folder}/{line.rstrip()}" for line in sys.stdin])
anna = b"Anna <anna@example.com>"
porcelain.commit(folder, message=b"seed", author=anna, committer=anna)
"""


@contextlib.contextmanager
def xandikos(folder: Path, *, port: int | None = None) -> Iterator[Server]:
    """A server with its data in ``folder`` (kept, so that it can be started again)."""
    port = port or free_port()
    (folder / "root").mkdir(parents=True, exist_ok=True)
    command = [
        program("xandikos", "xandikos"),
        *("serve", "--defaults", "--current-user-principal", "/anna/", "--no-detect-systemd"),
        *("-d", str(folder / "root"), "--state-dir", str(folder / "state")),
        *("-l", "127.0.0.1", "-p", str(port)),
    ]
    command[0] = command[0] / "xandikos"
    with running(command, port, folder / "log"):
        yield Server(f"http://127.0.0.1:{port}/", "", "", "/anna/calendars/")


def seed(folder: Path, calendar: str, texts: Mapping[str, str]) -> None:
    """Put many objects into a calendar at once: one commit instead of one for each."""
    place = folder / "root" / calendar.strip("/")
    for name, text in texts.items():
        (place / name).write_bytes(text.encode())
    python = program("xandikos", "xandikos") / "python"
    subprocess.run([python, "-c", _COMMIT, str(place)], input="\n".join(texts).encode(), check=True)
