"""``/api/v1``: who one is, which calendars there are, how accounts and their calendars fare."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote

from flask import g, jsonify
from flask.typing import ResponseReturnValue

from bridge.service import agenda, status, tokens
from bridge.store import calendars, conflicts, links, notices, suggestions
from bridge.web.access import blueprint, needs
from bridge.web.security import the_bridge
from bridge.web.session import visitor

pages = blueprint("api_overview")


@pages.get("/me")
@needs("availability", "read", "write")
def me() -> ResponseReturnValue:
    """Whom the token or session belongs to, and what it may do."""
    user, token = visitor().user, g.get("token")
    return jsonify(
        {
            "email": user.email,
            "studio": user.studio,
            "timeZone": user.time_zone,
            "source": user.source,
            "scopes": list(token.scopes if token else tokens.SCOPES),
        }
    )


@pages.get("/calendars")
@needs("read")
def all_calendars() -> ResponseReturnValue:
    """The calendars we serve: the bookings, then the mirrors; ``url`` is for a CalDAV client."""
    bridge, user = the_bridge(), visitor().user
    home = f"{bridge.public_url}/dav/{quote(user.email, safe='@')}"
    with bridge.db.reading() as tx:
        names = {row.id: row.name for row in calendars.of_user(tx, user.id)}
        shown = agenda.shown(tx, user.id)
    return jsonify(
        [
            {
                "id": one.id,
                "kind": one.kind,
                "title": one.title,
                "color": one.color,
                "editable": one.editable,
                "url": f"{home}/{quote(names[one.id], safe='')}/",
            }
            for one in shown
        ]
    )


@pages.get("/links")
@needs("read")
def all_links() -> ResponseReturnValue:
    """The remote calendars that take part, with their roles and how they fare."""
    with the_bridge().db.reading() as tx:
        rows = links.of_user(tx, visitor().user.id)
    return jsonify(
        [
            {
                "id": row.id,
                "account": row.account_id,
                "name": row.name,
                "reads": row.reads,
                "edits": row.edits,
                "writes": row.writes,
                "source": row.source,
                "blocksSlots": row.blocks_slots,
                "state": row.state,
                "reason": row.state_reason,
                "held": list(row.held or ()),
                "agreed": _iso(row.agreed_at),
            }
            for row in rows
            if row.reads or row.writes or row.source
        ]
    )


@pages.get("/status")
@needs("read")
def show_status() -> ResponseReturnValue:
    """Is all well: each account's state in words, and how much waits for a decision."""
    bridge, user = the_bridge(), visitor().user
    accounts = [_account(row) for row in status.list_accounts(bridge, user.email)]
    with bridge.db.reading() as tx:
        waiting = {
            "conflicts": len(conflicts.of_user(tx, user.id)),
            "approvals": len(suggestions.waiting(tx, user.id)),
            "notices": len(notices.standing(tx, user.id)),
        }
    well = all(row["state"] == "healthy" and not row["held"] for row in accounts)
    return jsonify({"ok": well and not waiting["conflicts"], "accounts": accounts, "waiting": waiting})


def _account(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": row["account"],
        "provider": row["provider"],
        "label": row["label"],
        "username": row["username"],
        "state": row["state"],
        "reason": row["reason"],
        "since": _iso(row["since"]),
        "held": row["held"],
        "agreed": _iso(row["agreed"]),
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
