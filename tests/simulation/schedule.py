"""One schedule: a studio, its links, what people and the network do to it, and what is left in the end."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random

from bridge.store.db import Database
from tests.simulation.far_side import PROFILES, Dial
from tests.simulation.invariants import settle, violations
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
    trace: str = ""


def play(seed: int, *, show: bool = False) -> Outcome:
    """Run the schedule of that seed."""
    random = Random(seed)
    dial = Dial(random)
    with tempfile.TemporaryDirectory(dir=_fast_folder()) as folder:
        path = Path(folder) / "store.sqlite"
        shutil.copy(_empty_store(), path)
        world = World.opened(path, random, dial)
        world.trace.append(f"seed {seed}")
        try:
            _act(world)
            found = settle(world)
            found += violations(world)
        finally:
            world.db.close()
    if show:
        print("\n".join(world.trace))
    digest = hashlib.sha256("\n".join(world.trace).encode()).hexdigest()
    crashes = sum(line.startswith("crash") for line in world.trace)
    return Outcome(seed, found, world.ledger.count, dial.requests, dial.faulty, crashes, digest)


def _act(world: World) -> None:
    random = world.random
    for number in range(random.choice((1, 1, 2, 3, 4))):
        writes = number == 0
        reads = not writes or random.random() < 0.6
        world.add_link(
            random.choice(PROFILES), reads=reads, edits=reads and random.random() < 0.5, writes=writes
        )
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


def _fast_folder() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


@cache
def _empty_store() -> Path:
    """A migrated, empty database to copy."""
    path = Path(tempfile.mkdtemp(dir=_fast_folder())) / "empty.sqlite"
    db = Database(f"sqlite:///{path}")
    db.migrate()
    db.close()
    return path
