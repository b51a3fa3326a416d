"""The write in flight: nobody knows whether it arrived, and then somebody edits, deletes, renames or cancels.

``python -m tests.simulation.flights [--again] [--profiles NAME…]``

For every operation that writes there: each moment at which a write is recorded and its outcome is not (the
process died, or the answer was lost, before or after it was carried out), and for each of these everything
that people may do on either side before the next process looks (``MEANWHILE``). ``--again`` lets that process
die, too, at each of its points. The last line on standard output is one JSON object; exit 1 if anything broke
an invariant.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bridge.store import pairings
from tests.simulation import many
from tests.simulation.crash_points import Outcome as Counted
from tests.simulation.crash_points import converge, go_on, opened, settle, watched
from tests.simulation.invariants import violations, written
from tests.simulation.moments import Moment, back_to, taken
from tests.simulation.operations import OPERATIONS, Stage
from tests.simulation.profiles import PROFILES, Profile
from tests.simulation.world import World

#: One of each kind of write, in words of ``operations``.
WRITES = (
    "a booking is made",
    "a booking is edited here",
    "both sides edit different groups",
    "both sides edit the same group and ours wins",
    "a booking is deleted there and put back",
    "a booking is cancelled",
    "a block is deleted here",
    "a block is deleted there and edited here",
    "the first look at a calendar that is read and written",
    "a foreign event is edited here",
    "a foreign event is edited on both sides",
    "a foreign event is deleted here",
    "a foreign event is deleted there and edited here",
)
LOST = ("lost before", "lost after")


@dataclass(slots=True)
class Outcome:
    """What came of one kind of write before one kind of server."""

    write: str
    profile: str
    flights: int = 0
    schedules: int = 0
    wrong: list[str] = field(default_factory=list)


Act = Callable[[Stage, str], None]


def _nothing(_s: Stage, _uid: str) -> None:
    pass


def _gone_here(s: Stage, uid: str) -> None:
    if s.here(uid).kind == "booking":
        s.cancel(uid)
    else:
        s.delete_here(uid)


def _all(*acts: Act) -> Act:
    def act(s: Stage, uid: str) -> None:
        for one in acts:
            one(s, uid)

    return act


EDIT_THERE: Act = lambda s, uid: s.edit_there(uid, "title")  # noqa: E731
MOVE_THERE: Act = lambda s, uid: s.edit_there(uid, "when")  # noqa: E731
DELETE_THERE: Act = lambda s, uid: s.delete_there(uid)  # noqa: E731
RENAME_THERE: Act = lambda s, uid: s.rename_there(uid)  # noqa: E731
EDIT_HERE: Act = lambda s, uid: s.edit_here(uid, "title")  # noqa: E731
MOVE_HERE: Act = lambda s, uid: s.edit_here(uid, "when")  # noqa: E731

#: What people do before the next process looks; whatever is not possible then is left out.
MEANWHILE: dict[str, Act] = {
    "nothing": _nothing,
    "edited there": EDIT_THERE,
    "moved there": MOVE_THERE,
    "deleted there": DELETE_THERE,
    "renamed there": RENAME_THERE,
    "edited here": EDIT_HERE,
    "moved here": MOVE_HERE,
    "gone here": _gone_here,
    "edited on both sides": _all(EDIT_THERE, EDIT_HERE),
    "edited there, then deleted there": _all(EDIT_THERE, DELETE_THERE),
    "edited here, deleted there": _all(DELETE_THERE, EDIT_HERE),
    "edited there, gone here": _all(EDIT_THERE, _gone_here),
    "renamed and edited there": _all(RENAME_THERE, MOVE_THERE),
    "gone on both sides": _all(DELETE_THERE, _gone_here),
}


def explore(write: str, profile: Profile, *, again: bool = False) -> Outcome:
    """Everything that may happen to this kind of write there; ``again``: and then the next process dies."""
    outcome = Outcome(write, profile.name)
    for moment, world in _in_the_dark(write, profile):
        outcome.flights += 1
        for name, act in MEANWHILE.items():
            back_to(world, moment)
            stage = Stage(world)
            uid = list(world.ledger.stories)[-1]
            try:
                act(stage, uid)
            except (StopIteration, AssertionError):
                continue  # it is not where it would have to be
            outcome.schedules += 1
            counted = Counted(write, profile.name)
            further = watched(world, converge, counted) if again else []
            if not again:
                converge(world)
            _check(world, f"{moment.where}, {name}", outcome)
            for later in further:
                outcome.schedules += 1
                back_to(world, later)
                converge(world)
                _check(world, f"{moment.where}, {name}, {later.where}", outcome)
    return outcome


def _in_the_dark(write: str, profile: Profile) -> Iterator[tuple[Moment, World]]:
    """The moments at which some write is on its way, as far as anybody here knows."""
    operation = OPERATIONS[write]
    for lost in (None, *LOST):
        world = opened(operation, profile)
        story = operation.story(Stage(world))
        next(story)
        settle(world)
        go_on(story)
        if lost is None:
            moments = watched(
                world, lambda world: world.run_pass(world.links[0]), Counted(write, profile.name)
            )
        else:  # nothing dies: the answer alone is lost, and nothing can be asked afterwards
            world.dial.script.append(lost)
            _until_lost(world)
            moments = [taken(world, lost)]
        for moment in {moment.key: moment for moment in moments}.values():
            back_to(world, moment)
            with world.db.reading() as tx:
                flying = [row for row in pairings.unsettled(tx, world.links[0].id) if row.flight]
            if flying:
                yield moment, world


def _one_pass(world: World) -> None:
    world.run_pass(world.links[0])


def _until_lost(world: World) -> None:
    """The pass in which the answer is lost, whose later questions get no answer either."""

    def note(where: str) -> None:
        if where == "request" and not world.dial.script:
            world.dial.signed_out = True

    world.on_step = note
    world.run_pass(world.links[0])
    world.on_step, world.dial.signed_out = None, False


def _check(world: World, where: str, outcome: Outcome) -> None:
    found = violations(world)
    before = written(world)
    world.run_pass(world.links[0])
    if written(world) != before:
        found.append("I6 a pass with nothing new wrote something")
    outcome.wrong += [f"{where}: {sentence}" for sentence in found]


# --- all of them -------------------------------------------------------------------------------------------


def all_pairs(profiles: list[str]) -> list[tuple[str, str]]:
    return [
        (w, p.name) for w in WRITES for p in PROFILES if not p.feed and (not profiles or p.name in profiles)
    ]


def explore_named(pair: tuple[str, str]) -> Outcome:
    return explore(pair[0], next(p for p in PROFILES if p.name == pair[1]))


def explore_named_again(pair: tuple[str, str]) -> Outcome:
    return explore(pair[0], next(p for p in PROFILES if p.name == pair[1]), again=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Everything that may happen to a write in flight.")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--profiles", nargs="*", default=[])
    many.add_options(parser)
    wish = parser.parse_args()
    pairs = all_pairs(wish.profiles)
    totals: Counter[str] = Counter()
    failing: list[str] = []
    started = time.monotonic()
    with many.on(wish.database), many.workers(wish.processes) as pool:
        work = explore_named_again if wish.again else explore_named
        for done, outcome in enumerate(pool.imap_unordered(work, pairs), 1):
            totals.update(flights=outcome.flights, schedules=outcome.schedules, violations=len(outcome.wrong))
            if outcome.wrong:
                failing.append(f"{outcome.write} / {outcome.profile}")
                print(f"\n{failing[-1]}: {outcome.wrong[:4]}", file=sys.stderr)
            print(f"\r{done}/{len(pairs)}, {totals['schedules']} schedules", end="", file=sys.stderr)
    print(file=sys.stderr)
    summary = {
        "database": wish.database,
        "writes": len(WRITES),
        "pairs": len(pairs),
        **totals,
        "failing": sorted(failing),
    }
    print(json.dumps({**summary, "seconds": round(time.monotonic() - started, 1)}))
    return 1 if failing else 0


if __name__ == "__main__":
    sys.exit(main())
