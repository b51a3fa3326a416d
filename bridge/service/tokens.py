"""API tokens: made, shown once, taken back; and whom one belongs to.

A token is random, so an HMAC of it is all that is kept: a stolen copy of the database opens nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bridge.errors import AlreadyThere, Invalid, NotFound
from bridge.service import Bridge, audit
from bridge.store import people, tokens
from bridge.store.people import UserRow
from bridge.store.tokens import TokenRow

#: What a token may be allowed to do.
SCOPES = {
    "availability": "Ask whether a time is free",
    "read": "Read bookings, events, calendars and the state of the sync",
    "write": "Add, move and cancel bookings",
}
LONGEST_NAME = 80
LONGEST_LIFE_DAYS = 3660
#: So that a token is known for one where somebody finds it, and by scanners for secrets.
PREFIX = "pbt_"
#: A use is noted at most so often.
NOTED = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class NewToken:
    """The token itself; nothing shows it again."""

    row: TokenRow
    token: str


def add(bridge: Bridge, email: str, name: str, scopes: Sequence[str], days: int | None = None) -> NewToken:
    """A new token, good for so many days (None: until it is revoked). Raises Invalid, NotFound; AlreadyThere
    for a second one of that name."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= LONGEST_NAME:
        raise Invalid(f"A token's name has 1 to {LONGEST_NAME} letters.")
    if not scopes or not set(scopes) <= set(SCOPES):
        raise Invalid(f"Say what the token may do: one or more of {', '.join(SCOPES)}.")
    if days is not None and not 1 <= days <= LONGEST_LIFE_DAYS:
        raise Invalid(f"A token is good for 1 to {LONGEST_LIFE_DAYS} days.")
    token = PREFIX + secrets.token_hex(20)
    now = bridge.clock.now()
    expires = None if days is None else now + timedelta(days=days)
    with bridge.db.writing() as tx:
        user = people.user_by_email(tx, email)
        if any(row.name == name for row in tokens.of_user(tx, user.id)):
            raise AlreadyThere(f"There is a token “{name}” already. Choose another name, or revoke that one.")
        allowed = [scope for scope in SCOPES if scope in scopes]
        token_id = tokens.add(tx, user.id, name, allowed, bridge.vault.mac(token), now, expires)
        audit.note(bridge, tx, user.id, "token-added", f"{name} ({', '.join(allowed)})")
        row = next(row for row in tokens.of_user(tx, user.id) if row.id == token_id)
    return NewToken(row, token)


def list_(bridge: Bridge, email: str) -> list[TokenRow]:
    """The user's tokens, oldest first. Raises NotFound."""
    with bridge.db.reading() as tx:
        return tokens.of_user(tx, people.user_by_email(tx, email).id)


def revoke(bridge: Bridge, email: str, token: int | str) -> TokenRow:
    """Take one back, by number or name; it is refused from the next request on. Raises NotFound."""
    with bridge.db.writing() as tx:
        user = people.user_by_email(tx, email)
        for row in tokens.of_user(tx, user.id):
            if str(token) in (str(row.id), row.name):
                tokens.remove(tx, row.id)
                audit.note(bridge, tx, user.id, "token-revoked", row.name)
                return row
    raise NotFound(f"There is no token “{token}”. See: picsello-bridge token list {email}")


def verify(bridge: Bridge, token: str) -> tuple[UserRow, TokenRow] | None:
    """Whom a token belongs to, if it is right and still good."""
    if not token.startswith(PREFIX) or not token.isascii() or len(token) > 100:
        return None
    now = bridge.clock.now()
    with bridge.db.reading() as tx:
        row = tokens.by_mac(tx, bridge.vault.mac(token))
        if row is None or (row.expires is not None and row.expires <= now):
            return None
        user = people.user_by_id(tx, row.user_id)
    if row.last_used is None or now - row.last_used > NOTED:
        with bridge.db.writing() as tx:
            tokens.touch(tx, row.id, now)
    return user, row
