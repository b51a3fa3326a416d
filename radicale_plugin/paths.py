"""Paths as clients send them: decoded once, and refused where they play tricks."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from bridge.errors import Invalid, NotAllowed

#: In bytes. Longer than any href that a client makes up.
LONGEST = 2048


def checked(raw: bytes) -> str:
    """The path that these percent-decoded bytes spell. Raises Invalid for what is not UTF-8 (overlong forms
    included), control characters, ``.`` and ``..`` segments, and sheer length."""
    if len(raw) > LONGEST:
        raise Invalid("The address is too long.")
    try:
        path = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Invalid("The address is not UTF-8.") from error
    if any(unicodedata.category(character)[0] == "C" for character in path):
        raise Invalid("The address holds control characters.")
    if {".", ".."} & set(path.split("/")):
        raise Invalid("The address holds relative parts (“..”).")
    return path


def destination(environ: Mapping[str, Any], prefix: str) -> str:
    """The Destination of a MOVE (RFC 4918 10.3) below ``prefix``. Raises Invalid, NotAllowed for another
    server or place: that would be a 502 by the RFC, but clients repeat what is answered with 5xx."""
    given = environ.get("HTTP_DESTINATION", "").strip()
    if not given:
        raise Invalid("A MOVE needs a Destination.")
    try:
        parts = urlsplit(given)
        named = (parts.hostname or "").lower()
    except ValueError as error:
        raise Invalid("The Destination is no address.") from error
    here = str(environ.get("HTTP_HOST", "")).rpartition("@")[2].lower()
    host = here.rpartition(":")[0] if here.rpartition(":")[2].isdigit() else here
    if parts.netloc and host.strip("[]") not in ("", named):
        raise NotAllowed("Events move within this server only.")
    path = checked(unquote_to_bytes(parts.path))
    if not path.startswith(prefix + "/"):
        raise NotAllowed("Events move within the calendars of this server only.")
    return path[len(prefix) :]
