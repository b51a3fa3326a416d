"""Answers go out compressed to whoever takes that (RFC 9110 8.4.1, RFC 1952): pages, scripts, styles, feeds.

The length of a compressed page tells something about what is in it: whoever can make a signed-in browser
ask again and again, with guesses in the address, could guess the page's secret by the lengths (BREACH). Our
cookie does not travel with such requests (SameSite), and every answer carries a file name of random length,
so that no two lengths can be compared.
"""

from __future__ import annotations

import secrets
import struct
import zlib
from functools import lru_cache

from flask import Flask, Response, request

TYPES = frozenset(
    {
        "text/html",
        "text/css",
        "text/javascript",
        "text/calendar",
        "text/plain",
        "application/json",
        "application/javascript",
        "image/svg+xml",
    }
)
#: Below this many bytes it is not worth it.
SMALLEST = 1_000
#: Nearly as small as it gets, in half the time.
LEVEL = 5
LONGEST_NAME = 64


def install(app: Flask) -> None:
    """Compress the answers of this application."""
    app.after_request(_compressed)


def gzip(data: bytes) -> bytes:
    """One member with a name of random length."""
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = packer.compress(data) + packer.flush()
    name = b"x" * secrets.randbelow(LONGEST_NAME) + b"\0"
    tail = struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)
    return b"\x1f\x8b\x08\x08\0\0\0\0\0\xff" + name + body + tail


#: Our own files hold no secret and never change while we run: each is compressed once.
_file = lru_cache(maxsize=64)(gzip)


def _compressed(response: Response) -> Response:
    if (
        response.mimetype not in TYPES
        or response.status_code != 200
        or "Content-Encoding" in response.headers
    ):
        return response
    response.vary.add("Accept-Encoding")
    if not request.accept_encodings["gzip"] or (response.is_streamed and not response.direct_passthrough):
        return response
    response.direct_passthrough = False
    data = response.get_data()
    if len(data) < SMALLEST:
        return response
    etag, _ = response.get_etag()
    response.set_data(_file(data) if request.endpoint == "static" else gzip(data))
    response.headers["Content-Encoding"] = "gzip"
    if etag:
        response.set_etag(etag, weak=True)  # other bytes than uncompressed, the same meaning
    return response
