"""Radicale's application, with the few methods of our own that its plugin interfaces can't express.

``BridgeApplication`` answers PUT, DELETE and MOVE of single objects, free-busy and OPTIONS itself; all
else is Radicale's, over our storage and rights. This is also the seam for answers straight from SQL: a
``do_`` method answers what it knows and falls through to ``super()`` for the rest. The methods' signature
is Radicale 3.9's and no documented interface, so the version is pinned and ``tests/plugin`` covers it.

``front`` must stand before it: paths are decoded, the body is in ``environ[BODY]``.
"""

from __future__ import annotations

import logging
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from radicale.app import Application
from radicale.config import Configuration
from radicale.httputils import NOT_ALLOWED
from radicale.pathutils import sanitize_path, strip_path
from radicale.types import WSGIEnviron, WSGIResponse
from sqlalchemy import Connection

from bridge.errors import BridgeError, Invalid, NotAllowed, NotFound, TooLarge
from bridge.ical.check import check_resource
from bridge.service import client_writes
from bridge.store import calendars
from bridge.store.calendars import CalendarRow
from radicale_plugin import answers, freebusy, paths, report, xmlbody
from radicale_plugin.answers import Answer
from radicale_plugin.auth import identity
from radicale_plugin.conditions import Conditions, calendar_text
from radicale_plugin.item import quoted
from radicale_plugin.storage import Storage

log = logging.getLogger("picsello_bridge.dav")

#: Where the front leaves the whole body, and the content type as the client sent it.
BODY, CONTENT_TYPE = "picsello_bridge.body", "picsello_bridge.content_type"
_XML = "picsello_bridge.xml"

#: What this server is (RFC 4918 10.1): no locks, so not class 2; calendars are not made by clients.
DAV = "1, 3, calendar-access"
ALLOW = "OPTIONS, GET, HEAD, PUT, DELETE, MOVE, PROPFIND, PROPPATCH, REPORT"

#: XML 1.0 has no way to write these; in UTF-8 they are single bytes, or EF BF BE and EF BF BF.
_NO_XML = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]")

#: What Radicale's handlers raise where a request is not what they take for granted.
_STUMBLES = (ValueError, AssertionError, LookupError, AttributeError, TypeError)


