"""What is known about one object, and what the user wishes: the values a plan is made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["booking", "block", "foreign"]
Prefer = Literal["ours", "theirs", "ask"]
OnDelete = Literal["restore", "hide", "cancel"]
OnMove = Literal["apply", "approve"]
#: What becomes of an edit to a booking that lives at a source; none: the spoke is no source.
SourceEdits = Literal["none", "write", "local", "refuse"]


@dataclass(frozen=True, slots=True)
class Hub:
    """Our object as it is now. ``cancelled`` bookings are kept here and belong nowhere else."""

    href: str
    etag: str
    text: str
    cancelled: bool = False
    hidden: bool = False  # off our calendar only (policy hide)


@dataclass(frozen=True, slots=True)
class Remote:
    """Their object as it is now."""

    href: str
    tag: str
    text: str


@dataclass(frozen=True, slots=True)
class Base:
    """What each side held when they last agreed. ``remote`` None: agreed that it is not there."""

    hub: str
    etag: str
    remote: str | None
    tag: str | None


@dataclass(frozen=True, slots=True)
class Flight:
    """The write that was about to be sent when we last knew. ``text`` None: a delete.

    ``hub`` and ``etag`` are our object that it stands for; ``expect`` the tag it was conditional on
    (None: a create)."""

    text: str | None
    hub: str | None
    etag: str | None
    expect: str | None


@dataclass(frozen=True, slots=True)
class Item:
    """One object under one link, everything known about it.

    ``remote`` None means proven absent. ``deletion_seen`` means more: that it was there and was deleted
    (a tombstone in a delta), which tells a lost create from one that somebody deleted again.
    """

    uid: str
    kind: Kind
    hub: Hub | None
    remote: Remote | None
    base: Base | None = None
    flight: Flight | None = None
    generation: int = 1
    deletion_seen: bool = False
    rewrites: int = 0  # how often in a row it was put back there, with nobody's edit here


@dataclass(frozen=True, slots=True)
class Policy:
    """The user's wishes for one link, and this installation's name for its markers."""

    reads: bool
    edits: bool
    writes: bool
    installation: str
    prefer_own: Prefer = "ours"  # bookings and blocks
    prefer_foreign: Prefer = "theirs"
    on_delete: OnDelete = "restore"
    on_move: OnMove = "apply"
    source: SourceEdits = "none"
    restored: bool = False  # the first pass after a restore: what is ours and unknown here comes back

    @property
    def is_source(self) -> bool:
        return self.source != "none"

    def prefer(self, kind: Kind) -> Prefer:
        return self.prefer_foreign if kind == "foreign" else self.prefer_own

    def takes_part(self, kind: Kind) -> bool:
        if self.is_source:
            return kind == "booking"
        return self.reads if kind == "foreign" else self.writes

    def may_write(self, kind: Kind) -> bool:
        if self.is_source:
            return self.source == "write"
        return self.edits if kind == "foreign" else self.writes
