"""What whoever runs a process asks it: ``/healthz``, ``/readyz``, ``/metrics``; and what it logs, counts and
traces of each request. Wraps the whole origin of a process, whichever part of it is its own.
"""

from __future__ import annotations

import hmac
import json
import logging
import secrets
import time
from collections.abc import Iterable
from contextlib import nullcontext
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from bridge import logs, metrics, traces
from bridge.config import named
from bridge.errors import BridgeError
from bridge.service import figures
from bridge.wiring import Bridge

log = logging.getLogger("picsello_bridge.http")

#: What says that a proxy stands between us and whoever asks.
_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_REAL_IP")

#: First segment of a path -> part, for counting.
_PARTS = {"dav": "dav", "api": "api", "feeds": "feeds", "book": "book", "hooks": "hooks", "oauth": "oauth"}


def health(application: WSGIApplication, bridge: Bridge) -> WSGIApplication:
    """``/healthz``: the process runs. ``/readyz``: it can also do its work, else 503 with the reason.
    ``/metrics``: how it fares, for those the settings name."""

    def checked(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        match environ.get("PATH_INFO"):
            case "/healthz":
                return _json(start_response, "200 OK", {"status": "ok"})
            case "/readyz":
                if trouble := _trouble(bridge):
                    said = {"status": "not ready", "why": trouble}
                    return _json(start_response, "503 Service Unavailable", said)
                return _json(start_response, "200 OK", {"status": "ready"})
            case "/metrics":
                return _metrics(environ, start_response, bridge)
            case _:
                return application(environ, start_response)

    return checked


def observed(application: WSGIApplication, every: bool) -> WSGIApplication:
    """Gives each request an id (``X-Request-Id`` in the answer), counts it, and logs one line about it (about
    ``every`` one, or those that fail by our fault): method, route, status and time, never an address as it
    was typed."""

    def watched(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        begun = time.perf_counter()
        request = secrets.token_hex(6)
        method, path = environ.get("REQUEST_METHOD", ""), environ.get("PATH_INFO", "")
        part = _PARTS.get(path.lstrip("/").partition("/")[0], "pages")
        status = "500"

        def start(said: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            nonlocal status
            status = said[:3]
            ours = [("X-Request-Id", request)]
            if not any(name.lower() == "x-content-type-options" for name, _ in headers):
                ours.append(("X-Content-Type-Options", "nosniff"))  # an event's text is never a page
            return start_response(said, [*headers, *ours], *more)

        asked_of_us = path in ("/healthz", "/readyz", "/metrics")
        shown = method if method in metrics.METHODS else "other"
        span = nullcontext(None) if asked_of_us else traces.answering(request, part, shown)
        with logs.about(request=request), span as about:
            try:
                return application(environ, start)
            finally:
                seconds = time.perf_counter() - begun
                metrics.request(part, method, status, seconds)
                route = environ.get(logs.ROUTE, f"/{part}")
                if about is not None:
                    about.answered(shown, route, int(status))
                if status >= "500" or (every and not asked_of_us):
                    what = {
                        "part": part,
                        "method": shown,
                        "route": route,
                        "status": int(status),
                        "ms": round(seconds * 1000, 1),
                    }
                    log.info("answered", extra={"what": what})

    return watched


def _trouble(bridge: Bridge) -> str | None:
    try:
        if not bridge.db.is_current():
            return "The database has not been brought up to date yet."
        _ = bridge.vault
    except BridgeError as error:
        return str(error)
    except Exception as error:  # any database trouble means the same to whoever asks
        logging.getLogger(__name__).warning("not ready", exc_info=True)
        return f"The database does not answer ({type(error).__name__})."
    return None


def _metrics(environ: WSGIEnvironment, start_response: StartResponse, bridge: Bridge) -> Iterable[bytes]:
    if not _may_see(environ, bridge):
        why = "The figures are for this machine, for the addresses in PICSELLO_BRIDGE_METRICS_ALLOW, and for "
        return _plain(start_response, "403 Forbidden", f"{why}those who send the token of the settings.\n")
    try:
        found = figures.gauges(bridge)
    except BridgeError as error:
        return _plain(start_response, "503 Service Unavailable", f"{error}\n")
    return _send(start_response, "200 OK", metrics.exported(found), metrics.CONTENT_TYPE)


def _may_see(environ: WSGIEnvironment, bridge: Bridge) -> bool:
    """By token; else by address, but not through a proxy: behind one that is not named in the settings
    everybody seems to come from this machine."""
    given = environ.get("HTTP_AUTHORIZATION", "").encode("latin-1", "replace")
    wanted = bridge.settings.metrics_token
    if wanted and hmac.compare_digest(given, f"Bearer {wanted}".encode()):
        return True
    if any(environ.get(name) for name in _FORWARDED):
        return False
    return named(environ.get("REMOTE_ADDR"), bridge.settings.metrics_allow)


def _json(start_response: StartResponse, status: str, value: Any) -> Iterable[bytes]:
    return _send(start_response, status, json.dumps(value).encode(), "application/json")


def _plain(start_response: StartResponse, status: str, text: str) -> Iterable[bytes]:
    return _send(start_response, status, text.encode(), "text/plain; charset=utf-8")


def _send(start_response: StartResponse, status: str, body: bytes, kind: str) -> Iterable[bytes]:
    headers = [("Content-Type", kind), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
    start_response(status, headers)
    return [body]
