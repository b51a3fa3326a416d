"""The vault: what is sealed opens only here, only in its place, and through every rotation of the key."""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from bridge.errors import StoreError
from bridge.vault import Vault


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "master.key"


def test_the_key_file_is_made_once_and_for_its_owner_alone(key_file: Path) -> None:
    old = os.umask(0)
    try:
        Vault.open(key_file)
    finally:
        os.umask(old)
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(key_file.parent.stat().st_mode) == 0o700
    content = key_file.read_text()
    Vault.open(key_file)
    assert key_file.read_text() == content
    assert os.listdir(key_file.parent) == [key_file.name], "nothing half-made is left"


def test_processes_that_start_at_once_agree_on_one_key(key_file: Path) -> None:
    with ProcessPoolExecutor(4, mp_context=get_context("fork")) as pool:
        macs = set(pool.map(mac_of, [key_file] * 8))
    assert macs == {Vault.open(key_file).mac("secret")}


def mac_of(key_file: Path) -> str:
    return Vault.open(key_file).mac("secret")


@pytest.mark.parametrize("secret", ["", "geheim", "Füße 👰", "with\0nul", "x" * 10_000])
def test_what_was_sealed_comes_back_and_is_not_readable_before(key_file: Path, secret: str) -> None:
    blob = Vault.open(key_file).seal(secret, "account:1")
    assert Vault.open(key_file).unseal(blob, "account:1") == secret
    assert not secret or secret.encode() not in blob
    assert Vault.open(key_file).seal(secret, "account:1") != blob, "equal secrets do not look equal"


def test_a_secret_moved_to_another_place_does_not_open(key_file: Path) -> None:
    vault = Vault.open(key_file)
    blob = vault.seal("geheim", "account:1")
    for place in ("account:2", "account:", "account:11", ""):
        with pytest.raises(StoreError, match="wrong place") as refused:
            vault.unseal(blob, place)
        assert "geheim" not in str(refused.value)


def test_another_key_is_told_in_plain_words(key_file: Path, tmp_path: Path) -> None:
    blob = Vault.open(key_file).seal("geheim", "account:1")
    other = Vault.open(tmp_path / "other.key")
    for damaged in (blob, blob[:-1], b"", b"nonsense"):
        with pytest.raises(StoreError, match=r"other\.key"):
            other.unseal(damaged, "account:1")
        with pytest.raises(StoreError, match=r"other\.key"):
            other.reseal(damaged)


def test_rotation_keeps_everything_working_at_every_step(key_file: Path) -> None:
    before = Vault.open(key_file)
    old_blob, mac = before.seal("geheim", "account:1"), before.mac("device password")
    rotated = before.rotate()
    assert rotated.unseal(old_blob, "account:1") == "geheim"
    new_blob = Vault.open(key_file).reseal(old_blob)
    assert before.unseal(new_blob, "account:1") == "geheim", "a process that runs takes up the new key"
    assert rotated.is_sealed_anew(before.seal("more", "account:2")), "and seals with it"
    assert rotated.is_sealed_anew(new_blob) and not rotated.is_sealed_anew(old_blob)
    assert Vault.open(key_file, before.id).id == rotated.id, "it is still the same key file"
    final = rotated.drop_old_keys()
    assert final.unseal(new_blob, "account:1") == "geheim"
    with pytest.raises(StoreError):
        final.unseal(old_blob, "account:1")
    again = Vault.open(key_file)
    assert again.unseal(new_blob, "account:1") == "geheim"
    assert again.mac("device password") == rotated.mac("device password") == mac
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert os.listdir(key_file.parent) == [key_file.name]


def test_a_lost_or_remade_key_file_is_told_and_nothing_is_made(key_file: Path, tmp_path: Path) -> None:
    vault = Vault.open(key_file)
    kept = key_file.read_text()
    key_file.unlink()
    with pytest.raises(StoreError, match=r"not there.*rotate-key --lost"):
        Vault.open(key_file, vault.id)
    assert not key_file.exists()
    other = Vault.open(tmp_path / "other.key")
    with pytest.raises(StoreError, match=r"not the one.*rotate-key --lost"):
        Vault.open(other.path, vault.id)
    Vault.put_back(key_file, kept)
    assert Vault.open(key_file, vault.id).mac("secret") == vault.mac("secret")
    Vault.put_back(key_file, other.content)
    assert key_file.read_text() == kept, "a file that is there is never replaced"


def test_a_mac_needs_the_key_file(key_file: Path, tmp_path: Path) -> None:
    mac = Vault.open(key_file).mac("secret")
    assert len(mac) == 64
    assert int(mac, 16)
    assert mac != Vault.open(tmp_path / "other.key").mac("secret")
    assert mac != Vault.open(key_file).mac("Secret")
    written = key_file.read_text().split("mac ")[1].split()[0]
    assert mac != hmac.new(written.encode(), b"secret", hashlib.sha256).hexdigest(), "the key is derived"


@pytest.mark.parametrize(
    "content",
    ["", "hello", "mac abc\nseal abc\n", "\xff\xfe", "seal " + "A" * 43 + "=\n", "mac " + "A" * 43 + "=\n"],
)
def test_a_file_that_is_no_key_file_is_refused_and_kept(tmp_path: Path, content: str) -> None:
    path = tmp_path / "master.key"
    path.write_text(content, "latin-1")
    with pytest.raises(StoreError, match=r"master\.key"):
        Vault.open(path)
    assert path.read_text("latin-1") == content


def test_a_damaged_key_is_never_quoted(key_file: Path) -> None:
    Vault.open(key_file)
    content = key_file.read_text()
    secret = content.split("seal ")[1].split()[0]
    key_file.write_text(content.replace(secret, secret[:-4]))
    with pytest.raises(StoreError) as refused:
        Vault.open(key_file)
    assert secret[:-4] not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_key_file_that_cannot_be_read_or_made(tmp_path: Path) -> None:
    folder = tmp_path / "master.key"
    folder.mkdir()
    with pytest.raises(StoreError, match=r"master\.key"):
        Vault.open(folder)
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be used"):
        Vault.open(tmp_path / "file" / "master.key")
