"""Servers from Debian packages: found where the packages put them, run as somebody who is not root.

A missing package fails the tests with the words to install it; it never skips them.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path


def needed(path: str, *packages: str) -> Path:
    """A file that a package installs."""
    if not Path(path).exists():
        raise RuntimeError(f"{path} is missing: apt-get install {' '.join(packages)}")
    return Path(path)


def account(name: str) -> str | None:
    """Whom to run a server as: its own account where we are root, else ourselves (None)."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(name).pw_name
    except KeyError:
        raise RuntimeError(f"There is no account “{name}”: its package is not installed.") from None


@contextlib.contextmanager
def folder_of(name: str | None) -> Iterator[Path]:
    """A folder that the account may use (it may not look into pytest's)."""
    folder = Path(tempfile.mkdtemp(prefix="dav-"))
    try:
        if name:
            shutil.chown(folder, name)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
