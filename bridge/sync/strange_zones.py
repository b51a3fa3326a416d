"""Time zone names in an object that nothing could make sense of, so that its user can be told (R-WINTZ).

A pass asks for every text that it brings in; so a name that is known by itself is looked at once, and only
an object with another one is read whole (it may define it).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC

from bridge.errors import Invalid
from bridge.ical.zones import Zones, iana_name

_TZID = re.compile(r';TZID=("[^"\r\n]*"|[^:;,"\r\n]*)', re.IGNORECASE)
_FOLD = re.compile(r"\r?\n[ \t]")


@dataclass(slots=True)
class StrangeZones:
    """Asked once per text; remembers the names that are fine."""

    _fine: set[str] = field(default_factory=set)

    def of(self, text: str) -> list[str]:
        """The zone names in it that are read in the user's own zone for want of better knowledge."""
        names = {name.strip('"') for name in _TZID.findall(_FOLD.sub("", text))}
        doubtful = sorted(name for name in names - self._fine if not self._known(name))
        if not doubtful:
            return []
        try:
            zones = Zones(text, UTC)
        except Invalid:
            return []
        for name in doubtful:
            zones.get(name)
        return zones.unknown

    def _known(self, name: str) -> bool:
        known = iana_name(name) is not None
        if known:
            self._fine.add(name)
        return known
