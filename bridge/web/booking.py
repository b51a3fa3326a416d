"""The public pages on which clients book: ``/book/<studio>`` and ``/book/<studio>/<event>``.

Anybody may see them, so they tell only what is free. A browser sends the page's form with its token; a
program sends JSON, which no other site's page can make a browser send, and needs none. Showing and changing
a booked session is ``booking_receipt``'s.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from bridge.errors import Invalid, NotFound
from bridge.service import booking_events, client_booking, client_mail, receipts
from bridge.service.client_booking import Taken
from bridge.service.client_sessions import Session
from bridge.service.clients import Client
from bridge.slots.offer import Slot
from bridge.store import booking_events as rows
from bridge.store import people
from bridge.store.booking_events import EventRow
from bridge.store.people import UserRow
from bridge.web import booking_month, moments
from bridge.web.security import csrf, limiter, the_bridge

pages = Blueprint("booking", __name__, url_prefix="/book")

#: One answer of ``/slots`` covers at most this.
LONGEST = timedelta(days=100)
#: What counts as agreeing to the terms.
YES = frozenset({"on", "yes", "true", "1", "y"})
FIELDS = ("start", "name", "email", "phone", "agree", "tz", "website")


@pages.get("/<studio>")
@limiter.limit("120 per minute")
def studio(studio: str) -> ResponseReturnValue:
    """The pages of a studio that take bookings."""
    with the_bridge().db.reading() as tx:
        found, events = people.studio_by_slug(tx, studio), rows.of_studio(tx, studio)
    if found is None or not events:
        raise NotFound("This studio has no booking pages.")
    return render_template("booking/studio.html", studio=found, events=events)


@pages.get("/<studio>/<event>")
@limiter.limit("120 per minute")
def show(studio: str, event: str) -> ResponseReturnValue:
    """The days and times that are free, and the form."""
    return _page(*at(studio, event))


@pages.get("/<studio>/<event>/slots")
@limiter.limit("600 per minute")
def slots(studio: str, event: str) -> ResponseReturnValue:
    """The slots that begin in ``[from, to)``, as JSON."""
    try:
        found, user = at(studio, event)
        zone = moments.zone(request.args.get("tz"), user.time_zone)
        first, last = moments.span(request.args.get("from"), request.args.get("to"), zone, LONGEST)
    except NotFound as error:
        return jsonify(error=str(error)), 404
    except Invalid as error:
        return jsonify(error=str(error)), 422
    return jsonify(
        [
            {**_times(slot, zone), "free": slot.free}
            for slot in client_booking.slots(the_bridge(), found, user, first, last)
        ]
    )


def _booked(response: Response) -> bool:
    return response.status_code == 303


@pages.post("/<studio>/<event>")
@limiter.limit("600 per minute")
@limiter.limit("60 per hour", deduct_when=_booked)
def book(studio: str, event: str) -> ResponseReturnValue:
    """Take a slot: 303 to the receipt, 409 if it is taken, 422 if something is wrong."""
    given = _given()
    try:
        found, user = at(studio, event)
    except NotFound as error:
        if request.is_json:
            return jsonify(error=str(error)), 404
        raise
    try:
        session = _take(found, user, given)
    except Taken as taken:
        return _not_now(found, user, given, taken)
    except Invalid as error:
        if request.is_json:
            return jsonify(error=str(error)), 422
        return _page(found, user, given, error=str(error)), 422
    client_mail.soon(the_bridge())
    return redirect(receipt(session), 303)


csrf.exempt(book)  # asks for the token itself, of forms


def at(studio: str, event: str) -> tuple[EventRow, UserRow]:
    """The event at this address. Raises NotFound."""
    with the_bridge().db.reading() as tx:
        return booking_events.at(tx, studio, event)


def receipt(session: Session) -> str:
    """The path of a session's receipt."""
    return url_for(
        "booking_receipt.show",
        studio=session.event.studio,
        event=session.event.slug,
        token=receipts.token(the_bridge(), session),
    )


def _given() -> dict[str, str]:
    """The fields we know, from a form with the page's token or from a JSON object."""
    if not request.is_json:
        csrf.protect()
        return {name: request.form.get(name, "") for name in FIELDS}
    body = request.get_json(silent=True)
    found = {name: body.get(name) for name in FIELDS} if isinstance(body, dict) else {}
    return {
        name: "yes" if value is True else str(value) if isinstance(value, str | int) and value else ""
        for name, value in found.items()
    }


def _take(event: EventRow, user: UserRow, given: dict[str, str]) -> Session:
    if given.get("website"):  # no person sees this field
        raise Invalid("Please leave the field “Website” empty, then try again.")
    if not given.get("start"):
        raise Invalid("Please choose a time.")
    zone = moments.zone(given.get("tz"), user.time_zone)
    start = moments.moment(given["start"], "start", ZoneInfo(user.time_zone))
    if given.get("agree", "").lower() not in YES:
        raise Invalid("Please agree that the studio keeps your details for this booking.")
    client = Client(given.get("name", ""), given.get("email", ""), given.get("phone", ""), zone.key)
    return client_booking.take(the_bridge(), event, user, start, client)


def _not_now(event: EventRow, user: UserRow, given: dict[str, str], taken: Taken) -> ResponseReturnValue:
    if request.is_json:
        zone = moments.zone(given.get("tz"), user.time_zone)
        return jsonify(error=str(taken), nearest=[_times(slot, zone) for slot in taken.nearest]), 409
    return _page(event, user, given | {"start": ""}, error=str(taken), nearest=taken.nearest), 409


def _times(slot: Slot, zone: ZoneInfo) -> dict[str, str]:
    starts, ends = (datetime.fromtimestamp(at, zone) for at in (slot.starts, slot.ends))
    return {"start": starts.isoformat(), "end": ends.isoformat()}


def _page(
    event: EventRow,
    user: UserRow,
    given: dict[str, str] | None = None,
    *,
    error: str = "",
    nearest: Any = (),
) -> str:
    """The page, with what was typed still in its fields."""
    given = given or {}
    try:
        zone = moments.zone(request.args.get("tz") or given.get("tz"), user.time_zone)
    except Invalid:
        zone = ZoneInfo(user.time_zone)
    wanted = request.args.get("day")
    if given.get("start"):
        wanted = given["start"][:10]
    month = booking_month.of(
        the_bridge(), event, user, zone, month=date_of(request.args.get("month")), day=date_of(wanted)
    )
    return render_template(
        "booking/event.html",
        event=event,
        month=month,
        zone=zone.key,
        studio_zone=user.time_zone,
        given=given,
        error=error,
        nearest=[booking_month.Choice.of(slot, zone, ZoneInfo(user.time_zone)) for slot in nearest],
        action=url_for("booking.book", studio=event.studio, event=event.slug),
        link=partial(url_for, "booking.show", studio=event.studio, event=event.slug, tz=zone.key),
        at_studio=url_for("booking.show", studio=event.studio, event=event.slug, tz=user.time_zone),
    )


def date_of(text: str | None) -> date | None:
    """A day or a month (its first day) from an address; None for anything else."""
    try:
        found = date.fromisoformat(text if text and len(text) == 10 else f"{text}-01")
    except ValueError:
        return None
    return found if 1971 < found.year < 9000 else None
