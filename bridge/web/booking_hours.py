"""Opening hours, days off, and the room kept free around sessions and private events."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bridge.errors import Invalid
from bridge.service import openings
from bridge.service.booking_plans import WEEKDAYS
from bridge.web.booking_forms import number, split
from bridge.web.security import the_bridge
from bridge.web.session import visitor

pages = Blueprint("booking_hours", __name__, url_prefix="/booking-pages/opening-hours")

_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@pages.get("")
def show() -> ResponseReturnValue:
    """As they are."""
    with the_bridge().db.reading() as tx:
        known = openings.opening(tx, visitor().user)
    hours: dict[str, list[str]] = {day: [] for day in WEEKDAYS}
    for one in known["hours"]:
        day, _, block = one.partition("=")
        hours[day].append(block)
    before, _, after = known["private"][0].partition(",")
    given = {day: ", ".join(blocks) for day, blocks in hours.items()} | {
        "closed": "\n".join(known["closed"]),
        "buffers": "\n".join(known["buffers"]),
        "tentative": known["tentative"] == ["busy"],
        "private_before": before,
        "private_after": after,
    }
    return _page(given)


@pages.post("")
def save() -> ResponseReturnValue:
    """As they are to be."""
    given: dict[str, Any] = {
        name: request.form.get(name, "").strip()
        for name in (*WEEKDAYS, "closed", "buffers", "private_before", "private_after")
    }
    given["tentative"] = "tentative" in request.form
    try:
        private = tuple(number("Minutes", given[f"private_{side}"]) for side in ("before", "after"))
        with the_bridge().db.writing() as tx:
            openings.set_opening(
                tx,
                visitor().user,
                hours=[f"{day}={block}" for day in WEEKDAYS for block in split(given[day])],
                closed=given["closed"].split(),
                tentative_blocks=given["tentative"],
                private=(private[0], private[1]),
                buffers=dict(
                    map(openings.buffer, filter(None, map(str.strip, given["buffers"].splitlines())))
                ),
            )
    except Invalid as error:
        return _page(given, str(error)), 422
    flash("Saved. Your booking pages follow at once.")
    return redirect(url_for("booking_hours.show"), 303)


def _page(given: dict[str, Any], error: str = "") -> str:
    weekdays = list(zip(WEEKDAYS, _NAMES, strict=True))
    return render_template("booking_pages/hours.html", given=given, weekdays=weekdays, error=error)
