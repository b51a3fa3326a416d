"""A lease is kept alive while its pass lasts, and a pass that is over at once costs no thread."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

import pytest

from bridge.sync import heartbeat
from bridge.sync.heartbeat import Heartbeat


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(heartbeat, "LATE_SECONDS", 0.01)


class Beats:
    def __init__(self, takes: Callable[[], object] = lambda: None):
        self.count = 0
        self._takes = takes

    def __call__(self) -> bool:
        self._takes()
        self.count += 1
        return True


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def leases() -> int:
    return sum(thread.name == "lease" for thread in threading.enumerate())


def test_a_pass_that_lasts_beats_until_it_ends() -> None:
    beats = Beats()
    heart = Heartbeat(beats)
    until(lambda: beats.count >= 3)
    heart.end()
    ended_with = beats.count
    time.sleep(0.2)
    assert beats.count == ended_with


def test_a_pass_that_is_over_at_once_never_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "BEAT_SECONDS", 60.0)  # even where this test is not given the processor
    beats = Beats()
    for _ in range(100):
        Heartbeat(beats).end()
        assert leases() == 0
    until(lambda: not heartbeat._watch._awake)
    assert beats.count == 0


def test_a_lease_that_was_taken_over_is_left_alone() -> None:
    asked: list[bool] = []
    heart = Heartbeat(lambda: bool(asked.append(True)))
    until(lambda: bool(asked))
    time.sleep(0.2)
    assert len(asked) == 1
    heart.end()


def test_one_that_waits_for_its_database_holds_up_no_other() -> None:
    free = threading.Event()
    slow, quick = Beats(lambda: free.wait(20)), Beats()
    hearts = [Heartbeat(slow), Heartbeat(quick)]
    until(lambda: quick.count >= 3)
    assert slow.count == 0
    free.set()
    for heart in hearts:
        heart.end()


def test_no_beat_runs_after_the_end() -> None:
    inside, free, ended = threading.Event(), threading.Event(), threading.Event()

    def beat() -> bool:
        inside.set()
        return free.wait(20)

    heart = Heartbeat(beat)
    assert inside.wait(20)
    thread = threading.Thread(target=lambda: (heart.end(), ended.set()))
    thread.start()
    assert not ended.wait(0.1)  # the beat is not over
    free.set()
    thread.join(20)
    assert ended.is_set() and leases() == 0


def test_the_watch_begins_again_after_a_rest() -> None:
    Heartbeat(Beats()).end()
    until(lambda: not heartbeat._watch._awake)
    beats = Beats()
    heart = Heartbeat(beats)
    until(lambda: beats.count >= 1)
    heart.end()


def test_a_forked_child_beats_though_its_parents_watch_was_busy() -> None:
    with heartbeat._watch.lock:
        pid = os.fork()
        if pid == 0:
            beats = Beats()
            try:
                heart = Heartbeat(beats)
                until(lambda: beats.count >= 1)
                heart.end()
            finally:
                os._exit(beats.count == 0)
    end = time.monotonic() + 20
    while (status := os.waitpid(pid, os.WNOHANG)) == (0, 0) and time.monotonic() < end:
        time.sleep(0.01)
    if status == (0, 0):
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    assert status == (pid, 0)
