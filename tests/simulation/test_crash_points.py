"""Dying at every point of every operation: before a plain server, and before one other kind each.

All kinds of servers: ``make crashes``.
"""

from __future__ import annotations

import pytest

from tests.simulation.crash_points import all_pairs, explore_named
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
