"""The XML of WebDAV and CalDAV: request bodies, and multistatus answers read one response at a time.

Parsing resolves no entities, loads nothing and keeps one response in memory, so that a listing of 50,000
entries costs little more than its bytes. What XML did to line ends of calendar data (every CRLF became LF,
XML 1.0 2.11) is undone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from bridge.errors import NotACalendarServer
from bridge.ical.text import restore_crlf
from bridge.providers.guard import origin
from bridge.providers.http import Answer

DAV = "{DAV:}"
CAL = "{urn:ietf:params:xml:ns:caldav}"
SERVER = "{http://calendarserver.org/ns/}"
APPLE = "{http://apple.com/ns/ical/}"

_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'
_SPACES = (
    'xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" '
    'xmlns:S="http://calendarserver.org/ns/" xmlns:A="http://apple.com/ns/ical/"'
)

#: Spellings of the properties we ask for (never allprop: iCloud leaves out resourcetype).
_NAMES = {
    DAV + "resourcetype": "resourcetype",
    DAV + "displayname": "displayname",
    DAV + "getetag": "getetag",
    DAV + "sync-token": "sync-token",
    DAV + "current-user-principal": "current-user-principal",
    DAV + "current-user-privilege-set": "current-user-privilege-set",
    CAL + "calendar-home-set": "C:calendar-home-set",
    CAL + "supported-calendar-component-set": "C:supported-calendar-component-set",
    SERVER + "getctag": "S:getctag",
    APPLE + "calendar-color": "A:calendar-color",
}


@dataclass(slots=True)
class Response:
    """One response of a multistatus: where, and the properties that were found (status 2xx only)."""

    href: str
    status: int | None  # of the whole resource; None where there are propstats
    props: dict[str, Any] = field(default_factory=dict)  # name -> lxml element

    def text(self, name: str) -> str | None:
        """A property's text without surrounding white space; None if absent or empty."""
        element = self.props.get(name)
        return None if element is None else ((element.text or "").strip() or None)

    def hrefs(self, name: str) -> list[str]:
        """The hrefs inside a property."""
        element = self.props.get(name)
        found = [] if element is None else [(href.text or "").strip() for href in element.iter(DAV + "href")]
        return [href for href in found if href]

    def names(self, name: str) -> frozenset[str]:
        """The qualified names of everything inside a property (resource types, privileges)."""
        element = self.props.get(name)
        if element is None:
            return frozenset()
        return frozenset(child.tag for child in element.iter() if isinstance(child.tag, str))

    def calendar_data(self) -> str | None:
        """The object's text with its CRLFs, free of the white space that XML was laid out with."""
        element = self.props.get(CAL + "calendar-data")
        if element is None:
            return None
        text = "".join(element.itertext())
        return restore_crlf(text.lstrip()) if text.strip() else None


class Multistatus:
    """A 207 answer. Iterate once; ``sync_token`` is known after that."""

    def __init__(self, answer: Answer):
        self._answer = answer
        self.sync_token: str | None = None

    def __iter__(self) -> Iterator[Response]:
        """The responses, one by one. Raises ``NotACalendarServer`` if this is no multistatus."""
        tags = (DAV + "multistatus", DAV + "response", DAV + "sync-token")
        seen = False
        try:
            for event, element in etree.iterparse(
                BytesIO(self._answer.body),
                events=("start", "end"),
                tag=tags,
                resolve_entities=False,
                no_network=True,
                load_dtd=False,
                huge_tree=False,
            ):
                if element.tag == DAV + "multistatus":
                    seen = True
                    if event == "start" and element.getroottree().docinfo.doctype:
                        raise self._strange()
                elif event == "end" and element.tag == DAV + "sync-token":
                    parent = element.getparent()
                    if parent is not None and parent.tag == DAV + "multistatus":
                        self.sync_token = (element.text or "").strip() or None
                elif event == "end":
                    yield _response(element)
                    element.clear()
                    parent = element.getparent()
                    while parent is not None and element.getprevious() is not None:
                        del parent[0]
        except etree.XMLSyntaxError as error:
            raise self._strange() from error
        if not seen:
            raise self._strange()

    def _strange(self) -> NotACalendarServer:
        host = origin(self._answer.url)[1]
        return NotACalendarServer(
            f"What answers at {self._answer.url} is not a calendar server but something else, perhaps a web "
            f"page. Check the address; the provider's help names the CalDAV address of {host}."
        )


def _response(element: Any) -> Response:
    hrefs = [(child.text or "").strip() for child in element.iterchildren(DAV + "href")]
    response = Response(hrefs[0] if hrefs else "", _status(element))
    for propstat in element.iterchildren(DAV + "propstat"):
        status = _status(propstat)
        if status is not None and not 200 <= status < 300:
            continue  # a block of what it does not have
        for prop in propstat.iterchildren(DAV + "prop"):
            for child in prop.iterchildren(etree.Element):
                response.props[child.tag] = child
    return response


def _status(element: Any) -> int | None:
    words = (element.findtext(DAV + "status") or "").split()
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else None


def mkcalendar(name: str) -> bytes:
    """A calendar of that name. What it takes is left to the server, which then always takes events; DAViCal
    mistakes a list of components."""
    props = f"<displayname>{escape(name)}</displayname>"
    return f"{_HEAD}<C:mkcalendar {_SPACES}><set><prop>{props}</prop></set></C:mkcalendar>".encode()


def propfind(*names: str) -> bytes:
    """Ask for these properties."""
    wanted = "".join(f"<{_NAMES[name]}/>" for name in names)
    return f"{_HEAD}<propfind {_SPACES}><prop>{wanted}</prop></propfind>".encode()


def sync_collection(token: str) -> bytes:
    """What changed since the token, empty for everything (RFC 6578 3.2). Never a limit: Nextcloud and
    Xandikos cut the answer but let the token skip the rest."""
    return (
        f"{_HEAD}<sync-collection {_SPACES}><sync-token>{escape(token)}</sync-token>"
        "<sync-level>1</sync-level><prop><getetag/></prop></sync-collection>"
    ).encode()


def multiget(hrefs: Iterable[str]) -> bytes:
    """These objects' tags and texts (RFC 4791 7.9)."""
    wanted = "".join(f"<href>{escape(href)}</href>" for href in hrefs)
    return (
        f"{_HEAD}<C:calendar-multiget {_SPACES}><prop><getetag/><C:calendar-data/></prop>{wanted}"
        "</C:calendar-multiget>"
    ).encode()
