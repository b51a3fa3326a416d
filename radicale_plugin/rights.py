"""Radicale's ``[rights]``: everybody their own calendars, nobody anybody else's.

==========================  =======  ================================================================
path                        letters  meaning
==========================  =======  ================================================================
``/``, ``/<me>/``           R        seen, never changed: nobody makes or removes calendars by CalDAV
``/<me>/bookings/``         rwdo     objects written, properties (colour, name) too; the calendar itself is
                                     neither deleted (d) nor replaced (o) as a whole
a mirror that may be edited rwdo     likewise
any other mirror            r        visibly read-only: no write in current-user-privilege-set
a calendar I don't have     r        so that it is a 404 (or a 409 for a PUT), not a refusal
all else                             nothing: the same answer whether or not it exists
==========================  =======  ================================================================

What one object may become is decided by ``bridge.service.client_writes`` in the writing transaction;
these letters may be a moment old.
"""

from __future__ import annotations

from radicale.config import Configuration
from radicale.pathutils import strip_path
from radicale.rights import BaseRights

from bridge.store import calendars
from radicale_plugin import runtime
from radicale_plugin.recent import Recent

HOME = "R"
WRITABLE = "rwdo"
READABLE = "r"
NOTHING = ""


class Rights(BaseRights):
    """Loaded by name: ``[rights] type = radicale_plugin.rights``. Radicale asks for every item of a listing,
    so an answer is kept for a second."""

    def __init__(self, configuration: Configuration):
        super().__init__(configuration)
        self._runtime = runtime.of(configuration)
        self._recent: Recent[tuple[str, str], str] = Recent(1.0, 10_000)

    def authorization(self, user: str, user_groups: set[str], path: str) -> str:
        """The letters for ``path`` (sanitized, absolute)."""
        if not user:
            return NOTHING
        segments = strip_path(path).split("/")
        match segments:
            case [""]:
                return HOME
            case [owner] if owner == user:
                return HOME
            case [owner, name] if owner == user:
                return self._calendar(owner, name)
        return NOTHING

    def _calendar(self, owner: str, name: str) -> str:
        known = self._recent.get((owner, name))
        if known is not None:
            return known
        with self._runtime.transaction("r") as tx:
            found = calendars.of_email(tx, owner, name)
        if not found:
            return READABLE
        letters = WRITABLE if found[0].editable else READABLE
        self._recent.put((owner, name), letters)
        return letters
