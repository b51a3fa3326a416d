"""What a request says about the version it means (RFC 9110 13.1) and about its body's type and charset."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any

from bridge.errors import Invalid, Stale
from bridge.ical.text import decode

ANY = "*"
#: The precondition of RFC 4791 5.3.2.1 for what is no calendar data at all.
_MEDIA = "supported-calendar-data"
_TAG = re.compile(r'\s*(?:(W/)?"([^"]*)"|([^\s,"]+))\s*(?:,|$)')


class WrongMedia(Invalid):
    """The body's media type or charset is not one we take (HTTP 415)."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """``If-Match`` and ``If-None-Match``; None where the header is absent. Tags are without quotes."""

    match: frozenset[str] | None
    none_match: frozenset[str] | None

    @classmethod
    def of(cls, environ: Mapping[str, Any]) -> Conditions:
        # If-Match compares strongly, so that a weak tag never matches; the other weakly (RFC 9110 8.8.3.2)
        return cls(
            _tags(environ, "HTTP_IF_MATCH", weak=False), _tags(environ, "HTTP_IF_NONE_MATCH", weak=True)
        )

    def check(self, etag: str | None) -> None:
        """Raise Stale unless they hold for an object of this ETag (None: there is no object)."""
        if self.match is not None and (etag is None or not self.match & {ANY, etag}):
            gone = "it has been deleted" if etag is None else "it has been changed"
            raise Stale(f"This event is not what your calendar app last saw: {gone} in the meantime.")
        if self.none_match is not None and etag is not None and self.none_match & {ANY, etag}:
            raise Stale("There is an event at this address already.")

    def wants(self, etag: str) -> bool:
        """For a GET: whether the client needs to be sent what has this ETag. Raises Stale by If-Match."""
        if self.match is not None and not self.match & {ANY, etag}:
            raise Stale("This event is not what your calendar app last saw.")
        return self.none_match is None or not self.none_match & {ANY, etag}


def _tags(environ: Mapping[str, Any], name: str, weak: bool) -> frozenset[str] | None:
    value = environ.get(name)
    if value is None:
        return None
    return frozenset(
        quoted or bare
        for prefix, quoted, bare in _TAG.findall(value)
        if (quoted or bare) and (weak or not prefix)
    )


def media(content_type: str) -> tuple[str, str | None]:
    """``(type/subtype, charset or None)`` in small letters."""
    message = Message()
    message["content-type"] = content_type or "application/octet-stream"
    charset = message.get_param("charset")
    return (message.get_content_type() if content_type else "", str(charset).lower() if charset else None)


def calendar_text(body: bytes, content_type: str) -> tuple[str, bool]:
    """The text of a PUT, and whether what we keep of it are exactly the bytes that were sent.

    Raises WrongMedia: text/calendar (or no type at all) in a charset that Python knows is taken.
    """
    kind, charset = media(content_type)
    if kind not in ("", "text/calendar"):
        raise WrongMedia(f"This address takes calendar objects (text/calendar), not {kind}.", _MEDIA)
    try:
        name = codecs.lookup(charset or "utf-8").name
        text = decode(body, name)
    except (LookupError, ValueError, TypeError) as error:  # ValueError, TypeError: hex, rot13 and the like
        raise WrongMedia(
            f"The character set {charset} is unknown here. Send the text as UTF-8.", _MEDIA
        ) from error
    except Invalid as error:
        if b"\0" in body:
            raise
        raise WrongMedia(
            f"The text is not in the character set {charset or 'UTF-8'}. Send it as UTF-8.", _MEDIA
        ) from error
    return text, text.encode("utf-8", "surrogatepass") == body
