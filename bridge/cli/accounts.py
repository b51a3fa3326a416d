"""``account …``: sign-ins at providers, and the roles of their calendars."""

from __future__ import annotations

import argparse

from bridge.cli import guess
from bridge.cli.arguments import Calls, Parser, call, group, password_option
from bridge.cli.opening import opened
from bridge.cli.output import Output
from bridge.cli.secrets import optional_password, password


def add_to(calls: Calls) -> None:
    """Declare the calls."""
    accounts = group(calls, "account", "sign-ins at calendar providers")

    add = call(accounts, "add", _add, "sign in at a provider and keep the sign-in")
    add.add_argument("email", metavar="EMAIL", help="whose account it will be")
    add.add_argument("provider", metavar="PROVIDER", help="auto, caldav, google, icloud, fastmail …")
    add.add_argument("--url", metavar="U", help="the server's address, where the provider has no fixed one")
    add.add_argument("--username", metavar="N", help="the name to sign in with (default: EMAIL)")
    add.add_argument("--yes", action="store_true", help="take what “auto” finds even where it is not sure")
    password_option(add)

    detected = call(accounts, "detect", guess.show, "say which provider an address suggests")
    detected.add_argument("address", metavar="ADDRESS", help="an e-mail address")

    renew = call(accounts, "sign-in", _sign_in, "sign in again, as at the first time")
    _account(renew)
    password_option(renew)

    change = call(accounts, "set", _set, "change an account's rules")
    _account(change)
    change.add_argument(
        "--conflict",
        choices=("ours", "theirs", "ask"),
        help="who wins where both sides changed the same field",
    )
    change.add_argument("--mail", choices=("on", "off"), help="let the provider mail guests about changes")

    _account(call(accounts, "calendars", _calendars, "list the calendars there, with their roles"))

    made = call(accounts, "make-calendar", _make, "make a calendar there for the bookings alone")
    _account(made)

    select = call(accounts, "select", _select, "set the roles of an account's calendars to exactly these")
    _account(select)
    for role, meaning in (
        ("--read", "show its events here, in a mirror"),
        ("--edit", "likewise, and changes made here go back (implies --read)"),
    ):
        select.add_argument(
            role, metavar="ID", action="append", default=[], help=meaning + "; may be repeated"
        )
    select.add_argument("--write", metavar="ID", help="bookings go here; one calendar per user")
    select.add_argument("--yes", action="store_true", help="begin at once, without a look at the plan")

    remove = call(accounts, "remove", _remove, "disconnect an account")
    _account(remove)
    remove.add_argument(
        "--pushed",
        required=True,
        choices=("keep", "remove-future", "remove-all"),
        help="what becomes of the bookings in its calendar",
    )

    listing = call(accounts, "list", _list, "list the accounts and how they are")
    listing.add_argument("email", metavar="EMAIL", nargs="?", help="only this user's")


def _account(parser: Parser) -> None:
    parser.add_argument("account", metavar="ACCOUNT", type=int, help="its number, as in “account list”")


def _add(options: argparse.Namespace, out: Output) -> None:
    from bridge.providers import KINDS
    from bridge.service import accounts
    from bridge.store import people

    bridge = opened(options)
    if options.provider == "auto":
        guess.choose(options, bridge)
    accounts.check_kind(bridge, options.email, options.provider, options.url)
    if KINDS[options.provider].oauth:
        from bridge.cli.consent import asked

        with bridge.db.reading() as tx:
            user = people.user_by_email(tx, options.email)
        row = asked(bridge, out, user.id, options.provider)
        out.value({"account": row.id}, _connected(row.id, row.label))
        return
    if KINDS[options.provider].read_only:
        secret = optional_password(options) or ""
    else:
        secret = password(options, "The password at the provider")
    added = accounts.add(
        bridge,
        options.email,
        options.provider,
        url=options.url,
        username=options.username,
        secret=secret,
    )
    count = f"{len(added.calendars)} calendar{'s' if len(added.calendars) != 1 else ''}"
    out.value({"account": added.account_id}, _connected(added.account_id, f"{added.label}, {count}"))


