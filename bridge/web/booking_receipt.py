"""What a client sees of a booked session, by a signed link: when and where, moving, cancelling."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bridge.errors import Invalid, NotAllowed, NotFound
from bridge.service import booking_days, client_booking, client_mail, client_sessions, light, receipts
from bridge.service.client_booking import Taken
from bridge.service.client_sessions import Session
from bridge.slots.days import day_of
from bridge.web import booking, booking_month, moments, words
from bridge.web.security import limiter, the_bridge
from bridge.web.session import now

pages = Blueprint("booking_receipt", __name__, url_prefix="/book/<studio>/<event>/receipt/<token>")


@pages.get("")
@limiter.limit("120 per minute")
def show(studio: str, event: str, token: str) -> ResponseReturnValue:
    """The session as it stands, and other times if it is to be moved."""
    return _page(_session(studio, event, token), token)


@pages.get("/booking.ics")
@limiter.limit("60 per minute")
def file(studio: str, event: str, token: str) -> ResponseReturnValue:
    """The session for the client's own calendar."""
    session = _session(studio, event, token)
    if session.text is None:
        raise NotFound("This session is off.")
    response = Response(session.text, mimetype="text/calendar")
    response.headers["Content-Disposition"] = 'attachment; filename="booking.ics"'
    return response


@pages.post("/cancel")
@limiter.limit("30 per minute")
def cancel(studio: str, event: str, token: str) -> ResponseReturnValue:
    """Call it off."""
    session = _session(studio, event, token)
    try:
        session = client_booking.cancel(the_bridge(), session.row.id)
    except NotAllowed as error:
        return _page(session, token, str(error)), 422
    client_mail.soon(the_bridge())
    flash("Your session is cancelled.")
    return redirect(booking.receipt(session), 303)


@pages.post("/move")
@limiter.limit("30 per minute")
def move(studio: str, event: str, token: str) -> ResponseReturnValue:
    """Another time: 303 to the receipt, 409 if it is taken, 422 if it can't be."""
    session = _session(studio, event, token)
    try:
        zone = ZoneInfo(session.user.time_zone)
        start = moments.moment(request.form.get("start"), "start", zone)
        session = client_booking.move(the_bridge(), session.row.id, start)
    except Taken as error:
        return _page(session, token, str(error)), 409
    except (Invalid, NotAllowed) as error:
        return _page(session, token, str(error)), 422
    client_mail.soon(the_bridge())
    flash("Your session has a new time.")
    return redirect(booking.receipt(session), 303)


def _session(studio: str, event: str, token: str) -> Session:
    """The session that the link names. Raises NotFound."""
    number = receipts.read(the_bridge(), token)
    with the_bridge().db.reading() as tx:
        session = client_sessions.remembered(tx, client_sessions.find(tx, number))
    if (session.event.studio, session.event.slug) != (studio, event):
        raise NotFound("This link is not valid (any more).")
    return session


def _page(session: Session, token: str, error: str = "") -> str:
    zone, studio = ZoneInfo(session.row.time_zone), ZoneInfo(session.user.time_zone)
    month = None
    if session.state in client_sessions.LIVE and session.starts is not None and "move" in request.args:
        at = datetime.fromtimestamp(session.starts, zone).date()
        wanted = booking.date_of(request.args.get("day")) or at
        asked = booking.date_of(request.args.get("month"))
        month = booking_month.of(
            the_bridge(),
            session.event,
            session.user,
            zone,
            month=asked,
            day=wanted if not asked else None,
            moving=session,
        )
    return render_template(
        "booking/receipt.html",
        session=session,
        event=session.event,
        token=token,
        month=month,
        link=partial(url_for, "booking_receipt.show", move="1", **(request.view_args or {})),
        error=error,
        starts=_shown(session.starts, zone),
        ends=_shown(session.ends, zone),
        at_studio=_shown(session.starts, studio) if zone != studio else None,
        zone=zone.key,
        studio_zone=studio.key,
        light=_light(session, zone),
        light_at_studio=_light(session, studio) if zone != studio else None,
        until=words.moment(session.row.expires, now(), zone) if session.row.expires else None,
        today=now().astimezone(zone).date(),
    )


def _shown(moment: int | None, zone: ZoneInfo) -> datetime | None:
    return None if moment is None else datetime.fromtimestamp(moment, zone)


def _light(session: Session, zone: ZoneInfo) -> str | None:
    known = booking_days.light_around(session)
    if known is None or session.starts is None:
        return None
    return light.in_one_line(known.seen_from(zone), day_of(session.starts, zone), words.clock)
