"""``backup``, ``restore``, ``move``, ``rotate-key``: all that is kept, safe and whole."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.cli.arguments import Calls, call, password_option
from bridge.cli.counting import Counting
from bridge.cli.opening import opened, settings
from bridge.cli.output import Output
from bridge.cli.secrets import optional_password, password

if TYPE_CHECKING:
    from bridge.wiring import Bridge


def add_to(calls: Calls) -> None:
    """Declare the calls."""
    backup = call(calls, "backup", _backup, "write everything into one file, while all goes on")
    backup.add_argument("file", metavar="FILE", type=Path)
    password_option(
        backup, "read a passphrase from standard input; the backup is encrypted, and the key file is in it"
    )
    backup.add_argument("--replace", action="store_true", help="FILE may exist already")

    restore = call(calls, "restore", _restore, "put everything back as it was when FILE was written")
    restore.add_argument("file", metavar="FILE", type=Path)
    password_option(restore, "read the passphrase of an encrypted backup from standard input")

    restore.add_argument(
        "--without-key",
        action="store_true",
        help="the key file is lost: accounts must sign in again, devices get new passwords",
    )

    move = call(calls, "move", _move, "move everything into another, empty database; stop the servers before")
    move.add_argument("url", metavar="URL", help="as postgresql://user@host/database")
    password_option(move, "read the password of the new database from standard input")

    rotate = call(calls, "rotate-key", _rotate, "lock everything with a new key; nobody has to sign in again")
    rotate.add_argument(
        "--lost",
        action="store_true",
        help="the key file is lost for good: begin with a new one; accounts must sign in again, devices get "
        "new passwords",
    )


def _backup(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import backups

    passphrase = optional_password(options)
    with Counting() as progress:
        made = backups.make(opened(options), options.file, passphrase, progress, replace=options.replace)
    text = f"{made.path}: {backups.said(made.counts)}; {made.size:,} bytes."
    if not made.encrypted:
        text += "\nIt is not encrypted, and the key file is not in it: keep a copy of that somewhere else."
    out.value(
        {"file": str(made.path), "bytes": made.size, "encrypted": made.encrypted, "rows": made.counts}, text
    )


def _restore(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import backups
    from bridge.service.backup_file import Backup

    passphrase = None
    if options.password_stdin or Backup(options.file).encrypted:
        passphrase = password(options, "The passphrase of the backup")
    with Counting() as progress:
        done = backups.restore(
            settings(options),
            lambda: repairing(options),
            options.file,
            passphrase,
            progress,
            without_key=options.without_key,
        )
    if options.without_key:
        from bridge.service import keys

        keys.give_up(opened(options))
    lines = [f"Restored: {backups.said(done.counts)}, as of {done.created}."]
    if done.key_put_back:
        lines.append(f"The key file is back too: {settings(options).key_file}")
    if done.aside:
        lines.append(f"What was here before is kept: {done.aside}")
    lines.append("Restart the servers that run.")
    if done.held:
        lines.append("Nothing is synced until you have looked at the plans: picsello-bridge sync --dry-run")
        lines.append("To let them go on: picsello-bridge sync --confirm")
    out.value(
        {
            "created": done.created,
            "rows": done.counts,
            "held": done.held,
            "aside": str(done.aside) if done.aside else None,
        },
        "\n".join(lines),
    )


def _move(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import backups, relocation

    password = optional_password(options)
    with Counting() as progress:
        moved = relocation.move(opened(options), options.url, password, progress)
    out.value(
        {"to": moved.to, "rows": moved.counts, "compared": moved.objects},
        f"Moved: {backups.said(moved.counts)}; every row was compared.\n"
        f"From now on start every process with PICSELLO_BRIDGE_DATABASE_URL={moved.to} (with the password "
        "in it, or in ~/.pgpass). The old database is left as it was, and takes nothing new.",
    )


def _rotate(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import keys

    if options.lost:
        cost = keys.begin_anew(repairing(options))
        out.value(
            {"accounts": cost.accounts, "devices": cost.devices, "feeds": cost.feeds},
            f"A new key file is made. Accounts that must sign in again: {cost.accounts}. Devices that need "
            f"a new password: {cost.devices}. Feeds that have a new address: {cost.feeds}.",
        )
        return
    count = keys.rotate(opened(options))
    out.value(
        {"secrets": count},
        f"A new key is in use; {count} secrets are locked with it. Copy the file.",
    )


def repairing(options: argparse.Namespace) -> Bridge:
    """The bridge, also where the key file is lost."""
    from bridge.wiring import Bridge

    return Bridge.open(settings(options), repairing=True)
