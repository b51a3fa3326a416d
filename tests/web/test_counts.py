"""Limits hold for all processes of a machine together."""

from __future__ import annotations

import sqlite3
import stat
from multiprocessing import get_context
from pathlib import Path

import pytest
from limits import RateLimitItemPerMinute
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter

from bridge.web.counts import Counts

FIVE = RateLimitItemPerMinute(5)


@pytest.fixture
def counts(tmp_path: Path) -> Counts:
    made = storage_from_string(f"counts://{tmp_path}/limits.sqlite")
    assert isinstance(made, Counts)
    return made


def test_every_process_counts_on_from_where_the_others_are(counts: Counts) -> None:
    limiter = FixedWindowRateLimiter(counts)
    assert limiter.hit(FIVE, "anna")
    forked = [get_context("fork").Process(target=limiter.hit, args=(FIVE, "anna")) for _ in range(4)]
    for process in forked:
        process.start()
    for process in forked:
        process.join()
        assert process.exitcode == 0
    assert not limiter.hit(FIVE, "anna")
    assert limiter.hit(FIVE, "berta")
    assert limiter.get_window_stats(FIVE, "anna").remaining == 0


def test_a_window_that_is_over_begins_anew_and_leaves_nothing(
    counts: Counts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1_000_000.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    assert [counts.incr("anna", 60) for _ in range(3)] == [1, 2, 3]
    assert counts.get_expiry("anna") == now[0] + 60
    now[0] += 59
    assert (counts.get("anna"), counts.incr("anna", 60)) == (3, 4)
    now[0] += 1
    assert counts.get("anna") == 0
    assert counts.incr("berta", 60) == 1
    with sqlite3.connect(tmp_path / "limits.sqlite") as file:
        assert file.execute("SELECT count(*) FROM counts").fetchall() == [(1,)]
    assert counts.incr("anna", 60) == 1
    counts.clear("anna")
    assert (counts.get("anna"), counts.get("berta")) == (0, 1)
    counts.reset()
    assert counts.get("berta") == 0


def test_the_file_is_its_owners_and_names_nobody(counts: Counts, tmp_path: Path) -> None:
    counts.incr("LIMITS:LIMITER/203.0.113.7/slots/600/1/minute", 60)
    for file in tmp_path.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert b"203.0.113" not in file.read_bytes()


def test_a_file_that_cannot_be_written_is_no_reason_not_to_start(tmp_path: Path) -> None:
    counts = Counts(f"counts://{tmp_path}/nowhere/limits.sqlite")
    assert not counts.check()
    with pytest.raises(counts.base_exceptions):  # Flask-Limiter counts in the process then
        counts.incr("anna", 60)
