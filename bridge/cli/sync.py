"""``sync`` and ``journal``: passes in the foreground, and what they changed."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from bridge.cli.arguments import Calls, call
from bridge.cli.opening import opened
from bridge.cli.output import Output

if TYPE_CHECKING:
    from bridge.cli.passes import Row
    from bridge.store.accounts import AccountRow


def add_to(calls: Calls) -> None:
    """Declare the calls."""
    sync = call(calls, "sync", _sync, "run passes now; waits for a pass that is running")
    sync.add_argument(
        "email", metavar="EMAIL", nargs="?", help="only this user's links (default: everybody's)"
    )
    sync.add_argument("--account", metavar="A", type=int, help="only this account's links")
    sync.add_argument("--dry-run", action="store_true", help="show what would be done, and do nothing")
    sync.add_argument("--confirm", action="store_true", help="let a held plan go on")

    journal = call(calls, "journal", _journal, "what was changed, newest first")
    journal.add_argument("email", metavar="EMAIL")
    journal.add_argument(
        "--limit", metavar="N", type=int, default=200, help="at most so many rows (default: 200)"
    )


def _sync(options: argparse.Namespace, out: Output) -> int | None:
    from bridge.cli.passes import Progress, studio_row
    from bridge.service import passes
    from bridge.service.roles import tidy

    bridge = opened(options)
    chosen = passes.choose(bridge, options.email, options.account)
    engine = bridge.engine()
    with Progress() as progress:
        rows = [
            row
            for account in chosen.accounts
            for row in progress.run(engine, account, dry_run=options.dry_run, confirm=options.confirm)
        ]
        if not options.dry_run:
            _carry_on(
                partial(progress.run, engine, dry_run=False, confirm=options.confirm), chosen.accounts, rows
            )
    if not options.dry_run:
        for account in chosen.accounts:
            tidy(bridge, account.id)
    if out.json:
        everything = rows + [studio_row() for _ in chosen.studios]
        out.value({"links": [row.as_json(options.dry_run) for row in everything]})
    else:
        for row in rows:
            row.say(out, options.dry_run)
        if not rows:
            out.note("No calendar is linked yet: picsello-bridge account select ACCOUNT …")
    return 1 if any(row.errors or row.held for row in rows) else None


def _carry_on(
    run: Callable[[AccountRow], list[Row]], accounts: Sequence[AccountRow], rows: list[Row]
) -> None:
    """Where bookings come from elsewhere: what a calendar brought goes on to the source, and what the source
    made of that back to the calendars, all in the same call."""
    from bridge.service.passes import is_source

    def again(account: AccountRow) -> bool:
        """Run once more, counted with the first time; whether it brought anything here."""
        found = run(account)
        for row in found:
            next((first for first in rows if first.link == row.link), row).add(row)
        return any(row.counts["pulled"] for row in found)

    for source in filter(is_source, accounts):
        others = [one for one in accounts if one.user_id == source.user_id and not is_source(one)]
        ids = {one.id for one in others}
        if any(row.counts["pulled"] for row in rows if row.account in ids) and again(source):
            for one in others:
                again(one)


def _journal(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import passes

    rows = passes.journal(opened(options), options.email, options.limit)
    out.rows(rows, ("at", "pass", "side", "action", "uid", "actor"), "Nothing has been changed yet.")
