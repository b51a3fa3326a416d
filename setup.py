"""Builds the package: everything is said in setup.cfg; here npm fetches what the pages need from it.

``pip install`` of a clone thus gives complete pages, assets included. Node is needed once, to build: what was
fetched stays in ``bridge/web/static/vendor`` until the lock file changes, and travels in wheels and sdists.
"""

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.editable_wheel import editable_wheel

WEB = Path(__file__).resolve().parent / "bridge" / "web"
VENDOR = WEB / "static" / "vendor"
#: Path in node_modules -> name in vendor. Licences stay beside what they are for.
FILES = {
    "fullcalendar/index.global.min.js": "fullcalendar.js",
    "fullcalendar/LICENSE.md": "fullcalendar.LICENSE.md",
    "preact/LICENSE": "preact.LICENSE",  # inside FullCalendar's bundle
}


def fetch_vendor() -> None:
    """Fill ``VENDOR`` by ``npm ci``, unless it already holds what the lock file asks for."""
    lock = hashlib.sha256((WEB / "package-lock.json").read_bytes()).hexdigest()
    stamp = VENDOR / "lock.sha256"
    if (
        stamp.is_file()
        and stamp.read_text().strip() == lock
        and all((VENDOR / n).is_file() for n in FILES.values())
    ):
        return
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("npm is needed to build the pages. Install Node 20 or newer, then try again.")
    with tempfile.TemporaryDirectory() as folder:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(WEB / name, folder)
        call = [npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(call, cwd=folder, check=True)  # noqa: S603
        shutil.rmtree(VENDOR, ignore_errors=True)
        VENDOR.mkdir(parents=True)
        for source, name in FILES.items():
            shutil.copy(Path(folder) / "node_modules" / source, VENDOR / name)
    stamp.write_text(lock + "\n")


class BuildPages(build_py):
    """``build_py``, with the pages' assets in place before the package's files are listed."""

    def run(self) -> None:
        fetch_vendor()
        super().run()


class EditablePages(editable_wheel):
    """``pip install --editable``: setuptools would swallow a failure of ``build_py`` there."""

    def run(self) -> None:
        fetch_vendor()
        super().run()


setup(cmdclass={"build_py": BuildPages, "editable_wheel": EditablePages})
