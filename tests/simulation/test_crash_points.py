"""Dying at every point of every operation: before a plain server, and before one other kind each.

All kinds of servers, and dying twice: ``make simulate-all``.
"""

from __future__ import annotations

import pytest

from tests.simulation.crash_points import all_pairs, explore_named
from tests.simulation.mutants import MUTANTS
from tests.simulation.operations import OPERATIONS


def chosen() -> list[tuple[str, str]]:
    """Each operation twice, and each kind of server about equally often."""
    pairs = []
    for number, name in enumerate(OPERATIONS):
        possible = [profile for _, profile in all_pairs([name])]
        pairs += [(name, possible[0]), (name, possible[1 + number % (len(possible) - 1)])]
    return pairs


@pytest.mark.parametrize(("operation", "profile"), chosen())
def test_wherever_a_pass_dies_the_next_one_finishes_its_work(operation: str, profile: str) -> None:
    outcome = explore_named((operation, profile))
    assert outcome.wrong == []
    assert outcome.points > outcome.moments > 1


#: Faults of the engine that only certain operations before certain servers bring to light.
CAUGHT_AT = {
    "a name is used again after a deletion": (
        "a block is deleted here and made again under the same identity",
        "plain",
    ),
    "a delta is trusted to tell what came and went": (
        "a block is made and deleted there before the next look",
        "xandikos",
    ),
    "no memory of the write in flight": ("a booking is made", "rewriting"),
    "the cursor is kept before the work is done": ("a booking is deleted there and cancelled", "plain"),
}


@pytest.mark.parametrize("mutant", sorted(CAUGHT_AT))
def test_dying_everywhere_catches(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    MUTANTS[mutant](monkeypatch)
    assert explore_named(CAUGHT_AT[mutant]).wrong
