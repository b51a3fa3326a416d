"""Where the whole suite is on PostgreSQL, so is the simulation."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers import everywhere
from tests.servers.postgres import Cluster
from tests.simulation.many import stores_in

if everywhere.ASKED:

    @pytest.fixture(autouse=True, scope="package")
    def stores_on_postgresql(cluster: Cluster) -> Iterator[None]:
        with stores_in(cluster):
            yield
