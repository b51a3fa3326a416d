"""A small HTTP proxy that does what networks and servers do on their bad days, one request at a time.

It stands before a real server, keeps a log of what passed, and applies faults in the order they were set:
lose a request before or an answer after it was carried out, answer something else, take a header away,
rewrite a body. It can ask for Digest sign-in (RFC 7616, MD5) in the server's stead.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import re
import ssl
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "upgrade", "content-length", "host"}


@dataclass
class Seen:
    """One request that reached the proxy, and what it answered (None: nothing)."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    status: int | None = None


@dataclass
class Reply:
    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""


Forward = Callable[[], Reply]
#: A fault gets the request and a way to carry it out, and gives the answer, or None to break the connection.
Fault = Callable[[Seen, Forward], Reply | None]


def lose_request(_seen: Seen, _forward: Forward) -> None:
    """The connection breaks before the server hears of it."""


def lose_answer(_seen: Seen, forward: Forward) -> None:
    """The server carries it out; nobody is told."""
    forward()


def answer(status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> Fault:
    """The server is not asked; this is the answer."""
    return lambda _seen, _forward: Reply(status, list((headers or {}).items()), body)


def without_header(name: str) -> Fault:
    """A header of the answer is missing."""

    def fault(_seen: Seen, forward: Forward) -> Reply:
        reply = forward()
        reply.headers = [(key, value) for key, value in reply.headers if key.lower() != name.lower()]
        return reply

    return fault


def with_header(name: str, change: Callable[[str], str]) -> Fault:
    """A header of the answer has another value."""

    def fault(_seen: Seen, forward: Forward) -> Reply:
        reply = forward()
        reply.headers = [(k, change(v) if k.lower() == name.lower() else v) for k, v in reply.headers]
        return reply

    return fault


def with_body(change: Callable[[bytes], bytes]) -> Fault:
    """The body of the answer is another one."""

    def fault(_seen: Seen, forward: Forward) -> Reply:
        reply = forward()
        reply.body = change(reply.body)
        return reply

    return fault


def meanwhile(happens: Callable[[], object]) -> Fault:
    """Somebody does something after the server carried it out and before the answer is back."""

    def fault(_seen: Seen, forward: Forward) -> Reply:
        reply = forward()
        happens()
        return reply

    return fault


def slowly(seconds: float) -> Fault:
    """The answer takes its time."""

    def fault(_seen: Seen, forward: Forward) -> Reply:
        time.sleep(seconds)
        return forward()

    return fault


@dataclass
class _Rule:
    method: str
    path: str  # a regular expression
    fault: Fault
    times: int


class FaultProxy:
    """``with FaultProxy(server.url) as proxy: ...``; ``proxy.url`` stands for the server's."""

    def __init__(
        self,
        target: str,
        *,
        digest: tuple[str, str] | None = None,
        habits: Sequence[Fault] = (),
        tls: ssl.SSLContext | None = None,
    ):
        """``digest``: a user name and password to be asked for by Digest; the server gets them by Basic.
        ``habits``: what is done with every request, the last one nearest to the server."""
        self._target = urlsplit(target).netloc
        self._digest = digest
        self._habits = tuple(habits)
        self._rules: list[_Rule] = []
        self._lock = threading.Lock()
        self.log: list[Seen] = []
        proxy = self

        class Handler(_Handler):
            server_proxy = proxy

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        if tls is not None:
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.host_and_port = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.host_and_port}/"

    def __enter__(self) -> FaultProxy:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def fault(self, method: str, fault: Fault, *, path: str = "", times: int = 1) -> None:
        """Apply the fault to the next ``times`` requests of this method whose path holds the expression."""
        with self._lock:
            self._rules.append(_Rule(method, path, fault, times))

    def heal(self) -> None:
        """Forget the faults that have not happened, and the log."""
        with self._lock:
            self._rules.clear()
            self.log.clear()

    def methods(self) -> list[str]:
        """The methods of the requests so far, in order."""
        return [seen.method for seen in self.log]

    # --- called by the handler -------------------------------------------------------------------

    def handle(self, seen: Seen) -> Reply | None:
        with self._lock:
            self.log.append(seen)
        if self._digest and not self._signed(seen):
            challenge = f'Digest realm="proxy", nonce="{time.time_ns():x}", qop="auth", algorithm=MD5'
            reply: Reply | None = Reply(401, [("WWW-Authenticate", challenge)])
        else:
            fault = self._next(seen)
            reply = self._carry_out(seen, (fault, *self._habits) if fault else self._habits)
        seen.status = None if reply is None else reply.status
        return reply

    def _carry_out(self, seen: Seen, faults: Sequence[Fault]) -> Reply | None:
        if not faults:
            return self._forward(seen)
        first, *rest = faults
        broken = False

        def forward() -> Reply:
            nonlocal broken
            reply = self._carry_out(seen, rest)
            broken = reply is None
            return reply or Reply(500)

        reply = first(seen, forward)
        return None if broken else reply

    def _next(self, seen: Seen) -> Fault | None:
        with self._lock:
            for rule in self._rules:
                if rule.method == seen.method and re.search(rule.path, seen.path):
                    rule.times -= 1
                    if rule.times <= 0:
                        self._rules.remove(rule)
                    return rule.fault
        return None

    def _forward(self, seen: Seen) -> Reply:
        kept_back = _HOP | ({"accept-encoding"} if self._habits else set())  # they read what comes
        headers = {key: value for key, value in seen.headers.items() if key.lower() not in kept_back}
        if self._digest:
            token = base64.b64encode(":".join(self._digest).encode()).decode()
            headers = {k: v for k, v in headers.items() if k.lower() != "authorization"}
            headers["Authorization"] = f"Basic {token}"
        connection = http.client.HTTPConnection(self._target, timeout=60)
        try:
            connection.request(seen.method, seen.path, seen.body, {**headers, "Host": self._target})
            response = connection.getresponse()
            kept = [(key, value) for key, value in response.getheaders() if key.lower() not in _HOP]
            return Reply(response.status, kept, response.read())
        finally:
            connection.close()

    def _signed(self, seen: Seen) -> bool:
        assert self._digest is not None
        given = dict(re.findall(r'(\w+)="?([^",]+)"?', seen.headers.get("Authorization", "")))
        if not seen.headers.get("Authorization", "").startswith("Digest ") or "response" not in given:
            return False
        user, password = self._digest
        one = _md5(f"{user}:proxy:{password}")
        two = _md5(f"{seen.method}:{given.get('uri')}")
        wanted = _md5(f"{one}:{given['nonce']}:{given['nc']}:{given['cnonce']}:{given['qop']}:{two}")
        return given.get("username") == user and given["response"] == wanted and given.get("uri") == seen.path


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is its own affair; anything else is a mistake of ours to see."""
        if not isinstance(sys.exception(), ConnectionError | ssl.SSLError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server_proxy: FaultProxy
    protocol_version = "HTTP/1.1"

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        seen = Seen(self.command, self.path, dict(self.headers.items()), body)
        reply = self.server_proxy.handle(seen)
        if reply is None:
            self.close_connection = True
            return
        self.send_response_only(reply.status)
        for key, value in reply.headers:
            self.send_header(key, value)
        if reply.status not in (204, 304):
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if reply.status not in (204, 304):
            self.wfile.write(reply.body)

    def log_message(self, *_: Any) -> None:
        """Silent: the proxy keeps its own log."""
