"""Hrefs: sent as the server spelled them, compared after decoding only.

``%40`` and ``@`` are two spellings that some servers treat as two resources, so no href is ever re-encoded
(providers' facts, section 4). An object's href is its calendar's id as the home listing spells it, and its
name as the server spells it, so that one object has one href whatever answer it was read from.
"""

from __future__ import annotations

import hashlib
import re
from urllib.parse import unquote, urlsplit

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def path_of(href: str) -> str:
    """The path of an href that may be a whole address."""
    return href if href.startswith("/") and not href.startswith("//") else urlsplit(href).path or "/"


def key(href: str) -> str:
    """What two hrefs of one resource have in common."""
    return unquote(path_of(href)).rstrip("/")


def member(calendar: str, href: str) -> str | None:
    """The object's href below its calendar; None for the calendar itself and for collections in it."""
    path = path_of(href)
    if path.endswith("/") or key(path) == key(calendar):
        return None
    parent, _, name = path.rpartition("/")
    return calendar + name if key(parent) == key(calendar) else path


def new_name(text: str) -> str:
    """A file name for a new object, the same for the same text, free of anything a server could respell."""
    return (text if _PLAIN.fullmatch(text) else hashlib.sha256(text.encode()).hexdigest()[:40]) + ".ics"


def last_name(href: str) -> str:
    """The last segment, decoded: a name to show where a calendar has none."""
    return key(href).rpartition("/")[2]
