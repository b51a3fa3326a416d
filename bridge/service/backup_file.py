"""The form of a backup: one file, whole or recognisably not, for either database, encrypted by choice.

First line: a fixed word. Second line: what it is (``About``), as JSON in the clear. Then frames, each four
bytes of length and that many bytes; together one zlib stream of JSON lines, whatever a writer put in. A
frame of length nothing ends them, and SHA-256 of all that came before ends the file. With a passphrase each
frame is sealed with AES-256-GCM under a key that scrypt (RFC 7914) made of it; the frame's number is its
nonce, and the first two lines and whether it is the last are authenticated with it, so that frames can be
neither changed, dropped, moved nor added. What the lines mean is left to ``bridge.service.backups``.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from bridge.errors import AlreadyThere, Invalid, NotFound, Refused, StoreError

FAMILY = b"picsello-bridge backup "
WORD = FAMILY + b"1\n"
#: Bytes of the stream in one frame, and how long a frame may claim to be.
FRAME = 256 * 1024
LONGEST_FRAME = 2 * FRAME
LONGEST_ABOUT = 10_000
#: scrypt's cost: 64 MiB and about 0.2 s.
COST = 2**16
_DAMAGED = (
    "{} is damaged: it was cut off or changed since it was written. Use another backup; nothing was changed."
)


@dataclass(frozen=True, slots=True)
class About:
    """What a backup says of itself to everybody. ``key``: which key file its secrets were locked with;
    ``locked``: whether there are any; ``salt``: hex, of the passphrase; None: not encrypted."""

    created: str  # ISO 8601, UTC
    program: str
    schema: str
    installation: str
    key: str | None
    locked: bool
    salt: str | None


class _Seal:
    """Frame by frame, in order; without a passphrase it leaves them as they are."""

    def __init__(self, about: About, head: bytes, passphrase: str | None):
        self._cipher: AESGCM | None = None
        self._number = 0
        self._head = hashlib.sha256(head).digest()
        if about.salt is not None:
            if passphrase is None:
                raise Invalid("This backup is encrypted: give its passphrase with --password-stdin.")
            derive = Scrypt(salt=bytes.fromhex(about.salt), length=32, n=COST, r=8, p=1)
            self._cipher = AESGCM(derive.derive(passphrase.encode()))

    def _next(self, last: bool) -> tuple[bytes, bytes]:
        self._number += 1
        return self._number.to_bytes(12, "big"), self._head + (b"last" if last else b"more")

    def close(self, piece: bytes, last: bool) -> bytes:
        nonce, with_it = self._next(last)
        return self._cipher.encrypt(nonce, piece, with_it) if self._cipher else piece

    def open(self, piece: bytes, last: bool) -> bytes:
        nonce, with_it = self._next(last)
        return self._cipher.decrypt(nonce, piece, with_it) if self._cipher else piece


def write(path: Path, about: About, passphrase: str | None, lines: Iterable[Any], *, replace: bool) -> int:
    """Write a backup of JSON values, whole or not at all; its size in bytes.

    Raises AlreadyThere (unless ``replace``), Refused (the disk).
    """
    if path.exists() and not replace:
        raise AlreadyThere(f"{path} exists already. Choose another name, or add --replace.")
    part = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
    try:
        with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            _write(file, about, passphrase, lines)
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
        if replace:
            os.replace(part, path)
        else:
            os.link(part, path)  # unlike a rename, never replaces
    except FileExistsError as error:
        raise AlreadyThere(f"{path} exists already. Choose another name, or add --replace.") from error
    except OSError as error:
        raise Refused(
            f"The backup cannot be written to {path}: {error.strerror}. Nothing was changed."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
    return size


def _write(file: IO[bytes], about: About, passphrase: str | None, lines: Iterable[Any]) -> None:
    digest = hashlib.sha256()

    def put(piece: bytes) -> None:
        digest.update(piece)
        file.write(piece)

    head = WORD + json.dumps(asdict(about)).encode() + b"\n"
    put(head)
    seal = _Seal(about, head, passphrase)
    squeeze, waiting = zlib.compressobj(6), bytearray()
    for line in lines:
        waiting += squeeze.compress(
            json.dumps(line, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"
        )
        while len(waiting) > FRAME:
            _frame(put, seal.close(bytes(waiting[:FRAME]), False))
            del waiting[:FRAME]
    _frame(put, seal.close(bytes(waiting + squeeze.flush()), True))
    _frame(put, b"")
    file.write(digest.digest())


def _frame(put: Any, piece: bytes) -> None:
    put(len(piece).to_bytes(4, "big"))
    put(piece)


def newer(path: Path) -> Refused:
    """What to say about a backup that this version cannot know."""
    return Refused(
        f"{path} was made by a newer version of picsello-bridge. Install that version; nothing was changed."
    )


class Backup:
    """A backup that was read through once and found whole. ``lines`` reads it again."""

    def __init__(self, path: Path):
        """Raises NotFound, Invalid (no backup), StoreError (damaged)."""
        self.path = path
        self._frames = 0
        with self._opened() as file:
            self.about, self._head = self._read_head(file)
            self._check(file)

    @property
    def encrypted(self) -> bool:
        return self.about.salt is not None

    def lines(self, passphrase: str | None) -> Iterator[Any]:
        """The JSON values that were written. Raises Invalid (wrong passphrase), StoreError (changed)."""
        seal = _Seal(self.about, self._head, passphrase)
        grow, rest = zlib.decompressobj(), b""
        with self._opened() as file:
            file.seek(len(self._head))
            for number in range(1, self._frames + 1):
                piece = file.read(int.from_bytes(file.read(4), "big"))
                try:
                    rest += grow.decompress(seal.open(piece, number == self._frames))
                except InvalidTag as error:
                    if number == 1:
                        raise Invalid(
                            f"The passphrase does not open {self.path.name}. Try again; nothing was changed."
                        ) from error
                    raise self._damaged() from error
                except zlib.error as error:
                    raise self._damaged() from error
                *whole, rest = rest.split(b"\n")
                for line in whole:
                    yield json.loads(line.decode("utf-8", "surrogatepass"))

    def _opened(self) -> IO[bytes]:
        try:
            return self.path.open("rb")
        except FileNotFoundError as error:
            raise NotFound(f"There is no file {self.path}.") from error
        except OSError as error:
            raise Refused(f"{self.path} cannot be read: {error.strerror}.") from error

    def _read_head(self, file: IO[bytes]) -> tuple[About, bytes]:
        word = file.readline(len(WORD))
        if word != WORD:
            if word and WORD.startswith(word):
                raise self._damaged()
            if word.startswith(FAMILY):
                raise newer(self.path)
            raise Invalid(f"{self.path} is not a backup of picsello-bridge. Nothing was changed.")
        line = file.readline(LONGEST_ABOUT)
        try:
            return About(**json.loads(line)), WORD + line
        except (ValueError, TypeError) as error:
            raise self._damaged() from error

    def _check(self, file: IO[bytes]) -> None:
        digest = hashlib.sha256(self._head)
        while True:
            size = file.read(4)
            length = int.from_bytes(size, "big")
            if len(size) < 4 or length > LONGEST_FRAME:
                raise self._damaged()
            digest.update(size)
            if not length:
                break
            piece = file.read(length)
            if len(piece) < length:
                raise self._damaged()
            digest.update(piece)
            self._frames += 1
        if file.read() != digest.digest() or not self._frames:
            raise self._damaged()

    def _damaged(self) -> StoreError:
        return StoreError(_DAMAGED.format(self.path))
