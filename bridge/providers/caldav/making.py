"""One more calendar in the home, for the bookings alone."""

from __future__ import annotations

import secrets

from bridge.errors import NotPermitted, UnknownOutcome
from bridge.ports import RemoteCalendar
from bridge.providers.caldav import calendars
from bridge.providers.caldav.paths import key, path_of
from bridge.providers.caldav.refusals import read_refused
from bridge.providers.caldav.server import Server
from bridge.providers.caldav.xml import mkcalendar


def make(server: Server, name: str) -> RemoteCalendar:
    """A new calendar for events (RFC 4791 5.3.1), as the server then lists it. Raises NotPermitted where it
    has no such thing."""
    url = server.url(f"{path_of(server.home).rstrip('/')}/picsello-{secrets.token_hex(4)}/")
    answer = server.client.xml("MKCALENDAR", url, mkcalendar(name), depth=None)
    if answer.status in (403, 405, 409, 501):
        raise NotPermitted(
            f"{server.host} does not let us make a calendar. Make one there yourself, then choose it here."
        )
    if answer.status not in (200, 201):
        raise read_refused(answer)
    listed = list(calendars.listed(server.children(calendars.LISTING)))
    # some choose the address themselves (Yahoo, Open-Xchange): then it is known by its name, if by one alone
    for found in (
        [calendar for calendar in listed if key(calendar.id) == key(url)],
        [calendar for calendar in listed if calendar.name == name],
    ):
        if len(found) == 1:
            return found[0]
    raise UnknownOutcome(
        f"{server.host} made the calendar, but does not list it yet. Look again in a moment."
    )
