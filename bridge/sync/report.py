"""What a pass tells whoever asked for it: counts, sentences, and the plan where it was not carried out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

#: Called with (objects done, objects to do). ``to do`` may grow while a pass goes on.
Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Report:
    """One pass. The first five counts are objects, ``requests`` every HTTP request made, refused ones
    included.

    ``held``: why the plan waits for the user; ``errors``: what went wrong; both are sentences. ``plan``: what
    would be done, if it was not. ``failed``: the calendar could not be used; ``alone``: for a reason of its
    own, the account is well; ``after``: the seconds that the provider asked us to stay away. ``busy``: there
    was no pass, because somebody is at work in the account. ``ended``: it came to its end, and its lease was
    given back with that; ``unchanged``: then, neither side had changed since the pass before, which agreed at
    ``agreed_before``.
    """

    link_id: int
    account_id: int
    calendar: str
    pulled: int = 0
    pushed: int = 0
    merged: int = 0
    conflicts: int = 0
    deleted: int = 0
    held: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    requests: int = 0
    plan: list[str] = field(default_factory=list)
    pass_id: int | None = None
    failed: bool = False
    failure: str = ""  # the kind of error that ended it, for whoever counts: SignInNeeded, Unreachable ...
    alone: bool = False
    after: float | None = None
    busy: bool = False
    ended: bool = False
    unchanged: bool = False
    agreed_before: datetime | None = None

    def counts(self) -> dict[str, int]:
        """What the journal keeps of it."""
        names = ("pulled", "pushed", "merged", "conflicts", "deleted", "requests")
        return {name: getattr(self, name) for name in names}
