"""The WSGI front before Radicale: what a request must be before Radicale's handlers see it.

It decodes the path (WSGI hands it over as Latin-1), reads the whole body within bounds, drops headers that
would let a stranger change prefixes or addresses, turns sign-ins that are no credentials into 401s, and keeps
those who guess passwords waiting. ``make_dav_app`` is what the server mounts; answering is left to
``app``, and ``/.well-known/caldav`` at the host's root (RFC 6764 5) to ``bridge.serve``.

======================================  ======
refused here                            status
======================================  ======
a path that plays tricks                400
a body shorter than it claims           400
chunked, on a server that can't tell    411
where the body ends
a body over ``Runtime.max_body``        413, with CALDAV:max-resource-size
too many wrong passwords                429, with Retry-After
Radicale's own pages (``/.web`` ...)    404
======================================  ======
"""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from http import HTTPStatus
from importlib.metadata import version
from io import BytesIO
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from radicale import config
from radicale import log as radicale_log
from radicale.app import Application

from bridge.errors import Invalid, StoreError
from bridge.service import Bridge
from radicale_plugin import answers, paths, seam
from radicale_plugin.answers import ALLOW, CLASSES, Answer
from radicale_plugin.app import BridgeApplication
from radicale_plugin.compress import compressed
from radicale_plugin.request import BODY, CONTENT_TYPE, CREDENTIALS
from radicale_plugin.runtime import Runtime

log = logging.getLogger("picsello_bridge.dav")

REALM = "picsello-bridge"
CHALLENGE = f'Basic realm="{REALM}", charset="UTF-8"'

#: Believed by Radicale, so never taken from a client; a trusted proxy's have been applied by the server.
_UNTRUSTED = (
    "HTTP_X_SCRIPT_NAME",
    "HTTP_X_REMOTE_",
    "HTTP_X_FORWARDED",
    "HTTP_FORWARDED",
    "HTTP_REMOTE_USER",
)


def make_dav_app(bridge: Bridge, on_change: Callable[[int], None] | None = None) -> WSGIApplication:
    """The CalDAV application over an open bridge, to be mounted (SCRIPT_NAME says where; by contract, /dav).

    ``on_change(calendar_id)`` is called after each commit by a client, to wake the worker at once.
    """
    runtime = Runtime(bridge, on_change) if on_change else Runtime(bridge)
    return Front(_application(configuration(runtime)), runtime)


def _application(settings: config.Configuration) -> WSGIApplication:
    misfits = seam.misfits()
    if misfits:
        log.warning(
            "This Radicale (%s) is not the one the fast answers were made for (%s differs): calendars are "
            "served by Radicale alone, more slowly.",
            version("radicale"),
            ", ".join(misfits),
        )
        return Application(settings)
    return BridgeApplication(settings)


@cache
def _quiet_log() -> None:
    """Once in a process: each time, Radicale's set-up wraps what makes log records once more. Nobody who
    starts a server wants to read how its log was set up, either."""
    radicale_log.logger.disabled = True
    radicale_log.setup()
    radicale_log.set_level("warning", backtrace_on_debug=False)
    radicale_log.logger.disabled = False


def configuration(runtime: Runtime) -> config.Configuration:
    """Radicale's configuration for running inside our server; ``config/radicale.conf`` is for it alone."""
    _quiet_log()
    settings = config.load()
    settings.update(
        {
            "server": {
                "max_content_length": runtime.max_body,
                "max_resource_size": runtime.max_object,
                "delay_on_error": 0,
                "validate_user_value": "none",  # the front has checked what must be
                "validate_path_value": "none",
            },
            "auth": {"type": "radicale_plugin.auth", "delay": 0, "realm": REALM},
            "rights": {
                "type": "radicale_plugin.rights",
                "permit_delete_collection": False,
                "permit_overwrite_collection": False,
            },
            "storage": {"type": "radicale_plugin.storage", "runtime": runtime},
            "web": {"type": "none"},
            "sharing": {"type": "none"},
            # counts the events of one answer, plain ones too: over it, everything is refused
            "reporting": {"max_expand_occurrence": 0},
        },
        "picsello-bridge",
    )
    return settings


