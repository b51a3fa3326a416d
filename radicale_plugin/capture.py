"""The client's own bytes under ``python -m radicale``, where our front is not in the way.

Radicale hands a storage plugin only what vobject made of an object. What the client sent passes through
``wsgi.input`` though, so what is read from there is kept for this request, and ``item`` stores it.
Mounted in our server nothing of this is used: ``app`` has the bytes from the front.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

_tap: ContextVar[Tap | None] = ContextVar("tap", default=None)


class Tap:
    """A request body that remembers what was read from it."""

    def __init__(self, stream: Any, charset: str):
        self._stream = stream
        self._parts: list[bytes] = []
        self._charset = charset

    def read(self, size: int = -1) -> bytes:
        part: bytes = self._stream.read(size)
        self._parts.append(part)
        return part

    def text(self) -> str | None:
        """What was read, as text; None if it can't be decoded as the client said."""
        try:
            return b"".join(self._parts).decode(self._charset)
        except (UnicodeDecodeError, LookupError):
            return None


def begin(environ: Any) -> None:
    """Catch the body of this request, if it is a PUT; forget the one before."""
    _tap.set(None)
    if environ.get("REQUEST_METHOD") == "PUT" and "wsgi.input" in environ:
        kind = environ.get("CONTENT_TYPE", "").lower()
        charset = kind.partition("charset=")[2].split(";")[0].strip(" \"'") or "utf-8"
        tap = Tap(environ["wsgi.input"], charset)
        environ["wsgi.input"] = tap
        _tap.set(tap)


def text() -> str | None:
    """The body of this context's PUT as the client sent it."""
    tap = _tap.get()
    return None if tap is None else tap.text()
