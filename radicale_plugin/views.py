"""Parts of an object, as a report may ask for them: some components and properties only (RFC 4791 9.6.1), and
a series with no more of its overrides than matter in a window (9.6.6)."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from bridge.errors import Invalid
from bridge.ical.occurrences import occurrences
from bridge.ical.text import Component, Line, parse
from bridge.store.horizon import FIRST, LAST
from radicale_plugin.filters import window
from radicale_plugin.xmlbody import CALDAV


@dataclass(frozen=True, slots=True)
class View:
    """What to leave of an object; ``comp`` as in ``C:comp`` of the request, ``limit`` in seconds."""

    comp: ET.Element | None
    limit: tuple[int, int] | None

    @classmethod
    def of(cls, data: ET.Element) -> View | None:
        """None: all of it."""
        comp, limited = data.find(CALDAV + "comp"), data.find(CALDAV + "limit-recurrence-set")
        start, end = (None, None) if limited is None else window(limited)
        limit = None if start is None or end is None else (start, end)
        return None if comp is None and limit is None else cls(comp, limit)

    def shown(self, text: str, zone: ZoneInfo) -> str:
        """The object's text with the rest left out; unchanged if it can't be read."""
        try:
            calendar = parse(text)
        except Invalid:
            return text
        if self.limit is not None:
            _limited(calendar, self.limit, zone)
        if self.comp is not None and (self.comp.get("name") or "").upper() == calendar.name:
            _thinned(calendar, self.comp)
        return calendar.serialize()


def _limited(calendar: Component, limit: tuple[int, int], zone: ZoneInfo) -> None:
    """Drop the overrides that neither take place in the window nor replace an instance that would."""
    events = list(calendar.components("VEVENT"))
    masters = [event for event in events if event.first("RECURRENCE-ID") is None]
    if len(masters) != 1 or len(events) == 1:
        return
    alone = Component(calendar.name, list(calendar.items), calendar.begin, calendar.end)
    alone.items = [item for item in calendar.items if isinstance(item, Line) or item.name != "VEVENT"]
    alone.items += masters
    try:
        shown = {span.component for span in occurrences(calendar, *limit, zone)}
        meant = {span.recurrence_id for span in occurrences(alone, *limit, zone)}
        kept = [
            event
            for index, event in enumerate(events)
            if event in masters or index in shown or _instance(event, calendar, zone) in meant
        ]
    except Invalid:
        return
    calendar.items = [
        item
        for item in calendar.items
        if isinstance(item, Line) or item.name != "VEVENT" or any(item is event for event in kept)
    ]


def _instance(event: Component, calendar: Component, zone: ZoneInfo) -> str | None:
    """The name of the instance that an override replaces, as ``occurrences`` spells it."""
    line = event.first("RECURRENCE-ID")
    if line is None:
        return None
    named = [(name, value) for name in ("TZID", "VALUE") if (value := line.param(name))]
    standing = Line.make("DTSTART", line.value, named)
    others = [item for item in calendar.items if isinstance(item, Line) or item.name == "VTIMEZONE"]
    there = Component.make("VEVENT", [standing, line])
    found = occurrences(
        Component(calendar.name, [*others, there], calendar.begin, calendar.end), FIRST, LAST, zone
    )
    return found[0].recurrence_id if found else None


def _thinned(component: Component, comp: ET.Element) -> None:
    """9.6.1-9.6.4: the named properties (all with allprop, or where only components are named), the named
    components (all with allcomp)."""
    props = {
        (prop.get("name") or "").upper(): prop.get("novalue") == "yes"
        for prop in comp.findall(CALDAV + "prop")
    }
    comps = {(inner.get("name") or "").upper(): inner for inner in comp.findall(CALDAV + "comp")}
    all_props = comp.find(CALDAV + "allprop") is not None
    all_comps = comp.find(CALDAV + "allcomp") is not None
    kept: list[Line | Component] = []
    for item in component.items:
        if isinstance(item, Line):
            if all_props or item.name in props:
                kept.append(item.with_value("") if props.get(item.name) else item)
        elif item.name in comps:
            _thinned(item, comps[item.name])
            kept.append(item)
        elif all_comps:
            kept.append(item)
    component.items = kept
