"""How accounts fare, for listings: their state, since when, what to do, and the last full agreement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bridge.service import Bridge
from bridge.service.roles import takes_part
from bridge.store import accounts, links, people
from bridge.store.accounts import AccountRow
from bridge.store.links import LinkRow


def list_accounts(bridge: Bridge, email: str | None = None) -> list[dict[str, Any]]:
    """Everybody's accounts, or one user's. ``agreed``: when all calendars of the account that take part had
    last agreed with ours; None while one of them never has. Raises NotFound."""
    with bridge.db.reading() as tx:
        users = people.users(tx) if email is None else [people.user_by_email(tx, email)]
        rows = []
        for user in users:
            for account in accounts.of_user(tx, user.id):
                taking_part = [link for link in links.of_account(tx, account.id) if takes_part(link)]
                moments = [link.agreed_at for link in taking_part if link.agreed_at]
                held = [sentence for link in taking_part for sentence in link.held or ()]
                rows.append(
                    {
                        "account": account.id,
                        "email": user.email,
                        "provider": account.provider,
                        "label": account.label,
                        "url": account.url,
                        "username": account.username,
                        "state": account.state,
                        "reason": account.state_reason,
                        "since": account.state_since,
                        "next_try": account.next_try if account.state == "retrying" else None,
                        "action": action(account, taking_part),
                        "conflict": account.conflict,
                        "mail": account.mail,
                        "links": len(taking_part),
                        "held": held,
                        "agreed": min(moments) if moments and len(moments) == len(taking_part) else None,
                    }
                )
    return rows


def action(account: AccountRow, taking_part: Sequence[LinkRow]) -> str:
    """The one thing that the user can do now; empty where there is nothing to do. The account comes first:
    as long as it is not signed in, nothing is known of its calendars."""
    if account.state == "needs-sign-in":
        return f"Sign in again: picsello-bridge account sign-in {account.id}"
    by_state = {link.state: link for link in reversed(taking_part)}
    if "gone" in by_state:
        name = by_state["gone"].name
        return f"“{name}” is gone: choose its successor with picsello-bridge account select {account.id}"
    if "read-only" in by_state:
        name = by_state["read-only"].name
        return f"Ask the owner of “{name}” for the right to write there, or choose another calendar."
    if any(link.held or not link.released for link in taking_part):
        return "Look at the plan, then let it go on: picsello-bridge sync --confirm"
    return ""
