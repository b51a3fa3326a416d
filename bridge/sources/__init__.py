"""Sources: where a studio's bookings live, when not here. One table row, one package each.

A source is a spoke like any provider (``bridge.ports.Provider``), and the same engine keeps it in step;
only what may be written there, and what becomes of an edit that may not, is different (``Policy.source``).
``sign_in`` is the first contact, ``connect`` every later one. Choosing one is ``bridge.service.sources``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.errors import Invalid
from bridge.ports import Clock, Provider

#: Kind to the name people see.
KINDS: Mapping[str, str] = {"picsello": "Picsello", "feed": "Picsello's calendar link"}


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


def sign_in(
    kind: str,
    url: str,
    secret: str,
    *,
    email: str,
    options: Mapping[str, Any],
    allow_hosts: Iterable[str],
    clock: Clock,
) -> SignedIn:
    """Check everything before anything is kept. Raises Invalid, NotFound, ProviderError kinds."""
    if kind == "feed":
        from bridge.sources.feed import first_contact as feed

        return feed(url, options, allow_hosts, clock)
    if kind != "picsello":
        raise Invalid(f"“{kind}” is no source we know. Choose studio or {' or '.join(KINDS)}.")
    from bridge.sources.picsello import first_contact

    return first_contact(url, secret, email, options)


def connect(
    kind: str, url: str, secret: str, *, profile: Mapping[str, Any], allow_hosts: Iterable[str], clock: Clock
) -> Provider:
    """The source of an account; sends nothing yet."""
    if kind == "feed":
        from bridge.sources.feed import reconnect as feed

        return feed(secret, allow_hosts, clock)
    from bridge.sources.picsello import reconnect

    return reconnect(url, secret, profile)
