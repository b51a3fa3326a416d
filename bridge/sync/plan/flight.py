"""The write in flight, turned into knowledge: was it carried out, and what has happened since?

Without this memory a lost answer becomes a conflict with ourselves, a duplicate or a resurrection (design.md
section 3).
"""

from __future__ import annotations

from dataclasses import replace

from bridge.ical.facts import places, stamps
from bridge.ical.fields import changed, fingerprint
from bridge.ical.marker import marker
from bridge.ical.merge import arrived
from bridge.sync.plan.items import Base, Item


def settle_flight(item: Item) -> tuple[Item, bool]:
    """The item with its write in flight turned into knowledge, and whether that write was carried out."""
    flight, remote, base = item.flight, item.remote, item.base
    if flight is None:
        return item, False
    item = replace(item, flight=None)
    if flight.text is None:  # a delete: done if it is gone, otherwise plan afresh
        return item, remote is None
    assert flight.hub is not None and flight.etag is not None
    sent = Base(flight.hub, flight.etag, flight.text, None)
    if remote is None:
        # A lost create cannot be told from one that somebody deleted again, unless the deletion was seen.
        arrived_there = flight.expect is None and item.deletion_seen
        return (replace(item, base=sent), True) if arrived_there else (item, False)
    if fingerprint(remote.text) == fingerprint(flight.text) or (
        marker(remote.text) is not None and rewritten(flight.text, remote.text)
    ):
        return replace(item, base=replace(sent, remote=remote.text, tag=remote.tag)), True
    if remote.tag == flight.expect or not _carries(remote.text, flight.text, base.remote if base else None):
        return item, False
    return replace(item, base=sent), True


def rewritten(sent: str, stored: str) -> bool:
    """Whether the server, not a person, made ``stored`` of what we sent: it says the same time, title and
    place, and bears our stamps and, unless the server drops such lines, this write's marker."""
    if marker(stored) not in (marker(sent), None) or stamps(stored) != stamps(sent):
        return False
    if any(group in ("when", "title", "component") for _, group in changed(sent, stored)):
        return False
    return places(sent) == places(stored)  # by name: what draws them on a map many servers cannot hold


def _carries(remote: str, sent: str, before: str | None) -> bool:
    """Whether a remote that somebody edited was edited after our write. Each write's marker is its own, so
    where the server keeps it the answer is certain; else the groups that we changed tell."""
    if before is None:
        return True
    found, ours, old = marker(remote), marker(sent), marker(before)
    if found is not None and ours is not None and ours != old and found in (ours, old):
        return found == ours
    return arrived(before, sent, remote)
