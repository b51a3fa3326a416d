"""What a user takes along, and what stays of them: all of theirs, nothing secret, nothing of others."""

from __future__ import annotations

import json
import os
import stat
import zipfile
from pathlib import Path

import pytest

from bridge.config import Settings
from bridge.service import accounts
from bridge.store import personal, transfer
from bridge.store.tables import metadata
from bridge.wiring import Bridge
from tests.cli.conftest import Call
from tests.service.conftest import ANNA, Annas, annas, provider

__all__ = ["annas", "provider"]


@pytest.fixture
def lived(call: Call, anna: str, data: Path) -> Bridge:
    call("demo")
    call("booking", "add", anna, "--title", "Żółć 👰", "--start", "2027-03-01T10:00", "--duration", "60")
    call("device", "add", anna, "phone")
    call("feed", "add", anna, "Family")
    call("user", "set", anna, "--password-stdin", stdin="very secret\n")
    return Bridge.open(Settings(data=data))


def test_everything_of_one_user_and_nothing_of_another(call: Call, lived: Bridge, tmp_path: Path) -> None:
    file = tmp_path / "anna.zip"
    made = call("user", "export", ANNA, str(file), "--json").json
    assert (made["calendars"], made["objects"]) == (1, 1)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        (event,) = [name for name in names if name.startswith("calendars/bookings/")]
        body = archive.read(event).decode()
        data = json.loads(archive.read("data.json"))
    (row,) = data["object"]
    assert body == row["text"] and "\r\n" in body and "Żółć 👰" in body
    assert [one["email"] for one in data["user"]] == [ANNA]
    assert [one["name"] for one in data["device"]] == ["phone"]
    whole = json.dumps(data)
    assert "demo@example.com" not in whole and "Lindqvist" not in whole
    with lived.db.reading() as tx:
        for name in ("user", "device", "feed"):
            for found in transfer.rows(tx, name):
                values = dict(zip(transfer.columns(name), found, strict=True))
                for secret in personal.SECRET & values.keys():
                    assert values[secret] is None or str(values[secret]) not in whole
    assert "exists already" in call("user", "export", ANNA, str(file)).refusal
    assert "no user" in call("user", "export", "nobody@example.com", str(tmp_path / "x.zip")).refusal
    assert sorted(os.listdir(tmp_path)) == ["anna.zip", "data"]


def test_every_table_is_somebodys_or_said_to_be_nobodys(lived: Bridge) -> None:
    with lived.db.reading() as tx:
        told = {name for name, _ in personal.of_user(tx, 1)}
    assert told | personal.NOT_PERSONAL | transfer.PASSING == set(metadata.tables)


@pytest.mark.parametrize(("pushed", "left"), [("keep", 2), ("remove-future", 1), ("remove-all", 0)])
def test_a_user_leaves_with_what_was_pushed_by_choice(
    annas: Annas, call: Call, pushed: str, left: int
) -> None:
    annas.book("past@studio", -3)
    annas.book("coming@studio", 3)
    account = annas.connect()
    accounts.select(annas.bridge, account, write=annas.work.path, yes=True)
    assert not annas.bridge.engine().run_account(account)[0].errors
    assert len(annas.work.list()) == 2
    options = ["--data", str(annas.bridge.settings.data), "--json", "--pushed", pushed]
    allowed = ",".join(annas.bridge.settings.allow_hosts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PICSELLO_BRIDGE_ALLOW_HOSTS", allowed)
        done = call("user", "remove", ANNA, *options)
    assert done.json == {"removed": ANNA, "deleted": 2 - left, "left": []}
    assert len(annas.work.list()) == left
    with annas.bridge.db.reading() as tx:
        assert transfer.count(tx, "object") == transfer.count(tx, "pairing") == 0
