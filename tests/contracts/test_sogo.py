"""The provider contract over SOGo, whose preconditions are broken and whose tokens are seconds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from tests.contracts.caldav_stand import CalDAVStand
from tests.contracts.provider_contract import ProviderContract
from tests.servers.fault import FaultProxy
from tests.servers.sogo import sogo


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CalDAVStand]:
    folder = tmp_path_factory.mktemp("sogo")
    with sogo(folder) as server, FaultProxy(server.url) as faults:

        def fill(calendar: str, texts: Mapping[str, str]) -> None:
            server.calendar(calendar).fill(texts)

        yield CalDAVStand(server, faults, fill, tick=1.1, many=100)


class TestSOGo(ProviderContract):
    """Every test of the contract."""
