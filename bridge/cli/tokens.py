"""``token add|list|revoke``: what programs sign in with at ``/api/v1``."""

from __future__ import annotations

import argparse

from bridge.cli.arguments import Calls, call, group
from bridge.cli.opening import opened
from bridge.cli.output import Output

SCOPES = ("availability", "read", "write")


def add_to(calls: Calls) -> None:
    """Declare the calls."""
    tokens = group(calls, "token", "API tokens: what programs sign in with at /api/v1")

    add = call(tokens, "add", _add, "make a token; it is shown once")
    add.add_argument("email", metavar="EMAIL")
    add.add_argument("name", metavar="NAME", help="what it is for, such as “Website”")
    add.add_argument(
        "--scope",
        dest="scopes",
        action="append",
        choices=SCOPES,
        help="what it may do, once for each: ask for free times, read everything, change bookings "
        "(default: availability)",
    )
    add.add_argument("--days", metavar="N", type=int, help="it ends by itself after so many days")

    listing = call(tokens, "list", _list, "list a user's tokens")
    listing.add_argument("email", metavar="EMAIL")

    revoke = call(tokens, "revoke", _revoke, "take a token back; the others are not affected")
    revoke.add_argument("email", metavar="EMAIL")
    revoke.add_argument("token", metavar="TOKEN", help="its number or name, as in “token list”")


def _add(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import tokens

    scopes = options.scopes or ["availability"]
    made = tokens.add(opened(options), options.email, options.name, scopes, options.days)
    out.value({"id": made.row.id, "token": made.token, "scopes": made.row.scopes}, made.token)


def _list(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import tokens

    rows = [
        {
            "id": row.id,
            "name": row.name,
            "scopes": row.scopes if out.json else ", ".join(row.scopes),
            "created": row.created,
            "expires": row.expires,
            "last_used": row.last_used,
        }
        for row in tokens.list_(opened(options), options.email)
    ]
    out.rows(rows, ("id", "name", "scopes", "expires", "last_used"), f"{options.email} has no tokens yet.")


def _revoke(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import tokens

    row = tokens.revoke(opened(options), options.email, options.token)
    out.value({"revoked": row.id}, f"“{row.name}” no longer lets anybody in.")
