"""What holds for every test: nothing leaves this machine, and no setting of the developer's leaks in."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.servers.postgres import Cluster, postgres

for _name in [name for name in os.environ if name.startswith("PICSELLO_BRIDGE_")]:
    if not _name.startswith("PICSELLO_BRIDGE_TEST_"):
        del os.environ[_name]


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL of our own, for whoever asks."""
    with postgres() as running:
        yield running


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
