"""A published calendar from its address: the first contact, and every later one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bridge.errors import CalendarGone, Invalid
from bridge.providers import SignedIn
from bridge.providers.guard import Guard, origin
from bridge.providers.http import Http
from bridge.providers.ics.address import Address
from bridge.providers.ics.provider import LIMITS, ICSProvider, Learnt
from bridge.providers.pace import Pace, Turns, rate_at


def first_contact(
    label: str, typed: str, username: str, password: str, allow_hosts: Iterable[str]
) -> SignedIn:
    """Fetch the calendar, twice: UIDs that change between two fetches are not to be relied on.

    A renewed address comes in place of a password, because it is what the old one was.
    """
    if "://" in password:
        typed, username, password = password, "", ""
    elif "/#" in typed:
        raise Invalid("Give the calendar's new address in place of a password.")
    address = Address.read(typed, username, password)
    provider = ICSProvider(Http(_guard(address, allow_hosts), limits=LIMITS), address)
    try:
        provider.probe()
        calendars = provider.calendars()
    finally:
        provider.close()
    host = origin(address.url)[1]
    if not calendars:
        raise CalendarGone(f"There is no calendar at this address of {host}. Copy its address anew.")
    name = calendars[0].name
    return SignedIn(
        address.shown,
        f"{name if name != host else label} at {host}",
        provider.profile,
        calendars,
        secret=address.secret,
    )


def reconnect(
    _home: str,
    _username: str,
    secret: str,
    allow_hosts: Iterable[str],
    profile: Mapping[str, Any],
    learnt: Learnt,
    turns: Turns | None = None,
) -> ICSProvider:
    """The provider of an address that was fetched before."""
    address = Address.read(secret)
    guard = _guard(address, allow_hosts)
    http = Http(guard, limits=LIMITS, pace=Pace(rate_at(address.url, guard), turns))
    return ICSProvider(http, address, profile, learnt)


def _guard(address: Address, allow_hosts: Iterable[str]) -> Guard:
    guard = Guard(allow_hosts)
    guard.check(address.url)
    return guard
