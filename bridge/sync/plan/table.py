"""The table: which row holds for an object at a provider. Sources have rows of their own in ``source``."""

from __future__ import annotations

from dataclasses import replace

from bridge.ical.facts import facts
from bridge.ical.fields import GroupKey, changed
from bridge.ical.marker import unmark
from bridge.ical.merge import first_merge, merge
from bridge.ical.transfer import with_groups
from bridge.sync.plan.actions import (
    Action,
    Agree,
    Decision,
    DeleteHub,
    DeleteRemote,
    Forget,
    PutHub,
    PutRemote,
    Stop,
    Suggest,
)
from bridge.sync.plan.flight import settle_flight
from bridge.sync.plan.gone import gone_here, gone_there
from bridge.sync.plan.items import Base, Hub, Item, Policy, Remote
from bridge.sync.plan.source import with_source
from bridge.sync.plan.writing import as_agreed, create, follow, marked, write_merged

#: Groups that are each calendar's own affair: changing them alone asks nobody (policy ``approve``).
PERSONAL = frozenset({"alarms"})
#: So often is an object put back there without anybody's edit here; then it is left alone (R-ECHO).
REWRITES = 3


def decide(item: Item, policy: Policy) -> Decision:
    """The plan for one object. An empty ``actions`` means: nothing to do, nothing new to remember."""
    settled, arrived_there = settle_flight(item)
    decision = _decide(settled, policy) if policy.takes_part(item.kind) else _withdraw(settled)
    if decision.puts_back and settled.rewrites >= REWRITES:
        decision = Decision(settled, (Stop(STOPPED),))
    if not decision.actions and (settled.base != item.base or item.flight is not None):
        # The write in flight turned out one way or the other, and there is nothing else to do.
        remember: Action = Agree(settled.base) if settled.base else Forget()
        decision = replace(decision, actions=(remember,))
    elif decision.between is None and settled.base != item.base:
        decision = replace(decision, between=settled.base)  # another write follows: first remember this one
    return replace(decision, arrived=arrived_there)


STOPPED = (
    f"The other calendar changed this event {REWRITES} times after it was put back, so it is left alone now. "
    "Answer the change that waits for your approval, or edit the event here."
)


def _withdraw(item: Item) -> Decision:
    """The link lost the role for this kind: take our copy back, by the pairing that entitles us."""
    if item.base is None:
        return Decision(item)
    if item.kind == "foreign":
        gone: tuple[Action, ...] = (DeleteHub(item.hub.etag),) if item.hub else (Forget(),)
        return Decision(item, gone)
    if item.remote is None:
        return Decision(item, (Forget(),))
    return Decision(item, (DeleteRemote(item.remote.tag),))


def _decide(item: Item, policy: Policy) -> Decision:
    hub, remote, base = item.hub, item.remote, item.base
    if policy.is_source:
        return with_source(item, policy)
    if base is None or base.remote is None:
        return _without_base(item, policy)
    if hub is None or hub.cancelled:
        return gone_here(item, policy, base)
    if remote is None:
        return gone_there(item, policy, base)
    return _both_there(item, policy, hub, remote, base)


def _without_base(item: Item, policy: Policy) -> Decision:
    hub, remote, base = item.hub, item.remote, item.base
    here = hub is not None and not hub.cancelled
    if remote is None:
        if base is not None:  # agreed that it is not there (policy hide, or cancelled)
            if hub is None:
                return Decision(item, (Forget(),))
            if here and facts(base.hub).status == "CANCELLED":  # the cancellation was taken back
                return Decision(item, (create(item, hub, policy, item.generation + 1),))
            return Decision(item, () if hub.etag == base.etag else (Agree(as_agreed(hub, None)),))
        if hub is None or not here or not policy.may_write(item.kind):
            return Decision(item)
        return Decision(item, (create(item, hub, policy, item.generation),))
    if hub is None:
        if item.kind != "foreign":  # marked as ours, yet unknown here
            if policy.restored:  # made after the backup
                return Decision(item, (PutHub(unmark(remote.text), None),))
            return Decision(item)  # without a pairing we may not touch it
        return Decision(item, (PutHub(remote.text, None),))
    if not here:  # cancelled; only a pairing entitles us to take it away over there
        return Decision(item, (DeleteRemote(remote.tag),) if base is not None else ())
    if item.kind == "foreign" and not policy.edits:
        return follow(item, hub, remote)
    both = first_merge(hub.text, remote.text, policy.prefer(item.kind))
    return write_merged(item, policy, hub, remote, both.hub, both.remote, both.conflicts)


def _both_there(item: Item, policy: Policy, hub: Hub, remote: Remote, base: Base) -> Decision:
    assert base.remote is not None
    here = hub.etag != base.etag and bool(changed(base.hub, hub.text))
    there = remote.tag != base.tag and bool(changed(base.remote, remote.text))
    if not here and not there:
        same = hub.etag == base.etag and remote.tag == base.tag
        if same:
            return Decision(item)
        if item.kind == "foreign" and remote.text != hub.text and not policy.edits:
            return follow(item, hub, remote)  # only bookkeeping changed, but a mirror holds their bytes
        return Decision(item, (Agree(as_agreed(hub, remote)),))
    if item.kind == "foreign" and not policy.edits:
        return follow(item, hub, remote)
    if there and item.kind == "booking" and policy.on_move == "approve":
        asking = _ask_first(item, policy, hub, remote, base)
        if asking is not None:
            return replace(asking, puts_back=not here)
    both = merge(base.hub, hub.text, base.remote, remote.text, policy.prefer(item.kind))
    decision = write_merged(item, policy, hub, remote, both.hub, both.remote, both.conflicts)
    between = None
    if there and any(isinstance(action, PutRemote) for action in decision.actions):
        taken_over = merge(base.hub, base.hub, base.remote, remote.text, "theirs").hub
        if policy.prefer(item.kind) == "ask":  # both sides keep their own of what is asked about
            taken_over = with_groups(taken_over, hub.text, [conflict.key for conflict in both.conflicts])
        between = Base(taken_over, "", remote.text, remote.tag)
    return replace(decision, merged=here and there, between=between)


def _ask_first(item: Item, policy: Policy, hub: Hub, remote: Remote, base: Base) -> Decision | None:
    """A booking was changed there, and its user wants to be asked: the change becomes a suggestion and goes
    from there again; what was changed here, and what is everybody's own affair, is carried as always.
    None: nothing to ask about."""
    assert base.remote is not None
    wanted = merge(base.hub, hub.text, base.remote, remote.text, "theirs").hub
    if not _to_ask(hub.text, wanted):
        return None
    kept = with_groups(remote.text, base.remote, _to_ask(base.remote, remote.text))
    both = merge(base.hub, hub.text, base.remote, kept, policy.prefer(item.kind))
    actions: list[Action] = [PutHub(both.hub, hub.etag)] if both.hub != hub.text else []
    sent = marked(both.remote, item, policy, f"{hub.etag} {remote.tag}")
    actions += [Suggest(both.hub, wanted), PutRemote(sent, remote.tag)]
    return Decision(item, tuple(actions), both.conflicts)


def _to_ask(before: str, after: str) -> list[GroupKey]:
    return [key for key in changed(before, after) if key[1] not in PERSONAL]
