"""The same calls with PostgreSQL as the database."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from bridge.store.db import Database
from tests.cli.conftest import Call
from tests.servers.postgres import AS_IT_COMES, Cluster, postgres


@pytest.fixture(scope="module")
def running() -> Iterator[Cluster]:
    with postgres(durable=True, settings=AS_IT_COMES) as cluster:
        yield cluster


@pytest.fixture
def url(running: Cluster) -> str:
    return running.url(running.create())


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


def promises(call: Call) -> dict[str, str]:
    """What the doctor says against the settings of PostgreSQL, by setting."""
    answer = call("doctor", "--json")
    found = [row["says"] for row in answer.json if row["what"] == "what PostgreSQL promises"]
    assert answer.code == (1 if found else 0)
    return {says.split(" = off")[0].split()[-1]: says for says in found}


@pytest.mark.parametrize(
    ("given", "todo"),
    [
        (
            "ALTER DATABASE {name} SET synchronous_commit = off",
            'ALTER DATABASE "{name}" RESET synchronous_commit;',
        ),
        (
            "ALTER ROLE postgres SET synchronous_commit = off",
            'ALTER ROLE "postgres" RESET synchronous_commit;',
        ),
        (
            "ALTER ROLE postgres IN DATABASE {name} SET synchronous_commit = off",
            'ALTER ROLE "postgres" IN DATABASE "{name}" RESET synchronous_commit;',
        ),
        ("ALTER SYSTEM SET synchronous_commit = off", "ALTER SYSTEM SET synchronous_commit = on;"),
    ],
    ids=["for the database", "for the role", "for the role in it", "for the server"],
)
def test_a_postgresql_that_forgets_what_it_said_is_saved_is_found(
    call: Call, running: Cluster, monkeypatch: pytest.MonkeyPatch, given: str, todo: str
) -> None:
    """The doctor's advice is followed to the letter, and puts it right."""
    name = running.create()
    monkeypatch.setenv("PICSELLO_BRIDGE_DATABASE_URL", running.url(name))
    assert call("user", "list").code == 0
    assert promises(call) == {}
    running.run(given.format(name=name))
    running.run("SELECT pg_reload_conf()")
    told = waited_for(call, some=True)
    assert "a crash loses the last moment of what apps were told is saved" in told["synchronous_commit"]
    advice = told["synchronous_commit"].split("As its administrator: ")[1]
    assert todo.format(name=name) in advice
    for statement in advice.rstrip(";").split(";"):
        running.run(statement)
    assert waited_for(call, some=False) == {}


def waited_for(call: Call, *, some: bool) -> dict[str, str]:
    """A server that was told to read its settings does so a moment later."""
    for _ in range(100):
        Database(os.environ["PICSELLO_BRIDGE_DATABASE_URL"]).close()
        if bool(found := promises(call)) == some:
            return found
        time.sleep(0.05)
    raise AssertionError("PostgreSQL did not take the setting")


def test_a_postgresql_started_without_care_is_found(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    with postgres() as careless:
        monkeypatch.setenv("PICSELLO_BRIDGE_DATABASE_URL", careless.url(careless.create()))
        assert call("user", "list").code == 0
        told = promises(call)
    assert set(told) == {"fsync", "full_page_writes", "synchronous_commit"}
    for name, says in told.items():
        assert f"Take it out of the command that starts PostgreSQL (-c {name}=off)" in says


def test_an_address_that_asks_for_less_is_found(
    call: Call, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PICSELLO_BRIDGE_DATABASE_URL", f"{url}&options=-c%20synchronous_commit%3Doff")
    assert call("user", "list").code == 0
    assert "Take it out of PICSELLO_BRIDGE_DATABASE_URL" in promises(call)["synchronous_commit"]
