"""``audit EMAIL``: who changed what may be done in a user's name."""

from __future__ import annotations

import argparse

from bridge.cli.arguments import Calls, call
from bridge.cli.opening import opened
from bridge.cli.output import Output


def add_to(calls: Calls) -> None:
    """Declare the call."""
    audit = call(calls, "audit", _audit, "who signed in, and who changed devices, tokens, accounts and rules")
    audit.add_argument("email", metavar="EMAIL")
    audit.add_argument("--last", metavar="N", type=int, default=100, help="how many (default: %(default)s)")


def _audit(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import audit

    rows = audit.list_(opened(options), options.email, max(1, options.last))
    out.rows(rows, ("at", "says", "detail", "actor", "address"), "Nothing was changed yet.")
