"""Evolution's data server, which GNOME's calendars show: driven through libecal, without a screen."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import pytest

from tests.clients.conftest import EMAIL, Studio
from tests.plugin.conftest import event


@dataclass(frozen=True)
class Evolution:
    """See ``tests.clients.evolution``."""

    said: IO[str]
    heard: IO[str]

    def __call__(self, word: str, argument: str = "") -> dict[str, str]:
        self.said.write(json.dumps([word, argument]) + "\n")
        self.said.flush()
        return json.loads(self.heard.readline()) or {}

    def shows(self, wanted: dict[str, str]) -> bool:
        """Whether it comes to show this; it looks for news in the background."""
        return _soon(lambda: self("list") == wanted)


def _soon(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 30
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


@contextlib.contextmanager
def running(folder: Path, studio: Studio, calendar: str) -> Iterator[Evolution]:
    for name in ("home", "run"):
        (folder / name).mkdir(parents=True)
    where = urlsplit(studio.origin)
    script = Path(__file__).with_name("evolution.py")
    arguments = [str(where.hostname), str(where.port), f"/dav/{EMAIL}/{calendar}/", EMAIL]
    environ = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder / "home"),
        "XDG_RUNTIME_DIR": str(folder / "run"),
        "LANG": "C.UTF-8",
        "TZ": "Europe/Berlin",
    }
    with (folder / "log").open("w+") as log:
        process = subprocess.Popen(
            ["dbus-run-session", "--", "/usr/bin/python3", str(script), *arguments],
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        with process:
            try:
                process.stdin.write(studio.password + "\n")
                process.stdin.flush()
                assert process.stdout.readline() == '"ready"\n', (folder / "log").read_text()[-2000:]
                yield Evolution(process.stdin, process.stdout)
            finally:
                process.stdin.close()  # it ends, and its session with it


@pytest.fixture
def evolution(tmp_path: Path, studio: Studio) -> Iterator[Evolution]:
    studio.book("b1", event("b1", summary="Wedding"))
    with running(tmp_path / "evolution", studio, "bookings") as started:
        yield started


def vevent(uid: str, summary: str, start: str = "20260612T070000Z") -> str:
    lines = ["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260601T080000Z", f"DTSTART:{start}", "DURATION:PT1H"]
    return "\r\n".join([*lines, f"SUMMARY:{summary}", "END:VEVENT", ""])


def test_evolution_lists_writes_and_sees_changes(studio: Studio, evolution: Evolution) -> None:
    assert evolution.shows({"b1": "Wedding"})

    evolution("add", vevent("own", "Dentist"))
    assert _soon(lambda: "SUMMARY:Dentist" in studio.texts().get("own", ""))
    evolution("change", vevent("own", "Dentist, moved", "20260613T080000Z"))
    assert _soon(lambda: "20260613T080000Z" in studio.texts()["own"])

    studio.book("b1", event("b1", summary="Wedding, rain date"))
    studio.book("b2", event("b2", summary="Newborn"))
    assert evolution.shows({"b1": "Wedding, rain date", "b2": "Newborn", "own": "Dentist, moved"})

    evolution("remove", "own")
    assert _soon(lambda: set(studio.texts()) == {"b1", "b2"})
    studio.gone("b2")
    assert evolution.shows({"b1": "Wedding, rain date"})
