"""The provider contract over Xandikos, which rewrites what it stores (0.4.10) and signs nobody in."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from tests.contracts.caldav_stand import CalDAVStand
from tests.contracts.provider_contract import ProviderContract
from tests.servers.fault import FaultProxy
from tests.servers.xandikos import seed, xandikos


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CalDAVStand]:
    folder = tmp_path_factory.mktemp("xandikos")
    with xandikos(folder) as server, FaultProxy(server.url) as faults:
        yield CalDAVStand(server, faults, partial(seed, folder))


class TestXandikos(ProviderContract):
    """Every test of the contract."""
