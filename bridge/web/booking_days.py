"""One day of a booking page as the photographer sees it: every slot and session, what can be done with each,
and the run sheet to print."""

from __future__ import annotations

from datetime import date, datetime
from functools import partial
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bridge.errors import BridgeError, Invalid, NotFound
from bridge.service import booking_days, client_booking, client_mail, client_sessions
from bridge.service.client_sessions import Session
from bridge.service.clients import Client
from bridge.store import booking_events as rows
from bridge.store.booking_events import EventRow
from bridge.web import booking_forms, booking_month, moments
from bridge.web.booking import date_of
from bridge.web.booking_pages import mine, today
from bridge.web.security import the_bridge
from bridge.web.session import visitor

pages = Blueprint("booking_days", __name__, url_prefix="/booking-pages/<int:event>")

#: The year 9000, in seconds.
_LAST = 221_845_392_000


@pages.get("/days/<day>")
def show(event: int, day: str) -> ResponseReturnValue:
    """The day with all its slots."""
    return _page(mine(event), booking_days.day_named(day))


@pages.get("/days")
def choose(event: int) -> ResponseReturnValue:
    """The day that was typed."""
    wanted = booking_days.day_named(request.args.get("day") or "")
    return redirect(url_for("booking_days.show", event=mine(event).id, day=wanted.isoformat()))


@pages.get("/days/<day>/sheet")
def sheet(event: int, day: str) -> ResponseReturnValue:
    """The day's sessions on paper."""
    return _page(mine(event), booking_days.day_named(day), template="booking_pages/sheet.html")


@pages.post("/days/<day>")
def change(event: int, day: str) -> ResponseReturnValue:
    """Other blocks on that date."""
    parts = [booking_forms.split(request.form.get(name)) for name in ("blocks", "breaks", "hidden")]
    try:
        with the_bridge().db.writing() as tx:
            booking_days.change(tx, rows.mine(tx, visitor().user.id, event), day, *parts)
    except Invalid as error:
        return _page(mine(event), booking_days.day_named(day), str(error)), 422
    flash("Saved. Sessions that are booked already stay as they are.")
    return redirect(url_for("booking_days.show", event=event, day=day), 303)


@pages.post("/days/<day>/remove")
def remove(event: int, day: str) -> ResponseReturnValue:
    """Take the date off."""
    try:
        with the_bridge().db.writing() as tx:
            booking_days.remove(tx, rows.mine(tx, visitor().user.id, event), visitor().user, day)
    except BridgeError as error:
        return _page(mine(event), booking_days.day_named(day), str(error)), 422
    flash("The date is off the page.")
    return redirect(url_for("booking_pages.one", event=event), 303)


@pages.post("/slots/<int:start>/<any(hide, open):what>")
def set_hidden(event: int, start: int, what: str) -> ResponseReturnValue:
    """Show one slot as taken, or offer it again."""
    _day(start)
    found = mine(event)
    with the_bridge().db.writing() as tx:
        booking_days.set_hidden(tx, found.id, start, what == "hide")
    flash("Clients see it as taken." if what == "hide" else "Clients can book it again.")
    return _back(event, start)


@pages.post("/slots/<int:start>/reserve")
def reserve(event: int, start: int) -> ResponseReturnValue:
    """Keep a slot for somebody, without an end."""
    found, typed, _ = mine(event), request.form, _day(start)
    client = Client(*(typed.get(name, "") for name in ("name", "email", "phone")))
    try:
        session = client_booking.take(the_bridge(), found, visitor().user, start, client, owner=True)
    except BridgeError as error:
        return _page(found, _day(start), str(error)), 422
    flash(f"Reserved for {session.row.name}. It stays so until you confirm or cancel it.")
    return _back(event, start)


@pages.post("/sessions/<int:booking>/confirm")
def confirm(event: int, booking: int) -> ResponseReturnValue:
    """A hold or a reservation becomes a booking."""
    session = _session(event, booking)
    session = client_booking.confirm(the_bridge(), session.row.id)
    client_mail.soon(the_bridge())
    flash(f"The session of {session.row.name} is confirmed.")
    return _back(event, session.starts)


