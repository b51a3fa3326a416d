"""How accounts fare, for listings: their state, since when, and the last moment of full agreement."""

from __future__ import annotations

from typing import Any

from bridge.service import Bridge
from bridge.service.roles import takes_part
from bridge.store import accounts, links, people


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
                        "conflict": account.conflict,
                        "mail": account.mail,
                        "links": len(taking_part),
                        "held": held,
                        "agreed": min(moments) if moments and len(moments) == len(taking_part) else None,
                    }
                )
    return rows
