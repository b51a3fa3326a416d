"""Providers: where a user's other calendars live. One table row, one file (or package) each.

``KINDS`` is the table (``kinds.py``). ``sign_in`` is the first contact, ``connect`` every later one; both
give nothing but the port of ``bridge.ports``. Which kind an address belongs to is left to ``detect``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bridge.errors import Invalid
from bridge.ports import Provider, RemoteCalendar
from bridge.providers.kinds import KINDS, Kind


class AccountLike(Protocol):
    """What of an account's row is needed to call its provider."""

    @property
    def provider(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def username(self) -> str: ...


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A first contact that went well: what the account's row should remember, and what it can choose from."""

    home_url: str
    label: str
    profile: dict[str, Any]
    calendars: list[RemoteCalendar]


def sign_in(kind: str, url: str, username: str, password: str, allow_hosts: Iterable[str] = ()) -> SignedIn:
    """Find the calendars behind an address, and list them.

    ``url`` may be empty where the kind knows its own address. Raises ``Invalid`` for an unknown kind, else
    the kinds of ``bridge.errors.ProviderError``.
    """
    row = _row(kind)
    start = url.strip() or row.start
    if not start:
        raise Invalid(f"Give the address of the calendar server: {row.label} can be anywhere.")
    from bridge.providers.caldav.connection import first_contact

    return first_contact(row.label, start, username, password, allow_hosts)


def connect(
    account: AccountLike,
    secret: str,
    *,
    allow_hosts: Iterable[str] = (),
    profile: Mapping[str, Any] | None = None,
) -> Provider:
    """A provider for an account that signed in before; sends nothing yet."""
    _row(account.provider)
    from bridge.providers.caldav.connection import reconnect

    return reconnect(account.url, account.username, secret, allow_hosts, profile or {})


def _row(kind: str) -> Kind:
    try:
        return KINDS[kind]
    except KeyError:
        raise Invalid(f"“{kind}” is no provider we know. Choose one of: {', '.join(KINDS)}.") from None


__all__ = ["KINDS", "AccountLike", "Kind", "SignedIn", "connect", "sign_in"]
