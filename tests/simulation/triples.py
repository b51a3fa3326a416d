"""Random (base, hub, remote, flight, policy) for the planner: carried out, its plan leaves nothing to plan.

``python -m tests.simulation.triples N [SEED]``

Each item is made the way items come about: a text both sides agreed on, edited, deleted, cancelled or not on
either side, respelt by a server or not, perhaps with a write on its way that arrived or did not. The plan is
carried out as ``apply`` would, without a store or a network, and planned again until nothing is left
(``ROUNDS`` at most). Checked: the fixed point; that both sides agree then; that every edit of one side alone
shows on both, and of two edits of one group the policy's; that nothing is written where it must not be; and
that planning twice says the same. The last line on standard output is one JSON object; exit 1 if anything
was wrong.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random

from bridge.ical.build import with_status
from bridge.ical.fields import changed
from bridge.sync.plan import (
    Agree,
    Base,
    Decision,
    DeleteHub,
    DeleteRemote,
    Flight,
    Forget,
    Hub,
    Item,
    Keep,
    Kind,
    Policy,
    PutHub,
    PutRemote,
    Remote,
    Stop,
    decide,
)
from bridge.sync.plan.writing import marked
from tests.simulation.ground import SimClock
from tests.simulation.ledger import GROUPS, new_text, shown, with_edit
from tests.simulation.profiles import PLAIN, PROVIDERS, Profile

ROUNDS = 4
UID = "one"
HREF = "/far/one.ics"
#: Servers as far as they matter to a plan: what they make of a text.
SERVERS = (PLAIN[0], PLAIN[2], *(p for p in PROVIDERS if p.name in ("google", "radicale")))
Shown = dict[str, int]


@dataclass(slots=True)
class Case:
    """One item, and what is to come of it: per group the values that edits of one side alone demand."""

    item: Item
    policy: Policy
    server: Profile
    hub_edits: Shown = field(default_factory=dict)
    remote_edits: Shown = field(default_factory=dict)
    ever: dict[str, set[int]] = field(default_factory=dict)  # all values a group ever had


def made(random: Random) -> Case:
    """A random case; the same for the same state of ``random``."""
    kind: Kind = random.choice(("booking", "block", "foreign"))
    source = (
        random.choice(("write", "local", "refuse")) if kind == "booking" and random.random() < 0.1 else "none"
    )
    prefer = random.choice(("ours", "theirs", "ours", "theirs", "ask"))
    policy = Policy(
        reads=random.random() < 0.8,
        edits=random.random() < 0.5,
        writes=random.random() < 0.8,
        installation="here",
        prefer_own=prefer,
        prefer_foreign=prefer,
        on_delete=random.choice(("restore", "hide", "cancel")),
        on_move=random.choice(("apply", "apply", "approve")),
        source=source,
    )
    server = random.choice(SERVERS)
    numbers = iter(range(2, 1000))
    text = new_text(UID, 1)
    case = Case(Item(UID, kind, None, None), policy, server, ever={group: {1} for group in GROUPS})

    def edited(text: str, seen: Shown, chance: float = 0.5) -> str:
        while random.random() < chance:
            group, number = random.choice(GROUPS), next(numbers)
            text = with_edit(text, group, number)
            seen[group] = number
            case.ever[group].add(number)
        return text

    hub: Hub | None = Hub("one.ics", "e1", text)
    sent = text if policy.is_source or kind == "foreign" else marked(text, case.item, policy, "e1 1")
    remote: Remote | None = Remote(HREF, "t1", server.spelled(sent))
    if kind == "foreign" and remote is not None:
        hub = Hub("one.ics", "e1", remote.text)
    assert hub is not None and remote is not None
    base: Base | None = Base(hub.text, "e1", remote.text, "t1")
    flight: Flight | None = None
    seen = False
    agreed = random.random()
    if agreed < 0.15:  # never seen on one side, or on either
        base = None
        hub, remote = random.choice(((hub, None), (None, remote), (hub, remote)))
    elif agreed < 0.2:
        base, remote = replace(base, remote=None, tag=None), None
    if hub is not None:
        after = edited(hub.text, case.hub_edits)
        hub = replace(hub, etag="e2" if after != hub.text else hub.etag, text=after)
        if base is not None and base.remote is not None and policy.may_write(kind) and random.random() < 0.2:
            assert remote is not None
            hub, remote, flight, seen = _flown(random, case, hub, remote, base)
    if remote is not None:
        after = edited(remote.text, case.remote_edits)
        remote = replace(remote, tag="t3" if after != remote.text else remote.tag, text=after)
    fate = random.random()
    if hub is not None and fate < 0.12:
        hub = None if kind != "booking" else _cancelled(hub)
    if remote is not None and 0.08 < fate < 0.2:
        remote, seen = None, random.random() < 0.5
    case.item = replace(case.item, hub=hub, remote=remote, base=base, flight=flight, deletion_seen=seen)
    return case


def _flown(
    random: Random, case: Case, hub: Hub, remote: Remote, base: Base
) -> tuple[Hub, Remote, Flight | None, bool]:
    """A write of our side as it was, on its way; then perhaps another edit here."""
    plan = decide(replace(case.item, hub=hub, remote=remote, base=base), case.policy)
    (put, *_) = [*(a for a in plan.actions if isinstance(a, PutRemote)), None]
    if put is None or any(isinstance(a, PutHub) for a in plan.actions):
        return hub, remote, None, False
    flight = Flight(put.text, hub.text, hub.etag, put.expect)
    if random.random() < 0.6:
        remote = Remote(HREF, "t2", case.server.spelled(put.text))
    if random.random() < 0.4:
        group, number = random.choice(GROUPS), random.randrange(2000, 3000)
        hub = replace(hub, etag="e9", text=with_edit(hub.text, group, number))
        case.hub_edits[group] = number
        case.ever[group].add(number)
    return hub, remote, flight, False


def _cancelled(hub: Hub) -> Hub:
    text = with_status(hub.text, "CANCELLED", SimClock().now())
    return replace(hub, etag="e5", text=text, cancelled=True, hidden=True)


# --- carrying a plan out, as apply does ----------------------------------------------------------------


def carried_out(case: Case, decision: Decision, number: int) -> Item:
    """The item once its plan is carried out on both sides."""
    item = decision.item
    hub, remote, base = item.hub, item.remote, decision.between or item.base
    outward = any(isinstance(a, PutRemote | DeleteRemote) for a in decision.actions)
    for action in decision.actions:
        match action:
            case PutHub(text, _, cancel):
                if cancel:
                    text = with_status(text, "CANCELLED", SimClock().now())
                hub = Hub("one.ics", f"h{number}", text, cancel, cancel)
                if not outward and remote is not None:
                    base = Base(hub.text, hub.etag, remote.text, remote.tag)
            case DeleteHub():
                hub, base = None, None
            case Agree(agreed):
                same = hub is item.hub or hub is None
                base = agreed if same else replace(agreed, hub=hub.text, etag=hub.etag)  # type: ignore[union-attr]
            case Keep(kept):
                base = kept
            case Forget():
                base = None
            case PutRemote(text, _, _):
                remote = Remote(HREF, f"r{number}", case.server.spelled(text))
                assert hub is not None
                base = Base(hub.text, hub.etag, remote.text, remote.tag)
            case DeleteRemote():
                remote = None
                base = Base(hub.text, hub.etag, None, None) if hub is not None else None
    if decision.item.base is None and base is None and not decision.actions:
        base = item.base
    return replace(item, hub=hub, remote=remote, base=base, flight=None, deletion_seen=False, rewrites=0)


# --- what must hold -------------------------------------------------------------------------------------


def wrong(case: Case) -> list[str]:
    """What is wrong with the plan for this case, in sentences."""
    found = [*_forbidden(case, decide(case.item, case.policy))]
    if decide(case.item, case.policy) != decide(case.item, case.policy):
        found.append("planning twice says two things")
    item, conflicts, suggested = case.item, set(), False
    for number in range(ROUNDS):
        decision = decide(item, case.policy)
        conflicts |= {conflict.key[1] for conflict in decision.conflicts}
        suggested = suggested or any(type(a).__name__ == "Suggest" for a in decision.actions)
        if not decision.actions or any(isinstance(a, Stop) for a in decision.actions):
            break
        item = carried_out(case, decision, number)
    else:
        return [*found, f"no fixed point after {ROUNDS} rounds: {decide(item, case.policy).actions}"]
    if case.policy.is_source or not case.policy.takes_part(item.kind):
        return found
    return [*found, *_agreement(case, item, conflicts, suggested)]


def _forbidden(case: Case, decision: Decision) -> Iterator[str]:
    kind, policy = case.item.kind, case.policy
    leaves = not policy.takes_part(kind)
    for action in decision.actions:
        if isinstance(action, PutRemote) and not policy.may_write(kind):
            yield "something is written where nothing may be written"
        if isinstance(action, PutRemote) and _server_line(case.item.remote) and not _server_line(action):
            yield "what the server had added is taken away"
        if isinstance(action, DeleteRemote) and not (policy.may_write(kind) or leaves):
            yield "something is deleted where nothing may be written"
        if isinstance(action, DeleteRemote) and case.item.base is None and case.item.flight is None:
            yield "something is deleted there that was never paired"
        if isinstance(action, DeleteHub) and kind == "booking":
            yield "a booking is deleted here"


def _server_line(one: Remote | PutRemote | None) -> bool:
    return one is not None and "X-SERVER-WAS-HERE" in one.text


def _agreement(case: Case, item: Item, conflicts: set[str], suggested: bool) -> Iterator[str]:
    policy, hub, remote = case.policy, item.hub, item.remote
    here = hub if hub is not None and not hub.cancelled else None
    if here is None or remote is None:
        if (here is None) != (remote is None) and not _may_differ(case, item):
            yield f"it is {'here' if here else 'there'} only"
        if here is None and remote is None and case.item.flight is None and policy.may_write(item.kind):
            yield from _edit_that_went(case)
        return
    if item.kind == "foreign" and not policy.edits:
        if here.text != remote.text:
            yield "a mirror does not hold their bytes"
        return
    if not policy.may_write(item.kind):
        return
    asked = policy.prefer(item.kind) == "ask"
    differing = {
        group for _, group in changed(case.server.spelled(here.text), case.server.spelled(remote.text))
    }
    if differing - (conflicts if asked else set()):
        yield f"both sides differ in {sorted(differing)}"
    for group in GROUPS:
        yield from _group(case, group, shown(here.text), shown(remote.text), conflicts, suggested)


def _edit_that_went(case: Case) -> Iterator[str]:
    """An edit wins over a deletion, on either side; a cancellation is no deletion."""
    begun = case.item
    if begun.base is None or begun.base.remote is None:
        return
    if begun.hub is None and begun.remote is not None and case.remote_edits:
        yield "their edit went with our deletion"
    if begun.remote is None and begun.hub is not None and not begun.hub.cancelled and case.hub_edits:
        yield "our edit went with their deletion"


def _group(
    case: Case, group: str, here: Shown, there: Shown, conflicts: set[str], suggested: bool
) -> Iterator[str]:
    ours, theirs = case.hub_edits.get(group), case.remote_edits.get(group)
    now = here.get(group)
    if now not in case.ever[group]:
        yield f"{group} shows {now}, which nobody ever wrote"
        return
    if case.item.base is None or case.item.base.remote is None or case.item.hub is None or suggested:
        return  # without a base, or held back for the user: the policy decides, or the user
    if case.item.hub.cancelled or case.item.remote is None:
        return
    prefer = case.policy.prefer(case.item.kind)
    if ours and not theirs and now != ours:
        yield f"our {group} {ours} is lost: {now}"
    elif theirs and not ours and now != theirs:
        yield f"their {group} {theirs} is lost: {now}"
    elif ours and theirs:
        if case.item.flight is None and prefer != "ask" and now != (ours if prefer == "ours" else theirs):
            yield f"{group} shows {now}, but {prefer} should win"
        if now not in (ours, theirs):
            yield f"{group} shows {now}, neither {ours} nor {theirs}"
        if prefer == "ask" and case.item.flight is None and {now, there.get(group)} != {ours, theirs}:
            yield f"{group} was not left to the user"


def _may_differ(case: Case, item: Item) -> bool:
    """One side alone is right where we may not write there, where it was agreed on, or where it is unknown
    whose it is."""
    hub, policy, base = item.hub, case.policy, item.base
    if hub is None or hub.cancelled:
        return item.kind != "foreign"  # ours by its marker, or not paired: not ours to touch
    return not policy.may_write(item.kind) or (base is not None and base.remote is None)


# --- many of them ----------------------------------------------------------------------------------------

#: How many are made from one seed.
BLOCK = 500


def block(seed: int) -> tuple[int, Counter[str], list[str]]:
    """The cases of one seed: the seed, what came up, and what was wrong."""
    random = Random(f"triples {seed}")
    seen: Counter[str] = Counter()
    found: list[str] = []
    for number in range(BLOCK):
        case = made(random)
        seen[f"{case.item.kind}s"] += 1
        seen["in flight"] += case.item.flight is not None
        found += [f"{seed}.{number} {case.server.name} {case.policy}: {sentence}" for sentence in wrong(case)]
    return seed, seen, found


def main() -> int:
    parser = argparse.ArgumentParser(description="Plan random items, carry the plans out, and plan again.")
    parser.add_argument("number", type=int)
    parser.add_argument("seed", type=int, nargs="?", default=0)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    wish = parser.parse_args()
    seeds = range(wish.seed, wish.seed + -(-wish.number // BLOCK))
    totals: Counter[str] = Counter()
    failing: list[str] = []
    started = time.monotonic()
    with multiprocessing.get_context("spawn").Pool(wish.processes) as pool:
        for done, (_, seen, found) in enumerate(pool.imap_unordered(block, seeds), 1):
            totals.update(seen)
            for sentence in found[: max(0, 20 - len(failing))]:
                print(f"\n{sentence}", file=sys.stderr)
            failing += found
            print(f"\r{done * BLOCK} triples, {len(failing)} wrong", end="", file=sys.stderr)
    print(file=sys.stderr)
    number = len(seeds) * BLOCK
    summary = {"triples": number, "seed": wish.seed, **totals, "violations": len(failing)}
    print(json.dumps({**summary, "seconds": round(time.monotonic() - started, 1)}))
    return 1 if failing else 0


if __name__ == "__main__":
    sys.exit(main())
