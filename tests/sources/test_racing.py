"""Two writers at once: no lost update, no deadlock, no rule of Picsello's broken."""

from __future__ import annotations

from random import Random

import pytest

from tests.sources.conftest import Desk
from tests.sources.racing import Race

ROUNDS = 25


@pytest.mark.parametrize("seed", [1])
def test_the_application_and_the_bridge_write_at_once(desk: Desk, seed: int) -> None:
    race = Race(desk.picsello, desk.url, desk.organization, Random(seed))
    race.run(ROUNDS)
    assert race.wrong == []