class Front:
    """See the module."""

    def __init__(self, application: WSGIApplication, runtime: Runtime):
        self._application = application
        self._runtime = runtime

    def __call__(self, given: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ, refused = given, None
        try:
            environ, refused = self._prepared(given)
        except (Invalid, StoreError) as error:
            refused = answers.refusal(error)
        if refused is not None:
            return _send(start_response, environ["REQUEST_METHOD"], refused)

        said: list[tuple[str, list[tuple[str, str]]]] = []

        def start(
            status: str,
            headers: list[tuple[str, str]],
            exc_info: Any = None,
        ) -> Callable[[bytes], object]:
            said.append((status, _honest(status, headers)))
            return _unused

        parts = list(self._application(environ, start))
        status, headers = said[0]
        headers, parts = compressed(given, headers, parts)
        start_response(status, headers)
        return parts if len(parts) < 2 else _let_go(parts)

    def _prepared(self, given: WSGIEnvironment) -> tuple[WSGIEnvironment, Answer | None]:
        """The request as Radicale may see it, or the answer that ends it here. Raises Invalid, StoreError."""
        environ = {name: value for name, value in given.items() if not name.startswith(_UNTRUSTED)}
        environ["REQUEST_METHOD"] = environ["REQUEST_METHOD"].upper()
        path = paths.checked(environ.get("PATH_INFO", "").encode("latin-1", "replace"))
        if any(segment.startswith(".") and depth < 2 for depth, segment in enumerate(path.split("/"))):
            return environ, answers.refused(HTTPStatus.NOT_FOUND, "There is nothing at this address.")
        environ["PATH_INFO"] = path
        environ["SCRIPT_NAME"] = (
            environ.get("SCRIPT_NAME", "").encode("latin-1", "replace").decode("utf-8", "replace")
        )
        environ["QUERY_STRING"] = ""  # Radicale has a view or two there; we have none
        environ.pop("HTTP_ACCEPT_ENCODING", None)  # ``compress`` knows better when it pays
        if environ.get("HTTP_AUTHORIZATION"):
            refused = self._sign_in(environ)
            if refused is not None:
                return environ, refused
        return environ, self._read_body(environ)

    def _sign_in(self, environ: WSGIEnvironment) -> Answer | None:
        """Write the credentials down as Radicale reads them; 401 for what is none, 429 for guessers."""
        credentials = _credentials(environ["HTTP_AUTHORIZATION"])
        if credentials is None:
            return answers.refused(
                HTTPStatus.UNAUTHORIZED,
                "Please sign in with your e-mail address and the app password of this device.",
                headers={"WWW-Authenticate": CHALLENGE},
            )
        wait = self._runtime.gate.wait(environ.get("REMOTE_ADDR") or "unknown", *credentials)
        if wait:
            return answers.refused(
                HTTPStatus.TOO_MANY_REQUESTS,
                "Too many wrong passwords. Please wait a minute and check the app password.",
                headers={"Retry-After": str(wait)},
            )
        environ[CREDENTIALS] = credentials
        said = base64.b64encode(":".join(credentials).encode()).decode()
        environ["HTTP_AUTHORIZATION"] = f"Basic {said}"
        return None

    def _read_body(self, environ: WSGIEnvironment) -> Answer | None:
        """The whole body, however it is framed. Radicale sees it with its length, under a plain type: it
        would read the password by the body's charset, too."""
        stream, limit = environ["wsgi.input"], self._runtime.max_body
        length = environ.get("CONTENT_LENGTH") or ""
        if length:
            if not (length.isascii() and length.isdigit()):
                raise Invalid("The Content-Length is no number.")
            claimed = int(length[:20])
            if claimed > limit:
                return self._too_large()
            body = _read(stream, claimed)
            if len(body) < claimed:
                raise Invalid("The request ended before its body was complete.")
        elif environ.get("wsgi.input_terminated"):
            body = _read(stream, limit + 1)
            if len(body) > limit:
                return self._too_large()
        elif environ.get("HTTP_TRANSFER_ENCODING"):
            return answers.refused(HTTPStatus.LENGTH_REQUIRED, "The request must say how long its body is.")
        else:
            body = b""
        environ[BODY] = body
        environ[CONTENT_TYPE] = environ.get("CONTENT_TYPE") or ""
        environ["CONTENT_TYPE"] = "application/octet-stream"
        environ["CONTENT_LENGTH"] = str(len(body))
        environ["wsgi.input"] = BytesIO(body)
        return None

    def _too_large(self) -> Answer:
        return answers.refused(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"This is too large: an event may have {self._runtime.max_object} bytes.",
            "max-resource-size",
        )


def _read(stream: Any, size: int) -> bytes:
    """Up to ``size`` bytes; a stream may give them in portions."""
    parts: list[bytes] = []
    while size > 0:
        part = stream.read(size)
        if not part:
            break
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _credentials(header: str) -> tuple[str, str] | None:
    """Login and password of a Basic header (RFC 7617), UTF-8 or else Latin-1; None if it is none."""
    scheme, _, said = header.strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        raw = base64.b64decode(said.strip().encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError, ValueError):
        return None
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    login, colon, password = text.partition(":")
    if not (colon and login) or any(ord(character) < 32 or ord(character) == 127 for character in text):
        return None
    return login, password


def _let_go(parts: list[bytes]) -> Iterator[bytes]:
    """Each, forgotten when the server has taken it over: a whole calendar should not be in memory twice."""
    parts.reverse()
    while parts:
        yield parts.pop()


def _unused(_data: bytes) -> None:
    """WSGI's older way to write an answer; neither Radicale nor we take it."""
    raise NotImplementedError


def _honest(status: str, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Radicale claims locks and address books; 405 must name what is allowed (RFC 9110 15.5.6)."""
    kept = [
        (name, CLASSES if name == "DAV" else value) for name, value in headers if name != "WWW-Authenticate"
    ]
    if status.startswith("405") and not any(name == "Allow" for name, _ in kept):
        kept.append(("Allow", ALLOW))
    if not status.startswith(("204", "304")) and not any(name == "Content-Length" for name, _ in kept):
        kept.append(("Content-Length", "0"))
    if status.startswith("401"):
        kept.append(("WWW-Authenticate", CHALLENGE))
    return kept


def _send(start_response: StartResponse, method: str, answer: Answer) -> Iterable[bytes]:
    status, headers, body, _ = answer
    data = answers.portions(body)
    lines = [*headers.items(), ("Content-Length", str(sum(map(len, data))))]
    start_response(f"{status} {HTTPStatus(status).phrase}", lines)
    return [] if method == "HEAD" else data
