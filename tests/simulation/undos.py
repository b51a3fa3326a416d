"""Undo in random schedules (I10): ``python -m tests.simulation.undos N [SEED]``.

``put_back``: what a pass did is undone, and both sides are as they were before it, but for what an undo
leaves on purpose. ``interrupted``: the undo itself loses answers and dies, again and again; afterwards
nothing is doubled or lost, and all is quiet. The last line on standard output is one JSON object; exit 1 if
anything was wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from random import Random
from typing import cast

from bridge.errors import BridgeError
from bridge.ical.fields import fingerprint
from bridge.service import Bridge, undo
from bridge.store import objects, passes
from tests.simulation import many, store
from tests.simulation.far_side import Dial, same_content
from tests.simulation.ground import Crash
from tests.simulation.ledger import uid_of
from tests.simulation.operations import Hands
from tests.simulation.profiles import PROFILES
from tests.simulation.world import World

Texts = dict[str, str]
#: Servers that can be written to.
SERVERS = tuple(profile for profile in PROFILES if not profile.feed)


def opened(seed: int) -> World:
    """A studio whose sides agreed, and after which people went on."""
    random = Random(seed)
    world = World.opened(store.put(store.empty()), random, Dial(random))
    reads, edits = random.random() < 0.5, random.random() < 0.3
    world.add_link(random.choice(SERVERS), reads=reads, edits=reads and edits, writes=True)
    for _ in range(6):
        world.somebody_acts()
    quiet(world)
    for _ in range(5):
        world.somebody_acts()
    return world


def quiet(world: World) -> None:
    for _ in range(4):
        world.clock.sleep(100_000)
        world.run_pass(world.links[0], confirm=True, by_hand=True)


def here(world: World) -> Texts:
    """What people see here: UID to meaning; cancelled bookings are nowhere to be seen."""
    link = world.links[0]
    with world.db.reading() as tx:
        shown = [o for c in (world.bookings_id, link.mirror_id) if c for o in objects.all_objects(tx, c)]
    return {o.uid: o.text for o in shown}


def there(world: World) -> Texts:
    held = [text for _, text in world.links[0].remote.objects.values()]
    return {uid_of(text): text for text in held if uid_of(text) in world.ledger.stories}


def last_pass(world: World) -> int | None:
    with world.db.reading() as tx:
        return next(
            (row.id for row in passes.of_user(tx, world.user_id) if passes.changes_of(tx, row.id)), None
        )


def put_back(seed: int) -> list[str]:
    """What is wrong after the undo of an undisturbed pass, in sentences."""
    world = opened(seed)
    before, earlier = (here(world), there(world)), last_pass(world)
    world.run_pass(world.links[0], confirm=True, by_hand=True)
    number = last_pass(world)
    if number is None or number == earlier:
        return []  # there was nothing to do
    found = []
    done = undo.undo(cast(Bridge, Hands(world)), number)
    cancelled = {uid for uid, story in world.ledger.stories.items() if story.cancelled}
    if done.left and not cancelled:
        found.append(f"I10 left as it is, though nobody edited it: {done.left}")
    after = here(world), there(world)
    # what was deleted here before the pass comes back here too, together with its copy
    returned = {uid for uid in after[0].keys() - before[0].keys() if uid in before[1]}
    for side, was, now in zip(("here", "there"), before, after, strict=True):
        for uid in sorted((was.keys() | now.keys()) - cancelled - returned):
            if _meaning(was.get(uid)) != _meaning(now.get(uid)):
                found.append(f"I10 {uid} is not as it was {side}")
    return found + _at_rest(world)


def interrupted(seed: int) -> list[str]:
    """What is wrong after undos that lost answers and died, in sentences."""
    world = opened(seed)
    world.run_pass(world.links[0], confirm=True, by_hand=True)
    number = last_pass(world)
    if number is None:
        return []
    for _ in range(3):
        world.dial.rate = 0.4
        world.crash_at = world.steps + world.random.randrange(1, 30)
        with contextlib.suppress(BridgeError, Crash):
            undo.undo(cast(Bridge, Hands(world)), number)
        world.dead, world.crash_at, world.dial.rate = False, None, 0.0
        world.clock.sleep(20)
    found = _at_rest(world)
    uids = [uid_of(text) for _, text in world.links[0].remote.objects.values()]
    found += [f"I3 {uid} is there twice" for uid in sorted(set(uids)) if uids.count(uid) > 1]
    ours, theirs, link = here(world), there(world), world.links[0]
    for uid in sorted(ours.keys() & theirs.keys()):
        carried = world.ledger.stories[uid].kind != "foreign" or link.edits
        if carried and not same_content(link.far.profile, ours[uid], theirs[uid]):
            found.append(f"I1 {uid} differs")
    for uid, story in world.ledger.stories.items():
        if story.kind == "booking" and not story.cancelled and uid not in ours:
            found.append(f"I5 booking {uid} is lost")
    return found


def _at_rest(world: World) -> list[str]:
    quiet(world)
    first = here(world), there(world)
    quiet(world)
    return [] if (here(world), there(world)) == first else ["I6 it does not come to rest"]


def _meaning(text: str | None) -> str | None:
    return None if text is None else fingerprint(text)


def both(seed: int) -> tuple[int, list[str]]:
    return seed, put_back(seed) + interrupted(seed)


def main() -> int:
    parser = argparse.ArgumentParser(description="Undo passes in random schedules.")
    parser.add_argument("number", type=int)
    parser.add_argument("seed", type=int, nargs="?", default=0)
    many.add_options(parser)
    wish = parser.parse_args()
    failing: dict[int, list[str]] = {}
    started = time.monotonic()
    seeds = range(wish.seed, wish.seed + wish.number)
    with many.on(wish.database), many.workers(wish.processes) as pool:
        for done, (seed, found) in enumerate(pool.imap_unordered(both, seeds, chunksize=4), 1):
            if found:
                failing[seed] = found
                print(f"\nseed {seed}: {found}", file=sys.stderr)
            print(f"\r{done}/{wish.number} undone, {len(failing)} failing", end="", file=sys.stderr)
    print(file=sys.stderr)
    summary = {
        "database": wish.database,
        "undone": 2 * wish.number,
        "seed": wish.seed,
        "failing_seeds": sorted(failing),
    }
    print(json.dumps({**summary, "seconds": round(time.monotonic() - started, 1)}))
    return 1 if failing else 0


if __name__ == "__main__":
    sys.exit(main())
