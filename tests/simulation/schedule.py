"""One schedule: a studio, its links, what people and the network do to it, and what is left in the end."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from tests.simulation import store
from tests.simulation.far_side import Dial
from tests.simulation.invariants import settle, violations
from tests.simulation.profiles import PROFILES, Profile
from tests.simulation.world import World


@dataclass(slots=True)
class Outcome:
    """What came of one schedule. ``trace`` is a hash of everything that happened, in order."""

    seed: int
    violations: list[str] = field(default_factory=list)
    edits: int = 0
    requests: int = 0
    faulty: int = 0
    crashes: int = 0
    lost: int = 0  # connections to the database
    trace: str = ""
    profiles: list[str] = field(default_factory=list)


def play(
    seed: int, *, among: Sequence[Profile] = PROFILES, losing: bool = False, show: bool = False
) -> Outcome:
    """Run the schedule of that seed, with far sides like some of these. ``losing``: connections to the
    database server break, too; else the trace is the same on every database."""
    random = Random(seed)
    dial = Dial(random)
    world = World.opened(store.put(store.empty()), random, dial)
    world.trace.append(f"seed {seed}")
    _act(world, among, Random(f"connections {seed}") if losing else None)
    found = settle(world)
    found += violations(world)
    if show:
        print("\n".join(world.trace))
    digest = hashlib.sha256("\n".join(world.trace).encode()).hexdigest()
    names = sorted({link.far.profile.name for link in world.links})
    crashes = sum(line.startswith("crash") for line in world.trace)
    count, lost = world.ledger.count, world.lost
    return Outcome(seed, found, count, dial.requests, dial.faulty, crashes, lost, digest, names)


def play_losing(seed: int) -> Outcome:
    return play(seed, losing=True)


def _act(world: World, among: Sequence[Profile], connections: Random | None) -> None:
    random = world.random
    for number in range(random.choice((1, 1, 2, 3, 4))):
        writes = number == 0
        reads = not writes or random.random() < 0.6
        profile = random.choice(among)
        edits = reads and random.random() < 0.5
        if profile.feed:
            reads, edits, writes = True, False, False
        world.add_link(profile, reads=reads, edits=edits, writes=writes)
    world.dial.rate = random.choice((0.1, 0.1, 0.2, 0.3))
    world.meddle = random.choice((0.0, 0.02, 0.1))
    for _ in range(random.randrange(6)):
        world.somebody_acts()
    edits_wanted = random.randrange(30, 60)
    crash_due = random.randrange(edits_wanted)
    while world.ledger.count < edits_wanted:
        if crash_due is not None and world.ledger.count >= crash_due:
            world.crash_at = world.steps + random.randrange(1, 40)
            crash_due = None if random.random() < 0.7 else world.ledger.count + 5
        if connections is not None and connections.random() < 0.15:
            world.lose_at = world.steps + connections.randrange(1, 40)
        for _ in range(random.choice((1, 1, 2, 3, 6))):
            world.somebody_acts()
            world.clock.sleep(random.choice((1, 30, 300)))
        match random.randrange(20):
            case 0:
                random.choice(world.links).far.lose_tokens()
            case 1:
                world.dial.signed_out = not world.dial.signed_out
            case 2:
                world.clock.sleep(90_000)
            case 3 | 4 if all(world.agreed(link) > 5 for link in world.links):
                world.dial.blank = True  # no harm: more than five agreed, so the guard must hold
                world.clock.sleep(90_000)
        for link in world.links:
            if random.random() < 0.6:
                world.run_pass(link, by_hand=random.random() < 0.2)
        world.dial.blank = False
