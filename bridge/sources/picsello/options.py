"""What a studio may choose about how its Picsello bookings look and what may be written back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from bridge.errors import Invalid

MODES = {"write": "write", "suggest": "local", "read": "refuse"}


@dataclass(frozen=True, slots=True)
class Options:
    """``mode``: write (edits reach Picsello), suggest (they stay here and say so), read (they go back).
    ``titles``: full, or initials for private people. ``leads``: show them, as tentative. ``holds``: show
    booking leads that are not paid yet. ``contact``: the client's name and phone in the description.
    ``app_url``: where the studio opens Picsello."""

    mode: str = "write"
    titles: str = "full"
    leads: bool = True
    holds: bool = False
    contact: bool = False
    app_url: str = "https://app.picsello.com"

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Options:
        """From a profile or the command line; what is not there keeps its default. Raises Invalid."""
        known = {field.name for field in fields(cls)}
        made = cls(**{name: value for name, value in given.items() if name in known and value is not None})
        if made.mode not in MODES or made.titles not in ("full", "initials"):
            raise Invalid("A source's mode is write, suggest or read; its titles are full or initials.")
        return made

    def as_profile(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def edits(self) -> str:
        """What the plan is told (``Policy.source``)."""
        return MODES[self.mode]
