"""Signing in on a provider's own page, from the command line: an address to open, and a wait.

The browser comes back to ``serve`` or ``web``, which finish the sign-in; here we only look whether they did.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bridge.cli.output import Output

if TYPE_CHECKING:
    from bridge.store.accounts import AccountRow
    from bridge.wiring import Bridge

#: Between two looks.
PAUSE_SECONDS = 0.5


def asked(
    bridge: Bridge,
    out: Output,
    user_id: int,
    kind: str,
    account_id: int | None = None,
    *,
    to_make: bool = False,
) -> AccountRow:
    """The account that came of it, new or renewed. ``to_make``: and it may make a calendar there, if the user
    ticked that. Raises Refused if the user said no or never came back."""
    from bridge.providers import KINDS
    from bridge.service import oauth

    waiting = oauth.begin(bridge, user_id, kind, account_id=account_id, by_browser=False, to_make=to_make)
    out.show(f"Open this address to sign in at {KINDS[kind].label}:\n{waiting.url}")
    out.note(
        f"Waiting for the sign-in to come back to {bridge.public_url}, where this server must be running."
    )
    while (row := oauth.outcome(bridge, waiting.request_id)) is None:
        time.sleep(PAUSE_SECONDS)
    return row
