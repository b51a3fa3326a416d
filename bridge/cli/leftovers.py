"""``leftover list|adopt|remove``: what Picsello's own retired sync left in a calendar."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from bridge.cli.arguments import Calls, call, group
from bridge.cli.opening import opened
from bridge.cli.output import Output

if TYPE_CHECKING:
    from bridge.service.leftovers import Cleared


def add_to(calls: Calls) -> None:
    """Declare the calls."""
    leftovers = group(calls, "leftover", "copies of shoots that Picsello's old sync left in a calendar")
    every = call(leftovers, "list", _list, "show them, with the booking each is a copy of")
    every.add_argument("email", metavar="EMAIL")
    for name, run, meaning in (
        ("adopt", _adopt, "let the bookings take their place, alarms included"),
        ("remove", _remove, "delete them there"),
    ):
        one = call(leftovers, name, run, meaning)
        one.add_argument("email", metavar="EMAIL")
        some = one.add_mutually_exclusive_group(required=True)
        some.add_argument("ids", metavar="ID", type=int, nargs="*", default=[])
        some.add_argument("--all", action="store_true", help="all of them")


def _list(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import leftovers

    rows = [one.as_json() for one in leftovers.of_user(opened(options), options.email)]
    nothing = "Picsello's old sync left nothing in the calendars that are read."
    out.rows(rows, ("id", "calendar", "start", "title", "booking", "adoptable"), nothing)


def _adopt(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import leftovers

    _say(leftovers.adopt(opened(options), options.email, None if options.all else options.ids), out)


def _remove(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import leftovers

    _say(leftovers.remove(opened(options), options.email, None if options.all else options.ids), out)


def _say(cleared: Cleared, out: Output) -> None:
    from bridge.errors import Refused

    if cleared.left and not cleared.gone:
        raise Refused(" ".join(cleared.left))
    for sentence in cleared.left:
        out.note(sentence)
    gone = "1 entry is" if cleared.gone == 1 else f"{cleared.gone} entries are"
    out.value({"gone": cleared.gone, "left": list(cleared.left)}, f"{gone} gone there.")
