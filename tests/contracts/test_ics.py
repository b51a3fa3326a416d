"""The reading half of the provider contract over published calendars."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import SimpleNamespace

import pytest

from bridge.ports import Provider
from bridge.providers import connect
from bridge.providers.ics.provider import CALENDAR
from tests.contracts.reading_contract import ReadingContract
from tests.contracts.stand import Calendar, Stand
from tests.servers.fault import FaultProxy
from tests.servers.feed import Publisher


class ICSStand(Stand):
    """An account is one address: the newest calendar's."""

    reads = ("GET",)
    surveys = False

    def __init__(self, site: Publisher, faults: FaultProxy):
        self.site = site
        self.faults = faults
        self._name = ""

    def provider(self) -> Provider:
        account = SimpleNamespace(provider="ics", url="", username="")
        address = f"{self.faults.url}{self._name}.ics"
        return connect(account, address, allow_hosts={self.faults.host_and_port})

    def make_calendar(self, name: str, *, title: str, color: str) -> tuple[str, Calendar]:
        self._name = name
        return CALENDAR, self.site.publish(name, title=title, color=color)

    def read_only_calendar(self) -> str | None:
        return CALENDAR

    def seed(self, calendar: str, texts: Mapping[str, str]) -> None:
        self.site.calendars[self._name].parts.update(texts)

    def lost_cursor(self, cursor: str) -> str:
        return json.dumps({**json.loads(cursor), "etag": '"nobody"', "state": "nothing"})


@pytest.fixture(scope="module")
def stand() -> Iterator[ICSStand]:
    with Publisher() as site, FaultProxy(site.url) as faults:
        yield ICSStand(site, faults)


class TestICS(ReadingContract):
    """Every test of the reading half."""
