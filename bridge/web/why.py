"""“Free or not, and why”: what stands in the way of a session at any time, with the event behind it.

The same answer as ``/api/v1/availability`` and the booking pages give, in words, for its owner alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from bridge.errors import Invalid
from bridge.service import availability, client_booking
from bridge.service.availability import Explained
from bridge.store import booking_events as rows
from bridge.web import moments, words
from bridge.web.security import limiter, the_bridge
from bridge.web.session import now, visitor

pages = Blueprint("why", __name__, url_prefix="/calendar/why")

LONGEST = timedelta(days=31)


@pages.get("")
@limiter.limit("600 per minute")
def show() -> ResponseReturnValue:
    """``from`` and ``to`` as typed; ``event``: by whose rules, for a session that begins at ``from``."""
    me, bridge = visitor(), the_bridge()
    first = now().astimezone(me.zone).replace(minute=0, second=0) + timedelta(hours=1)
    asked: dict[str, Any] = {
        "start": request.args.get("from") or f"{first:%Y-%m-%dT%H:%M}",
        "end": request.args.get("to") or f"{first + timedelta(hours=1):%Y-%m-%dT%H:%M}",
        "event": request.args.get("event", type=int),
    }
    with bridge.db.reading() as tx:
        events = [event for event in rows.of_user(tx, me.user.id) if event.status != "archived"]
    free: bool | None = None
    error, when, reasons = "", "", list[Explained]()
    if "from" in request.args:
        try:
            starts, ends = moments.span(asked["start"], asked["end"], me.zone, LONGEST)
            free, ends, reasons = _judged(starts, ends, asked["event"])
            when = _when(starts, ends, me.zone)
        except Invalid as refused:
            error = str(refused)
    return render_template(
        "booking_pages/why.html",
        asked=asked,
        events=events,
        free=free,
        when=when,
        error=error,
        reasons=[
            (
                reason,
                datetime.fromtimestamp(reason.starts, me.zone),
                datetime.fromtimestamp(reason.ends, me.zone),
            )
            for reason in reasons
        ],
        today=now().astimezone(me.zone).date(),
    )


def _judged(starts: int, ends: int, event_id: int | None) -> tuple[bool, int, list[Explained]]:
    bridge, me = the_bridge(), visitor().user
    client_booking.release_expired(bridge)
    with bridge.db.reading() as tx:
        if event_id is None:
            answer = availability.explain(tx, bridge, me, starts, ends)
            return answer.free, ends, list(answer.reasons)
        event = rows.mine(tx, me.id, event_id)
        free, reasons = availability.explain_session(tx, bridge, me, event, starts)
        return free, starts + event.length, reasons


def _when(starts: int, ends: int, zone: ZoneInfo) -> str:
    first, last = (datetime.fromtimestamp(moment, zone) for moment in (starts, ends))
    today = now().astimezone(zone).date()
    until = words.clock(last)
    if last.date() != first.date():
        until = f"{words.long_date(last.date(), today)}, {until}"
    return f"{words.long_date(first.date(), today)}, {words.clock(first)} – {until}"
