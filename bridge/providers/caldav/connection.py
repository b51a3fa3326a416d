"""A CalDAV account from its sign-in data: the first contact, and every later one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bridge.errors import ProviderError, Unreachable
from bridge.ports import RemoteCalendar
from bridge.providers import SignedIn
from bridge.providers.caldav.client import Client
from bridge.providers.caldav.discovery import find_home, starts
from bridge.providers.caldav.probe import probe
from bridge.providers.caldav.provider import CalDAVProvider
from bridge.providers.caldav.server import Learnt
from bridge.providers.guard import Guard, origin
from bridge.providers.http import Http
from bridge.providers.pace import Pace, Turns, rate_at


def first_contact(
    label: str, typed: str, username: str, password: str, allow_hosts: Iterable[str]
) -> SignedIn:
    """Find the home behind what was typed and list its calendars. Plain http is tried after https, and only
    where the administrator allowed the host."""
    guard = Guard(allow_hosts)
    failure: ProviderError | None = None
    for start in starts(typed, guard):
        try:
            return _enter(label, start, username, password, guard)
        except Unreachable as error:
            failure = error
    assert failure is not None  # starts() gives at least one
    raise failure


def reconnect(
    home: str,
    username: str,
    password: str,
    allow_hosts: Iterable[str],
    profile: Mapping[str, Any],
    learnt: Learnt = lambda _: None,
    turns: Turns | None = None,
) -> CalDAVProvider:
    """The provider of a home that was found before, signing in the way that worked."""
    guard = Guard(allow_hosts)
    home = profile.get("home", home)
    guard.check(home)
    http = Http(guard, pace=Pace(rate_at(home, guard), turns))
    client = Client(http, home, username, password, profile.get("auth"), known=True)
    return CalDAVProvider(client, home, profile, learnt)


def _enter(label: str, start: str, username: str, password: str, guard: Guard) -> SignedIn:
    client = Client(Http(guard, pace=Pace(rate_at(start, guard))), start, username, password)
    try:
        home = find_home(client, start)
        profile: dict[str, Any] = {"single": True} if home.single else {}
        if home.others:
            profile["others"] = list(home.others)
        if origin(home.url) != origin(start):
            profile["start"] = start
        provider = CalDAVProvider(client, home.url, profile)
        calendars: list[RemoteCalendar] = provider.calendars()
        learnt = probe(client, home.url, calendars[0].id if calendars else None)
        host = origin(home.url)[1]
        return SignedIn(
            home.url,
            f"{username} at {host}" if username else f"{label} at {host}",
            {**provider.profile, **learnt},
            calendars,
        )
    finally:
        client.close()
