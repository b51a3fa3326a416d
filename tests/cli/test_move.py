"""Moving to PostgreSQL and back: every row compared, nothing written behind anybody's back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from bridge.config import Settings
from bridge.errors import StoreError
from bridge.service import people
from bridge.store.db import Database
from bridge.wiring import Bridge
from tests.cli.conftest import Call, wrong
from tests.cli.test_backup import contents
from tests.servers.postgres import Cluster

ANNA = "anna@studio.example"

pytestmark = pytest.mark.embedded


@pytest.fixture
def empty(cluster: Cluster) -> Iterator[str]:
    """The address of an empty PostgreSQL database."""
    name = cluster.create()
    yield cluster.url(name)
    Database(cluster.url(name)).close()
    cluster.drop(name)


@pytest.fixture
def full(call: Call, anna: str, data: Path) -> Settings:
    """An installation with a studio to look at, and Anna."""
    assert call("demo").code == 0
    assert call("device", "add", anna, "phone").code == 0
    return Settings(data=data)


def test_everything_moves_and_is_compared_row_by_row(
    call: Call, full: Settings, empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = contents(full)
    moved = call("move", empty, "--json")
    assert moved.code == 0, moved
    assert moved.json["compared"] == len(known["object"]) == 12
    assert contents(Settings(data=full.data, database_url=empty)) == known
    monkeypatch.setenv("PICSELLO_BRIDGE_DATABASE_URL", empty)
    assert len(call("booking", "list", "demo@example.com", "--json").json) == 12
    assert call("user", "add", "berta@studio.example", "--json").json["user"] == 3, "numbers go on"
    assert wrong(call) == {}


def test_the_old_place_says_where_everything_is_and_takes_nothing_new(
    call: Call, full: Settings, empty: str
) -> None:
    running = Bridge.open(full)  # a server that was not stopped
    assert call("move", empty).code == 0
    assert "was moved to postgresql" in call("user", "list").refusal
    with pytest.raises(StoreError, match="moved to another database"):
        people.add_device(running, ANNA, "tablet")


def test_a_restore_brings_the_old_place_back_to_life(
    call: Call, full: Settings, empty: str, tmp_path: Path
) -> None:
    assert call("backup", str(tmp_path / "before.backup")).code == 0
    assert call("move", empty).code == 0
    assert call("restore", str(tmp_path / "before.backup")).code == 0
    assert (
        call("booking", "add", ANNA, "--title", "On", "--start", "2027-03-01T10:00", "--duration", "60").code
        == 0
    )


def test_a_copy_that_differs_is_given_up_and_nothing_has_moved(
    call: Call, full: Settings, empty: str
) -> None:
    db = Database(full.database_url)
    with db.writing() as tx:
        tx.execute(text("UPDATE object SET etag = 'nonsense' WHERE id = 3"))
    assert "Object 3 is not what its tag says" in call("move", empty).refusal
    assert call("user", "list").code == 0, "life goes on here"
    with Database(empty).reading() as tx:
        assert tx.execute(text('SELECT count(*) FROM "user"')).scalar() == 0


def test_only_an_empty_database_is_moved_to(call: Call, full: Settings, empty: str, tmp_path: Path) -> None:
    assert "already" in call("move", full.database_url).refusal
    other = f"sqlite:///{tmp_path}/other.sqlite"
    Bridge.open(Settings(data=tmp_path / "elsewhere", database_url=other))
    assert "There is an installation" in call("move", other).refusal
    assert "understood" in call("move", "nonsense").refusal
    assert "PostgreSQL" in call("move", "postgresql://nobody@127.0.0.1:9/none").refusal
    assert "--password-stdin" in call("move", "postgresql://nobody:hush@127.0.0.1:9/none").refusal
    answer = call("move", "postgresql://nobody@127.0.0.1:9/none", "--password-stdin", stdin="hush\n")
    assert "hush" not in answer.err
    assert call("user", "list").code == 0


def test_the_way_back_is_the_same(call: Call, full: Settings, empty: str, tmp_path: Path,
                                  monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    known = contents(full)
    assert call("move", empty).code == 0
    monkeypatch.setenv("PICSELLO_BRIDGE_DATABASE_URL", empty)
    back = f"sqlite:///{tmp_path}/back.sqlite"
    assert call("move", back).code == 0
    assert contents(Settings(data=full.data, database_url=back)) == known
    assert "was moved to sqlite" in call("user", "list").refusal
    with pytest.raises(StoreError, match="moved to another database"), Database(empty).writing() as tx:
        tx.execute(text("DELETE FROM device"))
