"""The HTTP side of a process: one origin, several WSGI applications, threads, and an orderly end.

Listens, hands each request to the application that owns its path, and on SIGTERM or SIGINT stops accepting,
lets running requests finish and be answered, and returns. What the applications do is theirs. Waitress,
because under many connections it answered evenly where cheroot kept some waiting for a second.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import gc
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from waitress.server import create_server

from bridge.config import named
from bridge.errors import Refused
from bridge.sharing import AWAY_SECONDS, Share
from bridge.wiring import Bridge

#: How long a running request may go on after we were asked to stop.
GRACE_SECONDS = 8
#: How often the loop looks around when nothing happens.
LOOK_SECONDS = 1.0
#: How long a port may be taken by what is about to end.
LET_GO_SECONDS = 0.5
#: Answers up to here stay in memory until they are sent; in bytes. 5,000 events with their texts are 7 MB.
LARGEST_ANSWER = 64_000_000
#: mallopt(3): from how many bytes on a block is one of its own.
_M_MMAP_THRESHOLD = -3


class Origin:
    """One HTTP origin: the longest matching prefix decides which application answers."""

    def __init__(self, mounts: Mapping[str, WSGIApplication], default: WSGIApplication):
        """``mounts``: path prefix without a final slash -> application that finds it in SCRIPT_NAME."""
        self._mounts = sorted(mounts.items(), key=lambda mount: -len(mount[0]))
        self._default = default

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        for prefix, application in self._mounts:
            if path == prefix or path.startswith(prefix + "/"):
                environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + prefix
                environ["PATH_INFO"] = path[len(prefix) :]
                return application(environ, start_response)
        return self._default(environ, start_response)


def redirect(location: str) -> WSGIApplication:
    """Sends every request to ``location``, by the status RFC 6764 5 names for /.well-known/caldav."""

    def application(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("301 Moved Permanently", [("Location", location), ("Content-Length", "0")])
        return [b""]

    return application


def not_found(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """For a process that serves only part of the origin."""
    return _plain(start_response, "404 Not Found", "There is nothing at this address.\n")


def _plain(
    start_response: StartResponse, status: str, text: str, kind: str = "text/plain; charset=utf-8"
) -> Iterable[bytes]:
    body = text.encode()
    start_response(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
    return [body]


class Listener:
    """An open port. Made before anything is announced, so that a taken port is refused at once."""

    def __init__(self, host: str, port: int):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            self.socket = _bound((host, port), family)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise Refused(f"Cannot listen on {host} port {port}: {reason}. Choose another --port.") from error
        self.host = host
        self.port: int = self.socket.getsockname()[1]

    @property
    def url(self) -> str:
        """The address a browser on this machine can open."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


def _bound(address: tuple[str, int], family: socket.AddressFamily) -> socket.socket:
    """A server that was killed leaves processes that end a moment after it, and let go of the port then."""
    patience = time.monotonic() + LET_GO_SECONDS
    while True:
        try:
            return socket.create_server(address, family=family, backlog=1024)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > patience:
                raise
        time.sleep(0.02)


def run(
    bridge: Bridge,
    application: WSGIApplication,
    listener: Listener,
    stop: threading.Event,
    share: Share | None = None,
) -> None:
    """Serve until ``stop`` is set, then finish what is running and return within ``GRACE_SECONDS``.
    ``share``: this process's part of the connections, where several listen together."""
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a queue of one is no news
    limit = bridge.settings.max_resource_bytes
    server = create_server(
        behind_proxies(application, bridge.settings.trusted_proxies),
        sockets=[listener.socket],
        threads=bridge.settings.threads,
        ident=None,
        clear_untrusted_proxy_headers=False,  # done below, for more than one proxy
        # The applications answer better than the server can; this only bounds what is buffered for them.
        max_request_body_size=2 * limit + 1_000_000,
        channel_timeout=120,
        # An answer is in memory as a whole anyway; a first sync must not take the way over a temporary file.
        outbuf_overflow=LARGEST_ANSWER,
        outbuf_high_watermark=LARGEST_ANSWER,
    )
    if share is not None:
        share.use(server)
    _spare_the_collector()
    give_memory_back()
    turn = _turn(server)
    while not stop.is_set():
        turn(AWAY_SECONDS if share is not None and share.looks_away else LOOK_SECONDS)
    server.del_channel()
    listener.socket.close()
    deadline = time.monotonic() + GRACE_SECONDS
    while _busy(server) and time.monotonic() < deadline:
        turn(0.05)
    server.task_dispatcher.shutdown(timeout=max(0.0, deadline - time.monotonic()))


def _spare_the_collector() -> None:
    """What is loaded by now stays: the garbage collector need not walk through it again and again while a
    long answer makes many small objects."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def give_memory_back() -> None:
    """The memory of a long answer goes back to the system when it is sent. By itself glibc takes ever larger
    blocks from its heap, whose holes stay: after one export of 50,000 events a worker kept 90 MB more."""
    with contextlib.suppress(OSError, AttributeError):  # another C library has its own ways
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, 128 * 1024)


def _turn(server: Any) -> Callable[[float], None]:
    """One look at all connections, waiting at most so many seconds for something to happen."""

    def turn(seconds: float) -> None:
        server.asyncore.loop(timeout=seconds, use_poll=True, map=server._map, count=1)

    return turn


def _busy(server: Any) -> bool:
    """Whether a request is running or an answer not sent out yet."""
    return any(channel.requests or channel.total_outbufs_len for channel in server.active_channels.values())


def behind_proxies(application: WSGIApplication, trusted: frozenset[str]) -> WSGIApplication:
    """Believe X-Forwarded-For, -Proto and -Host from the named proxies, and from nobody else."""
    if not trusted:
        return application
    from werkzeug.middleware.proxy_fix import ProxyFix

    forwarded = ProxyFix(application, x_for=1, x_proto=1, x_host=1)

    def checked(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        believed = named(environ.get("REMOTE_ADDR"), trusted)
        return (forwarded if believed else application)(environ, start_response)

    return checked
