"""Our machine field on objects that we write at a provider: ``X-PICSELLO-BRIDGE:<installation>;<key>``.

It tells our own objects from foreign ones (R-MARK), never by words in a description. It is bookkeeping:
it changes no fingerprint and never travels into the hub. What follows from a marker is for the engine.
"""

from __future__ import annotations

from dataclasses import dataclass

from bridge.ical.fields import Reading, reading
from bridge.ical.text import Component, Line, escape, tree, unescape, with_line_end

#: How the UIDs end that we give to bookings made here.
OWN_BOOKING = "@picsello-bridge"
NAME = "X-PICSELLO-BRIDGE"


@dataclass(frozen=True, slots=True)
class Marker:
    """Which installation wrote the object, and for which of its objects (``key``)."""

    installation: str
    key: str


def mark(text: str | Component, installation: str, key: str) -> str:
    """The text with our marker, and no other one, in its master (without one: in its first override).
    Marking twice changes nothing."""
    calendar = reading(text).calendar.copy()
    line = Line.make(NAME, f"{installation};{escape(key)}")
    there = list(_marked(calendar))
    main = _main(calendar)
    if main is None:
        return calendar.serialize()
    if [(component, found.value) for component, found in there] == [(main, line.value)]:
        return calendar.serialize()
    _strip(calendar)
    inner = (at for at, item in enumerate(main.items) if isinstance(item, Component))
    raw = with_line_end(line.raw, main.line_end)
    main.items.insert(next(inner, len(main.items)), line._replace(raw=raw))
    return calendar.serialize()


def marker(text: str | Component) -> Marker | None:
    """The marker that a text bears, whoever's it is."""
    if isinstance(text, str) and NAME not in text.upper():
        return None
    for _, line in _marked(reading(text).calendar):
        installation, _, key = line.value.partition(";")
        return Marker(installation.rstrip("\\"), unescape(key))  # some servers escape the semicolon
    return None


def unmark(text: str | Component) -> str:
    """The text without markers; all other bytes stay."""
    if isinstance(text, str) and NAME not in text.upper():
        return text
    calendar = tree(text).copy()
    _strip(calendar)
    return calendar.serialize()


def _main(calendar: Component) -> Component | None:
    instances = Reading(calendar).instances
    return instances.get(None) or next(iter(instances.values()), None)


def _marked(calendar: Component) -> list[tuple[Component, Line]]:
    return [(part, line) for part in calendar.components() for line in part.lines(NAME)]


def _strip(calendar: Component) -> None:
    for part in calendar.components():
        part.items = [item for item in part.items if item.name != NAME]
