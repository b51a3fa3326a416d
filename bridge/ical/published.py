"""Many objects as one calendar to subscribe to (RFC 5545, 7986): the text of an ICS feed.

The events' own lines go out as they are stored. Time zones of the IANA list are defined once, by us, for the
whole feed; others travel with their events, under another name where two definitions share one. What a text
contributes is worked out once (``piece``) and kept beside it, so that a feed is little more than joining.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple

from bridge.ical.build import PRODID
from bridge.ical.text import escape, fold, restore_crlf
from bridge.ical.vtimezone import vtimezone
from bridge.ical.zones import iana_name

_EVENTS = re.compile(r"(?m)^BEGIN:VEVENT\r?\n(?:.*\n)*?END:VEVENT\r?(?:\n|\Z)", re.IGNORECASE)
_ZONES = re.compile(r"(?m)^BEGIN:VTIMEZONE\r?\n(?:.*\n)*?END:VTIMEZONE\r?\n", re.IGNORECASE)
_TZID = re.compile(r"(?m)^(TZID(?:;[^:\r\n]*)?:)([^\r\n]*)", re.IGNORECASE)
_FOLD = re.compile(r"\r?\n[ \t]")
_USED = re.compile(r';TZID="?([^";:,\r\n]+)"?(?=[;:])', re.IGNORECASE)
_ALARMS = re.compile(r"(?m)^BEGIN:VALARM\r?\n(?:.*\n)*?END:VALARM\r?\n", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z-]+")

#: What tells when somebody is busy, and nothing else. SEQUENCE and the stamps make clients take updates.
TIMES = frozenset(
    [
        "BEGIN",
        "END",
        "UID",
        "DTSTAMP",
        "LAST-MODIFIED",
        "SEQUENCE",
        "RECURRENCE-ID",
        "DTSTART",
        "DTEND",
        "DURATION",
        "RRULE",
        "RDATE",
        "EXDATE",
        "STATUS",
        "TRANSP",
    ]
)


class Piece(NamedTuple):
    """What one text contributes to a feed: its events in full, and with no word but when they are; the names
    of the time zones they use, each of the IANA list, with a space after each."""

    zones: str
    events: str
    busy: str


def piece(text: str) -> Piece | None:
    """None: the events have a time zone of their own, and so depend on what else is in the feed."""
    events = _events(text)
    used = _used(events)
    if not all(map(_is_known, used)):
        return None
    return Piece("".join(f"{zone} " for zone in sorted(used)), events, _busy(events))


def feed(
    pieces: Iterable[str],
    zones: Iterable[str],
    texts: Iterable[str] = (),
    *,
    name: str,
    color: str,
    zone: str,
    first: date,
    last: date,
    modified: datetime,
    busy_only: bool,
) -> bytes:
    """The feed, with CRLF, in UTF-8. ``pieces``: of each object the events, or when they are; ``zones``: what
    their pieces say of zones, any number of times; ``texts``: of the objects that have no piece.

    ``color``: a CSS3 name (RFC 7986 5.9); ``zone``: its owner's, of the IANA list; ``first`` and ``last``
    bound what the definitions of zones must be right for. ``busy_only``: tell of ``texts`` only when they
    are."""
    needed = {zone, *"".join(set(zones)).split()}
    foreign: dict[str, str] = {}  # TZID -> definition
    others: list[str] = []
    for text in texts:
        part = _events(text)
        used = _used(part)
        known = set(filter(_is_known, used))
        if odd := used - known:
            part = _with_own_zones(_FOLD.sub("", part), text, odd, foreign)
        needed |= known
        others.append(_busy(part) if busy_only else part)
    head = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{PRODID}",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"NAME:{escape(name)}",
        f"X-WR-CALNAME:{escape(name)}",
        f"X-WR-TIMEZONE:{zone}",
        f"COLOR:{color}",
        f"LAST-MODIFIED:{modified:%Y%m%dT%H%M%SZ}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
    ]
    defined = [vtimezone(key, first, last) for key in sorted(needed)]
    parts = [*map(fold, head), *defined, *foreign.values(), *pieces, *others, "END:VCALENDAR\r\n"]
    return "".join(parts).encode()


def _events(text: str) -> str:
    return "".join(_EVENTS.findall(restore_crlf(text if text.endswith("\n") else text + "\r\n")))


def _used(events: str) -> set[str]:
    """The TZIDs in these events."""
    return set(_USED.findall(_FOLD.sub("", events) if _cut(events) else events))


def _is_known(zone: str) -> bool:
    return iana_name(zone) == zone


def _cut(part: str) -> bool:
    """Whether a fold may cut a TZID in two; so long a name of a zone is rare."""
    return any("TZID" in line and len(line) >= 60 for line in part.split("\r\n"))


def _with_own_zones(part: str, text: str, odd: set[str], foreign: dict[str, str]) -> str:
    """The events, with the definitions of their own zones added to ``foreign``."""
    for block in _ZONES.findall(restore_crlf(text)):
        spelled = _TZID.search(_FOLD.sub("", block))
        tzid = spelled[2] if spelled else ""
        if tzid not in odd:
            continue
        name, number = tzid, 1
        while foreign.get(name, _renamed(block, name)) != _renamed(block, name):
            number += 1
            name = f"{tzid} ({number})"
        foreign[name] = _renamed(block, name)
        if name != tzid:
            quoted = re.escape(tzid)
            part = re.sub(rf';TZID="?{quoted}"?(?=[;:])', lambda _: f";TZID={name}", part)  # noqa: B023
    return "".join(fold(line) for line in part.split("\r\n")[:-1])


def _renamed(block: str, name: str) -> str:
    return _TZID.sub(lambda found: f"{found[1]}{name}", _FOLD.sub("", block), count=1)


def _busy(part: str) -> str:
    """The same events without a word about what they are; those that take no time are left out."""
    kept: list[str] = []
    for event in _EVENTS.findall(_ALARMS.sub("", part)):
        lines = [line for line in _logical(event) if _name(line) in TIMES]
        if not any(line.upper().startswith("TRANSP:TRANSPARENT") for line in lines):
            kept += [*lines[:-1], "SUMMARY:Busy\r\n", "CLASS:PRIVATE\r\n", lines[-1]]
    return "".join(kept)


def _logical(event: str) -> Sequence[str]:
    return re.findall(r"[^\n]*\n(?:[ \t][^\n]*\n)*", event)


def _name(line: str) -> str:
    found = _NAME.match(line)
    return found[0].upper() if found else ""
