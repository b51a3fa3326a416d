"""Where a delta left off: Graph's own link, how long its window is good for, and our names by its ids."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bridge.errors import CursorLost

#: The window of the delta, around the day it began; a wider one costs an entry for every occurrence in it.
BEHIND = timedelta(days=90)
AHEAD = timedelta(days=730)
#: How long a window is good for: it never moves by itself.
GOOD_FOR = timedelta(days=30)


@dataclass(slots=True)
class Cursor:
    """``link`` is called unchanged, until the day ``until`` (an ISO date). ``own``: keys of our events, by
    ``short`` names of their ids."""

    link: str
    until: str
    own: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, said: str) -> Cursor:
        """Raises ``CursorLost`` for what is none of ours."""
        try:
            found = json.loads(said)
            return cls(str(found["link"]), str(found["until"]), dict(found["own"]))
        except (ValueError, TypeError, KeyError):
            raise CursorLost("Where we left off cannot be read any more. We list everything again.") from None

    def spelled(self) -> str:
        """JSON, always in the same order."""
        return json.dumps({"link": self.link, "until": self.until, "own": self.own}, sort_keys=True)


def window(now: datetime) -> dict[str, str]:
    """The window of a delta that begins now, as Graph takes it."""
    return {"startDateTime": f"{day(now - BEHIND)}T00:00:00Z", "endDateTime": f"{day(now + AHEAD)}T00:00:00Z"}


def short(event_id: str) -> str:
    """Enough of an id to know it again; ids are long, and there may be thousands."""
    return hashlib.sha256(event_id.encode()).hexdigest()[:12]


def day(moment: datetime) -> str:
    return moment.date().isoformat()
