"""Radicale's application, with the few methods of our own that its plugin interfaces can't express.

``BridgeApplication`` answers PUT, DELETE and MOVE of single objects (``writes``), free-busy and OPTIONS
itself; all else is Radicale's, over our storage and rights. This is also the seam for answers straight
from SQL: a ``do_`` method answers what it knows and falls through to ``super()`` for the rest. The
methods' signature is Radicale 3.9's and no documented interface, so the version is pinned and
``tests/plugin`` covers it. ``front`` must stand before it.
"""

from __future__ import annotations

import logging
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from radicale.app import Application
from radicale.config import Configuration
from radicale.httputils import NOT_ALLOWED
from radicale.pathutils import strip_path
from radicale.types import WSGIEnviron, WSGIResponse

from bridge.errors import BridgeError, Invalid, NotAllowed, NotFound
from radicale_plugin import answers, freebusy, report, writes, xmlbody
from radicale_plugin.request import BODY, Request, Target
from radicale_plugin.storage import Storage

log = logging.getLogger("picsello_bridge.dav")

_XML = "picsello_bridge.xml"

#: What this server is (RFC 4918 10.1): no locks, so not class 2; calendars are not made by clients.
DAV = "1, 3, calendar-access"
ALLOW = "OPTIONS, GET, HEAD, PUT, DELETE, MOVE, PROPFIND, PROPPATCH, REPORT"

#: XML 1.0 has no way to write these; in UTF-8 they are single bytes, or EF BF BE and EF BF BF.
_NO_XML = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]")

#: What Radicale's handlers raise where a request is not what they take for granted.
_STUMBLES = (ValueError, AssertionError, LookupError, AttributeError, TypeError)


class BridgeApplication(Application):
    """One per process; keeps nothing of a request. Radicale makes a 401 of ``NOT_ALLOWED`` without a user."""

    _storage: Storage

    def __init__(self, configuration: Configuration):
        super().__init__(configuration)
        self._runtime = self._storage.runtime
        self._max_resource_size = self._runtime.max_object

    # --- writes ------------------------------------------------------------------------------------

    def do_PUT(self, *given: Any) -> WSGIResponse:
        request = Request(*given)
        if not request.user:
            return NOT_ALLOWED

        def may_write(target: Target) -> bool:
            path = f"/{target.owner}/{target.calendar}/"
            return "w" in self._rights.authorization(request.user, request.groups, path)

        return _answered(lambda: writes.put(request, self._runtime, may_write))

    def do_DELETE(self, *given: Any) -> WSGIResponse:
        request = Request(*given)
        if not request.user:
            return NOT_ALLOWED
        return _answered(lambda: writes.delete(request, self._runtime))

    def do_MOVE(self, *given: Any) -> WSGIResponse:
        request = Request(*given)
        if not request.user:
            return NOT_ALLOWED
        return _answered(lambda: writes.move(request, self._runtime))

    def do_MKCOL(self, *given: Any) -> WSGIResponse:
        """Calendars come with users and accounts."""
        if not Request(*given).user:
            return NOT_ALLOWED
        return answers.refusal(
            NotAllowed("Calendars are not made here: connect an account in the settings instead.")
        )

    def do_MKCALENDAR(self, *given: Any) -> WSGIResponse:
        return self.do_MKCOL(*given)

    # --- reads -------------------------------------------------------------------------------------

    def do_REPORT(self, *given: Any) -> WSGIResponse:
        """Radicale's, after the request has been checked; free-busy from the occurrence index."""
        request = Request(*given)

        def answer() -> WSGIResponse:
            root = self._read_xml_request_body(request.environ, request.info)
            if request.user and root is not None and root.tag == xmlbody.CALDAV + "free-busy-query":
                return self._free_busy(request, root)
            with report.expanding(root):
                return super(BridgeApplication, self).do_REPORT(*given)

        return _answered(_careful(answer))

    def do_PROPFIND(self, *given: Any) -> WSGIResponse:
        return _answered(_careful(lambda: super(BridgeApplication, self).do_PROPFIND(*given)))

    def do_PROPPATCH(self, *given: Any) -> WSGIResponse:
        return _answered(_careful(lambda: super(BridgeApplication, self).do_PROPPATCH(*given)))

    def do_GET(self, *given: Any) -> WSGIResponse:
        """Radicale's; what a person sees who opens the address in a browser is ours."""
        request = Request(*given)
        if not request.user:
            return NOT_ALLOWED
        if strip_path(request.path) in ("", request.user):
            return 200, {"Content-Type": "text/plain"}, "This address is for calendar apps (CalDAV).\n", None
        return super().do_GET(*given)

    def do_OPTIONS(self, *_given: Any) -> WSGIResponse:
        """What can be done here at all; some clients ask before they sign in."""
        return 200, {"Allow": ALLOW, "DAV": DAV}, None, None

    def _free_busy(self, request: Request, root: ET.Element) -> WSGIResponse:
        owner, *rest = strip_path(request.path).split("/")
        if owner != request.user:
            raise NotAllowed("This is not one of your calendars.")
        if len(rest) != 1:
            return answers.refused(
                HTTPStatus.FORBIDDEN, "Free-busy times are asked of a calendar.", "supported-report"
            )
        with self._runtime.transaction("r") as tx:
            calendar = writes.find_calendar(tx, owner, rest[0])
            if calendar is None:
                raise NotFound("There is no such calendar.")
            text = freebusy.render(tx, calendar, root, self._runtime.bridge.clock.now())
        return 200, {"Content-Type": "text/calendar"}, text, None

    # --- Radicale's own helpers, made safe -----------------------------------------------------------

    def _read_xml_request_body(self, environ: WSGIEnviron, request_info: Any) -> ET.Element | None:
        """Raises Invalid, which becomes a 400, for what Radicale would stumble over."""
        if _XML not in environ:
            environ[_XML] = xmlbody.read(environ[BODY])  # type: ignore[index]
        root: ET.Element | None = environ[_XML]
        return root

    def _xml_response(self, xml_content: ET.Element, request_info: Any) -> bytes:
        """XML parsers turn CR LF into LF, unless the CR is written as a reference (XML 1.0 2.11); and one
        object with a character that XML doesn't know must not make the whole answer unreadable."""
        written: bytes = super()._xml_response(xml_content, request_info)
        return _NO_XML.sub(b"", written).replace(b"\r", b"&#13;")


def _answered(answer: Callable[[], WSGIResponse]) -> WSGIResponse:
    """The answer, or the one that an error of ours stands for."""
    try:
        return answer()
    except BridgeError as error:
        return answers.refusal(error)


def _careful(answer: Callable[[], WSGIResponse]) -> Callable[[], WSGIResponse]:
    """For reads that Radicale answers: what it stumbles over is a request it does not understand."""

    def careful() -> WSGIResponse:
        try:
            return answer()
        except _STUMBLES as error:
            log.warning("a request was not understood", exc_info=True)
            raise Invalid("This request is not understood here.") from error

    return careful
