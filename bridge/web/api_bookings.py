"""``/api/v1/bookings``: the bookings of the built-in source and the blocks: list, add, move, cancel.

As ``booking …`` on the command line, by the same rules (``bridge.service.bookings``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import jsonify, request, url_for
from flask.typing import ResponseReturnValue

from bridge.errors import Invalid, NotFound
from bridge.service import audit, bookings, client_booking, client_mail
from bridge.store import booking_events, calendars
from bridge.web.access import blueprint, body, needs
from bridge.web.security import the_bridge
from bridge.web.session import now, visitor

pages = blueprint("api_bookings")

#: One answer.
MOST = 500


@pages.get("/bookings")
@needs("read")
def listing() -> ResponseReturnValue:
    """All of them, earliest first, ``limit`` at a time from ``offset`` on."""
    limit, offset = _number("limit", MOST, 1, MOST), _number("offset", 0, 0, 10_000_000)
    with the_bridge().db.reading() as tx:
        rows = bookings.list_(tx, visitor().user)
    return jsonify({"total": len(rows), "bookings": [dict(row) for row in rows[offset : offset + limit]]})


@pages.post("/bookings")
@needs("write")
def add() -> ResponseReturnValue:
    """``title``, ``start`` (ISO 8601), ``duration`` (minutes), ``place``, ``notes``, ``status``."""
    given = body(title=str, start=str, duration=int, place=str, notes=str, status=str)
    if not {"title", "start", "duration"} <= given.keys():
        raise Invalid("A booking needs “title”, “start” and “duration” (minutes).")
    bridge, me = the_bridge(), visitor().user
    with bridge.db.writing() as tx:
        uid, href = bookings.add(
            tx,
            me,
            given["title"],
            given["start"],
            given["duration"],
            given.get("place", ""),
            given.get("notes", ""),
            given.get("status", "confirmed"),
            now(),
            actor=audit.actor(),
        )
    bridge.due.set()
    answer = jsonify({"uid": uid, "href": href})
    answer.headers["Location"] = url_for("api_bookings.one", uid=uid)
    return answer, 201


@pages.get("/bookings/<uid:uid>")
@needs("read")
def one(uid: str) -> ResponseReturnValue:
    """One booking or block."""
    return jsonify(_find(uid))


@pages.patch("/bookings/<uid:uid>")
@needs("write")
def move(uid: str) -> ResponseReturnValue:
    """Another ``start``, and another ``duration`` if it is given; answers with the booking as it is then."""
    given = body(start=str, duration=int)
    if "start" not in given:
        raise Invalid("Send “start”, and “duration” (minutes) if the length changes.")
    bridge, me = the_bridge(), visitor().user
    _find(uid)
    with bridge.db.writing() as tx:
        bookings.move(tx, me, uid, given["start"], given.get("duration"), now(), actor=audit.actor())
    bridge.due.set()
    return jsonify(_find(uid))


@pages.delete("/bookings/<uid:uid>")
@needs("write")
def cancel(uid: str) -> ResponseReturnValue:
    """Cancel a booking (it stays listed as cancelled), or delete a block."""
    bridge, me = the_bridge(), visitor().user
    _find(uid)
    with bridge.db.writing() as tx:
        bookings.cancel(tx, me, uid, now(), actor=audit.actor())
    bridge.due.set()
    return "", 204


@pages.post("/bookings/<path:uid>/confirm")
@needs("write")
def confirm(uid: str) -> ResponseReturnValue:
    """A session that a client holds, or that is reserved, becomes a booking: it is paid. Confirming it again
    changes nothing; one whose hold ran out is refused."""
    bridge, me = the_bridge(), visitor().user
    with bridge.db.reading() as tx:
        row = booking_events.client_of(tx, calendars.bookings(tx, me.id).id, uid)
    if row is None:
        raise NotFound("No session of this UID was booked through a booking page.")
    client_booking.confirm(bridge, row.id)
    client_mail.soon(bridge)
    return jsonify(_find(uid))


def _find(uid: str) -> Mapping[str, Any]:
    with the_bridge().db.reading() as tx:
        found = bookings.one(tx, visitor().user, uid)
    if found is None:
        raise NotFound("There is no booking of this UID.")
    return found


def _number(name: str, default: int, least: int, most: int) -> int:
    given = request.args.get(name)
    if given is None:
        return default
    if not (given.isascii() and given.isdigit() and least <= int(given[:12]) <= most):
        raise Invalid(f"“{name}” must be a whole number from {least} to {most}.")
    return int(given)
