"""GET and HEAD (RFC 9110 9.3): one object as it was sent, or a whole calendar as one file."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from sqlalchemy import Connection

from bridge.errors import NotFound
from bridge.store import calendars, contents, shown
from radicale_plugin.answers import Answer
from radicale_plugin.export import whole_calendar
from radicale_plugin.item import http_date, quoted
from radicale_plugin.properties import Asking, etag, title

#: For whoever opens the address in a browser.
_NOTE = "This address is for calendar apps (CalDAV).\n"
TEXT = "text/calendar; charset=utf-8"


def answer(asking: Asking, tx: Connection) -> Answer | None:
    """None: Radicale's to answer. Raises NotFound, Stale by If-Match."""
    request = asking.request
    match request.segments:
        case [owner] if owner in ("", request.user):
            return 200, {"Content-Type": "text/plain; charset=utf-8"}, _NOTE, None
        case [owner, name] if owner == request.user and request.path.endswith("/"):
            found = calendars.of_email(tx, owner, name)
            if not found:
                return None
            row = found[0]
            shown_title = title(row)
            return _unless_known(
                asking,
                etag(row).strip('"'),
                {
                    "Last-Modified": http_date(row.modified),
                    "Content-Disposition": f"attachment; filename*=utf-8''{quote(shown_title)}.ics",
                },
                lambda: whole_calendar(shown_title, shown.texts(tx, row.id)),
            )
        case [owner, name, href] if owner == request.user and not request.path.endswith("/"):
            found = calendars.of_email(tx, owner, name)
            stored = contents.get(tx, found[0].id, href) if found else None
            if stored is None:
                raise NotFound("There is nothing at this address.")
            return _unless_known(
                asking,
                stored.etag,
                {"Last-Modified": http_date(stored.modified)},
                lambda: [stored.text.encode()],
            )
    return None


def _unless_known(
    asking: Asking, tag: str, headers: dict[str, str], text: Callable[[], list[bytes]]
) -> Answer:
    """304 for a client that has just this (RFC 9110 13.1.2). Dates are no condition here: a second is too
    coarse to tell two edits apart."""
    headers = {"ETag": quoted(tag), **headers}
    if not asking.request.conditions.wants(tag):
        return 304, headers, None, None
    return 200, {"Content-Type": TEXT, **headers}, text(), None
