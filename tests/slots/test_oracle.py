"""The slots equal those of a brute-force oracle, for thousands of random studios."""

from __future__ import annotations

import os
from random import Random

import pytest

from bridge.slots.offer import Offer
from tests.slots import oracle, setups

#: ``SET_UPS=20000`` before a release; a seed that fails is its own reproduction.
SET_UPS = int(os.environ.get("SET_UPS", "2000"))
PORTION = 200


@pytest.mark.parametrize("portion", range(SET_UPS // PORTION))
def test_slots_are_those_of_the_oracle(portion: int) -> None:
    offered = 0
    for seed in range(portion * PORTION, (portion + 1) * PORTION):
        setup, events = setups.studio(Random(seed))
        offer = Offer(setups.rules(setup), setups.busy(setup, events), setup.axis.seconds(setup.now))
        first, last = (setup.axis.seconds(minute) for minute in setup.window)
        found = [
            (slot.starts, slot.ends, frozenset(reason.why.value for reason in slot.reasons))
            for slot in offer.slots(first, last)
        ]
        assert found == oracle.expected(setup), f"seed {seed}"
        assert all(offer.slot(slot[0]).reasons == offer.reasons(slot[0], slot[1]) for slot in found)
        offered += sum(not whys for _, _, whys in found)
    assert offered > PORTION // 4  # the set-ups are not all closed
