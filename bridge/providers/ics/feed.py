"""A published calendar taken apart: one object per event, with its overrides and the zones it needs.

Pure. Every line stays as it was published, but for two repairs that others could not make later: a UID that
is missing, shared by different events or new at every fetch gives way to one made of the event's content,
and times without a zone get that of the whole calendar where it names one (X-WR-TIMEZONE). Fetching is left
to ``provider``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from bridge.errors import Invalid
from bridge.ical.text import Component, Line, parse, plain_param, restore_crlf
from bridge.ical.times import parse_duration
from bridge.ical.vtimezone import vtimezone
from bridge.ical.zones import iana_name
from bridge.ports import Entry

#: What publishers write anew at each fetch: no sign of a change (vdirsyncer's list, and Outlook's).
VOLATILE = frozenset({"DTSTAMP", "LAST-MODIFIED", "CREATED", "X-MICROSOFT-CDO-APPT-SEQUENCE"})
#: Calendar-level lines that an object keeps; METHOD makes no sense in one (RFC 4791 4.1).
_HEAD = frozenset({"VERSION", "PRODID", "CALSCALE"})
#: How many UIDs and contents are remembered to see whether UIDs last.
SAMPLE = 32

_BETWEEN = re.compile(r"(?i)(?<=END:VCALENDAR)\s+(?=BEGIN:VCALENDAR)")
_FLOATING = re.compile(r"\d{8}T\d{6}(?:,\d{8}T\d{6})*", re.ASCII)
_TIMES = frozenset({"DTSTART", "DTEND", "RECURRENCE-ID", "EXDATE", "RDATE"})


@dataclass(frozen=True, slots=True)
class Sample:
    """A few of a feed's UIDs and of its contents, hashed: the same few for the same feed."""

    uids: tuple[str, ...]
    contents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Feed:
    """``rest``: the seconds that the publisher asks us to wait between two fetches, None if it does not."""

    name: str
    color: str | None
    rest: float | None
    entries: Mapping[str, Entry]
    _uids: frozenset[str]
    _contents: frozenset[str]

    @property
    def state(self) -> str:
        """Equal for two fetches of an unchanged calendar."""
        tags = sorted((href, entry.tag) for href, entry in self.entries.items())
        return _digest(f"{href} {tag}" for href, tag in tags)

    @property
    def sample(self) -> Sample:
        return Sample(tuple(sorted(self._uids)[:SAMPLE]), tuple(sorted(self._contents)[:SAMPLE]))

    def renames(self, before: Sample) -> bool:
        """Whether the events of an earlier fetch are still here, but under other UIDs."""
        kept = sum(content in self._contents for content in before.contents)
        named = sum(uid in self._uids for uid in before.uids)
        return kept > 0 and kept * 2 >= len(before.contents) and named * 2 <= kept


def read_feed(text: str, *, by_content: bool = False) -> Feed:
    """Take a feed apart. ``by_content``: its UIDs do not last. Raises ``Invalid`` for what is no iCalendar,
    or is cut off."""
    calendars = [parse(piece) for piece in _BETWEEN.split(restore_crlf(text))]
    entries: dict[str, Entry] = {}
    uids: set[str] = set()
    contents: set[str] = set()
    for calendar in calendars:
        zone = iana_name(calendar.value("X-WR-TIMEZONE") or "")
        zones = {plain(found.value("TZID") or ""): found for found in calendar.components("VTIMEZONE")}
        head = [line for line in calendar.lines() if line.name in _HEAD]
        for uid, parts in _objects(calendar, by_content):
            uids.update(_short(part.value("UID") or "") for part in parts)
            contents.update(_short(_content(part)) for part in parts)
            parts = [_in_zone(part, zone) if zone else part for part in parts]
            parts = [_named(part, uid) for part in parts]
            tag = _digest(
                line.raw for part in parts for line in part.deep_lines() if line.name not in VOLATILE
            )
            items: list[Line | Component] = [*head, *_definitions(parts, zones), *parts]
            whole = Component(calendar.name, items, "BEGIN:VCALENDAR\r\n", "END:VCALENDAR\r\n")
            entries[uid] = Entry(uid, tag, whole.serialize())
    first = calendars[0]
    return Feed(
        _text(first, "X-WR-CALNAME", "NAME"),
        _text(first, "X-APPLE-CALENDAR-COLOR", "COLOR") or None,
        _rest(first),
        entries,
        frozenset(uids),
        frozenset(contents),
    )


def plain(tzid: str) -> str:
    """A TZID without quotes and surrounding blanks."""
    return tzid.strip().strip('"').strip()


# --- which events are one object --------------------------------------------------------------------


