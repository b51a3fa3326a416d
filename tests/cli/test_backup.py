"""Backup and restore by command: it all comes back, on either database; nothing is overwritten."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bridge.config import Settings
from bridge.errors import Invalid
from bridge.service.people import verify_device
from bridge.store import accounts, calendars, changes, links, people, transfer
from bridge.store.db import Database
from bridge.wiring import Bridge
from tests.cli.conftest import Call, wrong
from tests.servers.postgres import Cluster

ANNA = "anna@studio.example"
KINDS = ("sqlite", "postgresql")

#: These choose the database themselves.
pytestmark = pytest.mark.embedded


@pytest.fixture
def place(
    cluster: Cluster, data: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Callable[[], Settings]]:
    """``place("postgresql")`` makes the calls that follow use a new, empty database of that kind."""

    def new(kind: str) -> Callable[[], Settings]:
        url = cluster.url(cluster.create()) if kind == "postgresql" else ""
        monkeypatch.setenv("PICSELLO_BRIDGE_DATABASE_URL", url)
        return lambda: Settings.load(str(data), None, os.environ)

    return new


@pytest.fixture
def lived_in(call: Call) -> Callable[[], str]:
    """Fill an installation with everything there is; gives Anna's app password."""

    def fill() -> str:
        assert call("demo").code == 0
        assert call("user", "add", ANNA, "--time-zone", "Europe/Berlin").code == 0
        password = str(call("device", "add", ANNA, "phone", "--json").json["password"])
        for day in ("01", "02", "03"):
            call("booking", "add", ANNA, "--title", f"Żółć 👰 {day}", "--start", f"2027-03-{day}T10:00",
                 "--duration", "60")  # fmt: skip
        assert call("feed", "add", ANNA, "Family").code == 0
        return password

    return fill


def lose(data: Path) -> None:
    """The whole folder is gone."""
    Database(Settings(data=data).database_url).close()
    os.rename(data, data.with_name("lost"))


def contents(settings: Settings) -> dict[str, list[Any]]:
    """Every row there is, but for what a restore is to change."""
    changed = {"installation": {"generation"}, "user": {"session_version"},
               "link": {"held", "released", "state", "state_reason", "due_at", "fence", "restored",
                        "cursor", "listed_at"}}  # fmt: skip
    with Database(settings.database_url).reading() as tx:
        return {
            name: [
                [value for column, value in zip(transfer.columns(name), row, strict=True)
                 if column not in changed.get(name, ())]
                for row in transfer.rows(tx, name)
            ]
            for name in transfer.tables()
        }  # fmt: skip


@pytest.mark.parametrize("to", KINDS)
@pytest.mark.parametrize("of", KINDS)
def test_everything_comes_back_on_either_database(
    call: Call,
    place: Callable[[str], Callable[[], Settings]],
    lived_in: Callable[[], str],
    tmp_path: Path,
    data: Path,
    of: str,
    to: str,
) -> None:
    before = place(of)()
    password = lived_in()
    made = call("backup", str(tmp_path / "all.backup"), "--json").json
    assert made["rows"]["user"] == 2 and not made["encrypted"]
    assert stat.S_IMODE((tmp_path / "all.backup").stat().st_mode) == 0o600
    known = contents(before)
    Database(before.database_url).close()
    if of == "sqlite":
        (data / "bridge.sqlite").rename(data / "kept.sqlite")
    after = place(to)()
    done = call("restore", str(tmp_path / "all.backup"), "--json")
    assert done.code == 0, done
    assert done.json["rows"] == made["rows"] and done.json["aside"] is None
    assert contents(after) == known
    bridge = Bridge.open(after)
    with bridge.db.reading() as tx:
        assert verify_device(tx, bridge.vault, ANNA, password) is not None, "devices go on"
    assert wrong(call) == {}
    # new rows get numbers that nobody had
    assert call("user", "add", "berta@studio.example", "--json").json["user"] == 3
    assert call("device", "add", ANNA, "tablet").code == 0


