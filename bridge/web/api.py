"""``/api/v1``: the events of a window as JSON, and moving them.

Who may call them is said by ``access``; refusals are problem details (``problems``).
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from bridge.errors import Invalid
from bridge.service import agenda, audit, moving
from bridge.web.access import blueprint, body, needs
from bridge.web.agenda import address, event_pages
from bridge.web.security import the_bridge
from bridge.web.session import now, visitor

pages = blueprint("api")

#: A year's view with its margins; more in one answer would be a copy of the store.
LONGEST_WINDOW = timedelta(days=400)


@pages.get("/events")
@needs("read")
def events() -> ResponseReturnValue:
    """What touches ``[from, to)``: dates or ISO 8601 times, in the user's zone unless they have an offset."""
    me = visitor()
    start = _moment(request.args.get("from"), "from", me.zone)
    end = _moment(request.args.get("to"), "to", me.zone)
    if not timedelta() < end - start <= LONGEST_WINDOW:
        raise Invalid("“to” must come after “from”, by at most 400 days.")
    with the_bridge().db.reading() as tx:
        found = agenda.between(tx, me.user.id, start, end, me.zone)
    crossed = _crossed(found)
    pages_of_events = event_pages()
    return jsonify([_event(one, id(one) in crossed, pages_of_events) for one in found])


@pages.post("/events/<int:event>/move")
@needs("write")
def move(event: int) -> ResponseReturnValue:
    """Another time: ``{"start", "end"?, "etag"}``; answers with the new ``etag``."""
    me, given = visitor().user, body(start=str, end=str, etag=str)
    if not {"start", "etag"} <= given.keys():
        raise Invalid("Send “start” and “etag”, and “end” if the length changes.")
    start, end, etag = given["start"], given.get("end"), given["etag"]
    bridge = the_bridge()
    with bridge.db.writing() as tx:
        moved = moving.move(tx, me, event, start, end, etag=etag, now=now(), actor=audit.actor())
    bridge.due.set()
    return jsonify(etag=moved.etag)


def _moment(given: str | None, name: str, zone: ZoneInfo) -> datetime:
    """A bound of the window; a time that daylight saving leaves out is a fine bound."""
    try:
        text = given or ""
        found = (
            datetime.combine(date.fromisoformat(text), time())
            if len(text) == 10
            else datetime.fromisoformat(text)
        )
        found = found if found.tzinfo else found.replace(tzinfo=zone)
        found.astimezone(zone)
    except (ValueError, OverflowError):
        raise Invalid(
            f"“{name}” must be a date or a time such as 2027-05-01 or 2027-05-01T00:00+02:00."
        ) from None
    if not 1971 <= found.year <= 9000:
        raise Invalid(f"The year {found.year} is beyond any calendar.")
    return found


def _event(one: agenda.Happening, crossed: bool, pages_of_events: str) -> dict[str, Any]:
    wall = (lambda at: at.date().isoformat()) if one.all_day else datetime.isoformat
    return {
        "id": f"{one.object_id}@{int(one.starts.timestamp())}",
        "object": one.object_id,
        "etag": one.etag,
        "uid": one.uid,
        "calendar": one.calendar.id,
        "kind": one.kind,
        "title": one.told.title,
        "place": one.told.place,
        "status": one.told.status.lower(),
        "start": wall(one.starts),
        "end": wall(one.ends),
        "allDay": one.all_day,
        "recurring": one.recurring,
        "busy": one.told.busy,
        "movable": one.movable,
        "conflict": crossed,
        "url": address(one, pages_of_events),
    }


def _crossed(found: list[agenda.Happening]) -> set[int]:
    """By ``id``: the bookings that something else that takes time lies across, and what lies across them.

    Whole days of another calendar (a birthday, a holiday) cross nothing unless they are a block: they mark
    far more days than they fill.
    """
    crossed: set[int] = set()
    open_: list[agenda.Happening] = []
    timed = [one for one in found if one.told.busy and (not one.all_day or one.kind == "block")]
    for one in sorted(timed, key=lambda one: one.starts):
        open_ = [other for other in open_ if other.ends > one.starts]
        for other in open_:
            if "booking" in (one.kind, other.kind) and one.uid != other.uid:
                crossed |= {id(one), id(other)}
        open_.append(one)
    return crossed
