"""Multistatus bodies for prepared answers."""

from __future__ import annotations

from tests.servers import fault

_SPACES = (
    'xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:s="http://calendarserver.org/ns/" '
    'xmlns:a="http://apple.com/ns/ical/"'
)


def multistatus(*responses: str, token: str = "") -> fault.Fault:
    end = f"<d:sync-token>{token}</d:sync-token>" if token else ""
    inside = "".join(responses) + end
    return xml(f'<?xml version="1.0" encoding="utf-8"?><d:multistatus {_SPACES}>{inside}</d:multistatus>')


def xml(body: str | bytes, status: int = 207) -> fault.Fault:
    data = body if isinstance(body, bytes) else body.encode()
    return fault.answer(status, data, {"Content-Type": "application/xml; charset=utf-8"})


def found(href: str, *props: str) -> str:
    """A response with these properties."""
    return (
        f"<d:response><d:href>{href}</d:href><d:propstat><d:prop>{''.join(props)}</d:prop>"
        "<d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
    )


def status(href: str, code: int) -> str:
    """A response that is only a status."""
    return f"<d:response><d:href>{href}</d:href><d:status>HTTP/1.1 {code} So</d:status></d:response>"


def etag(value: str) -> str:
    return f"<d:getetag>&quot;{value}&quot;</d:getetag>"


def data(text: str) -> str:
    return f"<c:calendar-data>{text}</c:calendar-data>"


def error(*conditions: str) -> str:
    inner = "".join(f"<{name}/>" for name in conditions)
    return f"<?xml version='1.0'?><d:error {_SPACES}>{inner}</d:error>"


IS_CALENDAR = "<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>"
IS_FOLDER = "<d:resourcetype><d:collection/></d:resourcetype>"
