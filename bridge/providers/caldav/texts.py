"""The objects' texts and tags, read in batches where the server can, else one by one."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence

from bridge.errors import Blocked, NotACalendarServer
from bridge.ical.text import restore_crlf
from bridge.ports import Entry
from bridge.providers.caldav.paths import key
from bridge.providers.caldav.refusals import read_refused
from bridge.providers.caldav.server import Server
from bridge.providers.caldav.xml import DAV, Multistatus, Response, multiget
from bridge.providers.http import Answer

#: Of one multiget: objects, objects until it is known how large they are, and bytes that we expect back.
BATCH = 200
FIRST = 20
BATCH_BYTES = 2 * 1024 * 1024

#: Marks a tag that we made up because the server gave none: it equals nothing, so the text is compared.
UNTAGGED = "untagged:"


def fetch(server: Server, calendar: str, hrefs: Sequence[str]) -> Iterator[Entry]:
    """The objects that still exist."""
    waiting = list(hrefs)
    while waiting:
        count = FIRST if server.largest is None else max(1, min(BATCH, BATCH_BYTES // max(1, server.largest)))
        batch, waiting = waiting[:count], waiting[count:]
        found = _multiget(server, calendar, batch)
        if found is None:
            yield from (entry for href in batch if (entry := get(server, href)) is not None)
            continue
        yield from found
        server.largest = max((len(entry.text or "") for entry in found), default=1)


def get(server: Server, href: str) -> Entry | None:
    """One object; None if it is gone. Not compressed on the way: some servers then change the tag."""
    answer = server.client.request(
        "GET", server.url(href), headers={"Accept": "text/calendar", "Accept-Encoding": "identity"}
    )
    if answer.status in (404, 410):
        return None
    if answer.status != 200:
        raise read_refused(answer)
    tag = answer.headers.get("ETag", "").strip() or _untagged()
    return Entry(href, tag, restore_crlf(_decoded(answer)))


def tag_of(response: Response) -> str:
    """The tag that an answer names, else one that equals nothing."""
    return response.text(DAV + "getetag") or _untagged()


def _multiget(server: Server, calendar: str, hrefs: Sequence[str]) -> list[Entry] | None:
    """The objects of one batch; None if they have to be read one by one: no such report, one missing
    name spoils it (sabre answers 404 for the whole), or one object is no XML."""
    asked = {key(href): href for href in hrefs}
    try:
        answer = server.client.xml("REPORT", server.url(calendar), multiget(hrefs), depth=None)
        if answer.status != 207:
            return None
        found = []
        for response in Multistatus(answer):
            href = asked.get(key(response.href))
            text = response.calendar_data()
            if href is not None and text is not None:
                found.append(Entry(href, tag_of(response), text))
            elif href is not None and response.status not in (404, 410):
                return None  # there, but not shown
    except (NotACalendarServer, Blocked):
        return None
    return found


def _untagged() -> str:
    return UNTAGGED + secrets.token_hex(8)


def _decoded(answer: Answer) -> str:
    """The body as text: UTF-8 (RFC 5545 3.1.4), else what every byte sequence is; without NUL, which no
    calendar may hold (RFC 5545 3.1) and PostgreSQL does not keep."""
    body = answer.body.replace(b"\0", b"")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("latin-1")
