"""Every place where a pass may die, for every operation, before every kind of server.

``python -m tests.simulation.crash_points [--again] [--profiles NAME…] [--operations WORD…]``

Each operation (``operations``) runs once undisturbed, and every step of that run (before and after each
transaction, before each request, between a write's effect and its answer) is a *crash point*. What outlives a
crash is what is committed and what the far side holds, so points between which neither changes are one
*moment*; from each moment a new process goes on (``moments``). It must come to what the undisturbed run came
to, break no invariant, and then be quiet. ``--again`` lets the new process die, too, at each of its points.

The last line on standard output is one JSON object; exit 1 if anything was wrong.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from bridge.store import conflicts, notices, objects, pairings, suggestions
from tests.simulation import many, store
from tests.simulation.far_side import Dial
from tests.simulation.invariants import violations, written
from tests.simulation.ledger import shown, told_by
from tests.simulation.moments import Moment, back_to, taken
from tests.simulation.operations import OPERATIONS, Operation, Stage
from tests.simulation.profiles import PROFILES, Profile
from tests.simulation.world import World

#: So many passes bring both sides together, whatever happened.
PASSES = 6
Result = dict[str, Any]


@dataclass(slots=True)
class Outcome:
    """What came of one operation before one kind of server."""

    operation: str
    profile: str
    points: int = 0
    moments: int = 0
    recoveries: int = 0
    wrong: list[str] = field(default_factory=list)


def explore(operation: Operation, profile: Profile, *, again: bool = False) -> Outcome:
    """Die at each point of this operation there; ``again``: and at each point of what follows."""
    outcome = Outcome(operation.name, profile.name)
    world = opened(operation, profile)
    stage = Stage(world)
    story = operation.story(stage)
    next(story)
    settle(world)
    go_on(story)
    begun = taken(world, "before")
    found = watched(world, converge, outcome)
    results = [result(world)]
    if operation.by_user:
        asked = taken(world, "asked")
        found += watched(world, lambda world: (go_on(story), converge(world)), outcome)
        results.append(result(world))
        found.append(asked)
    wrong = violations(world) if operation.modelled else []
    outcome.wrong += [f"undisturbed: {sentence}" for sentence in wrong]
    seen: set[tuple[str, str]] = set()
    for moment in [begun, *found]:
        _recover(world, operation, moment, results, outcome, seen, again=again)
    return outcome


def _recover(
    world: World,
    operation: Operation,
    moment: Moment,
    results: Sequence[Result],
    outcome: Outcome,
    seen: set[tuple[str, str]],
    *,
    again: bool,
) -> None:
    if moment.key in seen:
        return
    seen.add(moment.key)
    outcome.moments += 1
    outcome.recoveries += 1
    back_to(world, moment)
    further = watched(world, converge, outcome) if again else []
    if not again:
        converge(world)
    _check(world, operation, moment.where, results, outcome)
    for later in further:
        if later.key not in seen:
            seen.add(later.key)
            outcome.recoveries += 1
            back_to(world, later)
            converge(world)
            _check(world, operation, f"{moment.where}, then {later.where}", results, outcome)


def _check(
    world: World, operation: Operation, where: str, results: Sequence[Result], outcome: Outcome
) -> None:
    now = result(world)
    if now not in results and operation.by_user:
        outcome.wrong += [f"{where}: {sentence}" for sentence in _half_done(now, results)]
    elif now not in results:
        differing = {name: (now[name], results[-1][name]) for name in now if now[name] != results[-1][name]}
        outcome.wrong.append(f"{where}: {differing}")
    if operation.modelled:
        outcome.wrong += [f"{where}: {sentence}" for sentence in violations(world)]
    before = written(world)
    world.run_pass(world.links[0])
    if written(world) != before:
        outcome.wrong.append(f"{where}: I6 a pass with nothing new wrote something")


def _half_done(now: Result, results: Sequence[Result]) -> Iterator[str]:
    """What the user asked for may have been carried out in part, but on both sides alike, and of nothing else
    than what was there before or after it."""
    if sorted(told[-1] for told in now["here"] if told[2] != "CANCELLED" and not told[3]) != now["there"]:
        yield f"the two sides differ: {now['here']} {now['there']}"
    known = {(uid, group, value) for one in results for uid, group, value in one["values"]}
    if new := set(now["values"]) - known:
        yield f"values that never were: {new}"


def opened(operation: Operation, profile: Profile) -> World:
    random = Random(0)
    world = World.opened(store.put(store.empty()), random, Dial(random))
    world.add_link(
        profile,
        reads=operation.roles in ("reads", "edits"),
        edits=operation.roles == "edits",
        writes=operation.roles in ("writes", "edits"),
    )
    return world


def settle(world: World) -> None:
    """Both sides agree, and the server's own affairs are known."""
    for _ in range(3):
        world.run_pass(world.links[0], confirm=True)
        world.clock.sleep(60)


