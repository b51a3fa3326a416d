"""A CalDAV server made of prepared answers, for what no server at hand says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.providers import connect
from bridge.providers.caldav.provider import CalDAVProvider
from tests.servers.fault import FaultProxy

CALENDAR = "/home/anna/work/"

Connect = Callable[..., CalDAVProvider]


@pytest.fixture
def server() -> Iterator[FaultProxy]:
    """Answers only what a test prepared (``server.fault``)."""
    with FaultProxy("http://127.0.0.1:1/") as proxy:
        yield proxy


@pytest.fixture
def connected(server: FaultProxy) -> Iterator[Connect]:
    """A provider signed in there; keywords become its profile. ``also``: another host that may be called."""
    made: list[CalDAVProvider] = []

    def connect_(*, also: FaultProxy | None = None, **profile: Any) -> CalDAVProvider:
        account = SimpleNamespace(provider="caldav", url=server.url + "home/anna/", username="anna")
        allowed = {server.host_and_port, *([also.host_and_port] if also else [])}
        provider = connect(account, "geheim", allow_hosts=allowed, profile=profile)
        assert isinstance(provider, CalDAVProvider)
        made.append(provider)
        return provider

    yield connect_
    for provider in made:
        provider.close()
