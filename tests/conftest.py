"""What holds for every test: nothing leaves this machine, and no setting of the developer's leaks in."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.servers import everywhere
from tests.servers.postgres import Cluster, postgres

for _name in [name for name in os.environ if name.startswith("PICSELLO_BRIDGE_")]:
    if not _name.startswith("PICSELLO_BRIDGE_TEST_"):
        del os.environ[_name]


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL of our own, for whoever asks."""
    with postgres() as running:
        yield running


if everywhere.ASKED:

    @pytest.fixture(autouse=True, scope="session")
    def everywhere_on_postgresql(cluster: Cluster) -> Iterator[everywhere.Everywhere]:
        """Every installation of every test keeps its rows in PostgreSQL."""
        with everywhere.everywhere(cluster) as made:
            yield made

    @pytest.fixture(autouse=True)
    def left_clean(
        request: pytest.FixtureRequest, everywhere_on_postgresql: everywhere.Everywhere
    ) -> Iterator[None]:
        """No test leaves its databases behind."""
        below = request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else None
        yield
        if below is not None:
            everywhere_on_postgresql.forget(below)

    def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
        """Tests of the SQLite file are left to the other run."""
        left_out = [item for item in items if item.get_closest_marker("embedded")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(autouse=True, scope="session")
def loopback_alone() -> Iterator[None]:
    """A connection to any other machine fails the test that tries it, even where a network would allow it."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            assert ipaddress.ip_address(address[0]).is_loopback, f"a test tried to reach {address}"
        connect(self, address)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", guarded)
    yield
    patch.undo()
