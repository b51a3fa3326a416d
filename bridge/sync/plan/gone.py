"""Rows in which one side no longer has the object: deletion against edit, and the policies."""

from __future__ import annotations

from bridge.ical.fields import changed
from bridge.ical.merge import merge
from bridge.sync.plan.actions import Agree, Decision, DeleteHub, DeleteRemote, Forget, PutHub, Restored
from bridge.sync.plan.items import Base, Item, Policy
from bridge.sync.plan.writing import as_agreed, create, revived


def gone_here(item: Item, policy: Policy, base: Base) -> Decision:
    """Deleted or cancelled here; ``base.remote`` says that it was there."""
    hub, remote = item.hub, item.remote
    assert base.remote is not None
    if remote is None:
        return Decision(item, (Forget(),) if hub is None else (Agree(as_agreed(hub, None)),))
    if not policy.may_write(item.kind):
        return Decision(item, (PutHub(remote.text, None),))  # a mirror that may not be edited: it is theirs
    edited = remote.tag != base.tag and bool(changed(base.remote, remote.text))
    if hub is None and edited:
        return Decision(item, (PutHub(revived(item, base, remote), None),))
    if hub is not None and edited:  # cancelled here: keep their edit in our text, and the cancellation
        kept = merge(base.hub, hub.text, base.remote, remote.text, "ours")
        if kept.hub != hub.text:
            return Decision(item, (PutHub(kept.hub, hub.etag, cancel=True), DeleteRemote(remote.tag)))
    return Decision(item, (DeleteRemote(remote.tag),))


def gone_there(item: Item, policy: Policy, base: Base) -> Decision:
    """Deleted there; the hub has it."""
    hub = item.hub
    assert hub is not None
    edited = hub.etag != base.etag and bool(changed(base.hub, hub.text))
    if item.kind != "booking":
        if edited and policy.may_write(item.kind):
            return Decision(item, (create(item, hub, policy, item.generation + 1),))
        return Decision(item, (DeleteHub(hub.etag),))
    if edited or policy.on_delete == "restore":
        return Decision(item, (create(item, hub, policy, item.generation + 1), Restored()))
    if policy.on_delete == "hide":
        return Decision(item, (Agree(as_agreed(hub, None)),))
    return Decision(item, (PutHub(hub.text, hub.etag, cancel=True), Agree(as_agreed(hub, None))))
