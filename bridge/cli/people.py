"""``user add|set|list|remove``: the people who sign in."""

from __future__ import annotations

import argparse
from pathlib import Path

from bridge.cli.arguments import Calls, call, group, password_option
from bridge.cli.opening import opened
from bridge.cli.output import Output
from bridge.cli.secrets import optional_password


def add_to(calls: Calls) -> None:
    """Declare the calls."""
    users = group(calls, "user", "the people who sign in")

    add = call(users, "add", _add, "add a user; without --studio with a studio of their own")
    add.add_argument("email", metavar="EMAIL")
    add.add_argument("--time-zone", metavar="TZ", help="an IANA name (default: this machine's zone)")
    add.add_argument("--studio", metavar="SLUG", help="the studio to join")
    password_option(add, "read the password for the pages from standard input")

    change = call(users, "set", _set, "change a user's rules, time zone or password")
    change.add_argument("email", metavar="EMAIL")
    change.add_argument(
        "--on-delete",
        choices=("restore", "hide", "cancel"),
        help="what deleting a booking in a calendar does: put it back and ask, hide it there, or cancel it",
    )
    change.add_argument(
        "--on-move", choices=("apply", "approve"), help="whether moving a booking waits for approval"
    )
    change.add_argument("--time-zone", metavar="TZ", help="an IANA name, such as Europe/Berlin")
    change.add_argument(
        "--second-step", choices=("off",), help="turn the second step of signing in off, if the phone is lost"
    )
    password_option(change, "read a new password for the pages from standard input")

    call(users, "list", _list, "list the users")

    remove = call(users, "remove", _remove, "remove a user with everything kept for them here")
    remove.add_argument("email", metavar="EMAIL")
    remove.add_argument(
        "--pushed",
        choices=("keep", "remove-future", "remove-all"),
        default="keep",
        help="what becomes of the bookings in their other calendars (default: %(default)s)",
    )

    export = call(users, "export", _export, "write everything kept for a user into one archive (zip)")
    export.add_argument("email", metavar="EMAIL")
    export.add_argument("file", metavar="FILE", type=Path)


def _add(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import people

    password = optional_password(options)
    user = people.add_user(
        opened(options), options.email, time_zone=options.time_zone, studio=options.studio, password=password
    )
    out.value({"user": user.id, "email": user.email}, f"{user.email} can be used now ({user.time_zone}).")


def _set(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import people, second_step

    bridge, password = opened(options), optional_password(options)
    changes = {name: getattr(options, name) for name in ("on_delete", "on_move", "time_zone")}
    if options.second_step == "off":
        user = second_step.turn_off(bridge, people.user(bridge, options.email).id)
    if options.second_step is None or password is not None or any(changes.values()):
        user = people.set_user(bridge, options.email, password=password, **changes)
    rules = {"on_delete": user.on_delete, "on_move": user.on_move, "time_zone": user.time_zone}
    out.value({"user": user.id, "email": user.email, **rules}, f"{user.email} is changed.")


def _list(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import people

    rows = [
        {
            "user": user.id,
            "email": user.email,
            "studio": user.studio,
            "time_zone": user.time_zone,
            "source": user.source,
            "on_delete": user.on_delete,
            "on_move": user.on_move,
            "created": user.created,
        }
        for user in people.list_users(opened(options))
    ]
    out.rows(
        rows,
        ("email", "studio", "time_zone", "source", "on_delete", "on_move"),
        "There are no users yet: picsello-bridge user add EMAIL.",
    )


def _remove(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import takeout

    left = takeout.remove_user(opened(options), options.email, pushed=options.pushed)
    there = "What was pushed to other calendars is still there."
    if options.pushed != "keep":
        there = " ".join([f"Deleted in other calendars: {left.deleted}.", *left.sentences])
    out.value(
        {"removed": left.email, "deleted": left.deleted, "left": list(left.sentences)},
        f"{left.email} is removed. {there}",
    )


def _export(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import takeout

    made = takeout.export(opened(options), options.email, options.file)
    out.value(
        {"file": str(made.path), "calendars": made.calendars, "objects": made.objects},
        f"{made.path}: {made.objects} events of {made.calendars} calendars, and everything else as JSON.",
    )
