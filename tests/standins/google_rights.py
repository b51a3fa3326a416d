"""What the user has allowed at the Google stand-in, and which token may do what with it.

The scopes of each method are the discovery document's. That an access token keeps the rights it was made
with, and that a new one has all that was allowed so far, is Google's manual ("Incremental authorization").
"""

from __future__ import annotations

from tests.standins.google_calendar import Refusal
from tests.standins.google_contract import Operation

_AUTH = "https://www.googleapis.com/auth/"
#: The boxes of an ordinary sign-in.
ORDINARY = frozenset({_AUTH + "calendar.calendarlist.readonly", _AUTH + "calendar.events"})
#: The right to calendars that the app made, and to no others.
APP_CREATED = _AUTH + "calendar.app.created"


class Rights:
    """``granted``: what is allowed by now; ``made``: the calendars that the app made."""

    def __init__(self) -> None:
        self.granted = set(ORDINARY)
        self.made: list[str] = []
        self._of: dict[str, frozenset[str]] = {}

    def of(self, token: str) -> frozenset[str]:
        """What was allowed when it was first shown, which is at once."""
        return self._of.setdefault(token, frozenset(self.granted))

    def consent(self, scopes: str, *, unticked: str = "") -> None:
        """What the page with the boxes does: what is asked for is allowed too, but for the one left empty."""
        self.granted |= {scope for scope in scopes.split() if scope != unticked}

    def take_back(self) -> None:
        """All but an ordinary sign-in's, from every token too."""
        self.granted = set(ORDINARY)
        self._of = {token: rights & ORDINARY for token, rights in self._of.items()}

    def check(self, operation: Operation, calendar: str | None, rights: frozenset[str]) -> None:
        """Raises Refusal."""
        enough = operation.scopes & rights
        if enough == {APP_CREATED} and calendar is not None and calendar not in self.made:
            enough = frozenset()
        if not enough:
            raise Refusal(403, "insufficientPermissions", "Request had insufficient authentication scopes.")
