"""A calendar of its own for the bookings, made at Google (``calendars.insert``).

The right to do so (``calendar.app.created``: calendars that we make, and no others) is not asked for at the
first sign-in. Whether we have it is known to Google alone, since it can be taken back there at any time: so
we try, and a refusal for want of it makes nothing.
"""

from __future__ import annotations

from contextlib import suppress

from bridge.errors import ConsentNeeded, ObjectGone
from bridge.ports import RemoteCalendar
from bridge.providers.google.wire import Json, ScopeMissing, Wire

NOT_ALLOWED = (
    "Google has not allowed us to make a calendar. Sign in once more for that and tick the box for it there, "
    "or make a calendar at Google yourself and choose it here."
)


def make(wire: Wire, name: str) -> RemoteCalendar:
    """A new calendar, on the clock of the user's first one: without a word, it might be on another."""
    asked: Json = {"summary": name}
    with suppress(ObjectGone):  # an account that never opened its calendar
        asked["timeZone"] = wire.call("GET", "users/me/calendarList/primary").get("timeZone", "UTC")
    try:
        made = wire.call("POST", "calendars", body=asked)
    except ScopeMissing as error:
        raise ConsentNeeded(NOT_ALLOWED) from error
    return RemoteCalendar(made["id"], made.get("summary", name))
