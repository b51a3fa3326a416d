"""``event add|list|duplicate|disable|enable|archive``, ``availability set|show``: what the photographer
decides about client booking. Its single slots and sessions are ``sessions``'."""

from __future__ import annotations

import argparse

from bridge.cli import sessions
from bridge.cli.arguments import Calls, Parser, call, group
from bridge.cli.opening import opened
from bridge.cli.output import Output

BLOCK = "HH:MM-HH:MM"
STATUS = {"disable": "disabled", "enable": "active", "archive": "archived"}


def add_to(calls: Calls) -> None:
    """Declare the calls."""
    events = group(calls, "event", "pages on which clients book a session")

    add = call(events, "add", _add, "make a booking page")
    _email(add)
    add.add_argument("name", metavar="NAME")
    _many(add, "--date", "D", "a day of the event, such as 2027-05-08 (default: every day, opening hours)")
    _many(add, "--block", BLOCK, "when sessions are offered on those days")
    _many(add, "--break", BLOCK, "when none are")
    _many(add, "--hidden", BLOCK, "when they are shown as taken")
    add.add_argument("--length", metavar="MIN", type=int, required=True, help="minutes of a session")
    _number(add, "--gap", "minutes between two sessions", 0)
    add.add_argument("--place", metavar="P", default="")
    add.add_argument("--address", metavar="A", default="")
    add.add_argument("--job-type", metavar="TYPE", default="", help="such as wedding: what its buffers go by")
    add.add_argument("--latitude", metavar="DEG", default="", help="of the place, if it is outdoors")
    add.add_argument("--longitude", metavar="DEG", default="")
    add.add_argument("--sun", choices=("sunset", "sunrise"), default="", help="sessions follow it")
    _number(add, "--sessions", "sessions a day that follow the sun", 1)
    add.add_argument("--description", metavar="T", default="")
    _number(add, "--before", "minutes to be kept free before a session", 0)
    _number(add, "--after", "minutes to be kept free after a session", 0)
    _number(add, "--notice", "minutes from now to the earliest session", 0)
    _number(add, "--furthest", "days ahead that can be booked", None)
    _number(add, "--most-per-day", "bookings a day", None)
    _number(add, "--most-per-week", "bookings a week", None)
    add.add_argument("--repeat", choices=("week", "month", "year"), default="", help="from the date on")
    _number(add, "--every", "weeks, months or years between (default: 1)", 1)
    _many(add, "--on", "DAY", "weekdays of a weekly repetition, such as sat sun")
    add.add_argument("--until", metavar="D", default="", help="the last day that may be one")
    _number(add, "--times", "how many days", None)
    _number(add, "--hold", "minutes that a session waits to be confirmed (default: booked at once)", 0)

    _email(call(events, "list", _list, "list a user's booking pages"))
    for name, help in (
        ("disable", "offer nothing on a booking page for now"),
        ("enable", "offer sessions again"),
        ("archive", "take a booking page off for good"),
    ):
        change = call(events, name, _set_status, help)
        change.add_argument("event", metavar="EVENT", type=int)
        change.set_defaults(status=STATUS[name])

    copy = call(events, "duplicate", _duplicate, "make the same page once more, disabled until you enable it")
    copy.add_argument("event", metavar="EVENT", type=int)
    sessions.add_to(events)

    availability = group(calls, "availability", "when a user can be booked at all")
    change = call(availability, "set", _set_opening, "set opening hours and days off")
    _email(change)
    _many(change, "--hours", "DAY=" + BLOCK, "opening hours, such as mon=09:00-17:00", default=None)
    change.add_argument("--always-open", action="store_true", help="no opening hours")
    _many(change, "--closed", "D[..D]", "days off, such as 2027-12-24..2027-12-31", default=None)
    change.add_argument("--private", metavar="MIN,MIN", help="kept free before and after events elsewhere")
    _many(change, "--buffer", "TYPE=MIN,MIN", "kept free around a job type's sessions", default=None)
    change.add_argument("--tentative", choices=("busy", "free"), help="what tentative events elsewhere mean")
    _email(call(availability, "show", _show_opening, "show opening hours and days off"))


def _email(parser: Parser) -> None:
    parser.add_argument("email", metavar="EMAIL")


def _many(parser: Parser, name: str, metavar: str, help: str, default: list[str] | None = []) -> None:  # noqa: B006
    """May be given several times, and with several values."""
    parser.add_argument(name, metavar=metavar, nargs="+", action="extend", default=default, help=help)


def _number(parser: Parser, name: str, help: str, default: int | None) -> None:
    parser.add_argument(name, metavar="N", type=int, default=default, help=help)


def _add(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import booking_events, booking_plans
    from bridge.store import people

    plan = booking_plans.Plan(
        title=options.name,
        length=options.length,
        gap=options.gap,
        dates=options.date,
        blocks=options.block,
        breaks=getattr(options, "break"),
        hidden=options.hidden,
        place=options.place,
        address=options.address,
        job_type=options.job_type,
        latitude=options.latitude,
        longitude=options.longitude,
        sun=options.sun,
        sessions=options.sessions,
        description=options.description,
        before=options.before,
        after=options.after,
        notice=options.notice,
        furthest=options.furthest,
        per_day=options.most_per_day,
        per_week=options.most_per_week,
        hold=options.hold,
        repeat=options.repeat,
        every=options.every,
        on=options.on,
        until=options.until,
        times=options.times,
    )
    bridge = opened(options)
    with bridge.db.writing() as tx:
        event = booking_events.add(tx, people.user_by_email(tx, options.email), plan, bridge.clock.now())
    address = booking_events.url(bridge, event)
    out.value({"event": event.id, "url": address}, address)


def _list(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import booking_events

    rows = booking_events.list_(opened(options), options.email)
    out.rows(rows, ("event", "name", "status", "dates", "url"), "There are no booking pages yet.")


def _set_status(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import booking_events

    bridge = opened(options)
    with bridge.db.writing() as tx:
        event = booking_events.set_status(tx, options.event, options.status)
    out.value({"event": event.id, "status": event.status}, f"{event.title}: {event.status}.")


def _duplicate(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import booking_events
    from bridge.store import booking_events as rows

    bridge = opened(options)
    with bridge.db.writing() as tx:
        copy = booking_events.duplicate(tx, rows.get(tx, options.event), bridge.clock.now())
    address = booking_events.url(bridge, copy)
    out.value({"event": copy.id, "url": address, "status": copy.status}, address)


def _set_opening(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import openings
    from bridge.store import people

    bridge = opened(options)
    with bridge.db.writing() as tx:
        openings.set_opening(
            tx,
            people.user_by_email(tx, options.email),
            hours=[] if options.always_open else options.hours,
            closed=options.closed,
            tentative_blocks=None if options.tentative is None else options.tentative == "busy",
            private=None if options.private is None else openings.minutes(options.private),
            buffers=None if options.buffer is None else dict(map(openings.buffer, options.buffer)),
        )
    out.value({"email": options.email}, "Saved.")


def _show_opening(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import openings
    from bridge.store import people

    bridge = opened(options)
    with bridge.db.reading() as tx:
        shown = openings.opening(tx, people.user_by_email(tx, options.email))
    out.value(shown, "\n".join(f"{name}: {', '.join(values) or 'none'}" for name, values in shown.items()))
