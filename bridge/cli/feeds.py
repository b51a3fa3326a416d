"""``feed add|list|revoke``: addresses from which others read a user's bookings, one way."""

from __future__ import annotations

import argparse

from bridge.cli.arguments import Calls, call, group
from bridge.cli.opening import opened
from bridge.cli.output import Output


def add_to(calls: Calls) -> None:
    """Declare the calls."""
    feeds = group(calls, "feed", "addresses to subscribe to: a copy of the bookings, one way")

    add = call(feeds, "add", _add, "make an address, for one person or calendar")
    add.add_argument("email", metavar="EMAIL")
    add.add_argument("name", metavar="NAME", help="who it is for, such as “Second shooter”")
    add.add_argument(
        "--detail", choices=("full", "busy"), default="full", help="everything, or only when you are busy"
    )

    add.add_argument(
        "--past", type=int, choices=(1, 3, 12), default=12, help="months that past sessions stay in it"
    )
    add.add_argument(
        "--ahead", type=int, choices=(3, 6, 12), help="months that it looks ahead (default: all sessions)"
    )

    listing = call(feeds, "list", _list, "list a user's addresses")
    listing.add_argument("email", metavar="EMAIL")

    revoke = call(feeds, "revoke", _revoke, "take an address back; the others are not affected")
    revoke.add_argument("email", metavar="EMAIL")
    revoke.add_argument("feed", metavar="FEED", help="its number or name, as in “feed list”")


def _add(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import feeds

    shows = feeds.Shows(options.detail, options.past, options.ahead)
    made = feeds.add(opened(options), options.email, options.name, shows)
    out.value({"feed": made.row.id, "url": made.url}, made.url)


def _list(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import feeds

    rows = [
        {
            "feed": feed.row.id,
            "name": feed.row.name,
            "detail": feed.row.detail,
            "past_months": feed.row.past_months,
            "ahead_months": feed.row.ahead_months,
            "url": feed.url,
            "created": feed.row.created,
            "fetched_at": feed.row.fetched_at,
            "fetched_by": feed.row.fetched_by,
        }
        for feed in feeds.list_(opened(options), options.email)
    ]
    out.rows(rows, ("feed", "name", "detail", "url", "fetched_at"), f"{options.email} has no links yet.")


def _revoke(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import feeds

    row = feeds.revoke(opened(options), options.email, options.feed)
    out.value({"revoked": row.id}, f"“{row.name}” no longer shows anything.")
