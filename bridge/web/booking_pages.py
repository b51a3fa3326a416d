"""The photographer's booking pages: list, make, change, put away, and hand out the link.

Their single days and sessions are ``booking_days``', the address book is ``booking_places``'.
"""

from __future__ import annotations

import io
from datetime import date
from zoneinfo import ZoneInfo

import segno
from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from bridge.errors import BridgeError, Invalid
from bridge.service import booking_days, booking_events
from bridge.store import booking_events as rows
from bridge.store import places
from bridge.store.booking_events import EventRow
from bridge.web import booking_forms
from bridge.web.security import the_bridge
from bridge.web.session import now, visitor

pages = Blueprint("booking_pages", __name__, url_prefix="/booking-pages")

#: What the list can show, and the status behind it.
SHOWN = {"active": "Active", "disabled": "Disabled", "archived": "Archived"}
DONE = {
    "active": "“{}” takes bookings again.",
    "disabled": "“{}” offers nothing any more. Sessions that are booked stay.",
    "archived": "“{}” is put away. Sessions that are booked stay.",
}


@pages.get("")
def show() -> ResponseReturnValue:
    """All of them with one status."""
    me, wanted = visitor().user, request.args.get("show", "active")
    with the_bridge().db.reading() as tx:
        every = rows.of_user(tx, me.id)
        ahead = rows.ahead(tx, me.id, int(now().timestamp()))
    return render_template(
        "booking_pages/list.html",
        events=[(event, dates_of(event)) for event in reversed(every) if event.status == wanted],
        counts={status: sum(event.status == status for event in every) for status in SHOWN},
        shown=SHOWN,
        wanted=wanted,
        ahead=ahead,
        today=today(),
        own=me.source == "studio",
    )


@pages.get("/new")
def ask() -> ResponseReturnValue:
    """The form for one more."""
    return _form(booking_forms.Event(formdata=None))


@pages.post("/new")
def make() -> ResponseReturnValue:
    """Make it."""
    form, me, bridge = booking_forms.Event(), visitor().user, the_bridge()
    if not form.validate():
        return _form(form), 422
    try:
        plan = booking_forms.plan_of(form)
        with bridge.db.writing() as tx:
            event = booking_events.add(tx, me, plan, now())
    except BridgeError as error:
        return _form(form, error=str(error)), 422
    flash("Your booking page is ready. Share its link with your clients.")
    return redirect(url_for("booking_pages.one", event=event.id), 303)


@pages.get("/<int:event>")
def one(event: int) -> ResponseReturnValue:
    """One page: its link, its dates, what can be done with it."""
    return page(mine(event))


@pages.get("/<int:event>/edit")
def ask_change(event: int) -> ResponseReturnValue:
    """The form, as it is."""
    found = mine(event)
    return _form(booking_forms.filled(found), found)


@pages.post("/<int:event>/edit")
def change(event: int) -> ResponseReturnValue:
    """Save what was changed."""
    found, form = mine(event), booking_forms.Event()
    if not form.validate():
        return _form(form, found), 422
    try:
        plan = booking_forms.plan_of(form)
        with the_bridge().db.writing() as tx:
            booking_events.edit(tx, rows.mine(tx, visitor().user.id, event), visitor().user, plan)
    except BridgeError as error:
        return _form(form, found, str(error)), 422
    flash("Saved. Sessions that are booked already stay as they are.")
    return redirect(url_for("booking_pages.one", event=event), 303)


@pages.post("/<int:event>/status")
def set_status(event: int) -> ResponseReturnValue:
    """Disable, enable or archive it."""
    status = request.form.get("status", "")
    if status not in SHOWN:
        raise Invalid("Choose active, disabled or archived.")
    found = mine(event)
    with the_bridge().db.writing() as tx:
        booking_events.set_status(tx, found.id, status)
    flash(DONE[status].format(found.title))
    return redirect(url_for("booking_pages.one", event=event), 303)


@pages.post("/<int:event>/duplicate")
def duplicate(event: int) -> ResponseReturnValue:
    """The same once more."""
    found = mine(event)
    with the_bridge().db.writing() as tx:
        copy = booking_events.duplicate(tx, found, now())
    flash("This is the copy. Change what differs, then enable it: until then it offers nothing.")
    return redirect(url_for("booking_pages.ask_change", event=copy.id), 303)


@pages.post("/<int:event>/dates")
def add_dates(event: int) -> ResponseReturnValue:
    """More dates."""
    found, form = mine(event), booking_forms.Dates()
    try:
        if not form.validate():
            raise Invalid("That is longer than it can be.")
        plan = booking_forms.dates_plan(form, found)
        with the_bridge().db.writing() as tx:
            booking_days.add(tx, rows.mine(tx, visitor().user.id, event), visitor().user, plan)
    except Invalid as error:
        return page(found, form, str(error)), 422
    flash("The dates are added.")
    return redirect(url_for("booking_pages.one", event=event), 303)


@pages.get("/<int:event>/qr.svg")
def qr(event: int) -> ResponseReturnValue:
    """The link as a QR code, to print."""
    drawn = io.BytesIO()
    code = segno.make(booking_events.url(the_bridge(), mine(event)), error="m")
    code.save(drawn, kind="svg", scale=12, border=4, light="#fff")
    answer = Response(drawn.getvalue(), mimetype="image/svg+xml")
    answer.headers["Content-Disposition"] = 'attachment; filename="booking-page.svg"'
    return answer


def mine(event_id: int) -> EventRow:
    """The visitor's event of that number. Raises NotFound."""
    with the_bridge().db.reading() as tx:
        return rows.mine(tx, visitor().user.id, event_id)


def today() -> date:
    """By the studio's clock."""
    return now().astimezone(visitor().zone).date()


def dates_of(event: EventRow) -> list[date]:
    """The dates it names, in order."""
    return sorted(map(date.fromisoformat, event.days or ()))


def page(event: EventRow, form: booking_forms.Dates | None = None, error: str = "") -> str:
    """One booking page as its owner sees it."""
    url = booking_events.url(the_bridge(), event)
    code = segno.make(url, error="m").svg_inline(scale=4, border=3, light="#fff")
    with the_bridge().db.reading() as tx:
        ahead = rows.ahead(tx, visitor().user.id, int(now().timestamp())).get(event.id, 0)
    zone = ZoneInfo(visitor().user.time_zone)
    days = [
        (
            day,
            booking_forms.spelled_parts((event.days or {})[day.isoformat()]["open"]),
            booking_days.light_of(event, day, zone),
        )
        for day in dates_of(event)
    ]
    return render_template(
        "booking_pages/one.html",
        event=event,
        url=url,
        qr=Markup(code),  # noqa: S704 (segno's own markup, of an address of ours)
        days=[one for one in days if one[0] >= today()],
        past=[one for one in days if one[0] < today()],
        form=form or booking_forms.Dates(formdata=None),
        error=error,
        ahead=ahead,
        today=today(),
    )


def _form(form: booking_forms.Event, event: EventRow | None = None, error: str = "") -> str:
    with the_bridge().db.reading() as tx:
        known = places.of_user(tx, visitor().user.id)
    return render_template(
        "booking_pages/form.html",
        form=form,
        event=event,
        error=error,
        places=known,
        job_types=JOB_TYPES,
    )


#: Suggestions, as Picsello names them; any word may be typed.
JOB_TYPES = (
    *("wedding", "family", "maternity", "newborn", "event", "headshot", "portrait", "mini", "boudoir"),
    *("senior", "pets", "sports", "cake smash", "birth", "branding"),
)
