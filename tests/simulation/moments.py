"""Going back to a moment: everything that outlives a process, as a crash then would leave it.

What is committed, what the far side holds, the time, and who did what. The process itself is what is lost.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha1

from tests.simulation import store
from tests.simulation.far_side import FarCalendar
from tests.simulation.ledger import Ledger
from tests.simulation.world import World

#: How long the lease of a dead process lasts, and a little more.
LEASE_RUNS_OUT = 20


@dataclass(frozen=True, slots=True)
class Moment:
    """``where`` is the step at which it was taken."""

    where: str
    content: bytes
    far: list[tuple[dict[str, FarCalendar], int, dict[str, object]]]
    time: datetime
    ledger: Ledger
    script: list[str | None]  # what is still to fail over there

    @property
    def key(self) -> tuple[str, str]:
        """Equal for moments between which nothing that outlives a process has happened."""
        return sha1(self.content).hexdigest(), repr((self.far, self.script))


def taken(world: World, where: str) -> Moment:
    """This moment."""
    far = [
        (
            {
                name: FarCalendar(dict(held.objects), list(held.log), set(held.taken), held.epoch)
                for name, held in link.far.calendars.items()
            },
            link.far.versions,
            deepcopy(link.learnt),
        )
        for link in world.links
    ]
    return Moment(where, store.take(), far, world.clock.time, deepcopy(world.ledger), list(world.dial.script))


def back_to(world: World, moment: Moment) -> None:
    """The process died at that moment, and another one starts when its lease has run out."""
    store.put(moment.content)
    for link, (calendars, versions, learnt) in zip(world.links, moment.far, strict=True):
        link.far.calendars = {
            name: FarCalendar(dict(held.objects), list(held.log), set(held.taken), held.epoch)
            for name, held in calendars.items()
        }
        link.far.versions, link.learnt = versions, deepcopy(learnt)
    world.clock.time = moment.time
    world.clock.sleep(LEASE_RUNS_OUT)
    world.ledger = deepcopy(moment.ledger)
    world.dead, world.crash_at, world.on_step = False, None, None
    world.db.left()
    world.dial.script[:] = moment.script