def converge(world: World) -> None:
    """Passes until one has nothing to do. Where tokens lie, a day goes by between them."""
    for _ in range(PASSES):
        before = written(world)
        report = world.run_pass(world.links[0])
        world.clock.sleep(100_000 if world.links[0].far.profile.patient else 60)
        with world.db.reading() as tx:
            waiting = pairings.unsettled(tx, world.links[0].id)
        if written(world) == before and not waiting and report is not None and not report.failed:
            return


def go_on(story: Iterator[None]) -> None:
    next(story, None)


def watched(world: World, run: Callable[[World], object], outcome: Outcome) -> list[Moment]:
    """Run, and keep every moment at which the process might have died."""
    found: list[Moment] = []

    def note(where: str) -> None:
        outcome.points += 1
        if where in ("after commit", "after write") or not found:
            found.append(taken(world, f"{where} (step {outcome.points})"))

    world.on_step = note
    try:
        run(world)
    finally:
        world.on_step = None
    return found


def result(world: World) -> Result:
    """What everybody sees in the end, on both sides, whatever way it came about."""
    link = world.links[0]
    with world.db.reading() as tx:
        calendar_ids = [i for i in (world.bookings_id, link.mirror_id) if i is not None]
        stored = [o for i in calendar_ids for o in objects.all_objects(tx, i, with_hidden=True)]
        texts = [o.text for o in stored]
        here = [(told_by(o.text), o.kind, o.status, o.hidden, _said(o.text)) for o in stored]
        asked = {
            (row.uid, row.group, row.winner, row.resolved, *(str(shown(t)) for t in (row.ours, row.theirs)))
            for row in conflicts.of_user(tx, world.user_id, open_only=False)
            if row.resolved != conflicts.SUPERSEDED  # what lost is kept, and nobody sees the row
        }
        waiting = {(row.uid, str(shown(row.after))) for row in suggestions.waiting(tx, world.user_id)}
        told = {(row.kind, row.uid) for row in notices.standing(tx, world.user_id)}
        stuck = {(row.uid, row.problem_kind) for row in pairings.problems(tx, link.id)}
    return {
        "here": sorted(here, key=repr),
        "values": sorted(
            (told_by(text), *pair)
            for text in [*texts, *(text for _, text in link.remote.objects.values())]
            for pair in shown(text).items()
        ),
        "there": sorted(_said(text) for _, text in link.remote.objects.values()),
        "conflicts": asked,
        "suggestions": waiting,
        "notices": told,
        "problems": stuck,
    }


def _said(text: str) -> str:
    """What a text says: groups, dates of its own, exclusions, rule."""
    lines = [line for line in text.split("\r\n") if line.startswith(("RRULE", "EXDATE", "RECURRENCE-ID"))]
    return f"{told_by(text)} {shown(text)} {lines}"


# --- all of them -------------------------------------------------------------------------------------------


def all_pairs(operations: Iterable[str] = (), profiles: Iterable[str] = ()) -> list[tuple[str, str]]:
    """Operation and profile by name; without names, all."""
    names = list(operations) or list(OPERATIONS)
    chosen = set(profiles)
    return [
        (name, profile.name)
        for name in names
        for profile in PROFILES
        if (not chosen or profile.name in chosen) and OPERATIONS[name].fits(profile)
    ]


def explore_named(pair: tuple[str, str], again: bool = False) -> Outcome:
    name, profile = pair
    return explore(OPERATIONS[name], next(p for p in PROFILES if p.name == profile), again=again)


def explore_named_again(pair: tuple[str, str]) -> Outcome:
    return explore_named(pair, again=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Let passes die at every point there is.")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--profiles", nargs="*", default=[])
    parser.add_argument("--operations", nargs="*", default=[])
    many.add_options(parser)
    wish = parser.parse_args()
    pairs = all_pairs([n for n in OPERATIONS if any(w in n for w in wish.operations)], wish.profiles)
    totals: Counter[str] = Counter()
    failing: list[str] = []
    started = time.monotonic()
    work = explore_named_again if wish.again else explore_named
    with many.on(wish.database), many.workers(wish.processes) as pool:
        for done, outcome in enumerate(pool.imap_unordered(work, pairs, chunksize=2), 1):
            totals.update(points=outcome.points, moments=outcome.moments, recoveries=outcome.recoveries)
            totals.update(violations=len(outcome.wrong))
            if outcome.wrong:
                failing.append(f"{outcome.operation} / {outcome.profile}")
                print(f"\n{failing[-1]}: {outcome.wrong[:3]}", file=sys.stderr)
            print(f"\r{done}/{len(pairs)}, {totals['points']} points", end="", file=sys.stderr)
    print(file=sys.stderr)
    summary = {
        "database": wish.database,
        "operations": len({name for name, _ in pairs}),
        "profiles": len({profile for _, profile in pairs}),
        "pairs": len(pairs),
        **totals,
        "failing": sorted(failing),
        "seconds": round(time.monotonic() - started, 1),
    }
    print(json.dumps(summary))
    return 1 if failing else 0


if __name__ == "__main__":
    sys.exit(main())
