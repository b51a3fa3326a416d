"""CALDAV:filter evaluated on the stored text (RFC 4791 9.7), by our own tolerant reader.

Time ranges of events come from the occurrence index, those of tasks, entries and alarms from the text: exact
all, and every object's zones are its own.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from string import ascii_uppercase
from zoneinfo import ZoneInfo

from bridge.errors import Invalid
from bridge.ical.alarms import rings
from bridge.ical.tasks import KINDS, takes_place, timed
from bridge.ical.text import Component, Line, parse
from bridge.store.horizon import FIRST, LAST
from bridge.store.objects import StoredObject
from bridge.store.shown import Shown
from radicale_plugin.xmlbody import CALDAV, seconds

#: The ids of the objects that take place in [start, end), seconds since 1970.
InRange = Callable[[int | None, int | None], set[int]]

_SMALL = {ord(capital): ord(capital.lower()) for capital in ascii_uppercase}
_COLLATIONS: dict[str, Callable[[str], str]] = {
    "i;octet": lambda text: text,
    "i;ascii-casemap": lambda text: text.lower() if text.isascii() else text.translate(_SMALL),
    "i;unicode-casemap": str.casefold,
}


def window(element: ET.Element) -> tuple[int | None, int | None]:
    """A time-range's or expand's ends, seconds since 1970; ``xmlbody`` has checked their form."""
    start, end = (seconds(value) if (value := element.get(name)) else None for name in ("start", "end"))
    return start, end


def only_window(filters: Iterable[ET.Element]) -> tuple[int | None, int | None] | None:
    """The window, if every match must take place in it: a filter with a time-range on VEVENT."""
    for root in filters:
        for vcalendar in root.findall(CALDAV + "comp-filter"):
            for component in vcalendar.findall(CALDAV + "comp-filter"):
                found = component.find(CALDAV + "time-range")
                if found is not None and (component.get("name") or "").upper() == "VEVENT":
                    return window(found)
    return None


def only_uid(filters: Sequence[ET.Element]) -> str | None:
    """The UID, if a filter asks for nothing but one component with it. The text-match of RFC 4791 says
    *contains*, but whoever sends a whole UID means that object: if there is one, it alone is the answer,
    found by index; if there is none, every UID is looked through."""
    if len(filters) != 1 or len(filters[0]) != 1 or len(filters[0][0]) != 1:
        return None
    inner = filters[0][0][0]
    if inner.tag != CALDAV + "comp-filter" or [child.tag for child in inner] != [CALDAV + "prop-filter"]:
        return None
    rules = list(inner[0])
    if (inner[0].get("name") or "").upper() != "UID" or [rule.tag for rule in rules] != [
        CALDAV + "text-match"
    ]:
        return None
    return None if rules[0].get("negate-condition") == "yes" else rules[0].text


def matches(
    filters: Iterable[ET.Element], stored: StoredObject | Shown, in_range: InRange, zone: ZoneInfo
) -> bool:
    """Whether the object passes every filter; dates and floating times are ``zone``'s. Raises Invalid for a
    collation we don't know."""
    filters = list(filters)
    if all(map(_is_plain, filters)):
        return all(_plain(root, stored, in_range, zone) for root in filters)
    try:
        calendar = parse(stored.text)
    except Invalid:
        return False  # nothing can be said of it, so nothing matches
    tried = _Tried(stored, calendar, in_range, zone)
    holder = Component("", [calendar], "", "")
    return all(tried.comp_filter(child, holder) for root in filters for child in root)


def _is_plain(root: ET.Element) -> bool:
    """Whether a filter asks for one component, and a time range at most: by far the most common question."""
    outer = root[0] if len(root) == 1 else None
    inner = outer[0] if outer is not None and len(outer) == 1 else None
    if outer is None or inner is None or inner.tag != CALDAV + "comp-filter":
        return False
    return (outer.get("name") or "").upper() == "VCALENDAR" and [child.tag for child in inner] in (
        [],
        [CALDAV + "time-range"],
    )


def _plain(root: ET.Element, stored: StoredObject | Shown, in_range: InRange, zone: ZoneInfo) -> bool:
    """Answered from what the store knows; of tasks and entries it does not know when they are."""
    inner = root[0][0]
    name = (inner.get("name") or "").upper()
    if stored.component != name:
        return False
    if not len(inner):
        return True
    if name in KINDS:
        return _in_text(stored.text, inner[0], zone)
    return name != "VEVENT" or stored.id in in_range(*window(inner[0]))