class BridgeApplication(Application):
    """One per process; keeps nothing of a request."""

    _storage: Storage

    def __init__(self, configuration: Configuration):
        super().__init__(configuration)
        self._runtime = self._storage.runtime
        self._max_resource_size = self._runtime.max_object

    # --- writes ------------------------------------------------------------------------------------

    def do_PUT(
        self,
        environ: WSGIEnviron,
        base_prefix: str,
        path: str,
        user: str,
        user_groups: set[str],
        request_info: Any,
    ) -> WSGIResponse:
        """RFC 4791 5.3.2, RFC 4918 9.7. 201 or 204, with an ETag only if the bytes kept are the bytes sent."""
        if not user:
            return NOT_ALLOWED  # without a user: a 401

        def answer() -> Answer:
            owner, name, href = self._own_object(path, user, "PUT")
            text, exact = calendar_text(environ[BODY], environ[CONTENT_TYPE])
            if len(environ[BODY]) > self._runtime.max_object:
                raise TooLarge(
                    f"The event is larger than this server keeps ({self._runtime.max_object} bytes). "
                    "Are there files attached to it?",
                    "max-resource-size",
                )
            if "w" in self._rights.authorization(user, user_groups, f"/{owner}/{name}/"):
                check_resource(text, max_bytes=self._runtime.max_object)  # takes its time: before the lock
            with self._runtime.transaction("w") as tx:
                calendar = self._calendar(tx, owner, name)
                if calendar is None:
                    return answers.refused(HTTPStatus.CONFLICT, "There is no such calendar.")
                try:
                    put = client_writes.put(
                        tx,
                        self._storage.user(tx, owner),
                        calendar,
                        href,
                        text,
                        actor=self._actor(),
                        now=self._runtime.bridge.clock.now(),
                        condition=Conditions.of(environ).check,
                    )
                except client_writes.UidInUse as error:
                    other = quote(f"{base_prefix}/{owner}/{name}/{error.href}")
                    return answers.refused(HTTPStatus.FORBIDDEN, str(error), error.precondition, [other])
                self._runtime.changed(calendar.id)
            headers = {"ETag": quoted(put.stored.etag)} if exact and not put.changed_bytes else {}
            return (HTTPStatus.CREATED if put.created else HTTPStatus.NO_CONTENT).value, headers, None, None

        return _answered(answer)

    def do_DELETE(
        self,
        environ: WSGIEnviron,
        base_prefix: str,
        path: str,
        user: str,
        user_groups: set[str],
        request_info: Any,
    ) -> WSGIResponse:
        """RFC 4918 9.6. 204 whatever became of a booking: a refusal makes some phones stall (design 4.4)."""
        if not user:
            return NOT_ALLOWED  # without a user: a 401

        def answer() -> Answer:
            owner, name, href = self._own_object(path, user, "DELETE")
            with self._runtime.transaction("w") as tx:
                calendar = self._calendar(tx, owner, name)
                if calendar is None:
                    raise NotFound("There is no such calendar.")
                client_writes.delete(
                    tx,
                    self._storage.user(tx, owner),
                    calendar,
                    href,
                    actor=self._actor(),
                    now=self._runtime.bridge.clock.now(),
                    condition=Conditions.of(environ).check,
                )
                self._runtime.changed(calendar.id)
            return HTTPStatus.NO_CONTENT.value, {}, None, None

        return _answered(answer)

    def do_MOVE(
        self,
        environ: WSGIEnviron,
        base_prefix: str,
        path: str,
        user: str,
        user_groups: set[str],
        request_info: Any,
    ) -> WSGIResponse:
        """RFC 4918 9.9, of one object within the user's own calendars."""
        if not user:
            return NOT_ALLOWED  # without a user: a 401

        def answer() -> Answer:
            owner, name, href = self._own_object(path, user, "MOVE")
            _, to_name, to_href = self._own_object(
                sanitize_path(paths.destination(environ, base_prefix)), user, "MOVE"
            )
            overwrite = environ.get("HTTP_OVERWRITE", "T").upper() != "F"
            with self._runtime.transaction("w") as tx:
                source, target = self._calendar(tx, owner, name), self._calendar(tx, owner, to_name)
                if source is None:
                    raise NotFound("There is no such calendar.")
                if target is None:
                    return answers.refused(HTTPStatus.CONFLICT, "There is no such calendar to move it to.")
                replaced = client_writes.move(
                    tx,
                    source,
                    href,
                    target,
                    to_href,
                    actor=self._actor(),
                    now=self._runtime.bridge.clock.now(),
                    overwrite=overwrite,
                    condition=Conditions.of(environ).check,
                )
                for calendar in (source, target):
                    self._runtime.changed(calendar.id)
            return (HTTPStatus.NO_CONTENT if replaced else HTTPStatus.CREATED).value, {}, None, None

        return _answered(answer)

    # --- reads -------------------------------------------------------------------------------------

    def do_REPORT(
        self,
        environ: WSGIEnviron,
        base_prefix: str,
        path: str,
        user: str,
        user_groups: set[str],
        request_info: Any,
    ) -> WSGIResponse:
        """Radicale's, after the request has been checked; free-busy from the occurrence index."""

        def answer() -> WSGIResponse:
            root = self._read_xml_request_body(environ, request_info)
            if user and root is not None and root.tag == xmlbody.CALDAV + "free-busy-query":
                return self._free_busy(path, user, root)
            with report.expanding(root):
                return super(BridgeApplication, self).do_REPORT(
                    environ, base_prefix, path, user, user_groups, request_info
                )

        return _answered(_careful(answer))

    def do_PROPFIND(
        self,
        environ: WSGIEnviron,
        base_prefix: str,
        path: str,
        user: str,
        user_groups: set[str],
        request_info: Any,
    ) -> WSGIResponse:
        def answer() -> WSGIResponse:
            return super(BridgeApplication, self).do_PROPFIND(
                environ, base_prefix, path, user, user_groups, request_info
            )

        return _answered(_careful(answer))

    def do_PROPPATCH(
        self,
        environ: WSGIEnviron,
        base_prefix: str,
        path: str,
        user: str,
        user_groups: set[str],
        request_info: Any,
    ) -> WSGIResponse:
        def answer() -> WSGIResponse:
            return super(BridgeApplication, self).do_PROPPATCH(
                environ, base_prefix, path, user, user_groups, request_info
            )

        return _answered(_careful(answer))

    def do_GET(
        self,
        environ: WSGIEnviron,
        base_prefix: str,
        path: str,
        user: str,
        user_groups: set[str],
        request_info: Any,
    ) -> WSGIResponse:
        """Radicale's; what a person sees who opens the address in a browser is ours."""
        if not user:
            return NOT_ALLOWED  # without a user: a 401
        if strip_path(path) in ("", user):
            return 200, {"Content-Type": "text/plain"}, "This address is for calendar apps (CalDAV).\n", None
        return super().do_GET(environ, base_prefix, path, user, user_groups, request_info)

    def do_OPTIONS(
        self,
        environ: WSGIEnviron,
        base_prefix: str,
        path: str,
        user: str,
        user_groups: set[str],
        request_info: Any,
    ) -> WSGIResponse:
        """What can be done here at all; asked without signing in by some clients."""
        return 200, {"Allow": ALLOW, "DAV": DAV}, None, None

    def do_MKCOL(
        self,
        environ: WSGIEnviron,
        base_prefix: str,
        path: str,
        user: str,
        user_groups: set[str],
        request_info: Any,
    ) -> WSGIResponse:
        """Calendars come with users and accounts."""
        if not user:
            return NOT_ALLOWED  # without a user: a 401
        return answers.refusal(
            NotAllowed("Calendars are not made here: connect an account in the settings instead.")
        )

    do_MKCALENDAR = do_MKCOL

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

    # --- what a path means ---------------------------------------------------------------------------

    def _own_object(self, path: str, user: str, method: str) -> tuple[str, str, str]:
        """``(owner, calendar, href)`` of one object in a calendar of the user. Raises NotAllowed for all that is
        not theirs, the same whether or not it exists; NotFound for what can't be an object's path."""
        segments = strip_path(path).split("/")
        if segments[0] != user:
            raise NotAllowed("This is not one of your calendars.")
        if len(segments) < 3 or (len(segments) == 3 and path.endswith("/")):
            raise NotAllowed(f"{method} works on single events, not on a whole calendar.")
        if len(segments) > 3:
            raise NotFound("Events lie directly in a calendar.")
        return segments[0], segments[1], segments[2]

    def _calendar(self, tx: Connection, owner: str, name: str) -> CalendarRow | None:
        return next(iter(calendars.of_email(tx, owner, name)), None)

    def _actor(self) -> str:
        found = identity.get()
        if found is None:
            raise NotAllowed("Please sign in again.")
        return found.actor

    def _free_busy(self, path: str, user: str, root: ET.Element) -> WSGIResponse:
        match strip_path(path).split("/"):
            case [owner, name] if owner == user:
                with self._runtime.transaction("r") as tx:
                    calendar = self._calendar(tx, owner, name)
                    if calendar is None:
                        raise NotFound("There is no such calendar.")
                    text = freebusy.render(tx, calendar, root, self._runtime.bridge.clock.now())
                return 200, {"Content-Type": "text/calendar"}, text, None
            case [owner, *_] if owner != user:
                raise NotAllowed("This is not one of your calendars.")
        return answers.refused(
            HTTPStatus.FORBIDDEN, "Free-busy times are asked of a calendar.", "supported-report"
        )


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
