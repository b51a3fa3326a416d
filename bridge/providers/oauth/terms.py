"""What both sides of a sign-in are: who we are there, what is asked for, whose account it is. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bridge.providers.guard import origin

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True, slots=True)
class App:
    """Who we are at a provider, and where that provider is: the administrator's settings."""

    issuer: str
    api_url: str
    client_id: str
    client_secret: str = field(repr=False)

    @property
    def hosts(self) -> frozenset[str]:
        """What the administrator named, as the guard's allow-list spells it; this machine by all its names,
        as a local issuer may name its parts by another one."""
        found: set[str] = set()
        for url in (self.issuer, self.api_url):
            _, host, port = origin(url)
            here = host in _LOOPBACK or f"[{host}]" in _LOOPBACK
            found |= {f"{name}:{port}" for name in (_LOOPBACK if here else (host,))}
        return frozenset(found)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a kind asks the user for. ``needed``: the scopes of ``scopes`` without which it is of no use
    (users may untick boxes). ``extra``: further parameters of the authorization request. ``to_make``: what is
    asked for besides when a calendar is to be made there, and not before."""

    label: str
    scopes: tuple[str, ...]
    needed: frozenset[str] = frozenset()
    extra: Mapping[str, str] = field(default_factory=dict)
    to_make: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in under way: ``url`` is for the user's browser; the rest is needed to finish."""

    url: str
    state: str
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose account it is: ``subject`` never changes there, ``name`` is what people call it."""

    subject: str
    name: str


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the provider's parts are, as it publishes them (RFC 8414)."""

    authorize: str
    token: str
    revoke: str | None
    userinfo: str | None
