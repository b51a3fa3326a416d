"""``booking add|list|move|cancel``: bookings of the built-in source."""

from __future__ import annotations

import argparse

from bridge.cli.arguments import Calls, Parser, call, group
from bridge.cli.opening import opened
from bridge.cli.output import Output

START = "date and time, such as 2027-05-08T14:30; the user's zone unless an offset is given"


def add_to(calls: Calls) -> None:
    """Declare the calls."""
    bookings = group(calls, "booking", "bookings of the built-in source")

    add = call(bookings, "add", _add, "put a booking on the calendar")
    _email(add)
    add.add_argument("--title", metavar="T", required=True)
    add.add_argument("--start", metavar="ISO", required=True, help=START)
    add.add_argument("--duration", metavar="MIN", type=int, required=True, help="minutes")
    add.add_argument("--place", metavar="P", default="")
    add.add_argument("--notes", metavar="N", default="")
    add.add_argument("--status", choices=("confirmed", "tentative"), default="confirmed")

    _email(call(bookings, "list", _list, "list a user's bookings"))

    move = call(bookings, "move", _move, "give a booking another time")
    _email(move)
    move.add_argument("uid", metavar="UID")
    move.add_argument("--start", metavar="ISO", required=True, help=START)
    move.add_argument("--duration", metavar="MIN", type=int, help="minutes (default: as before)")

    cancel = call(bookings, "cancel", _cancel, "cancel a booking, here and in every linked calendar")
    _email(cancel)
    cancel.add_argument("uid", metavar="UID")


def _email(parser: Parser) -> None:
    parser.add_argument("email", metavar="EMAIL")


def _add(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import bookings
    from bridge.store import people

    bridge = opened(options)
    with bridge.db.writing() as tx:
        user = people.user_by_email(tx, options.email)
        uid, href = bookings.add(
            tx,
            user,
            options.title,
            options.start,
            options.duration,
            options.place,
            options.notes,
            options.status,
            bridge.clock.now(),
        )
    out.value({"uid": uid, "href": href}, uid)


def _list(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import bookings
    from bridge.store import people

    bridge = opened(options)
    with bridge.db.reading() as tx:
        rows = bookings.list_(tx, people.user_by_email(tx, options.email))
    out.rows(rows, ("uid", "start", "title", "place", "status"), "There are no bookings yet.")


def _move(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import bookings
    from bridge.store import people

    bridge = opened(options)
    with bridge.db.writing() as tx:
        user = people.user_by_email(tx, options.email)
        bookings.move(tx, user, options.uid, options.start, options.duration, bridge.clock.now())
    out.value({"uid": options.uid}, "Moved.")


def _cancel(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import bookings
    from bridge.store import people

    bridge = opened(options)
    with bridge.db.writing() as tx:
        user = people.user_by_email(tx, options.email)
        bookings.cancel(tx, user, options.uid, bridge.clock.now())
    out.value({"uid": options.uid}, "Cancelled.")
