"""Three-way merge of one object by field group, each side against its own base (design.md section 4, 2).

A server rewrites what it stores, so hub and remote are never compared with one base: what changed is
what differs from that side's own base. A group changed on one side is carried to the other, a group
changed on both to different values is a conflict, decided by ``prefer``: ``ours`` is the hub's value,
``theirs`` the remote's, ``ask`` leaves both as they are. Pure and symmetric: swapping the sides mirrors
the result. How lines move is left to ``transfer``; which text becomes a base, and keeping the loser, to
the engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from bridge.ical import moments
from bridge.ical.fields import (
    BOOKKEEPING,
    COMPONENT,
    GroupKey,
    Instance,
    Reading,
    changed,
    differing,
    reading,
)
from bridge.ical.transfer import Receiver, exclusions
from bridge.ical.words import group_name, group_text

Prefer: TypeAlias = Literal["ours", "theirs", "ask"]

#: Groups whose absence is a value of its own (the default), not a gap that the other side may fill.
_ALWAYS_SET = frozenset({"status", "busy"})


@dataclass(frozen=True, slots=True)
class GroupConflict:
    """Both sides gave the same group different values. ``name`` and the two values are for people."""

    key: GroupKey
    name: str
    ours_text: str
    theirs_text: str


@dataclass(frozen=True, slots=True)
class Merged:
    """Both sides' new texts (identical to what went in where nothing was carried over) and the conflicts."""

    hub: str
    remote: str
    conflicts: tuple[GroupConflict, ...]


class _Side:
    """One side: its base, what it holds now, and what differs."""

    def __init__(self, base: str, text: str):
        self.text = text
        self.now = reading(text)
        self.base = reading(base) if base != text else self.now
        self.changes = changed(self.base, self.now)
        self.receiver = Receiver(self.now)
        self.excluded = exclusions(self.now)

    def has(self, instance: Instance) -> bool:
        return instance in self.now.instances

    def had(self, instance: Instance) -> bool:
        return instance in self.base.instances

    def edited(self, instance: Instance) -> bool:
        """Added, removed or changed in any group."""
        return any(key[0] == instance for key in self.changes)

    def changed_groups(self, instance: Instance) -> set[str]:
        """The groups of an instance that is here which this side changed. One that is new is compared with
        what the series said of it before: an override repeats the whole event."""
        if self.had(instance):
            return {group for key, group in self.changes if key == instance}
        said = self.now.groups(instance)
        return set(differing(_inherited(self, instance), said)) - {COMPONENT}


class _Merge:
    """One merge under way: both sides, the policy, the conflicts met."""

    def __init__(self, ours: _Side, theirs: _Side, prefer: Prefer):
        self.ours, self.theirs, self.prefer = ours, theirs, prefer
        self.conflicts: list[GroupConflict] = []

    def instances(self) -> list[Instance]:
        """The master first, then overrides in order of time."""
        keys = self.ours.now.instances.keys() | self.theirs.now.instances.keys()
        return sorted(keys, key=lambda key: (key is not None, key or ""))

    def one_sided(self, instance: Instance) -> tuple[_Side, _Side] | None:
        """(the side that has the instance, the side that has not), None if both have it."""
        if self.ours.has(instance) and self.theirs.has(instance):
            return None
        return (self.ours, self.theirs) if self.ours.has(instance) else (self.theirs, self.ours)

    def groups(self, instance: Instance, by_us: set[str], by_them: set[str]) -> None:
        """Carry over the groups of an instance that both sides have, given who changed which."""
        ours, theirs = self.ours, self.theirs
        said, said_there = ours.now.groups(instance), theirs.now.groups(instance)
        winners = set()
        for group in sorted(by_us | by_them):
            if said.get(group) == said_there.get(group):
                continue
            winner = ours if group in by_us else theirs
            if group in by_us and group in by_them:
                self._note((instance, group))
                if self.prefer == "ask":
                    continue
                winner = ours if self.prefer == "ours" else theirs
            winners.add(winner)
            loser = theirs if winner is ours else ours
            loser.receiver.take_group(winner.now, instance, group)
        for winner in winners:
            loser = theirs if winner is ours else ours
            loser.receiver.take_bookkeeping(winner.now, instance)

    def result(self) -> Merged:
        sides = (self.ours, self.theirs)
        both = (key for side in sides for key in side.excluded if side.has(key))
        tolerated = frozenset([None, *both])
        for side, other in (sides, sides[::-1]):
            side.receiver.take_zones(other.now)
            side.receiver.lift_exclusions(tolerated)
        hub, remote = (side.receiver.calendar.serialize() for side in sides)
        return Merged(hub, remote, tuple(self.conflicts))

    def _note(self, key: GroupKey) -> None:
        shown = (group_text(side.now, *key) for side in (self.ours, self.theirs))
        self.conflicts.append(GroupConflict(key, group_name(key[1]), *shown))


