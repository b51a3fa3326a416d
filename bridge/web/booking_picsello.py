"""Picsello's own booking events, for whom bookings live there: to be looked at, beside what calendars say."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from bridge.errors import NotFound, ProviderError
from bridge.service import picsello_pages
from bridge.web.booking_pages import today
from bridge.web.security import the_bridge
from bridge.web.session import visitor

pages = Blueprint("booking_picsello", __name__, url_prefix="/booking-pages/picsello")


@pages.get("")
def show() -> ResponseReturnValue:
    """All of them, or why they can't be read."""
    bridge, me = the_bridge(), visitor()
    error, found = "", []
    try:
        found = picsello_pages.pages(bridge, me.user)
    except ProviderError as failed:
        error = str(failed)
    return render_template(
        "booking_pages/picsello.html",
        pages=[(page, picsello_pages.coming(page, today())) for page in found],
        error=error,
        today=today(),
    )


@pages.get("/<int:number>")
def one(number: int) -> ResponseReturnValue:
    """One of them with its slots to come."""
    bridge, me = the_bridge(), visitor()
    page = next((page for page in picsello_pages.pages(bridge, me.user) if page.number == number), None)
    if page is None:
        raise NotFound("Picsello has no such booking event (any more).")
    days = [(day, picsello_pages.lines(bridge, me.user, day)) for day in picsello_pages.coming(page, today())]
    return render_template(
        "booking_pages/picsello_one.html",
        page=page,
        days=days,
        local=partial(datetime.fromtimestamp, tz=me.zone),
        today=today(),
    )
