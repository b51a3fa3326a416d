"""Undo in random schedules: what a pass did is gone on both sides (I10), whatever the network does."""

from __future__ import annotations

import pytest

from tests.simulation.mutants import MUTANTS
from tests.simulation.undos import interrupted, put_back

#: Seeds by which a fault of undo is caught.
CAUGHT_BY_UNDOING = {"an undo leaves their side as it is": range(10)}


@pytest.mark.parametrize("seed", range(60))
def test_both_sides_are_as_before_the_pass(seed: int) -> None:
    assert put_back(seed) == []


@pytest.mark.parametrize("seed", [*range(60), 164, 310])
def test_whatever_happens_meanwhile_both_sides_agree_in_the_end(seed: int) -> None:
    assert interrupted(seed) == []


@pytest.mark.parametrize("mutant", sorted(CAUGHT_BY_UNDOING))
def test_an_undo_that_errs_is_caught(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    MUTANTS[mutant](monkeypatch)
    assert any(put_back(seed) for seed in CAUGHT_BY_UNDOING[mutant])
