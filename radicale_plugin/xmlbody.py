"""XML that clients send: parsed within bounds, and refused where Radicale would stumble over it.

Radicale's handlers take well-formed, sensible requests for granted; what they raise otherwise becomes a
500. Here a request that is no XML, uses entities, nests deeper than any client does or lacks what its
report needs is refused with a sentence.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from functools import lru_cache

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from bridge.errors import Invalid

DAV = "{DAV:}"
CALDAV = "{urn:ietf:params:xml:ns:caldav}"
#: Real requests nest about ten deep and, with a large multiget, hold ten thousands of elements.
DEEPEST = 40
MOST = 200_000

_INSTANT = re.compile(r"\d{8}T\d{6}Z")
_RANGES = {
    CALDAV + "time-range",
    CALDAV + "expand",
    CALDAV + "limit-recurrence-set",
    CALDAV + "limit-freebusy-set",
}
_BOTH_ENDS = _RANGES - {CALDAV + "time-range"}


class _Bounded(ET.TreeBuilder):
    """Builds the tree as long as it stays within bounds."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0
        self._count = 0

    def start(self, tag: str, attrs: dict[str, str]) -> ET.Element:
        self._depth += 1
        self._count += 1
        if self._depth > DEEPEST or self._count > MOST:
            raise Invalid("The request is nested too deeply or asks for too much at once.")
        if not tag.startswith("{"):
            raise Invalid(f"The element {tag[:50]!r} of the request has no XML namespace.")
        return super().start(tag, attrs)

    def end(self, tag: str) -> ET.Element:
        self._depth -= 1
        return super().end(tag)


def read(body: bytes) -> ET.Element | None:
    """The request's root element; None for an empty body. Raises Invalid."""
    if not body.strip():
        return None
    parser = DefusedXMLParser(target=_Bounded(), forbid_dtd=True)
    try:
        parser.feed(body)
        root: ET.Element = parser.close()
    except (ET.ParseError, DefusedXmlException, LookupError, ValueError) as error:
        raise Invalid(
            "The request is not well-formed XML, or uses a document type, which is not allowed."
        ) from error
    _sensible(root)
    return root


@lru_cache(maxsize=1000)
def seconds(instant: str) -> int:
    """``20240131T120000Z`` as seconds since 1970. Raises ValueError."""
    return int(datetime.strptime(instant, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp())


def _sensible(root: ET.Element) -> None:
    if root.tag == DAV + "propfind" and len(root) == 0:
        raise Invalid("The request does not say which properties it wants.")
    if root.tag == CALDAV + "free-busy-query" and root.find(CALDAV + "time-range") is None:
        raise Invalid("A free-busy query needs a time-range.")
    for element in root.iter():
        if element.tag in _RANGES:
            _range(element)
        elif element.tag == DAV + "href" and not (element.text or "").strip():
            raise Invalid("The request holds an empty address.")
        elif element.tag == CALDAV + "comp" and not element.get("name"):
            raise Invalid("The request names a calendar component without a name.")
        elif element.tag == CALDAV + "filter" and len(element) != 1:
            raise Invalid("A filter holds exactly one comp-filter.")


def _range(element: ET.Element) -> None:
    """RFC 4791 9.9: UTC instants, at least one of the two; both for expand and the limits (9.6.5-9.6.7)."""
    ends = [element.get(name) for name in ("start", "end")]
    given = [end for end in ends if end is not None]
    if not given or (element.tag in _BOTH_ENDS and len(given) < 2):
        raise Invalid("A time range of the request lacks its start or end.")
    try:
        instants = [seconds(end) for end in given if _INSTANT.fullmatch(end)]
    except ValueError as error:
        raise Invalid("A time range of the request has an impossible date.") from error
    if len(instants) < len(given):
        raise Invalid("The times of a time range are written like 20240131T120000Z.")
    if len(instants) == 2 and instants[0] >= instants[1]:
        raise Invalid("A time range of the request ends before it starts.")
