"""What a plan may say about one object: actions as plain data, and the decision that holds them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bridge.ical.merge import GroupConflict
from bridge.sync.plan.items import Base, Item


@dataclass(frozen=True, slots=True)
class PutHub:
    """Write ``text`` here (create if ``expect`` is None, else if our etag is still that)."""

    text: str
    expect: str | None
    cancel: bool = False


@dataclass(frozen=True, slots=True)
class DeleteHub:
    """Delete it here, if our etag is still ``expect``."""

    expect: str


@dataclass(frozen=True, slots=True)
class PutRemote:
    """Write ``text`` there; None as ``expect`` creates. ``generation`` names a created object."""

    text: str
    expect: str | None
    generation: int = 1


@dataclass(frozen=True, slots=True)
class DeleteRemote:
    """Delete it there, if its tag is still ``expect``."""

    expect: str


@dataclass(frozen=True, slots=True)
class Agree:
    """Both sides are as they should be: remember ``base``. Nothing is written on either side."""

    base: Base


@dataclass(frozen=True, slots=True)
class Forget:
    """Neither side has it any more: drop the pairing."""


@dataclass(frozen=True, slots=True)
class Restored:
    """Tell the user that a booking deleted over there was put back (with an offer to cancel it)."""


@dataclass(frozen=True, slots=True)
class Keep:
    """Remember ``base`` exactly as it is: here stands an edit that did not go there."""

    base: Base


@dataclass(frozen=True, slots=True)
class Tell:
    """Say something about a booking in the app; None: it is no longer true."""

    message: str | None


@dataclass(frozen=True, slots=True)
class Suggest:
    """Keep a change to a booking that was made there for the user to approve (policy ``approve``)."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Leave the object alone until somebody edits it here: the other side will not keep what we write."""

    why: str


Action = (
    Suggest | Stop | Keep | Tell | PutHub | DeleteHub | PutRemote | DeleteRemote | Agree | Forget | Restored
)


@dataclass(frozen=True, slots=True)
class Decision:
    """The actions for one item, in order (here before there), and the groups both sides had changed.

    ``between`` is what to remember once our side is done and theirs is on its way: their edits are taken
    over,
    ours still to be sent. ``arrived``: the write that was in flight turned out to have been carried out.
    """

    item: Item
    actions: tuple[Action, ...] = ()
    conflicts: tuple[GroupConflict, ...] = ()
    merged: bool = False
    between: Base | None = None
    arrived: bool = False
    puts_back: bool = False  # writes there without anybody's edit here: the loop breaker counts these


def counts(decisions: Iterable[Decision]) -> dict[str, int]:
    """How many objects a plan would add, change and delete on either side."""
    totals = dict.fromkeys(("pulled", "pushed", "merged", "conflicts", "deleted"), 0)
    for decision in decisions:
        for name, number in tally(decision.actions).items():
            totals[name] += number
        totals["merged"] += decision.merged
        totals["conflicts"] += bool(decision.conflicts)
    return totals


def tally(actions: Sequence[Action]) -> dict[str, int]:
    """What these actions count as in a report."""
    return {
        "pulled": sum(isinstance(a, PutHub) for a in actions),
        "pushed": sum(isinstance(a, PutRemote) for a in actions),
        "deleted": sum(isinstance(a, DeleteHub | DeleteRemote) for a in actions),
    }