def _objects(calendar: Component, by_content: bool) -> Iterator[tuple[str, list[Component]]]:
    """UID and components of each object."""
    groups: dict[str, list[Component]] = {}
    for event in calendar.components("VEVENT"):
        uid = (event.value("UID") or "").strip()
        groups.setdefault(uid or made_uid(event), []).append(event)
    for uid, events in groups.items():
        overrides = list(_newest((_text(e, "RECURRENCE-ID"), e) for e in events if _is_override(e)).values())
        masters = [event for event in events if not _is_override(event)]
        highest = max(map(_sequence, masters), default=0)  # an older version beside a newer one is obsolete
        distinct = _newest((_content(event), event) for event in masters if _sequence(event) == highest)
        if len(distinct) > 1:
            owner = next((e for e in distinct.values() if e.first("RRULE")), None)
            for event in distinct.values():
                yield made_uid(event), [event, *(overrides if event is owner else [])]
        else:
            parts = [*distinct.values(), *overrides]
            yield (made_uid(parts[0]) if by_content else uid), parts


def _newest(pairs: Iterable[tuple[str, Component]]) -> dict[str, Component]:
    """One component a key: the one with the highest SEQUENCE, of equals the last."""
    found: dict[str, Component] = {}
    for key, event in pairs:
        if key not in found or _sequence(event) >= _sequence(found[key]):
            found[key] = event
    return found


def made_uid(event: Component) -> str:
    """A UID that lasts as long as the event's times and title."""
    return f"{_digest([_content(event)])}@content"


def _content(event: Component) -> str:
    """What makes two events the same one: when, how often, and the title."""
    found = []
    for name in ("DTSTART", "DTEND", "DURATION", "RRULE", "RECURRENCE-ID", "SUMMARY"):
        line = event.first(name)
        found.append(f"{line.param('TZID') or ''} {line.text.strip()}" if line else "")
    return "\n".join(found)


def _is_override(event: Component) -> bool:
    return event.first("RECURRENCE-ID") is not None


def _sequence(event: Component) -> int:
    value = (event.value("SEQUENCE") or "").strip()
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0


# --- repairs ----------------------------------------------------------------------------------------


def _named(event: Component, uid: str) -> Component:
    """The event under this UID."""
    line = event.first("UID")
    if line is not None and line.value.strip() == uid:
        return event
    others = [item for item in event.items if not (isinstance(item, Line) and item.name == "UID")]
    return Component(event.name, [Line.make("UID", uid), *others], event.begin, event.end)


def _in_zone(event: Component, zone: str) -> Component:
    """The event with its floating times in the zone."""
    items: list[Line | Component] = [
        _zoned(item, zone)
        if isinstance(item, Line) and item.name in _TIMES and not item.param("TZID") and _floats(item)
        else item
        for item in event.items
    ]
    return Component(event.name, items, event.begin, event.end)


def _floats(line: Line) -> bool:
    return _FLOATING.fullmatch(line.value.strip()) is not None


def _zoned(line: Line, zone: str) -> Line:
    kept = [(name, plain_param(spelled)) for name, spelled in line.params if name != "TZID"]
    return Line.make(line.name, line.value, [*kept, ("TZID", zone)])


def _definitions(parts: list[Component], zones: Mapping[str, Component]) -> list[Component]:
    """The definitions of the zones that these components name: the feed's own, else ours."""
    named = dict.fromkeys(
        plain(tzid) for part in parts for line in part.deep_lines() if (tzid := line.param("TZID"))
    )
    found = []
    for tzid in named:
        if tzid in zones:
            found.append(zones[tzid])
        elif iana_name(tzid) == tzid:
            year = min((_year(part) for part in parts), default=2000)
            found += _own_definition(tzid, year)
    return found


@lru_cache(maxsize=256)
def _own_definition(zone: str, year: int) -> tuple[Component, ...]:
    text = vtimezone(zone, date(year, 1, 1), date(year + 10, 12, 31))
    return tuple(parse(f"BEGIN:VCALENDAR\r\n{text}END:VCALENDAR\r\n").components("VTIMEZONE"))


def _year(event: Component) -> int:
    digits = (event.value("DTSTART") or "").strip()[:4]
    return min(max(int(digits), 1970), 2100) if digits.isascii() and digits.isdigit() else 2000


# --- of the whole calendar --------------------------------------------------------------------------


def _rest(calendar: Component) -> float | None:
    for name in ("REFRESH-INTERVAL", "X-PUBLISHED-TTL"):
        try:
            if value := (calendar.value(name) or "").strip():
                return max(0.0, parse_duration(value).total_seconds())
        except Invalid:
            continue
    return None


def _text(component: Component, *names: str) -> str:
    return next((line.text.strip() for name in names if (line := component.first(name))), "")


def _short(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12]


def _digest(pieces: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece.encode("utf-8", "replace"))
        digest.update(b"\0")
    return digest.hexdigest()[:32]
