"""The command ``picsello-bridge``: arguments in, one use-case called, tables or JSON out.

One file per group of calls; each declares its arguments in ``add_to`` and imports what its calls need only
when they run, so that a short command stays short. Rules live in ``bridge.service``. Exit codes: 0 done,
1 refused or failed (one line on standard error), 2 wrong usage of the command line (argparse).
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.cli import (
    accounts,
    answers,
    audit,
    bookings,
    devices,
    events,
    feeds,
    leftovers,
    people,
    processes,
    safekeeping,
    sources,
    sync,
    tokens,
    upkeep,
    webhooks,
)
from bridge.cli.arguments import Parser, common_options
from bridge.cli.failures import explained

GROUPS = (
    processes,
    people,
    devices,
    accounts,
    sources,
    bookings,
    events,
    feeds,
    leftovers,
    tokens,
    webhooks,
    sync,
    answers,
    audit,
    safekeeping,
    upkeep,
)


def parser() -> Parser:
    """The whole command line; also what ``--help`` shows."""
    root = Parser(
        prog="picsello-bridge",
        description="A studio's bookings as a CalDAV calendar, in two-way sync with the calendars it has.",
        parents=[common_options()],
    )
    calls = root.add_subparsers(title="calls", metavar="CALL", required=True)
    for group in GROUPS:
        group.add_to(calls)
    return root


def main(argv: Sequence[str] | None = None) -> int:
    """Run one call and return its exit code."""
    options = parser().parse_args(argv)
    return explained(options)
