"""What the rows have in common: what is sent, under which marker, and what both then agree on."""

from __future__ import annotations

from hashlib import sha256

from bridge.ical.marker import mark, unmark
from bridge.ical.merge import GroupConflict, merge
from bridge.sync.plan.actions import Action, Agree, Decision, PutHub, PutRemote
from bridge.sync.plan.items import Base, Hub, Item, Policy, Remote


def follow(item: Item, hub: Hub, remote: Remote) -> Decision:
    """A read-only mirror holds exactly what the provider gave."""
    if hub.text == remote.text:
        return Decision(item, (Agree(as_agreed(hub, remote)),))
    return Decision(item, (PutHub(remote.text, hub.etag),))


def write_merged(
    item: Item,
    policy: Policy,
    hub: Hub,
    remote: Remote,
    hub_text: str,
    remote_text: str,
    conflicts: tuple[GroupConflict, ...],
) -> Decision:
    actions: list[Action] = []
    if hub_text != hub.text:
        actions.append(PutHub(hub_text, hub.etag))
    if remote_text != remote.text and policy.may_write(item.kind):
        write = f"{hub.etag} {remote.tag}"
        sent = remote_text if policy.is_source else marked(remote_text, item, policy, write)
        actions.append(PutRemote(sent, remote.tag))
    if not actions:
        actions.append(Agree(as_agreed(hub, remote)))
    return Decision(item, tuple(actions), conflicts)


def create(item: Item, hub: Hub, policy: Policy, generation: int) -> PutRemote:
    return PutRemote(marked(hub.text, item, policy, f"{hub.etag} {generation}"), None, generation)


def marker_uid(key: str) -> str:
    """The UID that a marker's key names."""
    return key.rpartition("#")[0]


def marked(text: str, item: Item, policy: Policy, write: str) -> str:
    """The text as it is sent: ours carry a marker that names the object, and this very write."""
    if item.kind == "foreign":
        return text
    return mark(text, policy.installation, f"{item.uid}#{sha256(write.encode()).hexdigest()[:8]}")


def revived(item: Item, base: Base, remote: Remote) -> str:
    """What comes back here after a deletion: a mirror holds their bytes; ours is what it was, with their
    edit."""
    if item.kind == "foreign":
        return remote.text
    if base.remote is None:
        return unmark(remote.text)
    return merge(base.hub, base.hub, base.remote, remote.text, "theirs").hub


def as_agreed(hub: Hub, remote: Remote | None) -> Base:
    if remote is None:
        return Base(hub.text, hub.etag, None, None)
    return Base(hub.text, hub.etag, remote.text, remote.tag)
