"""``source set``: where a user's bookings live."""

from __future__ import annotations

import argparse

from bridge.cli.arguments import Calls, call, group
from bridge.cli.opening import opened
from bridge.cli.output import Output


def add_to(calls: Calls) -> None:
    """Declare the calls."""
    sources = group(calls, "source", "where bookings live")
    change = call(sources, "set", _set, "choose where a user's bookings live")
    change.add_argument("email", metavar="EMAIL")
    change.add_argument(
        "kind", metavar="SOURCE", choices=("studio",), help="studio: here, the built-in source"
    )


def _set(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import people

    user = people.set_source(opened(options), options.email, options.kind)
    out.value({"email": user.email, "source": user.source}, f"The bookings of {user.email} live here now.")
