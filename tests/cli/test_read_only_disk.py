"""A disk that became read-only: what would write is refused in a sentence, nothing is changed, and all is
well again once it may be written to."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import Answer, Call

pytestmark = pytest.mark.embedded


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Nothing in it can be written or made by whoever has no rights beyond the file's."""
    everything = [folder, *folder.rglob("*")]
    before = {path: path.stat().st_mode for path in everything}
    for path in everything:
        path.chmod(0o500 if path.is_dir() else 0o400)
    yield
    for path, mode in before.items():
        path.chmod(mode)


def unprivileged(data: Path, *words: str) -> Answer:
    """A call for which the modes of files hold even if the tests run as root."""
    drop = (
        ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"] if os.geteuid() == 0 else []
    )
    done = subprocess.run(
        [*drop, sys.executable, "-m", "bridge.cli", *words],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PICSELLO_BRIDGE_DATA": str(data)},
        check=False,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(
    "words",
    [
        ("booking", "add", "{anna}", "--title", "X", "--start", "2027-03-02T10:00", "--duration", "60"),
        ("device", "add", "{anna}", "phone"),
        ("serve", "--port", "0"),
        ("sync",),
    ],
    ids=" ".join,
)
def test_what_would_write_is_refused_and_nothing_is_changed(
    call: Call, anna: str, data: Path, words: tuple[str, ...]
) -> None:
    add = ["booking", "add", anna, "--start", "2027-03-01T10:00", "--duration", "60", "--title"]
    assert call(*add, "Kept").code == 0
    files = {path: path.read_bytes() for path in data.iterdir() if path.suffix == ".sqlite"}
    with read_only(data):
        refused = unprivileged(data, *(word.format(anna=anna) for word in words))
        assert "may be written to" in refused.refusal
        assert {path: path.read_bytes() for path in files} == files
    assert [row["title"] for row in call("booking", "list", anna, "--json").json] == ["Kept"]
    assert call(*add, "Room again").code == 0
    assert call("doctor").code == 0
