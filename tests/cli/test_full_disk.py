"""A disk that takes no more: one sentence, nothing half-made, and all is well again once there is room."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Answer, Call

pytestmark = pytest.mark.embedded


def squeezed(data: Path, most: int, *words: str) -> Answer:
    """A call whose files may not grow beyond so many bytes."""
    done = subprocess.run(
        [sys.executable, "-m", "bridge.cli", *words],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PICSELLO_BRIDGE_DATA": str(data)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
        check=False,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def test_a_booking_that_finds_no_room_is_refused_and_the_others_stay(
    call: Call, anna: str, data: Path
) -> None:
    words = ["booking", "add", anna, "--start", "2027-03-01T10:00", "--duration", "60", "--title"]
    assert call(*words, "Kept").code == 0
    refused = squeezed(data, 8_000, *words, "Too much")
    assert "disk" in refused.refusal
    assert [row["title"] for row in call("booking", "list", anna, "--json").json] == ["Kept"]
    assert call(*words, "Room again").code == 0
    assert call("doctor").code == 0


def test_a_backup_that_finds_no_room_leaves_nothing_behind(
    call: Call, anna: str, data: Path, tmp_path: Path
) -> None:
    for number in range(30):
        call("device", "add", anna, f"{os.urandom(20).hex()}{number}")
    target = tmp_path / "backups"
    target.mkdir()
    assert call("backup", str(target / "whole.backup")).code == 0
    (target / "whole.backup").unlink()
    refused = squeezed(data, 1_000, "backup", str(target / "all.backup"))
    assert "cannot be written" in refused.refusal or "disk" in refused.refusal
    assert os.listdir(target) == []
    assert call("backup", str(target / "all.backup")).code == 0
