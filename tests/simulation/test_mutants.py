"""Proof that the simulation can fail: each deliberate fault of the engine is caught by a known seed."""

from __future__ import annotations

import pytest

from tests.simulation.mutants import MUTANTS
from tests.simulation.profiles import PLAIN
from tests.simulation.schedule import play
from tests.simulation.test_crash_points import CAUGHT_AT
from tests.simulation.test_undos import CAUGHT_BY_UNDOING

#: The first seed that catches each.
CAUGHT_BY = {
    "the guard lets everything pass": 2,
    "absence in a delta is taken for deletion": 0,
    "deletions in a delta are not seen": 2,
    "nothing is ever listed again": 375,
    "our own deletions are not seen": 0,
    "a rename is taken for a deletion and a new event": 1,
    "our changes during a pass are forgotten": 6,
    "the cursor is kept before the work is done": 46,
    "no memory of the write in flight": 3,
    "the first write is forgotten when another follows": 5,
    "the hub is compared with their base": 33,
    "the whole object wins instead of the group": 1,
    "a deletion wins over an edit": 1,
    "a booking deleted over there is deleted here": 2,
    "a cancelled booking stays over there": 0,
    "the losing text is thrown away": 0,
    "what was sent is taken for what is stored": 3,
    "a lost create is sent again under a new name": 3,
    "our object is overwritten though it changed meanwhile": 1204,
    "a write expects the newest tag instead of the one it was planned on": 448,
    "a mirror holds our spelling instead of their bytes": 0,
    "what a merge leaves out of the other side is dropped": 7,
}


def test_every_mutant_has_its_seed() -> None:
    assert {*CAUGHT_BY, *CAUGHT_AT, *CAUGHT_BY_UNDOING} == set(MUTANTS)


@pytest.mark.parametrize("name", sorted(CAUGHT_BY))
def test_the_simulation_catches(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    MUTANTS[name](monkeypatch)
    assert play(CAUGHT_BY[name], among=PLAIN).violations
    monkeypatch.undo()
    assert play(CAUGHT_BY[name], among=PLAIN).violations == []
