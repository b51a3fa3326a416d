"""The provider contract over DAViCal, which answers a token that it does not know with a full listing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from tests.contracts.caldav_stand import CalDAVStand
from tests.contracts.provider_contract import ProviderContract
from tests.servers.davical import davical
from tests.servers.fault import FaultProxy


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CalDAVStand]:
    folder = tmp_path_factory.mktemp("davical")
    with davical(folder) as server, FaultProxy(server.url) as faults:

        def fill(calendar: str, texts: Mapping[str, str]) -> None:
            server.calendar(calendar).fill(texts)

        stand = CalDAVStand(server, faults, fill, many=100)
        stand.title = "Familie und Freunde"  # it escapes an ampersand twice
        yield stand


class TestDAViCal(ProviderContract):
    """Every test of the contract."""
