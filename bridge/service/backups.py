"""Backup and restore: all that is kept, in one file, and back again on either database.

A backup is one snapshot, taken while everything runs. A restore goes into one transaction, is compared with
the file before it is kept, and sets aside whatever it replaces; what it must not be trusted with afterwards
(tokens, sessions, leases, syncing by itself) is ended (design, section 4, rule 12). The file's form is
``backup_file``'s.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from bridge import __version__
from bridge.config import Settings
from bridge.errors import Refused, StoreError
from bridge.service.backup_file import About, Backup, newer, write
from bridge.store import closing, installation, locked, schema, transfer
from bridge.store.db import Database
from bridge.vault import Vault

if TYPE_CHECKING:
    from bridge.service import Bridge

#: What people know a table by; the rest are our own notes.
WORDS = {"user": "user", "calendar": "calendar", "object": "event", "account": "account"}


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was written. ``counts``: rows by table."""

    path: Path
    size: int
    encrypted: bool
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of a restore. ``aside``: where what was there before is kept; ``held``: links that wait."""

    created: str
    counts: dict[str, int]
    held: int
    aside: Path | None
    key_put_back: bool


def said(counts: dict[str, int]) -> str:
    """``2 users, 3 calendars, 120 events, 1 account``."""
    numbers = ((counts.get(table, 0), word) for table, word in WORDS.items())
    return ", ".join(f"{number:,} {word}{'s' * (number != 1)}" for number, word in numbers)


def make(
    bridge: Bridge,
    path: Path,
    passphrase: str | None,
    progress: transfer.Progress,
    *,
    replace: bool = False,
) -> Made:
    """Write a backup. With a passphrase it is encrypted, and the key file is part of it.

    Raises AlreadyThere, Refused (the disk), StoreError.
    """
    key = bridge.vault.content if passphrase is not None else None
    counts: dict[str, int] = {}
    with bridge.db.reading() as tx:
        row = installation.get(tx)
        about = About(
            created=bridge.clock.now().astimezone(UTC).isoformat(timespec="seconds"),
            program=__version__,
            schema=schema.revision(tx) or "",
            installation=bridge.installation,
            key=row.key_id if row else None,
            locked=locked.any_use(tx),
            salt=None if passphrase is None else os.urandom(16).hex(),
        )
        size = write(path, about, passphrase, _lines(tx, key, counts, progress), replace=replace)
    return Made(path, size, passphrase is not None, counts)


def _lines(
    tx: Connection, key: str | None, counts: dict[str, int], progress: transfer.Progress
) -> Iterator[Any]:
    yield {"key": key}
    for name in transfer.tables():
        counts[name] = transfer.count(tx, name)
        yield {"table": name, "columns": transfer.columns(name), "rows": counts[name]}
        yield from transfer.counted(transfer.rows(tx, name), name, counts[name], progress)
    yield {"numbers": transfer.last_numbers(tx)}


def restore(
    settings: Settings,
    opened: Callable[[], Bridge],
    path: Path,
    passphrase: str | None,
    progress: transfer.Progress,
    *,
    without_key: bool = False,
) -> Restored:
    """Put everything back as it was when the backup was made; all or nothing.

    ``opened`` opens the installation, whose key file may be missing. Raises Refused, Invalid, NotFound,
    StoreError. ``without_key``: also where the key file is lost; ``keys.give_up`` comes next.
    """
    backup = Backup(path)
    if backup.about.schema != schema.HEAD:
        raise newer(path)
    lines = backup.lines(passphrase)
    put_back = _put_key_back(settings, backup, next(lines)["key"], without_key)
    try:
        return _restored(settings, opened, backup, lines, put_back, without_key, progress)
    except BaseException:
        if put_back:
            settings.key_file.unlink()
        raise


def _restored(
    settings: Settings,
    opened: Callable[[], Bridge],
    backup: Backup,
    lines: Iterator[Any],
    key_put_back: bool,
    without_key: bool,
    progress: transfer.Progress,
) -> Restored:
    aside = _damaged_aside(settings)
    bridge = opened()
    aside = _full_aside(bridge, progress) or aside
    with bridge.db.writing() as tx:
        before = installation.get(tx)
        fence = transfer.fences(tx)
        numbers = transfer.last_numbers(tx)
        closing.reopen(tx)
        transfer.clear(tx)
        counts = _fill(tx, lines, progress)
        transfer.advance(tx, numbers)
        why = f"Restored from the backup of {_day(backup.about.created)}: look at the plan, then confirm."
        if without_key or not backup.about.locked:
            installation.set_key(tx, Vault.open(settings.key_file).id)
        held = transfer.wake_up(tx, generation=before.generation if before else 0, fence=fence, why=why)
    return Restored(backup.about.created, counts, held, aside, key_put_back)


def _day(created: str) -> str:
    return f"{datetime.fromisoformat(created):%Y-%m-%d %H:%M} UTC"


def _fill(tx: Connection, lines: Iterator[Any], progress: transfer.Progress) -> dict[str, int]:
    """Fill an empty store and read it back."""
    counts: dict[str, int] = {}
    for line in lines:
        if "numbers" in line:
            transfer.advance(tx, line["numbers"])
            return counts
        name, total = line["table"], line["rows"]
        if name not in transfer.tables() or not set(line["columns"]) <= set(transfer.columns(name)):
            raise StoreError("The backup has what this version does not know. Install a newer one.")
        written = hashlib.sha256()

        def rows() -> Iterator[transfer.Row]:
            for _ in range(total):  # noqa: B023 - used up before the next table
                row = next(lines)
                written.update(_canonical(row))  # noqa: B023
                yield tuple(row)

        counts[name] = transfer.fill(
            tx, name, transfer.counted(rows(), name, total, progress), line["columns"]
        )
        if line["columns"] == transfer.columns(name):
            found = hashlib.sha256()
            for row in transfer.rows(tx, name):
                found.update(_canonical(row))
            if found.digest() != written.digest():
                raise StoreError(
                    f"What was restored into “{name}” is not what the backup has; nothing was changed."
                )
    raise StoreError("The backup ends too early; nothing was changed.")


def _canonical(row: Any) -> bytes:
    return json.dumps(list(row)).encode() + b"\n"


# --- the key file ----------------------------------------------------------------------------------------


def _put_key_back(settings: Settings, backup: Backup, content: str | None, without: bool) -> bool:
    """See to it that the key file fits; whether it was put back. Raises Refused where it does not."""
    wanted, path = backup.about.key, settings.key_file
    if without or not backup.about.locked:
        return False
    if not path.exists():
        if content is None:
            raise Refused(
                "This backup is not encrypted, so its key file is not in it: put your copy of that at "
                f"{path}, then restore again. If it is lost, add --without-key: accounts must sign in again "
                "and devices get new passwords. Nothing was changed."
            )
        Vault.put_back(path, content)
        return True
    if Vault.open(path).id != wanted:
        raise Refused(
            f"The key file {path} is not the one this backup was made with: its secrets would not open. "
            "Move it away and put the right one there"
            + (" (this backup brings its own)" if content else "")
            + "; nothing was changed."
        )
    return False


# --- what is replaced ----------------------------------------------------------------------------------


def _damaged_aside(settings: Settings) -> Path | None:
    """An SQLite file that cannot be used as it is goes aside under another name; where it is now."""
    db = Database(settings.database_url)
    if not db.on_sqlite:
        return None
    path = Path(str(db.url.database))
    if not path.exists() or _usable(db):
        return None
    db.close()
    aside = path.with_name(f"{path.name}.before-restore-{datetime.now(UTC):%Y%m%d-%H%M%S}")
    try:
        for end in ("", "-wal", "-shm"):
            if path.with_name(path.name + end).exists():
                path.with_name(path.name + end).rename(aside.with_name(aside.name + end))
    except OSError as error:
        raise Refused(f"{path} cannot be moved aside: {error.strerror}. Nothing was changed.") from error
    return aside


def _usable(db: Database) -> bool:
    """Whether it is whole and of this version (or new): what is not is set aside as a file."""
    try:
        with db.reading() as tx:
            if schema.revision(tx) not in (None, schema.HEAD):
                return False
            return bool(tx.exec_driver_sql("PRAGMA quick_check(1)").scalar() == "ok")
    except StoreError as error:
        if "damaged" in str(error) or "not one of ours" in str(error):
            return False
        raise


def _full_aside(bridge: Bridge, progress: transfer.Progress) -> Path | None:
    """An installation that somebody uses is kept as a backup beside the data; where it is."""
    with bridge.db.reading() as tx:
        if not transfer.count(tx, "user"):
            return None
    path = bridge.settings.data / f"before-restore-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}.backup"
    return make(bridge, path, None, progress).path
