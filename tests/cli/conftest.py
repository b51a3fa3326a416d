"""The command as people run it: in a process of its own (``run``), or called here (``call``)."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bridge.cli import main


@dataclass(frozen=True)
class Answer:
    """What a call said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as exactly one JSON value."""
        return json.loads(self.out)

    @property
    def refusal(self) -> str:
        """The one line that says why; everything else must be silent."""
        assert self.code == 1, (self.code, self.out, self.err)
        assert self.err.startswith("picsello-bridge: "), self.err
        assert self.err.count("\n") == 1 and "Traceback" not in self.err, self.err
        return self.err.removeprefix("picsello-bridge: ").rstrip("\n")


Call = Callable[..., Answer]


#: The tests' PostgreSQL need not survive the machine, and the doctor says so.
CARELESS = "what PostgreSQL promises"


def wrong(call: Call, *words: str) -> dict[str, str]:
    """What the doctor finds wrong, and what it says to do about it."""
    answer = call("doctor", "--json", *words)
    found = {row["what"]: row["says"] for row in answer.json if not row["ok"]}
    assert answer.code == (1 if found else 0)
    found.pop(CARELESS, None)
    return found


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data folder of this test's installation; it does not exist yet."""
    return tmp_path / "data"


@pytest.fixture
def call(data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    """Call the command in this process: ``call("user", "list")``. ``stdin`` is no terminal."""

    def calling(*arguments: str, stdin: str = "") -> Answer:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        capsys.readouterr()
        try:
            code = main(["--data", str(data), *arguments])
        except SystemExit as end:  # argparse
            code = end.code if isinstance(end.code, int) else 1
        said = capsys.readouterr()
        return Answer(code, said.out, said.err)

    return calling


@pytest.fixture
def run(data: Path) -> Call:
    """Run the command as a process of its own."""

    def running(*arguments: str, stdin: str = "", environ: dict[str, str] | None = None) -> Answer:
        done = subprocess.run(
            [sys.executable, "-m", "bridge.cli", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "PICSELLO_BRIDGE_DATA": str(data), **(environ or {})},
            check=False,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    return running


@pytest.fixture
def anna(call: Call) -> str:
    """A user, in Berlin, without accounts or devices."""
    assert call("user", "add", "anna@studio.example", "--time-zone", "Europe/Berlin").code == 0
    return "anna@studio.example"
