"""``/api/v1/availability``: free or not, and why; the same answer as booking pages and free-busy give.

The titles of what is in the way are the owner's own: a token that may only ask for free times is not told
them.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import g, jsonify, request
from flask.typing import ResponseReturnValue

from bridge.errors import Invalid
from bridge.service import availability, client_booking
from bridge.web import moments
from bridge.web.access import blueprint, needs
from bridge.web.security import the_bridge
from bridge.web.session import visitor

pages = blueprint("availability")

LONGEST = timedelta(days=100)


@pages.get("/availability")
@needs("availability", "read")
def show() -> ResponseReturnValue:
    """``from``, ``to`` (dates or ISO 8601 times), ``duration`` (minutes; default: all of it), ``tz``.

    ``free``: whether there is room for ``duration`` minutes; ``room``: every stretch that long; ``reasons``:
    what is in the way between ``from`` and ``to``."""
    bridge, me = the_bridge(), visitor().user
    zone = moments.zone(request.args.get("tz"), me.time_zone)
    first, last = moments.span(request.args.get("from"), request.args.get("to"), zone, LONGEST)
    length = _duration(request.args.get("duration"), last - first)
    client_booking.release_expired(bridge)
    token = g.get("token")
    named = token is None or "read" in token.scopes
    with bridge.db.reading() as tx:
        answer = availability.explain(tx, bridge, me, first, last, length)
    return jsonify(
        {
            "from": _iso(first, zone),
            "to": _iso(last, zone),
            "duration": answer.length / 60,
            "free": answer.free,
            "room": [{"start": _iso(starts, zone), "end": _iso(ends, zone)} for starts, ends in answer.room],
            "reasons": [_reason(reason, zone, named) for reason in answer.reasons],
        }
    )


def _reason(reason: availability.Explained, zone: ZoneInfo, named: bool) -> dict[str, Any]:
    known = {
        name: value for name, value in asdict(reason).items() if value is not None and name != "object_id"
    }
    if not named:
        known = {name: known[name] for name in ("why", "starts", "ends")}
    starts, ends = known.pop("starts"), known.pop("ends")
    return {**known, "start": _iso(starts, zone), "end": _iso(ends, zone)}


def _duration(given: str | None, whole: int) -> int:
    if given is None or not given.strip():
        return whole
    if not (given.isascii() and given.isdigit() and 0 < int(given[:9]) * 60 <= whole):
        raise Invalid("“duration” must be minutes, at most as many as lie between “from” and “to”.")
    return int(given) * 60


def _iso(moment: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(moment, zone).isoformat()
