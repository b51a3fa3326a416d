"""``make newcomer``: what somebody new does first, from nothing but the clone.

1. `make run` in a fresh copy of the repository answers, shows its pages, and stops when it is asked to.
2. The package, installed by plain `pip` into an environment of its own, is complete: run far from any source.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
import venv
from collections.abc import Iterator
from pathlib import Path

from tests.servers.process import free_port

TOP = Path(__file__).parents[1]
PATIENCE_SECONDS = 600


def main() -> None:
    """Raises at the first thing that is not as it should be."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "-q", "--depth", "1", f"file://{TOP}", clone], check=True)
        _step("make run, in a fresh clone")
        environ = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
        port = free_port()
        with _serving(["make", "run", f"PORT={port}"], clone, environ, port):
            _looks_right(port)
        _step("pip install of the clone, in an environment of its own")
        place = Path(folder) / "plain"
        venv.create(place, with_pip=True)
        pip = [place / "bin" / "python", "-m", "pip", "-qq", "--disable-pip-version-check", "install"]
        subprocess.run([*pip, clone], check=True, cwd=folder)
        _step("the source package holds all that is installed")
        _complete(clone, place, pip)
        program, data = place / "bin" / "picsello-bridge", Path(folder) / "data"
        subprocess.run([program, "--data", data, "demo"], check=True, cwd=folder, stdout=subprocess.DEVNULL)
        port = free_port()
        with _serving([program, "--data", data, "serve", "--port", str(port)], Path(folder), environ, port):
            _looks_right(port)
        said = subprocess.run([program, "--data", data, "doctor"], cwd=folder, check=False, text=True)
        assert said.returncode in (0, 1), said
    print("newcomer: all is well")


def _complete(clone: Path, place: Path, pip: list[str | Path]) -> None:
    """Whoever builds from the sdist gets the same files."""
    subprocess.run([*pip, "setuptools>=77"], check=True)
    build = "import setuptools.build_meta as b; b.build_sdist('dist')"
    subprocess.run([place / "bin" / "python", "-c", build], cwd=clone, check=True, stdout=subprocess.DEVNULL)
    (archive,) = (clone / "dist").glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        there = {name.partition("/")[2] for name in packed.getnames()}
    (site,) = place.glob("lib/python3*/site-packages")
    installed = {
        str(path.relative_to(site))
        for package in ("bridge", "radicale_plugin")
        for path in (site / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert len(installed) > 200
    assert installed <= there, sorted(installed - there)[:5]
    assert {"setup.cfg", "setup.py", "pyproject.toml", "README.md", "LICENSE"} <= there


def _step(what: str) -> None:
    print(f"newcomer: {what}", flush=True)


@contextlib.contextmanager
def _serving(
    command: list[str | Path], folder: Path, environ: dict[str, str], port: int
) -> Iterator[subprocess.Popen[bytes]]:
    """The server, once it answers; ended by SIGTERM, in good order."""
    process = subprocess.Popen(command, cwd=folder, env=environ, start_new_session=True)
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not _ready(port):
            assert process.poll() is None, f"it ended with {process.returncode}"
            assert time.monotonic() < deadline, "it never answered"
            time.sleep(0.2)
        yield process
        os.killpg(process.pid, signal.SIGTERM)  # as Ctrl-C does: make and what it started
        assert process.wait(30) in (0, 2, -signal.SIGTERM), process.returncode
        assert not _ready(port), "it still answers"
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _looks_right(port: int) -> None:
    """The sign-in page, with every script and style it names, and the calendar's own."""
    page = _get(port, "/sign-in")
    assert "Sign in" in page
    assets = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
    assert len(assets) >= 2, page
    for path in [*assets, "/static/vendor/fullcalendar.js", "/static/calendar.js", "/static/booking.css"]:
        assert _get(port, path), path
    assert '"openapi"' in _get(port, "/api/v1/openapi.json")


def _get(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return str(answer.read().decode())


if __name__ == "__main__":
    sys.exit(main())