def _in_text(source: str | Component, time_range: ET.Element, zone: ZoneInfo) -> bool:
    try:
        return takes_place(source, *_ends(time_range), zone)
    except Invalid:
        return False


def _ends(time_range: ET.Element) -> tuple[int, int]:
    start, end = window(time_range)
    return FIRST if start is None else start, LAST if end is None else end


@dataclass(frozen=True, slots=True)
class _Tried:
    """One object that a filter is tried on."""

    stored: StoredObject | Shown
    calendar: Component
    in_range: InRange
    zone: ZoneInfo

    def comp_filter(self, rule: ET.Element, parent: Component) -> bool:
        """9.7.1, for one comp-filter inside ``parent``."""
        name = (rule.get("name") or "").upper()
        found = [component for component in parent.components() if component.name.upper() == name]
        if rule.find(CALDAV + "is-not-defined") is not None:
            return not found
        time_range = rule.find(CALDAV + "time-range")
        if time_range is not None:
            found = self._timed(name, found, parent, time_range)
        rules = [child for child in rule if child.tag != CALDAV + "time-range"]
        return any(all(self._part(child, component) for child in rules) for component in found)

    def _timed(
        self, name: str, found: list[Component], parent: Component, time_range: ET.Element
    ) -> list[Component]:
        """Those that take place then: an object's components together, alarms each for itself."""
        if name == "VALARM":
            at = next((at for at, part in enumerate(timed(self.calendar)) if part is parent), -1)
            ends = _ends(time_range)
            return [alarm for alarm in found if rings(self.calendar, at, alarm, *ends, self.zone)]
        if name == "VEVENT":
            return found if self.stored.id in self.in_range(*window(time_range)) else []
        if name in KINDS:
            return found if _in_text(self.calendar, time_range, self.zone) else []
        return found

    def _part(self, rule: ET.Element, component: Component) -> bool:
        if rule.tag == CALDAV + "comp-filter":
            return self.comp_filter(rule, component)
        if rule.tag == CALDAV + "prop-filter":
            return _prop_filter(rule, component)
        raise Invalid("The filter asks for something this server does not know.", "supported-filter")


def _prop_filter(rule: ET.Element, component: Component) -> bool:
    """9.7.2."""
    lines = list(component.lines((rule.get("name") or "").upper()))
    if rule.find(CALDAV + "is-not-defined") is not None:
        return not lines
    return any(all(_line_matches(child, line) for child in rule) for line in lines)


def _line_matches(rule: ET.Element, line: Line) -> bool:
    match rule.tag.removeprefix(CALDAV):
        case "text-match":
            return _text_match(rule, line.text)
        case "param-filter":
            value = line.param((rule.get("name") or "").upper())
            if rule.find(CALDAV + "is-not-defined") is not None:
                return value is None
            return value is not None and all(_text_match(child, value) for child in rule)
        case "time-range":
            return _moment_matches(rule, line.value)
    raise Invalid("The filter asks for something this server does not know.", "supported-filter")


def _text_match(rule: ET.Element, value: str) -> bool:
    """9.7.5: contains."""
    collation = rule.get("collation") or "i;ascii-casemap"
    if collation not in _COLLATIONS:
        raise Invalid("This way of comparing texts is unknown here.", "supported-collation")
    looked_for = _folded(collation, rule.text or "")
    return (looked_for in _COLLATIONS[collation](value)) != (rule.get("negate-condition") == "yes")


@lru_cache(maxsize=20)
def _folded(collation: str, text: str) -> str:
    """The same for every object that a filter is tried on."""
    return _COLLATIONS[collation](text)


def _moment_matches(rule: ET.Element, value: str) -> bool:
    """A property's own instant (9.7.2 with time-range); one without a zone is read as UTC."""
    try:
        digits = value.rstrip("Z")
        moment = datetime.strptime(digits, "%Y%m%dT%H%M%S" if "T" in digits else "%Y%m%d").replace(tzinfo=UTC)
    except ValueError:
        return False
    start, end = window(rule)
    at = moment.timestamp()
    return (start is None or start <= at) and (end is None or at < end)
