"""``device add|list|revoke``: one app password for each CalDAV client."""

from __future__ import annotations

import argparse

from bridge.cli.arguments import Calls, call, group
from bridge.cli.opening import opened
from bridge.cli.output import Output


def add_to(calls: Calls) -> None:
    """Declare the calls."""
    devices = group(calls, "device", "the app passwords of CalDAV clients")

    add = call(devices, "add", _add, "make an app password for one client; it is shown once")
    add.add_argument("email", metavar="EMAIL")
    add.add_argument("name", metavar="NAME", help="what you call the client, such as “Anna's phone”")

    listing = call(devices, "list", _list, "list a user's devices")
    listing.add_argument("email", metavar="EMAIL")

    revoke = call(devices, "revoke", _revoke, "end one device's access; the others are not affected")
    revoke.add_argument("email", metavar="EMAIL")
    revoke.add_argument("device", metavar="DEVICE", help="its number or name, as in “device list”")


def _add(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import people

    made = people.add_device(opened(options), options.email, options.name)
    out.value({"username": made.username, "password": made.password, "url": made.url}, made.password)


def _list(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import people

    rows = [
        {"device": row.id, "name": row.name, "created": row.created, "last_used": row.last_used}
        for row in people.list_devices(opened(options), options.email)
    ]
    out.rows(rows, ("device", "name", "created", "last_used"), f"{options.email} has no devices yet.")


def _revoke(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import people

    row = people.revoke_device(opened(options), options.email, options.device)
    out.value({"revoked": row.id}, f"“{row.name}” can no longer sign in.")
