"""What is kept for one user: every row of theirs, wherever it is, for them to take along."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, select

from bridge.store.tables import account, calendar, link
from bridge.store.transfer import PORTION, Base64, plain, tables

#: What is nobody's, or can be made from the rest.
NOT_PERSONAL = frozenset({"installation", "studio", "occurrence", "piece"})
#: Columns that open something, beside everything that is sealed.
SECRET = frozenset(
    {"password_hash", "secret_mac", "state_mac", "mac", "nonce", "digest", "recovery", "secret"}
)


def of_user(tx: Connection, user_id: int) -> Iterator[tuple[str, Iterator[dict[str, Any]]]]:
    """Everything kept for one user, by table, as named values; nothing secret, nothing of anybody else's."""
    calendars = select(calendar.c.id).where(calendar.c.user_id == user_id)
    accounts = select(account.c.id).where(account.c.user_id == user_id)
    links = select(link.c.id).where(link.c.account_id.in_(accounts))
    for name in (name for name in tables() if name not in NOT_PERSONAL):
        table = plain(tx, name)
        if name == "user":
            mine = table.c.id == user_id
        elif "user_id" in table.c:
            mine = table.c.user_id == user_id
        elif "calendar_id" in table.c:
            mine = table.c.calendar_id.in_(calendars)
        elif "account_id" in table.c:
            mine = table.c.account_id.in_(accounts)
        elif "link_id" in table.c:
            mine = table.c.link_id.in_(links)
        else:
            continue
        shown = [
            column
            for column in table.columns
            if column.name not in SECRET and not isinstance(column.type, Base64)
        ]
        found = tx.execute(select(*shown).where(mine), execution_options={"yield_per": PORTION})
        yield name, (dict(row._mapping) for row in found)