def test_an_encrypted_backup_tells_nothing_and_brings_the_key_file(
    call: Call, lived_in: Callable[[], str], tmp_path: Path, data: Path
) -> None:
    password, file = lived_in(), tmp_path / "all.backup"
    made = call("backup", str(file), "--password-stdin", "--json", stdin="correct horse\n")
    assert made.json["encrypted"]
    assert ANNA.encode() not in file.read_bytes()
    lose(data)
    wrong = call("restore", str(file), "--password-stdin", stdin="wrong horse\n")
    assert "passphrase does not open" in wrong.refusal
    assert "passphrase" in call("restore", str(file)).refusal, "nobody is asked without a terminal"
    call("user", "list")  # an empty installation, with a key file of its own, is here now
    refusal = call("restore", str(file), "--password-stdin", stdin="correct horse\n").refusal
    assert "not the one this backup was made with" in refusal
    os.unlink(data / "master.key")
    done = call("restore", str(file), "--password-stdin", stdin="correct horse\n")
    assert done.code == 0, done
    assert "key file is back" in done.out
    bridge = Bridge.open(Settings(data=data))
    with bridge.db.reading() as tx:
        assert verify_device(tx, bridge.vault, ANNA, password) is not None


def test_without_its_key_file_a_plain_backup_is_refused_or_gives_up_what_was_locked(
    call: Call, lived_in: Callable[[], str], tmp_path: Path, data: Path
) -> None:
    lived_in()
    file = str(tmp_path / "all.backup")
    assert call("backup", file).code == 0
    lose(data)
    assert "--without-key" in call("restore", file).refusal
    assert not data.exists(), "nothing was made"
    done = call("restore", file, "--without-key")
    assert done.code == 0, done
    assert call("device", "list", ANNA, "--json").json == []
    assert len(call("booking", "list", ANNA, "--json").json) == 3
    assert len(call("feed", "list", ANNA, "--json").json) == 1


def test_nothing_locked_needs_no_key_file(call: Call, anna: str, tmp_path: Path, data: Path) -> None:
    call("backup", str(tmp_path / "all.backup"))
    lose(data)
    assert call("restore", str(tmp_path / "all.backup")).code == 0
    assert [row["email"] for row in call("user", "list", "--json").json] == [anna]


