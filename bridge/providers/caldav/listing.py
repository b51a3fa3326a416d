"""What changed in a calendar: by sync-collection (RFC 6578), else by the collection's ctag and the objects'
tags. A server that answers an unknown token with a full listing as if nothing were wrong (DAViCal, SOGo)
cannot be told apart here: the engine lists everything from time to time.
"""

from __future__ import annotations

from bridge.errors import CursorLost
from bridge.ports import Changes, Entry
from bridge.providers.caldav.calendars import cursor_of
from bridge.providers.caldav.refusals import read_refused
from bridge.providers.caldav.server import Server
from bridge.providers.caldav.texts import tag_of
from bridge.providers.caldav.xml import DAV, SERVER, Multistatus, propfind, sync_collection
from bridge.providers.cursors import read_cursor

_STATE = propfind(DAV + "resourcetype", DAV + "sync-token", SERVER + "getctag")
_TAGS = propfind(DAV + "resourcetype", DAV + "getetag")


def changes(server: Server, calendar: str, cursor: str | None) -> Changes:
    """What changed since the cursor; everything where there is none, or no way to tell."""
    known = read_cursor(cursor)
    if server.capabilities.sync_token and "ctag" not in known:
        found = _sync(server, calendar, known.get("token", ""))
        if found is not None:
            return found
    return _compare(server, calendar, known.get("ctag"))


def _sync(server: Server, calendar: str, token: str) -> Changes | None:
    """The delta since the token, page by page; None if the server does not do this."""
    url = server.url(calendar)
    entries: dict[str, Entry] = {}
    gone: set[str] = set()
    complete = not token
    while True:
        answer = server.client.xml("REPORT", url, sync_collection(token))
        if answer.status in (404, 410):
            raise read_refused(answer)
        if answer.status != 207:
            if token:  # also 500: what Xandikos says to a token it cannot read
                raise CursorLost(f"{server.host} no longer knows where we left off.")
            return None
        report = Multistatus(answer)
        more = False
        for response in report:
            href = server.member(calendar, response)
            if href is None:
                more = more or response.status == 507
            elif response.status in (404, 410):
                entries.pop(href, None)
                gone.add(href)
            elif response.status is None or response.status < 300:
                gone.discard(href)
                entries[href] = Entry(href, tag_of(response))
        cursor = cursor_of(report.sync_token, None)
        if cursor is None:
            return None  # a report without a token is no sync report
        if not more:
            kept = frozenset() if complete else frozenset(gone)
            return Changes(list(entries.values()), kept, complete, cursor)
        if report.sync_token == token:
            raise CursorLost(f"{server.host} cuts its answer short. We list everything instead.")
        token = report.sync_token or ""


def _compare(server: Server, calendar: str, ctag: str | None) -> Changes:
    """By ctag, else by the tags of all objects. The ctag is read first: what changes meanwhile shows next
    time."""
    now = server.own(calendar, _STATE).text(SERVER + "getctag")
    if now is not None and now == ctag:
        return Changes([], frozenset(), False, cursor_of(None, now))
    answer = server.client.xml("PROPFIND", server.url(calendar), _TAGS, "1")
    if answer.status != 207:
        raise read_refused(answer)
    entries = []
    for response in Multistatus(answer):
        href = server.member(calendar, response)
        if href is not None and DAV + "collection" not in response.names(DAV + "resourcetype"):
            entries.append(Entry(href, tag_of(response)))
    if server.capabilities.sync_token:
        server.learn("sync", False)
    return Changes(entries, frozenset(), True, cursor_of(None, now))
