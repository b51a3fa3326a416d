"""Conditional writes: each names the version it expects, is sent once, and is read back where the answer
names no version. What a refusal is about (the entry, or the calendar) is found out before it is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bridge.errors import NotPermitted, ObjectGone, ProviderError, TagMismatch, UnknownOutcome
from bridge.ports import Entry
from bridge.providers.caldav.calendars import is_writable
from bridge.providers.caldav.refusals import object_refused, preconditions, write_refused
from bridge.providers.caldav.server import Server
from bridge.providers.caldav.texts import UNTAGGED, get
from bridge.providers.caldav.xml import DAV, propfind
from bridge.providers.http import Answer

_PRIVILEGES = propfind(DAV + "resourcetype", DAV + "current-user-privilege-set")
_TEXT = {"Content-Type": "text/calendar; charset=utf-8"}


def put(server: Server, calendar: str, href: str, text: str, expect: str | None) -> Entry:
    """As ``bridge.ports.Provider.put``."""
    condition = _condition(expect)
    answer = _write(server, "PUT", href, text.encode(), condition, calendar, create=expect is None)
    tag = answer.headers.get("ETag", "").strip()
    if tag and not tag.startswith("W/"):
        return Entry(href, tag)
    # no tag (RFC 4791 5.3.4: it was rewritten), or a weak one, as GMX gives on PUT alone
    try:
        stored = get(server, href)
    except NotPermitted:  # the write was permitted, and done
        stored = None
    if stored is None:
        raise UnknownOutcome(f"{server.host} took the entry and does not show it. We look at it again.")
    return replace(stored, read_after=True)


def delete(server: Server, calendar: str, href: str, expect: str) -> None:
    """As ``bridge.ports.Provider.delete``."""
    _write(server, "DELETE", href, b"", _condition(expect), calendar, create=False)


def _write(
    server: Server,
    method: str,
    href: str,
    body: bytes,
    condition: Mapping[str, str],
    calendar: str,
    *,
    create: bool,
) -> Answer:
    if not server.capabilities.conditional_writes:
        _check(server, href, condition)
    sent = {**condition, **(_TEXT if body else {})}
    answer = server.client.request(method, server.url(href), body, sent)
    if 200 <= answer.status < 300:
        return answer
    refusal = write_refused(answer, create=create)
    if isinstance(refusal, TagMismatch) and body and _disliked(server, href, condition):
        raise object_refused(answer)
    unexplained = answer.status == 403 and not preconditions(answer)
    if unexplained and is_writable(server.own(calendar, _PRIVILEGES)):
        # iCloud also says 403 to one entry that it dislikes: the calendar itself told which it is
        raise object_refused(answer)
    raise refusal


def _check(server: Server, href: str, condition: Mapping[str, str]) -> None:
    """For a server that does not look at conditions: look right before the write. What happens in between
    is overwritten; there is no way to do better. Raises ``TagMismatch``, ``ObjectGone``."""
    if not condition or _holds(server, href, condition):
        return
    if "If-Match" in condition and get(server, href) is None:
        raise ObjectGone(f"The entry no longer exists at {server.host}.")
    raise TagMismatch(f"The entry has changed at {server.host} in the meantime.")


def _disliked(server: Server, href: str, condition: Mapping[str, str]) -> bool:
    """Whether a 412 is about the entry itself (DAViCal says so), since the object is as expected."""
    try:
        return _holds(server, href, condition)
    except ProviderError:
        return False


def _holds(server: Server, href: str, condition: Mapping[str, str]) -> bool:
    """Whether the object is as the condition wants it."""
    there = get(server, href)
    if "If-None-Match" in condition:
        return there is None
    return there is not None and there.tag == condition.get("If-Match")


def _condition(expect: str | None) -> dict[str, str]:
    """The header that makes a write conditional; none where the server tells no versions apart."""
    if expect is None:
        return {"If-None-Match": "*"}
    return {} if expect.startswith(UNTAGGED) else {"If-Match": expect}
