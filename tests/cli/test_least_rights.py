"""Running needs less than migrating: the role that serves may not alter a table (docs/operation.md)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from bridge.config import Settings
from bridge.errors import StoreError
from bridge.service import tokens
from bridge.store.db import Database
from bridge.wiring import Bridge
from tests.cli.conftest import Call
from tests.servers.postgres import Cluster, postgres

GUIDE = Path(__file__).parents[2] / "docs" / "operation.md"


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    with postgres() as running:
        yield running


def test_the_role_that_serves_may_change_rows_alone(
    own_cluster: Cluster, call: Call, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guide = GUIDE.read_text()
    for statement in re.findall(r"CREATE (?:ROLE|DATABASE) [^;]+;", guide):
        own_cluster.run(statement.replace("…", "geheim"))
    owner = Database(own_cluster.url("bridge", "bridge_owner"))
    with owner.writing() as tx:
        for statement in re.findall(r"ALTER DEFAULT PRIVILEGES [^;]+;", guide):
            tx.execute(text(statement))
    owner.close()
    monkeypatch.setenv("PICSELLO_BRIDGE_DATABASE_URL", own_cluster.url("bridge", "bridge_owner"))
    assert call("user", "list").code == 0
    serving = own_cluster.url("bridge", "bridge")
    monkeypatch.setenv("PICSELLO_BRIDGE_DATABASE_URL", serving)
    demo = call("demo", "--json").json
    assert call("booking", "list", demo["username"], "--json").json
    assert call("sync").code == 0
    bridge = Bridge.open(Settings(data=data, database_url=serving))
    tokens.add(bridge, demo["username"], "Website", ["read"])
    assert call("user", "remove", demo["username"]).code == 0
    for statement in ('DROP TABLE "user"', "ALTER TABLE object ADD COLUMN x int", "CREATE TABLE x (y int)"):
        with pytest.raises(Exception, match=r"permission|owner") as refused, bridge.db.writing() as tx:
            tx.execute(text(statement))
        assert not isinstance(refused.value, StoreError)
    bridge.db.close()
