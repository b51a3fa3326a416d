"""The key file: changed while everything runs, and lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.config import Settings
from bridge.store import accounts, oauth_requests, people
from bridge.store.locked import SEALED
from bridge.store.tables import metadata
from bridge.vault import Vault
from bridge.wiring import Bridge
from tests.cli.conftest import Call

ANNA = "anna@studio.example"


@pytest.fixture
def locked(call: Call, anna: str, data: Path) -> Bridge:
    """Anna's installation with a device, a feed, and an account whose password is kept."""
    assert call("device", "add", anna, "phone").code == 0
    assert call("feed", "add", anna, "Family").code == 0
    bridge = Bridge.open(Settings(data=data))
    now = bridge.clock.now()
    with bridge.db.writing() as tx:
        user = people.user_by_email(tx, anna)
        account = accounts.create(tx, user.id, "caldav", label="Cloud", now=now)
        accounts.set_(tx, account, secret=bridge.vault.seal("geheim", accounts.bind(account)))
        oauth_requests.add(
            tx,
            state_mac="abc",
            user_id=user.id,
            provider="google",
            account_id=None,
            verifier=bridge.vault.seal("pkce", oauth_requests.bind("abc")),
            redirect_uri="https://studio.example/oauth",
            by_browser=False,
            now=now,
        )
    return bridge


def password_of(bridge: Bridge, vault: Vault) -> str:
    with bridge.db.reading() as tx:
        secret = accounts.get(tx, 1).secret
    assert secret is not None
    return vault.unseal(secret, accounts.bind(1))


def test_a_new_key_locks_everything_and_nobody_notices(call: Call, locked: Bridge, data: Path) -> None:
    before = (data / "master.key").read_text()
    running = locked.vault  # of a server that runs all the while
    feed = call("feed", "list", ANNA, "--json").json
    assert call("rotate-key", "--json").json == {"secrets": 2}
    after = (data / "master.key").read_text()
    old_seal, new_seal = (text.split("seal ")[1].split()[0] for text in (before, after))
    assert old_seal != new_seal and after.count("seal ") == 1
    assert password_of(locked, Vault.open(data / "master.key")) == "geheim"
    assert password_of(locked, running) == "geheim"
    with locked.db.reading() as tx:
        request = oauth_requests.find(tx, "abc", locked.clock.now())
    assert request and running.unseal(request.verifier, oauth_requests.bind("abc")) == "pkce"
    assert call("feed", "list", ANNA, "--json").json == feed, "addresses stay"
    assert call("doctor", "--json").json


def test_whatever_cannot_be_opened_keeps_the_old_key(call: Call, locked: Bridge, data: Path) -> None:
    with locked.db.writing() as tx:
        accounts.set_(tx, 1, secret=b"nonsense")
    assert "cannot be opened" in call("rotate-key").refusal
    assert (data / "master.key").read_text().count("seal ") == 2


def test_every_sealed_column_is_known_to_the_rotation() -> None:
    blobs = {f"{table.name}.{column.name}" for table in metadata.tables.values() for column in table.columns
             if column.type.python_type is bytes}  # fmt: skip
    assert {f"{table.name}.{column.name}" for table, column in SEALED} == blobs


def test_a_lost_key_file_is_never_replaced_in_silence(call: Call, locked: Bridge, data: Path) -> None:
    kept = (data / "master.key").read_text()
    (data / "master.key").unlink()
    for words in (("user", "list"), ("sync",), ("serve", "--port", "0"), ("worker",), ("rotate-key",)):
        assert "rotate-key --lost" in call(*words).refusal
        assert not (data / "master.key").exists()
    assert call("doctor").code == 1
    (data / "master.key").write_text(kept)
    assert call("user", "list").code == 0


def test_another_key_file_is_refused_where_it_matters(call: Call, locked: Bridge, data: Path) -> None:
    (data / "master.key").unlink()
    Vault.open(data / "master.key")  # somebody's own attempt at a repair
    for words in (("serve", "--port", "0"), ("worker",), ("device", "add", ANNA, "tablet")):
        assert "not the one" in call(*words).refusal
    assert "master key" in call("doctor").out


def test_a_key_file_lost_for_good_costs_what_it_locked_and_nothing_else(
    call: Call, locked: Bridge, data: Path
) -> None:
    address = call("feed", "list", ANNA, "--json").json[0]["url"]
    assert "nothing is lost" in call("rotate-key", "--lost").refusal
    (data / "master.key").unlink()
    assert call("rotate-key", "--lost", "--json").json == {"accounts": 1, "devices": 1, "feeds": 1}
    (account,) = call("account", "list", "--json").json
    assert account["state"] == "needs-sign-in" and "account sign-in 1" in account["action"]
    assert call("device", "list", ANNA, "--json").json == []
    assert call("feed", "list", ANNA, "--json").json[0]["url"] != address
    assert call("device", "add", ANNA, "phone again").code == 0


def test_a_lost_key_file_with_nothing_locked_is_made_anew(call: Call, anna: str, data: Path) -> None:
    (data / "master.key").unlink()
    assert [row["email"] for row in call("user", "list", "--json").json] == [anna]
    assert call("device", "add", anna, "phone").code == 0
