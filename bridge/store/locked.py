"""What only the key file opens, wherever it is kept: for a change of the key, and for its loss."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Column, Connection, Table, delete, select, update

from bridge.store.tables import account, api_token, device, feed, oauth_request, user, webhook

#: Every column with something sealed in it. A new one belongs here, or a rotation would lose it.
SEALED: tuple[tuple[Table, Column[bytes | None]], ...] = (
    (user, user.c.totp),
    (account, account.c.secret),
    (oauth_request, oauth_request.c.verifier),
)


def seal_anew(
    tx: Connection, is_new: Callable[[bytes], bool], reseal: Callable[[bytes], bytes]
) -> tuple[int, int]:
    """One round over everything: how many secrets there are, and how many of them had to be sealed anew."""
    found = renewed = 0
    for table, column in SEALED:
        for number, blob in tx.execute(select(table.c.id, column).where(column.is_not(None))).all():
            found += 1
            if not is_new(blob):
                same = update(table).where(table.c.id == number, column == blob)
                renewed += tx.execute(same.values({column: reseal(blob)})).rowcount
    return found, renewed


def any_use(tx: Connection) -> bool:
    """Whether anything is kept that would be lost with the key file."""
    kept = [select(table.c.id).where(column.is_not(None)) for table, column in SEALED]
    kept += [select(device.c.id).where(device.c.revoked.is_(None))]
    kept += [select(table.c.id) for table in (feed, api_token, webhook)]
    return any(tx.execute(query.limit(1)).first() is not None for query in kept)


def give_up(tx: Connection, reason: str, now: datetime) -> tuple[int, int]:
    """The key is lost: every account must sign in again; no app password, API token or second step is good
    any more. How many accounts and devices that are."""
    locked = update(account).where(account.c.secret.is_not(None))
    gone = {"secret": None, "state": "needs-sign-in", "state_reason": reason, "state_since": now}
    accounts = tx.execute(locked.values(gone)).rowcount
    devices = tx.execute(update(device).where(device.c.revoked.is_(None)).values(revoked=now)).rowcount
    tx.execute(delete(oauth_request))
    tx.execute(delete(api_token))
    tx.execute(update(user).values(totp=None, recovery=None))
    return accounts, devices