def merge(base_hub: str, hub: str, base_remote: str, remote: str, prefer: Prefer) -> Merged:
    """Bring both sides together. Raises Invalid if one of the texts is no iCalendar.

    An override (or master) removed on one side and edited on the other stays: the edit wins, unasked."""
    if hub == base_hub and remote == base_remote:
        return Merged(hub, remote, ())
    ours, theirs = _Side(base_hub, hub), _Side(base_remote, remote)
    merging = _Merge(ours, theirs, prefer)
    for instance in merging.instances():
        apart = merging.one_sided(instance)
        if apart is None:
            merging.groups(instance, ours.changed_groups(instance), theirs.changed_groups(instance))
        else:
            present, absent = apart
            if absent.had(instance) and absent.now.instances and not present.edited(instance):
                present.receiver.drop_component(instance)
            elif absent.had(instance) or present.edited(instance):
                absent.receiver.take_component(present.now, instance)
    return merging.result()


def first_merge(hub: str, remote: str, prefer: Prefer) -> Merged:
    """Bring two texts together that have no base yet: equal groups agree; what only one side has goes to
    the other; the rest is decided by ``prefer``. Where the times differ, the side that is preferred also
    decides which overrides there are."""
    ours, theirs = _Side(hub, hub), _Side(remote, remote)
    merging = _Merge(ours, theirs, prefer)
    times = [side.now.groups(None).get("when") if side.has(None) else None for side in (ours, theirs)]
    for instance in merging.instances():
        apart = merging.one_sided(instance)
        if apart is None:
            said, said_there = ours.now.groups(instance), theirs.now.groups(instance)
            differ = set(differing(said, said_there))
            by_us = {group for group in differ if group in said or group in _ALWAYS_SET}
            by_them = {group for group in differ if group in said_there or group in _ALWAYS_SET}
            merging.groups(instance, by_us, by_them)
        elif prefer != "ask" or times[0] == times[1]:
            present, absent = apart
            loses = prefer == ("theirs" if present is ours else "ours")
            if instance is not None and loses and times[0] != times[1]:
                present.receiver.drop_component(instance)
            else:
                absent.receiver.take_component(present.now, instance)
    return merging.result()


def arrived(base_remote: str | None, flight_text: str, remote_now: str) -> bool:
    """Whether a write whose answer was lost had been applied before somebody or the server changed it.

    ``remote_now`` equals neither the base (None: the write was a create) nor what was sent. Groups that
    the write changed tell: they hold what was sent, or what was there before. Where they hold neither,
    stamps and marker tell. In doubt it did not arrive: then both sides count as changed, and no edit is
    overruled unseen."""
    if base_remote is None:
        sent = reading(flight_text)
        now = reading(remote_now)
        return any(
            now.groups(key).get(group) == value
            for key in sent.instances.keys() & now.instances.keys()
            for group, value in sent.groups(key).items()
            if group != COMPONENT
        )
    before, sent, now = reading(base_remote), reading(flight_text), reading(remote_now)
    as_sent = as_before = 0
    for instance, group in changed(before, sent):
        there = _said(now, instance, group)
        as_sent += there == _said(sent, instance, group)
        as_before += there == _said(before, instance, group)
    if as_sent or as_before:
        return as_sent > as_before
    stamps, earlier, there_now = _stamps(sent), _stamps(before), _stamps(now)
    return any(there_now.get(key) == value != earlier.get(key) for key, value in stamps.items())


def _inherited(side: _Side, instance: Instance) -> dict[str, object]:
    """What the side's base said of an instance that had no override yet: the master's groups, at the time
    that the series gave it."""
    if not side.had(None):
        return {}
    said = dict(side.base.groups(None))
    override = side.now.instances[instance]
    line = override.first("RECURRENCE-ID")
    when = said.pop("when", None)
    if line is None or not isinstance(when, tuple):
        return said
    start = moments.moment(line.value, line.param("TZID"), side.now.zones)
    length = moments.between(when[0], when[1]) if when[0] and when[1] else None
    end = moments.later(start, length, side.now.zones) if length is not None else None
    return {**said, "when": (start, end, ())}


def _said(reading: Reading, instance: Instance, group: str) -> object:
    """A group's value; for ``component`` everything the instance says, None if it is not there."""
    if instance not in reading.instances:
        return None
    said = reading.groups(instance)
    return said if group == COMPONENT else said.get(group)


def _stamps(reading: Reading) -> dict[tuple[Instance, str], str]:
    return {
        (instance, line.name): line.value
        for instance, component in reading.instances.items()
        for line in component.lines()
        if line.name in BOOKKEEPING
    }
