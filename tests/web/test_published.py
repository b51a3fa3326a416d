"""A published calendar from the pages: its address alone is asked for, and said nowhere afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bridge.wiring import Bridge
from tests.contracts.samples import event
from tests.servers.feed import Publisher
from tests.web.browser import Browser


@pytest.fixture
def site(bridge: Bridge) -> Iterator[Publisher]:
    with Publisher() as publisher:
        bridge.settings = replace(bridge.settings, allow_hosts=frozenset({publisher.host_and_port}))
        publisher.publish("private-3f2a", title="Family").put("a", event("a"))
        yield publisher


def test_its_address_is_enough(at_annas: Browser, site: Publisher) -> None:
    at_annas.open("/calendar/settings/connect/ics")
    assert "Password" not in at_annas.text
    at_annas.press("Read this calendar", url=f"{site.url}private-3f2a.ics")
    assert "Connected to Family at 127.0.0.1" in at_annas.text
    at_annas.open("/calendar/settings")
    assert "private-3f2a" not in at_annas.text


@pytest.mark.parametrize("name", ["", "nothing-here.ics"])
def test_what_is_no_calendar_is_said_beside_the_field(at_annas: Browser, site: Publisher, name: str) -> None:
    at_annas.open("/calendar/settings/connect/ics")
    at_annas.press("Read this calendar", url=f"{site.url}{name}" if name else "")
    assert at_annas.beside("url")