def test_a_backup_never_replaces_a_file_unasked(call: Call, anna: str, tmp_path: Path) -> None:
    file = tmp_path / "all.backup"
    file.write_text("dear diary")
    assert "exists already" in call("backup", str(file)).refusal
    assert file.read_text() == "dear diary"
    assert call("backup", str(file), "--replace").code == 0
    assert call("restore", str(file)).code == 0, anna
    assert "cannot be written" in call("backup", str(tmp_path / "no" / "such" / "folder")).refusal
    assert os.listdir(tmp_path / "data") and not list(tmp_path.glob(".*.part")), "nothing half-made is left"


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_damaged_backup_is_refused_wherever_the_damage_is(
    call: Call, anna: str, tmp_path: Path, data: Path, encrypted: bool
) -> None:
    file = tmp_path / "all.backup"
    assert call("demo").code == 0
    words = ("--password-stdin",) if encrypted else ()
    assert call("backup", str(file), *words, stdin="horse").code == 0
    whole, before = file.read_bytes(), contents(Settings(data=data))
    head = whole.index(b"\n", whole.index(b"\n") + 1)
    for at in (5, 40, head + 2, head + 6, len(whole) // 2, len(whole) - 40, len(whole) - 1):
        file.write_bytes(whole[:at])
        assert call("restore", str(file), *words, stdin="horse").code == 1, f"cut off at {at}"
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        refusal = call("restore", str(file), *words, stdin="horse").refusal
        assert "damaged" in refusal or "not a backup" in refusal or "newer" in refusal, refusal
    file.write_bytes(whole + b"more")
    assert "damaged" in call("restore", str(file), *words, stdin="horse").refusal
    file.write_text("dear diary")
    assert "not a backup" in call("restore", str(file)).refusal
    assert "There is no file" in call("restore", str(tmp_path / "nothing")).refusal
    assert contents(Settings(data=data)) == before, anna
    assert not list(data.glob("before-restore*"))


def test_a_backup_of_a_newer_version_is_refused(call: Call, anna: str, tmp_path: Path) -> None:
    file = tmp_path / "all.backup"
    call("backup", str(file))
    word, about, rest = file.read_bytes().split(b"\n", 2)
    changed = b"\n".join([word, about.replace(b'"schema": "0001"', b'"schema": "9999"'), rest[:-32]])
    file.write_bytes(changed + hashlib.sha256(changed).digest())
    assert "newer version" in call("restore", str(file)).refusal
    file.write_bytes(b"picsello-bridge backup 2\n{}\n")
    assert "newer version" in call("restore", str(file)).refusal
    assert [row["email"] for row in call("user", "list", "--json").json] == [anna]


def test_what_was_here_is_set_aside_and_can_be_had_back(
    call: Call, anna: str, tmp_path: Path, data: Path
) -> None:
    call("backup", str(tmp_path / "monday.backup"))
    call("booking", "add", anna, "--title", "Late", "--start", "2027-03-01T10:00", "--duration", "60")
    done = call("restore", str(tmp_path / "monday.backup"), "--json").json
    assert call("booking", "list", anna, "--json").json == []
    assert Path(done["aside"]).parent == data
    assert call("restore", done["aside"]).code == 0
    assert [row["title"] for row in call("booking", "list", anna, "--json").json] == ["Late"]


def test_a_ruined_database_file_is_set_aside_and_the_backup_put_in_its_place(
    call: Call, anna: str, tmp_path: Path, data: Path
) -> None:
    call("backup", str(tmp_path / "all.backup"))
    file = data / "bridge.sqlite"
    Database(Settings(data=data).database_url).close()  # all of it is in the one file then
    whole = file.read_bytes()
    for ruin in (b"dear diary " * 1000, whole[:5000] + b"\xff" * (len(whole) - 5000)):
        Database(Settings(data=data).database_url).close()
        for end in ("-wal", "-shm"):
            file.with_name(file.name + end).unlink(missing_ok=True)
        file.write_bytes(ruin)
        assert "restore the last backup" in call("user", "list").refusal
        done = call("restore", str(tmp_path / "all.backup"), "--json")
        assert done.code == 0, done
        assert Path(done.json["aside"]).read_bytes()[:5000] == ruin[:5000], "the ruin is kept"
        os.rename(done.json["aside"], tmp_path / f"ruin-{len(ruin)}")
        assert [row["email"] for row in call("user", "list", "--json").json] == [anna]


def test_a_database_of_a_newer_version_is_set_aside_too(
    call: Call, anna: str, tmp_path: Path, data: Path
) -> None:
    call("backup", str(tmp_path / "all.backup"))
    db = Database(Settings(data=data).database_url)
    with db.writing() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert "restore a backup made with this one" in call("user", "list").refusal
    assert call("restore", str(tmp_path / "all.backup")).code == 0
    assert [row["email"] for row in call("user", "list", "--json").json] == [anna]


def test_after_a_restore_tokens_are_foreign_and_links_wait(
    call: Call, anna: str, tmp_path: Path, data: Path
) -> None:
    bridge = Bridge.open(Settings(data=data))
    now = bridge.clock.now()
    with bridge.db.writing() as tx:
        user = people.user_by_email(tx, anna)
        account_id = accounts.create(tx, user.id, "caldav", label="Cloud", now=now)
        for name, reads in (("Work", True), ("Not chosen", False)):
            made = links.create(tx, account_id, f"/{name}/", name=name, color=None, writable=True, now=now)
            links.set_(tx, made, reads=reads, released=True, state="healthy", due_at=now)
        bookings = calendars.bookings(tx, user.id)
        token = changes.token(bookings)
    call("backup", str(tmp_path / "all.backup"))
    with bridge.db.writing() as tx:
        fence = links.acquire(tx, 1, "a pass", bridge.clock.now())
    for _ in range(2):
        assert call("restore", str(tmp_path / "all.backup")).code == 0
    with bridge.db.reading() as tx:
        work, other = links.of_account(tx, account_id)
        assert work.held and "look at the plan" in work.held[0]
        assert not work.released and work.due_at is None and work.lease_until is None
        assert other.released and not other.held, "what takes no part does not wait"
        assert fence is not None and not links.still_mine(tx, work.id, fence), "an old pass cannot write"
        again = calendars.bookings(tx, user.id)
        assert again.installation_generation == bookings.installation_generation + 2
        assert people.user_by_email(tx, anna).session_version > user.session_version
        with pytest.raises(Invalid, match="token"):
            changes.parse_token(token, again)
