"""A handful of schedules in every test run, and for ever the seeds that once failed."""

from __future__ import annotations

import pytest

from tests.simulation.profiles import PLAIN
from tests.simulation.schedule import play

#: Seeds that once broke an invariant, with what went wrong.
ONCE_FAILED = {
    3: "a lost create, deleted over there before we looked",
    59: "a server whose token lies hid a deletion",
    98: "a booking cancelled while its create was on its way",
    123: "an edit on top of a write whose answer was lost",
    145: "a second write in flight forgot what the first had done",
    1083: "a rewriting server made a lost create look edited",
    1187: "an edit that its own maker deleted again",
    100746: "an edit between our write and our reading of it, on a server that names no version",
}


#: The same, among far sides of every kind.
ONCE_FAILED_THERE = {
    3197: "an event stood twice over there, the one that we knew went, and with it ours",
}


@pytest.mark.parametrize("seed", sorted(ONCE_FAILED_THERE))
def test_a_seed_that_once_failed_among_all_kinds(seed: int) -> None:
    assert play(seed).violations == []


#: The same before the servers of the notes.
ONCE_FAILED_BEFORE_PROVIDERS = {
    141: "a write that was carried out and might not be read back counted as refused",
    809: "a lost create, renamed over there before we looked",
    200047: "a rename that a lying token told in halves",
}


@pytest.mark.parametrize("seed", sorted(ONCE_FAILED))
def test_a_seed_that_once_failed(seed: int) -> None:
    assert play(seed, among=PLAIN).violations == []


@pytest.mark.parametrize("seed", sorted(ONCE_FAILED_BEFORE_PROVIDERS))
def test_a_seed_that_once_failed_before_the_providers(seed: int) -> None:
    assert play(seed).violations == []


@pytest.mark.parametrize("block", range(4))
def test_new_schedules_break_nothing(block: int) -> None:
    found = {
        seed: outcome.violations
        for seed in range(5000 + block * 10, 5010 + block * 10)
        if (outcome := play(seed)).violations
    }
    assert found == {}


def test_the_same_seed_gives_the_same_trace() -> None:
    first, second = play(17), play(17)
    assert first.trace == second.trace
    assert first.faulty > 0
