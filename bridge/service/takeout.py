"""A person's own: everything kept for a user as one archive to take along, and their leaving.

The archive has every calendar object as it is stored, byte for byte, and everything else in one JSON file.
Secrets are in neither: they open something of somebody's, and are of no use anywhere else.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bridge.errors import AlreadyThere, Refused
from bridge.service import Bridge, disconnecting
from bridge.store import accounts, calendars, links, objects, people, personal

README = """Everything that picsello-bridge kept for {email}.

calendars/   each event, task and booking as it is stored (iCalendar); any calendar app imports these files
data.json    everything else by table: settings, accounts, devices, history, client bookings; no passwords

Moments are milliseconds since 1970 (UTC) where a number stands for one.
"""


@dataclass(frozen=True, slots=True)
class TakenOut:
    """What is in the archive."""

    path: Path
    calendars: int
    objects: int


def export(bridge: Bridge, email: str, path: Path) -> TakenOut:
    """Write the archive, whole or not at all. Raises NotFound, AlreadyThere, Refused (the disk)."""
    with bridge.db.reading() as tx:
        user = people.user_by_email(tx, email)
        if path.exists():
            raise AlreadyThere(f"{path} exists already. Choose another name.")
        part = path.with_name(f".{path.name}.part")
        try:
            handle = os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
            with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("README.txt", README.format(email=user.email))
                rows = calendars.of_user(tx, user.id)
                count = 0
                for calendar in rows:
                    for stored in objects.all_objects(tx, calendar.id, with_hidden=True):
                        count += 1
                        archive.writestr(
                            f"calendars/{calendar.name}/{_name(stored.href, count)}", stored.text
                        )
                data = {name: list(found) for name, found in personal.of_user(tx, user.id)}
                archive.writestr("data.json", json.dumps(data, ensure_ascii=False, indent=1))
            os.replace(part, path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise Refused(f"The archive cannot be written to {path}: {error.strerror}.") from error
    return TakenOut(path, len(rows), count)


def _name(href: str, number: int) -> str:
    """A file's name that is one everywhere, whatever a calendar app called the object."""
    plain = "".join(letter if letter.isalnum() or letter in "-_.@" else "_" for letter in href)
    return plain if len(plain) <= 100 and plain.strip(".") == href else f"{number}.ics"


@dataclass(frozen=True, slots=True)
class Left:
    """What became of it. ``deleted``: objects at providers; ``sentences``: what was left behind there."""

    email: str
    deleted: int
    sentences: Sequence[str]


def remove_user(bridge: Bridge, email: str, *, pushed: str = "keep") -> Left:
    """Remove a user and everything kept for them here. ``pushed``: what becomes of the bookings that were
    written to their calendars elsewhere, as in ``disconnecting.remove``. Raises NotFound, Refused."""
    with bridge.db.reading() as tx:
        user = people.user_by_email(tx, email)
        sources = {link.account_id for link in links.of_user(tx, user.id) if link.source}
        there = [row.id for row in accounts.of_user(tx, user.id) if row.id not in sources]
    deleted = 0
    sentences: list[str] = []
    for account_id in there if pushed != "keep" else ():
        removed = disconnecting.remove(bridge, account_id, pushed=pushed)
        deleted += removed.deleted
        sentences += removed.left
    with bridge.db.writing() as tx:
        people.remove_user(tx, user.id)
    return Left(user.email, deleted, sentences)
