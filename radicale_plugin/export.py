"""A whole calendar in one text: what a GET of its address gives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import BytesIO

from bridge.errors import Invalid
from bridge.ical.text import Component, Line, escape, parse

_PRODID = "-//picsello-bridge//CalDAV//EN"
_ZONE, _ZONE_END = "BEGIN:VTIMEZONE\r\n", "END:VTIMEZONE\r\n"
_EVENT, _EVENT_END = "BEGIN:VEVENT\r\n", "END:VEVENT\r\n"


#: Bytes of one portion of the text; large enough that portions cost nothing.
PORTION = 256_000


def whole_calendar(title: str, texts: Iterable[str]) -> list[bytes]:
    """All objects in one VCALENDAR, each zone definition once (by TZID: the first of that name stays); in
    portions, since a large calendar should not be in memory twice."""
    zones: dict[str, str] = {}
    portions: list[bytes] = []
    held = BytesIO()
    for events in _events(texts, zones):
        held.write(events.encode())
        if held.tell() >= PORTION:
            portions.append(held.getvalue())
            held = BytesIO()
    head = Component.make("VCALENDAR", [Line.make("VERSION", "2.0"), Line.make("PRODID", _PRODID)])
    head.items.append(Line.make("X-WR-CALNAME", escape(title)))
    begin, end = head.serialize().removesuffix(head.end), head.end
    return ["".join([begin, *zones.values()]).encode(), *portions, held.getvalue(), end.encode()]


def _events(texts: Iterable[str], zones: dict[str, str]) -> Iterator[str]:
    """The components of each object, their zone definitions put among ``zones``."""
    known: set[str] = set()
    for text in texts:
        cut = _cut(text)
        if cut is None:
            yield from _parsed(text, zones)
            continue
        definition, events = cut
        if definition and definition not in known:
            known.add(definition)
            _parsed(f"BEGIN:VCALENDAR\r\n{definition}END:VCALENDAR\r\n", zones)
        yield events


def _cut(text: str) -> tuple[str, str] | None:
    """``(zone definitions, events)`` of an object laid out as nearly all are: in CR LF, zones before events,
    nothing between them or after. None for any other."""
    first = text.find(_EVENT)
    last = text.rfind("END:VCALENDAR\r\n")
    if first < 0 or last < 0 or text[last - len(_EVENT_END) : last] != _EVENT_END:
        return None
    events = text[first:last]
    if events.count(_EVENT) != events.count(_EVENT_END + _EVENT) + 1 or "\r\nBEGIN:VTIMEZONE" in events:
        return None
    if text.count("\n") != text.count("\r\n") or events.count(_EVENT_END) != events.count(_EVENT):
        return None
    zone = text.find(_ZONE)
    if zone < 0:
        return ("", events) if text.count("BEGIN:", 0, first) == 1 else None
    definitions = text[zone:first]
    if not definitions.endswith(_ZONE_END) or text.count("BEGIN:", 0, zone) != 1:
        return None
    return definitions, events


def _parsed(text: str, zones: dict[str, str]) -> list[str]:
    """The components of an object, its zone definitions put among ``zones``."""
    pieces = []
    try:
        calendar = parse(text)
    except Invalid:
        return []
    for component in calendar.components():
        written = component.serialize().replace("\r\n", "\n").replace("\n", "\r\n")
        if component.name == "VTIMEZONE":
            zones.setdefault(component.value("TZID") or "", written)
        else:
            pieces.append(written)
    return pieces