def _connected(account: int, what: str) -> str:
    return (
        f"Account {account} is connected: {what}. "
        f"Choose among them: picsello-bridge account calendars {account}"
    )


def _sign_in(options: argparse.Namespace, out: Output) -> None:
    from bridge.providers import KINDS
    from bridge.service import accounts

    bridge = opened(options)
    known = accounts.find(bridge, options.account)
    if KINDS[known.provider].oauth:
        from bridge.cli.consent import asked

        row = asked(bridge, out, known.user_id, known.provider, known.id)
    else:
        row = accounts.sign_in(bridge, options.account, password(options, "The new password at the provider"))
    out.value({"account": row.id, "state": row.state}, f"Signed in again at {row.label}.")


def _set(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import accounts

    mail = None if options.mail is None else options.mail == "on"
    row = accounts.set_(opened(options), options.account, conflict=options.conflict, mail=mail)
    out.value({"account": row.id, "conflict": row.conflict, "mail": row.mail}, f"{row.label} is changed.")


def _calendars(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import accounts

    rows = [
        {
            "id": shown.id,
            "name": shown.name,
            "color": shown.color,
            "writable": shown.writable,
            "reads": shown.reads,
            "edits": shown.edits,
            "writes": shown.writes,
        }
        for shown in accounts.calendars_of(opened(options), options.account)
    ]
    out.rows(
        rows,
        ("id", "name", "writable", "reads", "edits", "writes"),
        "This account has no calendar for events.",
    )


def _make(options: argparse.Namespace, out: Output) -> None:
    from bridge.errors import ConsentNeeded
    from bridge.service import accounts, dedicated

    bridge = opened(options)
    try:
        made = dedicated.make(bridge, options.account)
    except ConsentNeeded:
        from bridge.cli.consent import asked

        row = accounts.find(bridge, options.account)
        asked(bridge, out, row.user_id, row.provider, row.id, to_make=True)
        made = dedicated.make(bridge, row.id)
    out.value(
        {"account": options.account, "id": made.id, "name": made.name},
        f"“{made.name}” is there. Let the bookings go into it: "
        f"picsello-bridge account select {options.account} --write {made.id}",
    )


def _select(options: argparse.Namespace, out: Output) -> int | None:
    from bridge.cli.passes import Row
    from bridge.service import accounts

    selected = accounts.select(
        opened(options),
        options.account,
        read=options.read,
        edit=options.edit,
        write=options.write,
        yes=options.yes,
    )
    rows = [Row.of(report) for report in selected.reports]
    trouble = [sentence for row in rows for sentence in row.errors]
    if out.json:
        out.value(
            {
                "account": options.account,
                "links": list(selected.links),
                "plan": list(selected.plan),
                "errors": trouble,
            }
        )
    else:
        if selected.instead_of:
            out.note(f"The bookings no longer go to “{selected.instead_of}”.")
        for row in rows:
            row.say(out, dry_run=not options.yes)
        out.note(
            "Saved."
            if options.yes
            else "Saved; nothing is written yet. Let it begin with: picsello-bridge sync --confirm"
        )
    return 1 if trouble else None


def _remove(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import disconnecting

    removed = disconnecting.remove(opened(options), options.account, pushed=options.pushed)
    value = {"removed": options.account, "deleted": removed.deleted, "left": list(removed.left)}
    out.value(value, " ".join([f"{removed.label} is disconnected.", *removed.left]))


def _list(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import status

    rows = status.list_accounts(opened(options), options.email)
    out.rows(
        rows,
        ("account", "email", "provider", "label", "state", "reason", "agreed"),
        "No account is connected yet: picsello-bridge account add EMAIL PROVIDER",
    )
