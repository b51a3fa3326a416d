"""The provider contract over stock Radicale, which rewrites what it stores."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from tests.contracts.caldav_stand import CalDAVStand
from tests.contracts.provider_contract import ProviderContract
from tests.servers.fault import FaultProxy
from tests.servers.radicale import radicale, seed


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CalDAVStand]:
    folder = tmp_path_factory.mktemp("radicale")

    shown = folder / "collections" / "collection-root" / "anna" / "nur-lesen"
    shown.mkdir(parents=True)
    (shown / ".Radicale.props").write_text('{"tag": "VCALENDAR"}')
    with (
        radicale(folder, read_only=("nur-lesen",), hurried=True) as server,
        FaultProxy(server.url) as faults,
    ):
        yield CalDAVStand(server, faults, partial(seed, folder, server), read_only="/anna/nur-lesen/")


class TestRadicale(ProviderContract):
    """Every test of the contract."""
