"""Radicale's application, with our own answers before its handlers.

``BridgeApplication`` signs in, lets ``hot`` answer from the store, and hands what that leaves to Radicale's
handlers, over our storage and rights, with their stumbling made a 400. Where it takes hold is no documented
interface of Radicale's: ``seam`` looks at it when the process starts, and without a fit plain Radicale serves
the same calendars, more slowly. ``front`` must stand before it.
"""

from __future__ import annotations

import logging
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, TypeVar

from radicale.app import Application
from radicale.config import Configuration
from radicale.pathutils import sanitize_path
from radicale.types import WSGIEnviron, WSGIResponse

from bridge.errors import BridgeError, Invalid, StoreError
from radicale_plugin import answers, hot, report, xmlbody
from radicale_plugin.answers import Answer, Refusal
from radicale_plugin.auth import Auth
from radicale_plugin.properties import Asking
from radicale_plugin.request import BODY, CREDENTIALS, Request
from radicale_plugin.storage import Storage

log = logging.getLogger("picsello_bridge.dav")

_XML = "picsello_bridge.xml"

#: XML 1.0 has no way to write these; in UTF-8 they are single bytes, or EF BF BE and EF BF BF.
_NO_XML = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]")

#: What Radicale's handlers raise where a request is not what they take for granted; a RuntimeError is what
#: they make of an object that a filter failed on.
_STUMBLES = (ValueError, AssertionError, LookupError, AttributeError, TypeError, RuntimeError)

T = TypeVar("T")
Handled = tuple[str, list[tuple[str, str]], Iterable[bytes]]


class BridgeApplication(Application):
    """One per process; keeps nothing of a request."""

    _storage: Storage
    _auth: Auth

    def __init__(self, configuration: Configuration):
        super().__init__(configuration)
        self._runtime = self._storage.runtime
        self._max_resource_size = self._runtime.max_object

    def _handle_request(self, environ: WSGIEnviron) -> Handled:
        answer: Answer | None
        try:
            answer = self._at_once(environ)
            if answer is None:
                handled: Handled = super()._handle_request(environ)
                return handled
        except StoreError as error:  # Radicale would say that it is broken, and some clients give up on that
            log.warning("a request could not be answered: %s", error)
            answer = answers.refusal(error)
        return _written(answer)

    def _at_once(self, environ: WSGIEnviron) -> Answer | None:
        """Our own answer, or None."""
        if environ["REQUEST_METHOD"] == "OPTIONS":
            return hot.options()
        login, password = environ.get(CREDENTIALS, ("", ""))
        who = self._auth.sign_in(login, password, environ.get("REMOTE_ADDR") or "unknown") if login else None
        if who is None:
            return answers.refused(
                HTTPStatus.UNAUTHORIZED,
                "Please sign in with your e-mail address and the app password of this device.",
            )
        prefix, path = environ["SCRIPT_NAME"].rstrip("/"), sanitize_path(environ["PATH_INFO"])
        request = Request(environ, prefix, path, who.email, set(), {})
        return _answered(lambda: hot.answer(Asking(request, who.actor, self._runtime)))

    # --- what is left to Radicale --------------------------------------------------------------------

    def do_REPORT(self, *given: Any) -> WSGIResponse:
        request = Request(*given)

        def answer() -> WSGIResponse:
            with report.expanding(self._read_xml_request_body(request.environ, request.info)):
                return super(BridgeApplication, self).do_REPORT(*given)

        return _answered(_careful(answer))

    def do_PROPFIND(self, *given: Any) -> WSGIResponse:
        return _answered(_careful(lambda: super(BridgeApplication, self).do_PROPFIND(*given)))

    def do_PROPPATCH(self, *given: Any) -> WSGIResponse:
        return _answered(_careful(lambda: super(BridgeApplication, self).do_PROPPATCH(*given)))

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


def _written(answer: Answer) -> Handled:
    """As Radicale hands its own answers to the server."""
    status, headers, body, _ = answer
    lines = list(headers.items())
    data = answers.portions(body)
    if body is not None:
        lines.append(("Content-Length", str(sum(map(len, data)))))
    return f"{status} {HTTPStatus(status).phrase}", lines, data


def _answered(answer: Callable[[], T]) -> T | Refusal:
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
