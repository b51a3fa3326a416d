"""A calendar at the Google stand-in, with our provider on one side and somebody's hands on the other."""

from __future__ import annotations

import itertools
import json
from typing import Any

from bridge.ports import Entry, Provider
from tests.contracts.google_stand import GoogleStand
from tests.standins.google_hands import Hands

_numbers = itertools.count(1)


class Place:
    """``sent`` is the proxy's log of our requests."""

    def __init__(self, far: GoogleStand, provider: Provider | None = None):
        far.faults.heal()
        self.far = far
        self.calendar, _ = far.make_calendar(f"k{next(_numbers)}", title="Kalender", color="#000000")
        self.hands: Hands = far.hands[self.calendar]
        self.provider = provider or far.provider()
        self.sent = far.faults.log

    def create(self, key: str, text: str) -> Entry:
        return self.provider.put(self.calendar, self.provider.new_href(self.calendar, key), text, None)

    def update(self, entry: Entry, text: str) -> Entry:
        return self.provider.put(self.calendar, entry.href, text, entry.tag)

    def read(self) -> Entry:
        """The only object there."""
        (entry,) = self.provider.changes(self.calendar, None).entries
        return entry

    def events(self) -> list[dict[str, Any]]:
        """Google's own state, deleted events included."""
        return list(self.far.google.calendars[self.calendar].events.values())

    def master(self) -> dict[str, Any]:
        return next(event for event in self.events() if "recurringEventId" not in event)

    def date(self, start: str) -> str:
        """The id of one date of the only series; ``start`` by Berlin's clock."""
        stored = self.far.google.calendars[self.calendar]
        wanted = f"{start[:4]}-{start[4:6]}-{start[6:8]}T{start[9:11]}:{start[11:13]}:00"
        dates = stored.instances(self.master()["id"], None)
        return next(e["id"] for e in dates if e["originalStartTime"]["dateTime"].startswith(wanted))

    def bodies(self) -> list[tuple[str, dict[str, Any]]]:
        """Method and body of each of our writes."""
        return [(seen.method, json.loads(seen.body)) for seen in self.sent if seen.body]
