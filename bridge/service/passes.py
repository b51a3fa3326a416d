"""Which links a ``sync`` by hand runs, and what passes changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bridge import sources
from bridge.errors import NotFound
from bridge.service import Bridge
from bridge.store import accounts, passes, people
from bridge.store.accounts import AccountRow
from bridge.store.people import UserRow


@dataclass(frozen=True, slots=True)
class Chosen:
    """The accounts whose links to run, and the users whose bookings live in the built-in source."""

    accounts: list[AccountRow]
    studios: list[UserRow]


def choose(bridge: Bridge, email: str | None, account_id: int | None) -> Chosen:
    """Everybody's, one user's, or one account; both must fit where both are named. Raises NotFound."""
    with bridge.db.reading() as tx:
        users = people.users(tx) if email is None else [people.user_by_email(tx, email)]
        if account_id is not None:
            owner = accounts.get(tx, account_id).user_id
            users = [user for user in users if user.id == owner]
            if not users:
                raise NotFound(f"Account {account_id} does not belong to {email}.")
        found = [
            account
            for user in users
            for account in accounts.of_user(tx, user.id)
            if account_id in (None, account.id)
        ]
    found.sort(key=lambda account: not is_source(account))  # first: what they bring goes on at once
    return Chosen(found, [user for user in users if user.source == "studio" and account_id is None])


def is_source(account: AccountRow) -> bool:
    """Whether bookings come from there."""
    return account.provider in sources.KINDS


def journal(bridge: Bridge, email: str, limit: int) -> list[dict[str, Any]]:
    """What was changed for a user, on either side, newest first."""
    with bridge.db.reading() as tx:
        user = people.user_by_email(tx, email)
        rows = passes.journal_of(tx, user.id, limit=limit)
    return [
        {
            "id": row.id,
            "at": row.at,
            "pass": row.pass_id,
            "link": row.link_id,
            "side": row.side,
            "action": row.action,
            "uid": row.uid,
            "href": row.href,
            "actor": row.actor,
            "before": row.before,
            "after": row.after,
            "loser": row.loser,
        }
        for row in rows
    ]
