"""DAV:multistatus written as text (RFC 4918 13): a tree per object would cost more than all else together.

Names get the prefixes declared in the head. All that is not written by this program passes ``escaped``;
what XML cannot hold at all is taken out of the finished answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from http import HTTPStatus
from itertools import chain, islice
from urllib.parse import quote

from radicale_plugin.answers import CLASSES, Answer

_PREFIXES = {
    "DAV:": "",
    "urn:ietf:params:xml:ns:caldav": "C:",
    "http://calendarserver.org/ns/": "CS:",
    "http://apple.com/ns/ical/": "I:",
}
_DECLARED = "".join(
    f' xmlns{":" if prefix else ""}{prefix.rstrip(":")}="{namespace}"'
    for namespace, prefix in _PREFIXES.items()
)
_XML = '<?xml version="1.0" encoding="utf-8"?>\n'
OK = "</prop><status>HTTP/1.1 200 OK</status></propstat>"
_MISSING = "</prop><status>HTTP/1.1 404 Not Found</status></propstat>"

#: Of a path segment, or many: whether nothing in it is quoted but an @.
_plain = re.compile(r"[A-Za-z0-9_.~@-]*").fullmatch
_all_plain = re.compile(r"[A-Za-z0-9_.~@\n-]*").fullmatch

#: Responses in one portion of a long answer.
PORTION = 2_000

#: XML 1.0 has no way to write these; the last two are U+FFFE and U+FFFF in UTF-8.
_CONTROLS = bytes(code for code in range(32) if code not in (9, 10, 13))
_NO_CHARACTERS = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")


def escaped(text: str) -> str:
    """``text`` as the content of an element. A CR is written as a reference: XML parsers turn a plain CR LF
    into LF (XML 1.0 2.11)."""
    if "&" in text:
        text = text.replace("&", "&amp;")
    if "<" in text:
        text = text.replace("<", "&lt;")
    if ">" in text:
        text = text.replace(">", "&gt;")
    return text.replace("\r", "&#13;")


def attribute(text: str) -> str:
    """``text`` between double quotes."""
    return escaped(text).replace('"', "&quot;").replace("\n", "&#10;")


@lru_cache(maxsize=1000)
def _tags(name: str) -> tuple[str, str]:
    """What opens (without its ``>``) and closes the element ``{namespace}name``."""
    namespace, _, local = name.removeprefix("{").partition("}")
    prefix = _PREFIXES.get(namespace)
    if prefix is not None:
        return f"<{prefix}{local}", f"</{prefix}{local}>"
    return f'<x:{local} xmlns:x="{attribute(namespace)}"', f"</x:{local}>"


def element(name: str, content: str = "") -> str:
    """``{namespace}name`` around content that is XML already."""
    start, end = _tags(name)
    return f"{start}>{content}{end}" if content else f"{start}/>"


def name_in_path(name: str) -> str:
    """A path segment, percent-encoded; as ``quote``, which is slow where there is anything to quote."""
    return name.replace("@", "%40") if _plain(name) else quote(name)


def names_in_path(names: Sequence[str]) -> list[str]:
    """``name_in_path`` of each: nearly always all are plain, and are looked at together."""
    together = "\n".join(names)
    if _all_plain(together):
        quoted = together.replace("@", "%40").split("\n")
        if len(quoted) == len(names):  # none holds a line end
            return quoted
    return [name_in_path(name) for name in names]


def href(address: str) -> str:
    """A DAV:href; ``address`` is percent-encoded."""
    return f"<href>{escaped(address)}</href>"


def response(address: str, found: str, missing: str = "") -> str:
    """What one resource has of the properties that were asked for, and which it has not."""
    return f"<response>{href(address)}{propstats(found, missing)}</response>"


def propstats(found: str, missing: str) -> str:
    """At least one, as RFC 8144 2.1 wants it of a minimal answer."""
    parts = ""
    if found or not missing:
        parts = f"<propstat><prop>{found}{OK}"
    if missing:
        parts += f"<propstat><prop>{missing}{_MISSING}"
    return parts


def status(address: str, code: int, error: str = "") -> str:
    """What became of one resource as a whole."""
    said = f"<error>{error}</error>" if error else ""
    line = f"<status>HTTP/1.1 {code} {HTTPStatus(code).phrase}</status>"
    return f"<response>{href(address)}{line}{said}</response>"


def document(name: str, content: str) -> str:
    """A whole document around an element of WebDAV."""
    return f"{_XML}<{name}{_DECLARED}>{content}</{name}>"


def answer(responses: Iterable[str], tail: str = "") -> Answer:
    """The whole answer; ``tail`` follows the responses (a sync-token)."""
    start, _, end = document("multistatus", "\0").partition("\0")
    rest = chain((start,), responses, (tail + end,))
    portions = []
    while portion := "".join(islice(rest, PORTION)):
        portions.append(_clean(portion))
    return 207, {"DAV": CLASSES, "Content-Type": "text/xml; charset=utf-8"}, portions, None


def _clean(written: str) -> bytes:
    """The bytes of it, without what XML cannot hold."""
    body = written.encode("utf-8", "replace").translate(None, _CONTROLS)
    if not written.isascii():
        for character in _NO_CHARACTERS:
            body = body.replace(character, b"")
    return body
