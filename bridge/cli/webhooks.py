"""``webhook add|list|remove``: addresses that are told when bookings change."""

from __future__ import annotations

import argparse

from bridge.cli.arguments import Calls, call, group
from bridge.cli.opening import opened
from bridge.cli.output import Output


def add_to(calls: Calls) -> None:
    """Declare the calls."""
    hooks = group(calls, "webhook", "addresses that are told when bookings change")

    add = call(
        hooks, "add", _add, "tell an address from now on; prints the secret that signs what it is sent"
    )
    add.add_argument("email", metavar="EMAIL")
    add.add_argument("url", metavar="URL", help="https://…, which takes a POST of JSON")

    listing = call(hooks, "list", _list, "list a user's webhooks and their last deliveries")
    listing.add_argument("email", metavar="EMAIL")

    remove = call(hooks, "remove", _remove, "tell an address nothing any more")
    remove.add_argument("email", metavar="EMAIL")
    remove.add_argument("webhook", metavar="WEBHOOK", help="its number or address, as in “webhook list”")


def _add(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import webhooks

    made = webhooks.add(opened(options), options.email, options.url)
    out.value({"id": made.row.id, "secret": made.secret}, made.secret)


def _list(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import webhooks

    rows = [
        {
            "id": one.row.id,
            "url": one.row.url,
            "delivered": one.row.delivered,
            "tried": one.row.tried,
            "answer": one.row.answer,
            "failures": one.row.failures,
            "next_try": one.row.next_try,
        }
        for one in webhooks.list_(opened(options), options.email)
    ]
    out.rows(rows, ("id", "url", "delivered", "answer", "next_try"), f"{options.email} has no webhooks yet.")


def _remove(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import webhooks

    row = webhooks.remove(opened(options), options.email, options.webhook)
    out.value({"removed": row.id}, f"{row.url} is told nothing any more.")
