"""What a calendar home holds: which collections are calendars for events, and what may be done there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from bridge.ports import RemoteCalendar
from bridge.providers.caldav.paths import last_name, path_of
from bridge.providers.caldav.xml import APPLE, CAL, DAV, SERVER, Response, propfind

#: The properties that ``listed`` reads.
LISTING = propfind(
    DAV + "resourcetype",
    DAV + "displayname",
    DAV + "current-user-privilege-set",
    CAL + "supported-calendar-component-set",
    APPLE + "calendar-color",
)

#: The properties that ``cursors`` reads.
SURVEY = propfind(DAV + "resourcetype", DAV + "sync-token", SERVER + "getctag")

_NOT_FOR_EVENTS = {
    CAL + "schedule-inbox",
    CAL + "schedule-outbox",
    SERVER + "notification",
    SERVER + "dropbox-home",
    SERVER + "deleted-calendar",
    "{http://nextcloud.com/ns}trash-bin",
    "{http://nextcloud.com/ns}deleted-calendar",
}
_WRITING = {DAV + "all", DAV + "write", DAV + "write-content", DAV + "bind"}


def is_calendar(response: Response) -> bool:
    """Whether the resource is a calendar, and none of the collections that only look like one."""
    types = response.names(DAV + "resourcetype")
    return CAL + "calendar" in types and not types & _NOT_FOR_EVENTS


def is_writable(response: Response) -> bool:
    """Whether the signed-in user may write there; where the server does not tell, we try."""
    if SERVER + "subscribed" in response.names(DAV + "resourcetype"):
        return False
    privileges = response.names(DAV + "current-user-privilege-set")
    return not privileges or bool(privileges & _WRITING)


def holds_events(response: Response) -> bool:
    """Whether VEVENT is among the components it takes; no list means all (RFC 4791 5.2.3)."""
    element = response.props.get(CAL + "supported-calendar-component-set")
    components = (
        [] if element is None else [comp.get("name", "").upper() for comp in element.iter(CAL + "comp")]
    )
    return not components or "VEVENT" in components


def listed(responses: Iterable[Response]) -> Iterator[RemoteCalendar]:
    """The calendars for events among the answers to ``LISTING``."""
    for response in responses:
        if is_calendar(response) and holds_events(response):
            yield RemoteCalendar(
                id=path_of(response.href),
                name=response.text(DAV + "displayname") or last_name(response.href),
                color=response.text(APPLE + "calendar-color"),
                writable=is_writable(response),
            )


def cursors(responses: Iterable[Response]) -> Iterator[tuple[str, str]]:
    """Calendar id and cursor of each calendar among the answers to ``SURVEY`` that has one."""
    for response in responses:
        cursor = cursor_of(response.text(DAV + "sync-token"), response.text(SERVER + "getctag"))
        if is_calendar(response) and cursor is not None:
            yield path_of(response.href), cursor


def cursor_of(token: str | None, ctag: str | None) -> str | None:
    """A cursor in our own form. Where there is a token the ctag is left out: ``sync-collection`` does not
    tell it, and a cursor must be equal to a survey's whenever nothing has changed."""
    if token:
        return json.dumps({"token": token})
    return json.dumps({"ctag": ctag}) if ctag else None
