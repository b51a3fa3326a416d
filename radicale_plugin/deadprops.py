"""Properties that clients hang on a calendar (RFC 4918 4), as the store keeps them: ``{full name: value}``.

A value is the property's text, or, where it holds elements or attributes (``schedule-calendar-transp``,
``symbolic-color``), ``xml:`` and the whole element as it was sent. Colour and order are each client's own
taste: a device that sets them keeps its own (``<full name>|device:<id>``), and everybody else sees the first
that was set.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass

from bridge.errors import Invalid
from bridge.ical.text import parse
from bridge.ical.zones import iana_name
from bridge.store.calendars import CalendarRow
from radicale_plugin.multistatus import element, escaped
from radicale_plugin.xmlbody import CALDAV, DAV

ICAL = "{http://apple.com/ns/ical/}"
DISPLAYNAME = DAV + "displayname"
TIME_ZONE, TIME_ZONE_ID = CALDAV + "calendar-timezone", CALDAV + "calendar-timezone-id"
PERSONAL = frozenset({ICAL + "calendar-color", ICAL + "calendar-order"})

#: Bounds on what clients may hang on a calendar: how many properties, and characters in each.
MOST, LONGEST = 100, 20_000

_XML = "xml:"
_OWN = "|"


class TooMuch(Invalid):
    """There is no room for these properties."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why one property cannot be changed: the precondition element, and a sentence."""

    precondition: str
    sentence: str


def visible(row: CalendarRow, actor: str) -> dict[str, str]:
    """The stored values that this client sees, by full name."""
    shared = {name: value for name, value in row.props.items() if _OWN not in name}
    own = f"{_OWN}{actor}"
    mine = {name.removesuffix(own): value for name, value in row.props.items() if name.endswith(own)}
    return shared | mine


def written(name: str, value: str) -> str:
    """The property as an element."""
    return value.removeprefix(_XML) if value.startswith(_XML) else element(name, escaped(value))


def plain(value: str) -> str:
    """Its text alone."""
    if not value.startswith(_XML):
        return value
    return "".join(ET.fromstring(value.removeprefix(_XML)).itertext())  # noqa: S314 (written by us)


def value_of(sent: ET.Element) -> str:
    """What the store keeps of a property as a client sent it."""
    text = sent.text or ""
    if len(sent) or sent.attrib or text.startswith(_XML):
        alone = ET.Element(sent.tag, sent.attrib)
        alone.text, alone[:] = sent.text, list(sent)
        return _XML + ET.tostring(alone, "unicode")
    return text


def refused(name: str, value: str | None) -> Refused | None:
    """Whether a value is none for this property; None: it is one."""
    if name == TIME_ZONE and value is not None:
        try:
            zones = list(parse(plain(value)).components("VTIMEZONE"))
        except Invalid:
            zones = []
        if len(zones) != 1 or not zones[0].value("TZID"):
            return Refused("C:valid-calendar-data", "A time zone is an iCalendar with one VTIMEZONE.")
    if name == TIME_ZONE_ID and value is not None and iana_name(plain(value).strip()) is None:
        return Refused("C:valid-timezone", "This time zone is unknown here.")
    return None


def changed(kept: Mapping[str, str], updates: Mapping[str, str | None], actor: str) -> dict[str, str]:
    """What the store should keep instead of ``kept`` after ``updates`` (None: removed) by this client. Raises
    TooMuch."""
    props = dict(kept)
    for name, value in updates.items():
        if name == TIME_ZONE:
            props.pop(TIME_ZONE_ID, None)  # they say the same thing: the last one counts
        elif name == TIME_ZONE_ID:
            props.pop(TIME_ZONE, None)
        key = f"{name}{_OWN}{actor}" if name in PERSONAL and name in props else name
        if value is not None:
            props[key] = value
        elif name == DISPLAYNAME or props.pop(key, None) is None:
            props.pop(name, None)
    if len(props) > MOST or any(len(name) + len(value) > LONGEST for name, value in props.items()):
        raise TooMuch("There is no room for these properties: too many of them, or too long.")
    return props
