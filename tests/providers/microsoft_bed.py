"""Graph's stand-in with one calendar, for tests of what is Microsoft's alone; the proxy keeps the log."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from bridge.ports import Entry, Provider
from tests.contracts.microsoft_stand import Hands, MicrosoftStand
from tests.standins.microsoft_mailbox import Json, Stored


@dataclass
class Bed:
    """``calendar`` is empty at the start; ``hands`` are somebody's in Outlook."""

    stand: MicrosoftStand
    calendar: str
    hands: Hands

    @property
    def mailbox(self) -> Any:
        return self.stand.graph.mailbox

    def provider(self, *, mail: bool = False) -> Provider:
        return self.stand.provider(mail=mail)

    def entries(self, provider: Provider | None = None) -> dict[str, Entry]:
        listed = (provider or self.provider()).changes(self.calendar, None)
        assert listed.complete
        return {entry.href: entry for entry in listed.entries}

    def only(self) -> Entry:
        (entry,) = self.entries().values()
        return entry

    def stored(self) -> Stored:
        (stored,) = [
            one for one in self.mailbox.events.values() if one.calendar == self.calendar and not one.gone
        ]
        return stored

    def sent(self, method: str) -> list[Json]:
        """The bodies of all requests of a method so far."""
        log = self.stand.faults.log
        return [json.loads(seen.body) for seen in log if seen.method == method and seen.body]
