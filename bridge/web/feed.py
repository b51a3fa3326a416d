"""``/feeds/<token>.ics``: what calendar apps read that subscribe to a user's bookings.

Whoever has the address may read it; an unknown one is a plain 404, never a page."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from bridge.errors import NotFound
from bridge.service import feeds
from bridge.web.security import the_bridge

pages = Blueprint("feed", __name__)


@pages.get("/feeds/<token>.ics")
def fetch(token: str) -> ResponseReturnValue:
    """The calendar, or 304 if the client has it already."""
    client = request.user_agent.string or "an unknown app"
    try:
        content = feeds.fetch(the_bridge(), token, known=request.if_none_match.contains_weak, client=client)
    except NotFound as error:
        return Response(f"{error}\n", 404, mimetype="text/plain")
    response = Response(content.text, 200 if content.text is not None else 304, mimetype="text/calendar")
    response.headers["Content-Type"] = "text/calendar; charset=utf-8"
    response.headers["Content-Disposition"] = 'inline; filename="bookings.ics"'
    response.set_etag(content.etag)
    response.cache_control.private = True
    response.cache_control.no_cache = True  # keep it, but ask each time whether it is still right
    return response
