"""The vault: provider secrets are sealed under the master key, device passwords turned into MACs.

The key file is made at first use, readable by its owner alone. It holds one secret for MACs, which stays for
ever, and one or more keys for sealing, newest first: rotating adds a key, everything is sealed anew, and only
then is the old key dropped; device passwords work on all the while, and processes that run take up the new
key by themselves. The file is part of a backup only if that is encrypted, so whoever finds another finds no
passwords. What is sealed and where it is kept is left to the callers.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bridge.errors import StoreError

_HEAD = "# The master key of picsello-bridge. Keep it secret; keep a copy, but not beside the backups."


class Vault:
    """One open key file. Instances are cheap to use and safe to share between threads. ``id`` tells key files
    apart, tells nothing about the keys, and stays the same through every rotation."""

    def __init__(self, path: Path, mac_secret: str, seal_keys: list[str]):
        self.path = path
        self._mac_secret = mac_secret
        self._seal_keys = seal_keys
        self._fernet = MultiFernet([Fernet(key) for key in seal_keys])
        self._mtime = _mtime(path)
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"picsello-bridge device passwords")
        self._mac_key = derived.derive(base64.urlsafe_b64decode(mac_secret))
        self.id = self.mac("picsello-bridge: which key file is this")[:16]

    @classmethod
    def open(cls, key_file: Path, belonging_to: str | None = None) -> Vault:
        """Read the key file. ``belonging_to``: the ``id`` it must have; None: there was none so far, one is
        made if need be. Raises StoreError: lost, another one, unreadable, or no key file."""
        if belonging_to is not None and not key_file.exists():
            raise StoreError(
                f"The key file {key_file} is not there, but passwords are kept that open only with it. Put a "
                "copy of it back (an encrypted backup has one), or, if it is lost for good, begin with a new "
                "one: picsello-bridge rotate-key --lost"
            )
        try:
            if not key_file.exists():
                _create(key_file, _render(_new_secret(), [Fernet.generate_key().decode()]))
            vault = cls(key_file, *_read(key_file))
        except OSError as error:
            raise _unusable(key_file, str(error.strerror)) from error
        if belonging_to not in (None, vault.id):
            raise StoreError(
                f"The key file {key_file} is not the one that the kept passwords were locked with. Put the "
                "right one back, or, if that is lost for good: picsello-bridge rotate-key --lost"
            )
        return vault

    @property
    def content(self) -> str:
        """The key file's text, for an encrypted backup."""
        return _render(self._mac_secret, self._seal_keys)

    @staticmethod
    def put_back(key_file: Path, content: str) -> None:
        """Make the key file again from its text; one that is there stays as it is. Raises StoreError."""
        _parse(key_file, content.splitlines())
        try:
            _create(key_file, content)
        except OSError as error:
            raise _unusable(key_file, str(error.strerror)) from error

    def seal(self, text: str, bind: str) -> bytes:
        """Encrypt ``text`` for the place ``bind`` (as ``account:7``); it can be unsealed nowhere else."""
        self._keep_up()
        return self._fernet.encrypt(f"{bind}\0{text}".encode())

    def unseal(self, blob: bytes, bind: str) -> str:
        """What was sealed. Raises StoreError if it was sealed under another key, or for another place."""
        try:
            self._keep_up()
            place, _, text = self._fernet.decrypt(blob).decode().partition("\0")
        except InvalidToken as error:
            raise StoreError(
                f"A stored password cannot be opened with the key file {self.path}: "
                "it was locked with another one. Put the right one back, or sign in to the account again."
            ) from error
        if place != bind:
            raise StoreError("A stored password was found in the wrong place. Sign in to the account again.")
        return text

    def mac(self, secret: str) -> str:
        """HMAC-SHA-256 (hex) of a device password: the same for ever, and useless without the key file."""
        return hmac.new(self._mac_key, secret.encode(), hashlib.sha256).hexdigest()

    def rotate(self) -> Vault:
        """Add a new sealing key in front; what is sealed from now on uses it, the old ones still open.

        Next comes ``reseal`` for everything that is kept, then ``drop_old_keys``.
        """
        return self._rewritten([Fernet.generate_key().decode(), *self._seal_keys])

    def reseal(self, blob: bytes) -> bytes:
        """The same secret under the newest key. Raises StoreError if no key fits."""
        try:
            return self._fernet.rotate(blob)
        except InvalidToken as error:
            raise StoreError(f"A stored password cannot be opened with the key file {self.path}.") from error

    def drop_old_keys(self) -> Vault:
        """Keep the newest sealing key alone."""
        return self._rewritten(self._seal_keys[:1])

    def is_sealed_anew(self, blob: bytes) -> bool:
        """Whether the newest key alone opens it."""
        try:
            Fernet(self._seal_keys[0]).decrypt(blob)
        except InvalidToken:
            return False
        return True

    def _keep_up(self) -> None:
        """Take up the keys of a rotation by another process."""
        changed = _mtime(self.path)
        if changed in (self._mtime, None):
            return
        mac_secret, seal_keys = _read(self.path)
        if mac_secret == self._mac_secret:
            self._seal_keys = seal_keys
            self._fernet = MultiFernet([Fernet(key) for key in seal_keys])
        self._mtime = changed

    def _rewritten(self, seal_keys: list[str]) -> Vault:
        try:
            temporary = _write_beside(self.path, _render(self._mac_secret, seal_keys))
            os.replace(temporary, self.path)
            _sync_folder(self.path.parent)
        except OSError as error:
            raise StoreError(f"The key file {self.path} cannot be written ({error.strerror}).") from error
        return Vault(self.path, self._mac_secret, seal_keys)


def _read(path: Path) -> tuple[str, list[str]]:
    try:
        return _parse(path, path.read_text("ascii").splitlines())
    except UnicodeDecodeError as error:
        raise _unusable(path, "it is no text") from error


def _unusable(path: Path, why: str) -> StoreError:
    return StoreError(
        f"The key file {path} cannot be used ({why}). "
        "It must exist and be readable for the account that the server runs under."
    )


def _mtime(path: Path) -> tuple[int, int] | None:
    """Changes with every rewriting; None: the file is not there now."""
    try:
        seen = path.stat()
    except OSError:
        return None
    return seen.st_mtime_ns, seen.st_ino


def _new_secret() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def _render(mac_secret: str, seal_keys: list[str]) -> str:
    return "\n".join([_HEAD, f"mac {mac_secret}", *(f"seal {key}" for key in seal_keys), ""])


def _parse(path: Path, lines: list[str]) -> tuple[str, list[str]]:
    found: dict[str, list[str]] = {"mac": [], "seal": []}
    try:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                kind, value = line.split()
                if len(base64.b64decode(value, altchars=b"-_", validate=True)) != 32:
                    raise ValueError(kind)
                found[kind].append(value)
        (mac_secret,) = found["mac"]
        if not found["seal"]:
            raise ValueError("seal")
    except (ValueError, KeyError, binascii.Error):
        # the cause may quote a key: never show it
        raise StoreError(
            f"{path} is not a key file of picsello-bridge, or it is damaged. "
            "Put back a copy of the right one; nothing was changed."
        ) from None
    return mac_secret, found["seal"]


def _create(path: Path, content: str) -> None:
    """Make the file whole or not at all; if another process was faster, its file stays."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = _write_beside(path, content)
    try:
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)  # unlike a rename, never replaces
    finally:
        os.unlink(temporary)
    _sync_folder(path.parent)


def _write_beside(path: Path, content: str) -> Path:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return temporary


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
