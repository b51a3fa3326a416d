"""Two rounds of the soak: two real servers, bad networks, passes killed at random (``benchmarks.soak``)."""

from __future__ import annotations

import pytest

from benchmarks.soak import run


def test_random_edits_faults_and_kills_lose_and_double_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PICSELLO_BRIDGE_ALLOW_HOSTS", "PYTHONPATH"):  # the soak sets them; put back afterwards
        monkeypatch.setenv(name, "")
    summary = run(minutes=10, seed=7, rounds=2)
    assert summary["violations"] == {}
    assert (summary["rounds"], summary["passes"]) == (2, 8)
    assert summary["edits"] > 15  # about ten a round, by what people find in which order
