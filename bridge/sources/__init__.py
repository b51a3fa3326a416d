"""Sources: where a studio's bookings live, when not here. One table row, one package each.

A source is a spoke like any provider (``bridge.ports.Provider``), and the same engine keeps it in step;
only what may be written there, and what becomes of an edit that may not, is different (``Policy.source``).
``sign_in`` is the first contact, ``connect`` every later one. Choosing one is ``bridge.service.sources``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.errors import Invalid
from bridge.ports import Provider

#: Kind to the name people see.
KINDS: Mapping[str, str] = {"picsello": "Picsello"}


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A first contact that went well. ``calendar``: the link's remote id; ``profile``: what the account
    remembers; ``told``: sentences the studio should read; ``time_zone``: the studio's, where it is known."""

    url: str
    username: str
    label: str
    calendar: str
    profile: dict[str, Any]
    told: Sequence[str] = field(default_factory=tuple)
    time_zone: str | None = None
    secret: str | None = None  # to be kept instead of what was given


def sign_in(kind: str, url: str, secret: str, *, email: str, options: Mapping[str, Any]) -> SignedIn:
    """Check everything before anything is kept. Raises Invalid, NotFound, ProviderError kinds."""
    _known(kind)
    from bridge.sources.picsello import first_contact

    return first_contact(url, secret, email, options)


def connect(kind: str, url: str, secret: str, *, profile: Mapping[str, Any]) -> Provider:
    """The source of an account; sends nothing yet."""
    _known(kind)
    from bridge.sources.picsello import reconnect

    return reconnect(url, secret, profile)


def _known(kind: str) -> None:
    if kind not in KINDS:
        raise Invalid(f"“{kind}” is no source we know. Choose studio or {', '.join(KINDS)}.")
