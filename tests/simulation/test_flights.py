"""The write in flight, in schedules of its own: every kind of write, every moment at which its outcome is
unknown, and everything that people may do before anybody looks. Each before one kind of server; all of them,
and a second death: ``make simulate-all``."""

from __future__ import annotations

import pytest

from tests.simulation.flights import WRITES, all_pairs, explore_named
from tests.simulation.mutants import MUTANTS


def chosen() -> list[tuple[str, str]]:
    """Each kind of write, each before another kind of server."""
    profiles = [profile for write, profile in all_pairs([]) if write == WRITES[0]]
    return [(write, profiles[(5 * number) % len(profiles)]) for number, write in enumerate(WRITES)]


@pytest.mark.parametrize(("write", "profile"), chosen())
def test_whatever_becomes_of_a_write_in_flight_nothing_is_lost_or_doubled(write: str, profile: str) -> None:
    outcome = explore_named((write, profile))
    assert outcome.wrong == []
    assert outcome.flights >= 2
    assert outcome.schedules > 10


@pytest.mark.parametrize(
    ("mutant", "write"),
    [
        ("no memory of the write in flight", "a booking is made"),
        ("no memory of the write in flight", "both sides edit different groups"),
        ("a lost create is sent again under a new name", "a booking is made"),
    ],
)
def test_without_its_memory_it_is_caught(mutant: str, write: str, monkeypatch: pytest.MonkeyPatch) -> None:
    MUTANTS[mutant](monkeypatch)
    assert explore_named((write, "plain")).wrong
