"""Pairs that look like one event but are two: the same title at the same time, under different identities.

On a first link they are likely to be one thing that somebody entered twice. Nothing is guessed (R-ADOPT): the
preview names them, both stay, and their owner decides.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from bridge.errors import Invalid
from bridge.ical.facts import facts
from bridge.ical.occurrences import enclosing
from bridge.sync.plan import Decision, PutHub, PutRemote

#: Title without case and blanks, start in seconds.
Face = tuple[str, int]


def plain(title: str) -> str:
    """A title as it is compared: without case and superfluous blanks."""
    return " ".join(title.casefold().split())


@dataclass(slots=True)
class Doubles:
    """Collects what a plan would add on either side, and says which of it looks alike."""

    zone: ZoneInfo
    _ours: dict[Face, str] = field(default_factory=dict)
    _theirs: set[Face] = field(default_factory=set)

    def note(self, decision: Decision) -> None:
        """One decision of the plan."""
        item = decision.item
        for action in decision.actions:
            match action:
                case PutRemote(expect=None) if item.base is None and item.hub is not None:
                    known = self._face(item.hub.text)
                    if known is not None:
                        self._ours[known] = facts(item.hub.text).summary
                case PutHub(expect=None) if item.base is None and item.remote is not None:
                    self.note_theirs(item.remote.text)

    def note_theirs(self, text: str) -> None:
        """An event over there that takes no part, or will be shown here."""
        known = self._face(text)
        if known is not None:
            self._theirs.add(known)

    def sentences(self) -> list[str]:
        """One for every doubtful pair, in order of time."""
        pairs = sorted(self._ours.keys() & self._theirs, key=lambda face: face[1])
        return [
            f"“{self._ours[face]}” on {datetime.fromtimestamp(face[1], self.zone):%Y-%m-%d at %H:%M} "
            "is there already as an event of its own. They are not merged: if they are the same, delete one."
            for face in pairs
        ]

    def _face(self, text: str) -> Face | None:
        try:
            title, start = facts(text).summary, enclosing(text, self.zone)[0]
        except Invalid:
            return None
        return None if start is None or not title.strip() else (plain(title), start)
