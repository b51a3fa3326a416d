"""Undo in random schedules: what a pass did is gone on both sides (I10), whatever the network does."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from random import Random

import pytest

from bridge.errors import BridgeError
from bridge.ical.fields import fingerprint
from bridge.ports import Provider
from bridge.service import undo
from bridge.store import objects, passes
from tests.simulation import store
from tests.simulation.far_side import Dial
from tests.simulation.ground import Crash
from tests.simulation.ledger import uid_of
from tests.simulation.profiles import PLAIN
from tests.simulation.world import World

Texts = dict[str, str]


@dataclass
class Hands:
    """What the use-case needs of the composition root."""

    world: World

    def __post_init__(self) -> None:
        self.db, self.clock, self.installation = self.world.db, self.world.clock, self.world.uid

    def connect(self, account_id: int) -> Provider:
        link = next(link for link in self.world.links if link.account_id == account_id)
        return self.world.provider(link)

    def enqueue(self, link_id: int) -> None:
        """Passes run when the schedule says so."""


def opened(seed: int) -> World:
    random = Random(seed)
    world = World.opened(store.put(store.empty()), random, Dial(random))
    world.add_link(
        random.choice(PLAIN), reads=random.random() < 0.5, edits=random.random() < 0.3, writes=True
    )
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
    return {o.uid: fingerprint(o.text) for o in shown}


def there(world: World) -> Texts:
    known = [
        text for _, text in world.links[0].remote.objects.values() if uid_of(text) in world.ledger.stories
    ]
    return {uid_of(text): fingerprint(text) for text in known}


def last_pass(world: World) -> int | None:
    with world.db.reading() as tx:
        return next(
            (row.id for row in passes.of_user(tx, world.user_id) if passes.changes_of(tx, row.id)), None
        )


@pytest.mark.parametrize("seed", range(20))
def test_both_sides_are_as_before_the_pass(seed: int) -> None:
    world = opened(seed)
    before, earlier = (here(world), there(world)), last_pass(world)
    world.run_pass(world.links[0], confirm=True, by_hand=True)
    number = last_pass(world)
    if number is None or number == earlier:
        return  # there was nothing to do
    done = undo.undo(Hands(world), number)  # type: ignore[arg-type]
    left = {sentence.split("”")[0] for sentence in done.left}
    cancelled = {uid for uid, story in world.ledger.stories.items() if story.cancelled}
    assert bool(left) <= bool(cancelled), done.left  # only what is cancelled here is not put back there
    after = here(world), there(world)
    # what was deleted here before the pass comes back here too, together with its copy
    returned = {uid for uid in after[0].keys() - before[0].keys() if uid in before[1]}
    for was, now in zip(before, after, strict=True):
        for uid in (was.keys() | now.keys()) - cancelled - returned:
            assert was.get(uid) == now.get(uid), (seed, uid)

    quiet(world)
    first = here(world), there(world)
    quiet(world)
    assert (here(world), there(world)) == first, "and then it is quiet"


@pytest.mark.parametrize("seed", [*range(20), 164, 310])
def test_whatever_happens_meanwhile_both_sides_agree_in_the_end(seed: int) -> None:
    """Answers are lost, the process dies; afterwards nothing is doubled, lost, or in only one place, but for
    copies that the undo took away."""
    world = opened(seed)
    world.run_pass(world.links[0], confirm=True, by_hand=True)
    number = last_pass(world)
    if number is None:
        return
    for _ in range(3):
        world.dial.rate = 0.4
        world.crash_at = world.steps + world.random.randrange(1, 30)
        with contextlib.suppress(BridgeError, Crash):
            undo.undo(Hands(world), number)  # type: ignore[arg-type]
        world.dead, world.crash_at, world.dial.rate = False, None, 0.0
        world.clock.sleep(20)
    quiet(world)
    first = here(world), there(world)
    quiet(world)
    assert (here(world), there(world)) == first
    uids = [uid_of(text) for _, text in world.links[0].remote.objects.values()]
    assert len(uids) == len(set(uids))
    for uid in first[0].keys() & first[1].keys():
        story = world.ledger.stories[uid]
        if story.kind != "foreign" or world.links[0].edits:
            assert world.links[0].far.profile.rewrites or first[0][uid] == first[1][uid], (seed, uid)
    for uid, story in world.ledger.stories.items():
        if story.kind == "booking" and not story.cancelled:
            assert uid in first[0], (seed, uid, "a booking is lost")
