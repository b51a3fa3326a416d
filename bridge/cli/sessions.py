"""``event day|hide|open|reserve|bookings|confirm|move|cancel``: the slots of a booking page and the sessions
booked on it, as on the page of a day."""

from __future__ import annotations

import argparse
from datetime import datetime
from zoneinfo import ZoneInfo

from bridge.cli.arguments import Calls, Parser, call
from bridge.cli.opening import opened
from bridge.cli.output import Output

START = "when it begins, such as 2027-05-08T10:00; the user's zone unless an offset is given"


def add_to(events: Calls) -> None:
    """Declare the calls, which belong to ``event``."""
    day = call(events, "day", _day, "list the slots and sessions of a day")
    _event(day)
    day.add_argument("date", metavar="D", help="such as 2027-05-08")
    for name, hidden, help in (("hide", True, "show one slot as taken"), ("open", False, "offer it again")):
        change = call(events, name, _set_hidden, help)
        _event(change)
        change.add_argument("start", metavar="START", help=START)
        change.set_defaults(hidden=hidden)
    reserve = call(events, "reserve", _reserve, "keep a slot for a client until you confirm or cancel it")
    _event(reserve)
    reserve.add_argument("start", metavar="START", help=START)
    reserve.add_argument("--name", metavar="N", required=True, help="of the client")
    reserve.add_argument("--email", metavar="EMAIL", default="", help="of the client")
    reserve.add_argument("--phone", metavar="P", default="", help="of the client")

    bookings = call(events, "bookings", _bookings, "who booked through a user's pages")
    bookings.add_argument("email", metavar="EMAIL")
    _booking(call(events, "confirm", _confirm, "make a booking of a hold or a reservation: it is paid"))
    move = call(events, "move", _move, "give a session another slot of its page")
    _booking(move)
    move.add_argument("start", metavar="START", help=START)
    _booking(call(events, "cancel", _cancel, "call a session off; its time is free again"))


def _event(parser: Parser) -> None:
    parser.add_argument("event", metavar="EVENT", type=int, help="see `event list`")


def _booking(parser: Parser) -> None:
    parser.add_argument("booking", metavar="BOOKING", type=int, help="see `event bookings`")


def _day(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import booking_days, client_booking
    from bridge.store import booking_events, people

    bridge, day = opened(options), booking_days.day_named(options.date)
    client_booking.release_expired(bridge)
    with bridge.db.reading() as tx:
        event = booking_events.get(tx, options.event)
        user = people.user_by_id(tx, event.user_id)
        lines = booking_days.lines(tx, bridge, event, user, day)
    zone = ZoneInfo(user.time_zone)
    rows = [
        {
            "start": datetime.fromtimestamp(line.starts, zone).isoformat(),
            "end": datetime.fromtimestamp(line.ends, zone).isoformat(),
            "state": line.state,
            "name": line.session.row.name if line.session else "",
            "booking": line.session.row.id if line.session else None,
            "reasons": [" ".join(filter(None, (reason.words, reason.title))) for reason in line.reasons],
        }
        for line in lines
    ]
    out.rows(rows, ("start", "end", "state", "name"), "No sessions are offered on this day.")


def _set_hidden(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import booking_days

    bridge = opened(options)
    with bridge.db.writing() as tx:
        event = booking_days.set_hidden(tx, options.event, options.start, options.hidden)
    out.value({"event": event.id}, "Shown as taken." if options.hidden else "Offered again.")


def _reserve(options: argparse.Namespace, out: Output) -> None:
    from bridge.ical.zones import parse_local
    from bridge.service import client_booking
    from bridge.service.clients import Client
    from bridge.store import booking_events, people

    bridge = opened(options)
    with bridge.db.reading() as tx:
        event = booking_events.get(tx, options.event)
        user = people.user_by_id(tx, event.user_id)
    start = int(parse_local(options.start, user.time_zone).timestamp())
    client = Client(options.name, options.email, options.phone)
    session = client_booking.take(bridge, event, user, start, client, owner=True)
    row = session.row
    value = {"booking": row.id, "uid": row.uid, "status": session.state}
    out.value(value, f"Reserved for {row.name}, until you confirm or cancel booking {row.id}.")


def _bookings(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import booking_events

    rows = booking_events.sessions(opened(options), options.email)
    out.rows(rows, ("booking", "start", "name", "email", "phone", "status"), "Nobody has booked yet.")


def _confirm(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import client_booking

    session = client_booking.confirm(opened(options), options.booking)
    out.value({"booking": session.row.id, "status": session.state}, "Confirmed.")


def _move(options: argparse.Namespace, out: Output) -> None:
    from bridge.ical.zones import parse_local
    from bridge.service import client_booking, client_sessions

    bridge = opened(options)
    with bridge.db.reading() as tx:
        user = client_sessions.find(tx, options.booking).user
    start = int(parse_local(options.start, user.time_zone).timestamp())
    session = client_booking.move(bridge, options.booking, start, owner=True)
    begins = datetime.fromtimestamp(session.starts or start, ZoneInfo(user.time_zone)).isoformat()
    value = {"booking": session.row.id, "status": session.state, "start": begins}
    out.value(value, f"The session of {session.row.name} has a new time.")


def _cancel(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import client_booking

    session = client_booking.cancel(opened(options), options.booking, owner=True)
    out.value({"booking": session.row.id, "status": session.state}, "Cancelled. Its time is free again.")
