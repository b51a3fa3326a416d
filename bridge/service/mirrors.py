"""Mirrors: the calendars that show a remote one, and their names in addresses."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime

from sqlalchemy import Connection

from bridge.store import calendars

LONGEST = 40


def slug(title: str) -> str:
    """A path segment: ``privat-familie`` for ``Privat & Familie``; ``calendar`` if nothing is left."""
    plain = unicodedata.normalize("NFKD", title.casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST].strip("-") or "calendar"


def new_mirror(tx: Connection, user_id: int, title: str, *, editable: bool, now: datetime) -> int:
    """An empty mirror called after the remote calendar: ``private``, or ``private-2`` if that is taken."""
    wanted = name = slug(title)
    number = 1
    while calendars.by_name(tx, user_id, name) is not None:
        number += 1
        name = f"{wanted}-{number}"
    return calendars.create(tx, user_id, name, kind="mirror", title=title, editable=editable, now=now)
