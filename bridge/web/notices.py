"""Notices: put one away, or do what it offers."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, url_for
from flask.typing import ResponseReturnValue

from bridge.service import bookings
from bridge.store import notices
from bridge.web import own
from bridge.web.security import the_bridge
from bridge.web.session import now, visitor

pages = Blueprint("notices", __name__, url_prefix="/notices")


@pages.post("/<int:notice>/dismiss")
def dismiss(notice: int) -> ResponseReturnValue:
    """Put it away."""
    row = own.notice(notice)
    with the_bridge().db.writing() as tx:
        notices.dismiss(tx, visitor().user.id, row.id, now())
    return redirect(url_for("agenda.show"), 303)


@pages.post("/<int:notice>/cancel-booking")
def cancel_booking(notice: int) -> ResponseReturnValue:
    """Cancel the booking that was put back, everywhere; and put the notice away."""
    row, me = own.notice(notice), visitor().user
    with the_bridge().db.writing() as tx:
        if row.uid is not None:
            bookings.cancel(tx, me, row.uid, now(), actor=f"user:{me.id}")
        notices.dismiss(tx, me.id, row.id, now())
    flash("The booking is cancelled. Your other calendars follow in a moment.")
    return redirect(url_for("agenda.show"), 303)
