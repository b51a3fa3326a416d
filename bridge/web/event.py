"""One event: what it is, where it came from and where it went; move it, cancel it, make a block.

Each is a page that works without a script; the calendar shows the same pages in a dialog.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import quote

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from bridge.errors import BridgeError, Invalid, NotAllowed
from bridge.ical.text import parse
from bridge.service import agenda, bookings, moving
from bridge.store import accounts, links, pairings
from bridge.store.objects import StoredObject
from bridge.web import forms, words
from bridge.web.agenda import color
from bridge.web.security import the_bridge
from bridge.web.session import now, visitor

pages = Blueprint("event", __name__, url_prefix="/calendar")

#: Where a place is looked up; only a click sends it there.
MAP = "https://www.openstreetmap.org/search?query="

KINDS = {"booking": "Booking", "block": "Block", "foreign": "Event"}


@dataclass(frozen=True, slots=True)
class Travel:
    """Where an event came from or went: ``words`` and whether it has arrived."""

    words: str
    arrived: bool


@pages.get("/events/<int:event>")
def show(event: int) -> ResponseReturnValue:
    """The event, at the date asked for."""
    return _page(event)


@pages.post("/events/<int:event>/move")
def move(event: int) -> ResponseReturnValue:
    """Another time, typed instead of dragged."""
    form, me = forms.Move(), visitor().user
    if not form.validate():
        return _page(event, form), 422
    bridge = the_bridge()
    try:
        start, end = form.start.data, _end(form.start.data, form.end.data)
        with bridge.db.writing() as tx:
            moved = moving.move(
                tx, me, event, start, end, etag=form.etag.data, now=now(), actor=f"user:{me.id}"
            )
    except BridgeError as error:
        form.start.errors = [str(error)]
        return _page(event, form), 422
    bridge.due.set()
    flash("Moved. Your other calendars follow in a moment.")
    return redirect(url_for("event.show", event=event, at=moved.starts), 303)


@pages.post("/events/<int:event>/cancel")
def cancel(event: int) -> ResponseReturnValue:
    """Cancel a booking everywhere, or delete a block."""
    me, bridge = visitor().user, the_bridge()
    with bridge.db.writing() as tx:
        _, stored = agenda.one(tx, me.id, event)
        if stored.kind == "foreign":
            raise NotAllowed("This event belongs to another calendar. Delete it there.")
        bookings.cancel(tx, me, stored.uid, now(), actor=f"user:{me.id}")
    bridge.due.set()
    flash("The block is gone." if stored.kind == "block" else "The booking is cancelled.")
    return redirect(url_for("agenda.show"), 303)


@pages.get("/block")
def ask_block() -> ResponseReturnValue:
    """The form for a block, filled in from ``start`` and ``end`` if they are given."""
    start = _typed(request.args.get("start"))
    return _block(forms.Block(formdata=None, start=start, end=_typed(request.args.get("end")) or start))


@pages.post("/block")
def block() -> ResponseReturnValue:
    """Close a time for bookings."""
    form, me = forms.Block(), visitor().user
    if not form.validate():
        return _block(form), 422
    bridge = the_bridge()
    start, end = form.start.data, form.end.data
    try:
        if form.all_day.data:
            start, end = start[:10], _next_day(end[:10])
        with bridge.db.writing() as tx:
            moving.block(tx, me, form.title.data or "", start, end, now=now(), actor=f"user:{me.id}")
    except Invalid as error:
        form.start.errors = [str(error)]
        return _block(form), 422
    bridge.due.set()
    flash("Blocked. Nobody can be booked there any more.")
    return redirect(url_for("agenda.show"), 303)


def _block(form: forms.Block) -> str:
    return render_template("block.html", form=form)


def _page(event: int, form: forms.Move | None = None) -> str:
    me = visitor()
    try:
        at = (
            datetime.fromtimestamp(request.args.get("at", type=int) or 0, UTC)
            if "at" in request.args
            else None
        )
    except (ValueError, OverflowError, OSError):
        at = None
    with the_bridge().db.reading() as tx:
        calendar, stored = agenda.one(tx, me.user.id, event)
        travels = _travels(tx, me.user.id, calendar, stored)
    what = agenda.occurrence(calendar, stored, at, me.zone)
    if form is None and what is not None:
        last = what.ends - timedelta(days=1) if what.all_day else what.ends
        shape = "%Y-%m-%d" if what.all_day else "%Y-%m-%dT%H:%M"
        form = forms.Move(
            formdata=None, start=f"{what.starts:{shape}}", end=f"{last:{shape}}", etag=what.etag
        )
    return render_template(
        "event.html",
        what=what,
        form=form,
        calendar=calendar,
        color=color(calendar),
        kind=KINDS[stored.kind],
        stored=stored,
        when=_when(what, now().astimezone(me.zone).date()) if what else "",
        map=MAP + quote(what.told.place) if what and what.told.place else None,
        page_of_job=_address(stored.text),
        travels=travels,
        today=now().astimezone(me.zone).date(),
    )


def _travels(tx: Connection, user_id: int, calendar: agenda.Shown, stored: StoredObject) -> list[Travel]:
    """In words: which provider it came from, and which ones have it."""
    found = []
    labels = {account.id: account.label for account in accounts.of_user(tx, user_id)}
    for link in links.of_user(tx, user_id):
        where = f"“{link.name}” at {labels.get(link.account_id, 'your account')}"
        pair = pairings.by_uid(tx, link.id, stored.calendar_id, stored.uid)
        if calendar.kind == "mirror" and link.mirror_id == calendar.id:
            found.append(Travel(f"Comes from {where}", True))
        elif pair is not None and pair.base_tag is not None:
            same = pair.base_etag == stored.etag
            found.append(Travel(f"{'Is' if same else 'On its way to'} {'in ' if same else ''}{where}", same))
        elif link.writes and calendar.kind == "bookings" and stored.status != "CANCELLED":
            found.append(Travel(f"On its way to {where}", False))
    return found


def _when(what: agenda.Happening, today: date) -> str:
    """``Wednesday, 25 November, 14:00 – 15:00``."""
    first = words.long_date(what.starts.date(), today)
    last = (what.ends - timedelta(seconds=1)).date() if what.ends > what.starts else what.starts.date()
    if what.all_day:
        return first if last <= what.starts.date() else f"{first} to {words.long_date(last, today)}"
    ends = words.clock(what.ends)
    if last > what.starts.date():
        ends = f"{words.long_date(what.ends.date(), today)}, {ends}"
    return f"{first}, {words.clock(what.starts)} – {ends}"


def _address(text: str) -> str | None:
    """The event's own web page (RFC 5545 3.8.4.6), such as the job in Picsello."""
    event = next(parse(text).components("VEVENT"), None)
    url = (event.value("URL") or "").strip() if event is not None else ""
    return url if url.startswith("https://") else None


def _typed(given: str | None) -> str:
    """A time from the address, in the shape of a form field; nonsense is left out."""
    try:
        return f"{datetime.fromisoformat(given or ''):%Y-%m-%dT%H:%M}"
    except ValueError:
        return ""


def _end(start: str, end: str) -> str:
    """All-day forms name the last day; everything else the moment after."""
    return _next_day(end) if len(start) == 10 else end


def _next_day(day: str) -> str:
    try:
        return (date.fromisoformat(day) + timedelta(days=1)).isoformat()
    except (ValueError, OverflowError):
        raise Invalid(f"“{day[:40]}” is no date.") from None
