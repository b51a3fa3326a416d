"""Answers to refused requests: the right status, the RFC 4791 precondition element, a sentence for people.

Never a 5xx for a refusal: Thunderbird repeats a write answered with 5xx for ever.

=====================================  ======  =============================================
refused because                        status  element in DAV:error
=====================================  ======  =============================================
the version is not the one expected    412
wrong media type or charset            415     CALDAV:supported-calendar-data
the object is over the limit           403     CALDAV:max-resource-size (RFC 4791 5.3.2.1)
the body is over what is read at all   413     CALDAV:max-resource-size (from the front)
the object is not valid, UID in use    403     the precondition that failed
it may not be changed here             403     DAV:need-privileges (RFC 3744 7.1.1)
the calendar does not exist            409     for a PUT (RFC 4918 9.7.1), else 404
=====================================  ======  =============================================
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from http import HTTPStatus

from bridge.errors import AlreadyThere, BridgeError, Invalid, NotAllowed, NotFound, Stale, StoreError
from radicale_plugin.conditions import WrongMedia
from radicale_plugin.xmlbody import CALDAV, DAV

#: What this server is (RFC 4918 10.1): no locks, so not class 2.
CLASSES = "1, 3, calendar-access, extended-mkcol"
ALLOW = "OPTIONS, GET, HEAD, PUT, DELETE, MOVE, PROPFIND, PROPPATCH, REPORT, MKCOL, MKCALENDAR"

#: Status, headers, body, and nothing (where Radicale has the request's XML for its log). A long body comes in
#: portions.
Answer = tuple[int, dict[str, str], list[bytes] | bytes | str | None, None]
#: Such as Radicale's handlers may return, too.
Refusal = tuple[int, dict[str, str], str | bytes, None]

#: Preconditions of WebDAV itself; all others are CALDAV's.
_DAV_ELEMENTS = {
    "need-privileges",
    "number-of-matches-within-limits",
    "resource-must-be-null",
    "supported-report",
    "valid-resourcetype",
    "valid-sync-token",
}


def refusal(error: BridgeError) -> Refusal:
    """The answer for an error of ours."""
    match error:
        case StoreError():  # no refusal: the same request will work later
            return refused(HTTPStatus.SERVICE_UNAVAILABLE, str(error), headers={"Retry-After": "30"})
        case Stale():
            return refused(HTTPStatus.PRECONDITION_FAILED, str(error))
        case WrongMedia():
            return refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, str(error), error.precondition)
        case Invalid(precondition=None):
            return refused(HTTPStatus.BAD_REQUEST, str(error))
        case Invalid():
            return refused(HTTPStatus.FORBIDDEN, str(error), error.precondition, getattr(error, "hrefs", ()))
        case NotFound():
            return refused(HTTPStatus.NOT_FOUND, str(error))
        case AlreadyThere():
            return refused(HTTPStatus.CONFLICT, str(error))
        case NotAllowed():
            return refused(HTTPStatus.FORBIDDEN, str(error), "need-privileges")
        case _:
            return refused(HTTPStatus.FORBIDDEN, str(error))


def portions(body: list[bytes] | bytes | str | None) -> list[bytes]:
    """The body of an answer as WSGI takes it."""
    match body:
        case None:
            return []
        case list():
            return body
        case str():
            return [body.encode()]
        case _:
            return [body]


def refused(
    status: HTTPStatus,
    sentence: str,
    element: str | None = None,
    hrefs: Sequence[str] = (),
    headers: dict[str, str] | None = None,
) -> Refusal:
    """A DAV:error body (RFC 4918 16) if ``element`` is given, else plain text."""
    kept = dict(headers or {})
    if element is None:
        kept["Content-Type"] = "text/plain"
        return status.value, kept, sentence + "\n", None
    root = ET.Element(DAV + "error")
    failed = ET.SubElement(root, (DAV if element in _DAV_ELEMENTS else CALDAV) + element)
    for href in hrefs:
        ET.SubElement(failed, DAV + "href").text = href
    ET.SubElement(root, DAV + "responsedescription").text = sentence
    kept["Content-Type"] = "application/xml; charset=utf-8"
    return status.value, kept, ET.tostring(root, "utf-8", xml_declaration=True), None
