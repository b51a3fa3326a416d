"""Random items for the planner; a million of them: ``python -m tests.simulation.triples 1000000``."""

from __future__ import annotations

import pytest

from tests.simulation.mutants import MUTANTS
from tests.simulation.triples import BLOCK, block


@pytest.mark.parametrize("seed", range(10_000, 10_010))
def test_a_plan_that_is_carried_out_leaves_nothing_to_plan(seed: int) -> None:
    _, seen, wrong = block(seed)
    assert wrong == []
    assert seen["in flight"] > 0.02 * BLOCK
    assert min(seen[kind] for kind in ("bookings", "blocks", "foreigns")) > 0.2 * BLOCK


@pytest.mark.parametrize(
    "mutant",
    [
        "the hub is compared with their base",
        "the whole object wins instead of the group",
        "a deletion wins over an edit",
        "a booking deleted over there is deleted here",
        "what a merge leaves out of the other side is dropped",
    ],
)
def test_a_planner_that_errs_is_caught(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    MUTANTS[mutant](monkeypatch)
    assert block(1)[2]


def test_the_same_seed_gives_the_same_triples() -> None:
    assert block(3) == block(3)
