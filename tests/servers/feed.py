"""Somebody's published calendars: a small web server that puts a file together from parts.

Conditional requests (RFC 9110 13.1) are honoured where it tells validators. ``serve`` puts any answer in a
calendar's place.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_START = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Tests//Provider contract//EN\r\n"
_END = "END:VCALENDAR\r\n"


@dataclass
class Published:
    """One calendar, in the publisher's hands. ``head``: further lines of the calendar itself."""

    title: str = ""
    color: str = ""
    head: tuple[str, ...] = ()
    parts: dict[str, str] = field(default_factory=dict)  # name -> text of a whole VCALENDAR
    tells: bool = True  # validators
    instead: tuple[int, dict[str, str], bytes] | None = None

    def put(self, name: str, text: str) -> None:
        self.parts[name] = text

    def get(self, name: str) -> str | None:
        return self.parts.get(name)

    def delete(self, name: str) -> None:
        del self.parts[name]

    def list(self) -> dict[str, str]:
        return {name: hashlib.md5(text.encode()).hexdigest() for name, text in self.parts.items()}

    def drop(self) -> None:
        self.serve(404)

    def serve(self, status: int, body: bytes | str = b"", **headers: str) -> None:
        """Answer this, whatever is asked for."""
        data = body.encode() if isinstance(body, str) else body
        self.instead = (status, {key.replace("_", "-"): value for key, value in headers.items()}, data)

    @property
    def text(self) -> str:
        lines = [*self.head]
        lines += [f"X-WR-CALNAME:{self.title}"] * bool(self.title)
        lines += [f"X-APPLE-CALENDAR-COLOR:{self.color}"] * bool(self.color)
        inner = "".join(text.split("//EN\r\n", 1)[1].removesuffix(_END) for text in self.parts.values())
        return _START + "".join(f"{line}\r\n" for line in lines) + inner + _END


class Publisher:
    """``with Publisher() as site: site.publish("work").put(...)``."""

    def __init__(self) -> None:
        self.calendars: dict[str, Published] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.asked.append((self.path, dict(self.headers.items())))
                status, headers, body = site.answer(self.path, dict(self.headers.items()))
                self.send_response_only(status)
                for key, value in headers.items():
                    self.send_header(key, value)
                if status != 304:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if status != 304:
                    self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.host_and_port = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{self.host_and_port}/"

    def __enter__(self) -> Publisher:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def publish(self, name: str, **facts: Any) -> Published:
        """A new calendar at ``/<name>.ics``."""
        self.calendars[name] = made = Published(**facts)
        return made

    def answer(self, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        calendar = self.calendars.get(path.strip("/").removesuffix(".ics"))
        if calendar is None:
            return 404, {}, b"<!doctype html><p>There is nothing here."
        if calendar.instead is not None:
            return calendar.instead
        body = calendar.text.encode()
        told = {"Content-Type": "text/calendar; charset=utf-8"}
        if calendar.tells:
            told["ETag"] = f'"{hashlib.md5(body).hexdigest()}"'
            if headers.get("If-None-Match") == told["ETag"]:
                return 304, told, b""
        return 200, told, body
