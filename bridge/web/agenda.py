"""The start page: the calendar, drawn by a script; and what is coming, day by day, where no script runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bridge.service import agenda
from bridge.store import accounts, links, notices
from bridge.web import health_words, words
from bridge.web.security import style_nonce, the_bridge
from bridge.web.session import now, visitor

pages = Blueprint("agenda", __name__)

DAYS = 28
#: A list ends with the day that reaches so many lines; what is after it is under "Later".
LINES = 80


@pages.get("/")
def show() -> ResponseReturnValue:
    """Four weeks from today, or from the day asked for."""
    me = visitor()
    zone = me.zone
    today = now().astimezone(zone).date()
    first = _day(request.args.get("from"), today)
    last = first + timedelta(days=DAYS)
    start, end = (datetime.combine(day, time(), zone) for day in (first, last))
    with the_bridge().db.reading() as tx:
        calendars = agenda.shown(tx, me.user.id)
        happenings = agenda.between(tx, me.user.id, start, end, zone)
        sync = health_words.of_all(
            accounts.of_user(tx, me.user.id), links.of_user(tx, me.user.id), now(), zone
        )
        told = notices.standing(tx, me.user.id)
    colors = {one.id: color(one) for one in calendars}
    days, last = _first_days(_by_day(happenings, first), last)
    return render_template(
        "agenda.html",
        days=days,
        calendars=calendars,
        colors=colors,
        sync=sync,
        style_nonce=style_nonce(),
        twelve_hours=words.twelve_hours(),
        notices=told,
        today=today,
        first=first,
        last_day=last - timedelta(days=1),
        earlier=first - timedelta(days=DAYS),
        later=last,
        now=now(),
        zone=zone,
    )


def _day(given: str | None, today: date) -> date:
    """A day from the address; what is no day, or so far off that no calendar shows it, means today."""
    try:
        day = date.fromisoformat(given or "")
    except ValueError:
        return today
    return day if 1971 <= day.year <= 9000 else today


def color(calendar: agenda.Shown) -> str:
    """The colour of a calendar's events."""
    usual = words.BOOKINGS_COLOR if calendar.kind == "bookings" else None
    return words.color(calendar.color or usual, calendar.id)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a day: what happens, when in words, and the address of its page."""

    what: agenda.Happening
    at: str
    url: str


def _by_day(happenings: Iterable[agenda.Happening], first: date) -> Iterator[tuple[date, list[Entry]]]:
    """Each on the first of its days that is shown."""
    pages_of_events = event_pages()
    for day, some in groupby(happenings, key=lambda one: max(one.starts.date(), first)):
        yield day, [Entry(one, _at(one, day), address(one, pages_of_events)) for one in some]


def _first_days(
    days: Iterator[tuple[date, list[Entry]]], last: date
) -> tuple[list[tuple[date, list[Entry]]], date]:
    """As many days as make a list of a fair length; and the day that the next list begins with."""
    shown: list[tuple[date, list[Entry]]] = []
    lines = 0
    for day, entries in days:
        if lines >= LINES:
            return shown, day
        shown.append((day, entries))
        lines += len(entries)
    return shown, last


def event_pages() -> str:
    """What the addresses of all events begin with: built once, as building costs more than the rest."""
    return url_for("event.show", event=0).removesuffix("0")


def address(one: agenda.Happening, pages_of_events: str) -> str:
    """The page of an event, at that date of it."""
    return f"{pages_of_events}{one.object_id}?at={int(one.starts.timestamp())}"


def _at(one: agenda.Happening, day: date) -> str:
    """When it is, in the column beside its title."""
    last = (one.ends - timedelta(seconds=1)).date() if one.ends > one.starts else one.starts.date()
    if one.all_day:
        return "All day" if last <= day else f"All day until {last.day} {last:%b}"
    if last > day:
        begins = "" if one.starts.date() < day else words.clock(one.starts) + " "
        return f"{begins}until {last.day} {last:%b}, {words.clock(one.ends)}"
    begins = words.clock(one.starts) if one.starts.date() == day else ""
    if one.ends <= one.starts:
        return begins
    return f"{begins} – {words.clock(one.ends)}" if begins else f"until {words.clock(one.ends)}"
