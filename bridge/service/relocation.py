"""Moving house: everything from the present database into another, empty one, compared row by row.

Nothing is written here meanwhile, and nothing ever again afterwards, also by servers that were left
running: what they are sent is refused rather than lost. A move that does not come to its end changes
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import make_url

from bridge.errors import Invalid, Refused
from bridge.service import Bridge
from bridge.store import closing, installation, transfer
from bridge.store.db import Database


@dataclass(frozen=True, slots=True)
class Moved:
    """``to``: the new address, without its password; ``objects``: how many were compared and found whole."""

    to: str
    counts: dict[str, int]
    objects: int


def move(bridge: Bridge, to: str, password: str | None, progress: transfer.Progress) -> Moved:
    """Move everything to the database at ``to``. Raises Invalid (the address), Refused (it is in use),
    StoreError (it cannot be reached, or the copy differs)."""
    target = Database(to)
    if password is not None:
        target = Database(target.url.set(password=password).render_as_string(hide_password=False))
    elif target.url.password is not None:
        raise Invalid("Give the password on standard input, with --password-stdin, and not in the address.")
    shown = make_url(to).set(password=None).render_as_string()
    if target.url == bridge.db.url:
        raise Refused("Everything is in that database already.")
    target.migrate()
    with target.reading() as tx:
        if installation.get(tx) is not None or transfer.count(tx, "user"):
            raise Refused(f"There is an installation in {shown} already. Give an empty database.")
    with bridge.db.writing() as source:
        closing.hold_still(source)
        with target.writing() as into:
            counts = transfer.copy(source, into, progress)
            objects = transfer.compare(source, into, progress)
        installation.set_moved(source, shown)
        closing.close_down(source)
    return Moved(shown, counts, objects)
