"""A small HTTP client on one kept-alive socket, so that what is measured is the server."""

from __future__ import annotations

import base64
import socket
import time
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlsplit

#: Linux: acknowledge at once. A server that writes in several segments without TCP_NODELAY otherwise waits.
_QUICK_ACK = 12


class Reply(NamedTuple):
    status: int
    headers: dict[bytes, bytes]
    body: bytes
    seconds: float


@dataclass
class Client:
    """As one signed-in device; reconnects when the server has closed the connection."""

    url: str
    user: str = ""
    password: str = ""
    _socket: socket.socket | None = None
    _rest: bytes = b""
    _always: str = field(default="", init=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        self._address = (parts.hostname or "", parts.port or 80)
        self._always = f"Host: {parts.netloc}\r\n"
        if self.user:
            said = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            self._always += f"Authorization: Basic {said}\r\n"

    def __call__(self, method: str, path: str, body: bytes | str | None = None, **headers: str) -> Reply:
        """``headers`` by name with underscores."""
        data = body.encode() if isinstance(body, str) else body or b""
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        if data or method == "PUT":
            lines += f"Content-Length: {len(data)}\r\n"
        message = f"{method} {path} HTTP/1.1\r\n{self._always}{lines}\r\n".encode() + data
        begun = time.perf_counter()
        try:
            status, found, content = self._exchange(message, method)
        except (ConnectionError, EOFError):
            self.close()
            status, found, content = self._exchange(message, method)
        return Reply(status, found, content, time.perf_counter() - begun)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket, self._rest = None, b""

    def _exchange(self, message: bytes, method: str) -> tuple[int, dict[bytes, bytes], bytes]:
        if self._socket is None:
            self._socket = socket.create_connection(self._address, timeout=300)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(message)
        first, *lines = self._until(b"\r\n\r\n").split(b"\r\n")
        version, status = first.split(b" ")[0], int(first.split(b" ")[1])
        headers = {line.partition(b":")[0].lower(): line.partition(b":")[2].strip() for line in lines}
        if method == "HEAD" or status in (204, 304):
            body = b""
        elif headers.get(b"transfer-encoding", b"").lower() == b"chunked":
            body = b""
            while size := int(self._until(b"\r\n").split(b";")[0], 16):
                body += self._exactly(size)
                self._until(b"\r\n")
            self._until(b"\r\n")
        elif b"content-length" in headers:
            body = self._exactly(int(headers[b"content-length"]))
        else:
            body = self._to_the_end()
        if version == b"HTTP/1.0" or headers.get(b"connection", b"").lower() == b"close":
            self.close()
        return status, headers, body

    def _more(self) -> bytes:
        assert self._socket is not None
        self._socket.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)
        data = self._socket.recv(1 << 18)
        if not data:
            raise EOFError
        return data

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._rest:
            self._rest += self._more()
        found, _, self._rest = self._rest.partition(mark)
        return found

    def _exactly(self, size: int) -> bytes:
        parts, have = [self._rest], len(self._rest)
        while have < size:
            parts.append(self._more())
            have += len(parts[-1])
        whole = b"".join(parts)
        self._rest = whole[size:]
        return whole[:size]

    def _to_the_end(self) -> bytes:
        parts = [self._rest]
        try:
            while True:
                parts.append(self._more())
        except EOFError:
            return b"".join(parts)
