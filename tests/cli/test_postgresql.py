"""The same calls with PostgreSQL as the database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.conftest import Call
from tests.servers.postgres import postgres


@pytest.fixture
def url() -> Iterator[str]:
    with postgres() as cluster:
        yield cluster.url(cluster.create())


def test_an_installation_lives_in_postgresql(call: Call, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICSELLO_BRIDGE_DATABASE_URL", url)
    demo = call("demo", "--json").json
    assert len(call("booking", "list", demo["username"], "--json").json) == 12
    assert call("user", "add", "anna@studio.example", "--time-zone", "Europe/Berlin").code == 0
    assert "already" in call("user", "add", "anna@studio.example").refusal
    assert call("sync").code == 0
    assert call("doctor").code == 0
    assert call("user", "remove", demo["username"]).code == 0
    assert [row["email"] for row in call("user", "list", "--json").json] == ["anna@studio.example"]


def test_a_database_that_does_not_answer_is_one_sentence(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    url = "postgresql+psycopg://nobody:hush@127.0.0.1:9/none"
    monkeypatch.setenv("PICSELLO_BRIDGE_DATABASE_URL", url)
    answer = call("user", "list")
    assert "PostgreSQL" in answer.refusal
    assert "hush" not in answer.err