@pages.post("/sessions/<int:booking>/cancel")
def cancel(event: int, booking: int) -> ResponseReturnValue:
    """Call a session off."""
    session = _session(event, booking)
    starts = session.starts
    client_booking.cancel(the_bridge(), session.row.id, owner=True)
    client_mail.soon(the_bridge())
    flash(f"The session of {session.row.name} is cancelled. Its time is free again.")
    return _back(event, starts)


@pages.get("/sessions/<int:booking>/move")
def ask_move(event: int, booking: int) -> ResponseReturnValue:
    """Other times for a session."""
    return _times(_session(event, booking))


@pages.post("/sessions/<int:booking>/move")
def move(event: int, booking: int) -> ResponseReturnValue:
    """Another slot or date."""
    session = _session(event, booking)
    try:
        start = moments.moment(request.form.get("start"), "start", visitor().zone)
        session = client_booking.move(the_bridge(), session.row.id, start, owner=True)
    except BridgeError as error:
        return _times(session, str(error)), 422
    client_mail.soon(the_bridge())
    flash(f"The session of {session.row.name} has a new time.")
    return _back(event, session.starts)


def _session(event: int, booking: int) -> Session:
    found = mine(event)
    with the_bridge().db.reading() as tx:
        session = client_sessions.find(tx, booking)
    if session.event.id != found.id:
        raise NotFound("There is no such session.")
    return session


def _day(moment: int) -> date:
    """The local day of a moment from an address. Raises Invalid for one beyond all calendars."""
    if moment > _LAST:
        raise Invalid("That is no time of a session.")
    return datetime.fromtimestamp(moment, visitor().zone).date()


def _back(event: int, moment: int | None) -> ResponseReturnValue:
    if moment is None:
        return redirect(url_for("booking_pages.one", event=event), 303)
    return redirect(url_for("booking_days.show", event=event, day=_day(moment).isoformat()), 303)


def _page(event: EventRow, day: date, error: str = "", template: str = "booking_pages/day.html") -> str:
    bridge, me = the_bridge(), visitor()
    client_booking.release_expired(bridge)
    with bridge.db.reading() as tx:
        lines = booking_days.lines(tx, bridge, event, me.user, day)
    parts = (event.days or {}).get(day.isoformat())
    return render_template(
        template,
        event=event,
        day=day,
        lines=lines,
        booked=[line for line in lines if line.session and line.state in client_sessions.LIVE],
        parts_of_day={
            name: booking_forms.spelled_parts(parts.get(name, ())) for name in ("open", "breaks", "hidden")
        }
        if parts
        else None,
        light=booking_days.light_of(event, day, me.zone),
        local=partial(datetime.fromtimestamp, tz=me.zone),
        near=_near(event, day),
        error=error,
        today=today(),
    )


def _near(event: EventRow, day: date) -> tuple[date | None, date | None]:
    """The dates before and after, where the page names its dates; else the neighbours."""
    if event.days is None:
        return date.fromordinal(day.toordinal() - 1), date.fromordinal(day.toordinal() + 1)
    named = sorted(map(date.fromisoformat, event.days))
    before, after = [one for one in named if one < day], [one for one in named if one > day]
    return before[-1] if before else None, after[0] if after else None


def _times(session: Session, error: str = "") -> str:
    bridge, me = the_bridge(), visitor()
    if session.starts is None or session.state not in client_sessions.LIVE:
        raise Invalid("This session is off already.")
    zone = ZoneInfo(me.user.time_zone)
    asked = date_of(request.args.get("month"))
    wanted = date_of(request.args.get("day")) or datetime.fromtimestamp(session.starts, zone).date()
    month = booking_month.of(
        bridge,
        session.event,
        me.user,
        zone,
        month=asked,
        day=None if asked else wanted,
        moving=session,
    )
    view = dict(request.view_args or {})
    return render_template(
        "booking_pages/move.html",
        session=session,
        event=session.event,
        starts=datetime.fromtimestamp(session.starts, zone),
        month=month,
        link=partial(url_for, "booking_days.ask_move", **view),
        error=error,
        today=today(),
    )
