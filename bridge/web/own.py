"""What belongs to the visitor: every number in an address goes through here (tenants stay apart).

What does not exist and what is somebody else's get the same answer.
"""

from __future__ import annotations

from bridge.errors import NotFound
from bridge.store import accounts, links, notices
from bridge.store.accounts import AccountRow
from bridge.store.links import LinkRow
from bridge.store.notices import NoticeRow
from bridge.web.security import the_bridge
from bridge.web.session import visitor


def account(account_id: int) -> AccountRow:
    """The visitor's account of that number. Raises NotFound."""
    with the_bridge().db.reading() as tx:
        return accounts.mine(tx, visitor().user.id, account_id)


def link(link_id: int) -> LinkRow:
    """The visitor's link of that number. Raises NotFound."""
    with the_bridge().db.reading() as tx:
        row = links.get(tx, link_id)
    if row.user_id != visitor().user.id:
        raise NotFound("There is no such calendar.")
    return row


def notice(notice_id: int) -> NoticeRow:
    """The visitor's standing notice of that number. Raises NotFound."""
    with the_bridge().db.reading() as tx:
        for row in notices.standing(tx, visitor().user.id):
            if row.id == notice_id:
                return row
    raise NotFound("There is no such notice.")
