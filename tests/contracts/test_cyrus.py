"""The provider contract over Cyrus (what Fastmail runs), where a UID may be there once in a home."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from tests.contracts.caldav_stand import CalDAVStand
from tests.contracts.provider_contract import ProviderContract
from tests.servers.cyrus import cyrus
from tests.servers.fault import FaultProxy


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CalDAVStand]:
    folder = tmp_path_factory.mktemp("cyrus")
    with cyrus(folder) as server, FaultProxy(server.url) as faults:

        def fill(calendar: str, texts: Mapping[str, str]) -> None:
            server.calendar(calendar).fill(texts)

        yield CalDAVStand(server, faults, fill, one_home=True, many=200)


class TestCyrus(ProviderContract):
    """Every test of the contract."""
