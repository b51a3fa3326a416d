"""Rows for the *source*, where bookings live: it knows only some groups, and makes its own of them."""

from __future__ import annotations

from dataclasses import replace

from bridge.ical.added import note, noted, unnoted
from bridge.ical.fields import GroupKey, changed
from bridge.ical.merge import first_merge, merge
from bridge.ical.transfer import with_groups
from bridge.sync.plan.actions import Action, Agree, Decision, Forget, Keep, PutHub, PutRemote, Tell
from bridge.sync.plan.gone import gone_here
from bridge.sync.plan.items import Base, Hub, Item, Policy, Remote
from bridge.sync.plan.words import plain
from bridge.sync.plan.writing import as_agreed, write_merged

#: The groups that a source knows of. All others (reminders, guests, colours) are the calendars' own affair.
CARRIED = frozenset({"when", "title", "place", "notes", "status"})
ARCHIVED = "cancelled, so its job is archived in Picsello; other shoots of that job leave the calendar too."


def with_source(item: Item, policy: Policy) -> Decision:
    hub, remote, base = item.hub, item.remote, item.base
    if remote is None:
        return _off_the_source(item)
    if hub is None:
        return Decision(item, (PutHub(remote.text, None),))
    if base is None or base.remote is None:  # first seen, or back again
        return _as_the_source_says(item, hub, remote)
    if hub.cancelled:
        if policy.source == "write":
            decision = gone_here(item, policy, base)
            return replace(decision, actions=(*decision.actions, Tell(ARCHIVED)))
        if policy.source == "refuse":
            return _as_the_source_says(item, hub, remote)
        return _cancelled_here_alone(item, hub, remote, base)
    ours = unnoted(hub.text) if policy.source == "local" else hub.text
    mine = _carried(base.hub, ours) if hub.etag != base.etag else frozenset()
    there = remote.tag != base.tag and bool(changed(base.remote, remote.text))
    if mine and policy.source == "refuse":
        return _as_the_source_says(item, hub, remote)
    if not mine and not there:
        if hub.etag == base.etag and remote.tag == base.tag:
            return Decision(item)
        if ours == hub.text:
            return Decision(item, (Agree(as_agreed(hub, remote)),))
    # only what a source knows of may count as changed here
    before = with_groups(ours, base.hub, mine) if mine else ours
    both = merge(before, ours, base.remote, remote.text, policy.prefer(item.kind))
    if policy.source == "local":
        return _overlaid(item, hub, remote, base, both.hub, both.remote)
    decision = write_merged(item, policy, hub, remote, both.hub, both.remote, both.conflicts)
    between = None
    if there and any(isinstance(action, PutRemote) for action in decision.actions):
        taken_over = merge(base.hub, base.hub, base.remote, remote.text, "theirs").hub
        between = Base(taken_over, "", remote.text, remote.tag)
    told = note(remote.text)
    actions = decision.actions
    if told != note(base.remote):
        actions = (*actions, Tell(told))
    return replace(decision, actions=actions, merged=bool(mine) and there, between=between)


def _carried(before: str, after: str) -> frozenset[GroupKey]:
    """What changed of that which a source knows of; dates of a series are always its business."""
    return frozenset(key for key in changed(before, after) if key[0] is not None or key[1] in CARRIED)


def _off_the_source(item: Item) -> Decision:
    """Nothing there: it never was (then it has no home there), or it left the source's calendar."""
    hub, base = item.hub, item.base
    if base is None:
        return Decision(item)
    if hub is None:
        return Decision(item, (Forget(),))
    if base.remote is None:
        return Decision(item, () if hub.etag == base.etag else (Agree(as_agreed(hub, None)),))
    if hub.cancelled:
        return Decision(item, (Agree(as_agreed(hub, None)),))
    return Decision(item, (PutHub(hub.text, hub.etag, cancel=True), Agree(as_agreed(hub, None))))


def _as_the_source_says(item: Item, hub: Hub, remote: Remote) -> Decision:
    """The source's values, with what the calendars added that it knows nothing of."""
    text = first_merge(hub.text, remote.text, "theirs").hub
    if text == hub.text and not hub.cancelled:
        return Decision(item, (Agree(as_agreed(hub, remote)),))
    return Decision(item, (PutHub(text, hub.etag),))


def _cancelled_here_alone(item: Item, hub: Hub, remote: Remote, base: Base) -> Decision:
    if hub.etag == base.etag and remote.tag == base.tag:
        return Decision(item)
    told = Tell("This booking was cancelled here only. Cancel it in Picsello too.")
    return Decision(item, (told, Agree(as_agreed(hub, remote))))


def _overlaid(item: Item, hub: Hub, remote: Remote, base: Base, merged: str, wanted: str) -> Decision:
    """An edit that cannot go there: it stays here, says so, and is done once the source agrees."""
    assert base.remote is not None
    missing = sorted({plain(group) for _, group in _carried(wanted, remote.text)})
    if not missing:
        agreed: Action = Agree(as_agreed(hub, remote))
        done: Action = PutHub(merged, hub.etag) if merged != hub.text else agreed
        return Decision(item, (done, Tell(None)))
    sentence = f"changed in the calendar only ({', '.join(missing)}). Change it there too."
    text = noted(merged, sentence)
    known = merge(base.hub, base.hub, base.remote, remote.text, "theirs").hub
    keep = Base(known, "", remote.text, remote.tag)
    if text == hub.text:
        return Decision(item, () if keep == base else (Keep(keep),))
    return Decision(item, (PutHub(text, hub.etag), Keep(keep), Tell(sentence)))
