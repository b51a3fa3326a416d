"""From a mail address to the provider that surely keeps its calendar, by the domain alone.

Nothing is sent anywhere. A domain that is not in the table is ``unknown``: its calendar may be with any
provider, so the user is asked. The answer is a suggestion in any case, because Google and Apple accounts
exist for addresses at every domain.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bridge.errors import Invalid
from bridge.providers.guard import ascii_host
from bridge.providers.kinds import KINDS

UNKNOWN = "unknown"

_ADDRESS = re.compile(r"[^@\s]+@(?P<domain>[^@\s]+\.[^@\s.]+)\.?")


@dataclass(frozen=True, slots=True)
class Detection:
    """``signin`` is what sign-in takes (``password``, ``app-specific password``), empty if unknown; ``why`` a
    sentence for the user."""

    provider: str
    signin: str
    why: str
    sure: bool


def detect(address: str) -> Detection:
    """What the address suggests. Raises ``Invalid`` for what is no mail address."""
    match = _ADDRESS.fullmatch(address.strip())
    if match is None:
        raise Invalid(f"“{address.strip()}” is not an e-mail address.")
    domain = ascii_host(match["domain"])
    for name, kind in KINDS.items():
        if domain in kind.domains:
            return Detection(name, kind.secret, f"Addresses at {domain} belong to {kind.label}.", True)
    why = f"{domain} is not a provider we know by name. Choose where your calendar is."
    return Detection(UNKNOWN, "", why, False)
