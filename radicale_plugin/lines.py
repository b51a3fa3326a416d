"""One object's line in a multistatus: what all have alike is written once, the rest filled in per row."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from bridge.store.calendars import CalendarRow
from bridge.store.rows import batches
from radicale_plugin.multistatus import element, escaped, name_in_path, names_in_path, propstats
from radicale_plugin.properties import CALENDAR_DATA, NAME, OBJECT_ALIKE, OBJECT_OWN, TEXT, Asking

#: The text of an object as a report shows it; None: not at all.
Show = Callable[[Any], str | None]


class Lines:
    """The lines for these properties of objects of one calendar. ``needs`` says how much of the rows."""

    def __init__(self, asking: Asking, row: CalendarRow, names: Iterable[str], show: Show | None = None):
        """``show`` gives the ``calendar-data``; without it, that is a property objects don't have."""
        self.base = asking.calendar(row)
        self.needs = NAME
        self._show = show
        slots: list[Callable[[Any], str]] = []
        found = missing = ""
        for name in dict.fromkeys(names):
            if name in OBJECT_ALIKE:
                found += element(name, OBJECT_ALIKE[name](asking, row) or "").replace("%", "%%")
            elif name in OBJECT_OWN:
                needs, write = OBJECT_OWN[name]
                self.needs = max(self.needs, needs)
                slots.append(partial(write, row))
                found += element(name, "%s")
            elif name == CALENDAR_DATA and show is not None:
                self.needs = max(self.needs, TEXT)
                slots.append(lambda stored: escaped(self._shown or ""))
                found += element(name, "%s")
            elif not asking.request.minimal:
                missing += element(name).replace("%", "%%")
        self._slots = slots
        self._shows = CALENDAR_DATA in names and show is not None
        self._shown: str | None = None
        base = self.base.replace("%", "%%")
        self._line = f"<response><href>{base}%s</href>{propstats(found, missing)}</response>"
        self._pieces = [piece.replace("\0", "%") for piece in self._line.replace("%%", "\0").split("%s")]

    def address(self, name: str) -> str:
        """Of the object with that href."""
        return self.base + name_in_path(name)

    def of(self, rows: Iterable[Any]) -> Iterator[str]:
        """In their order; those that ``show`` gives no text for are left out."""
        line, slots = self._line, self._slots
        if self._shows and self._show is not None:
            for stored in rows:
                self._shown = self._show(stored)
                if self._shown is not None:
                    yield line % (name_in_path(stored.href), *[slot(stored) for slot in slots])
        elif len(slots) == 1:  # all the etags: what every sync without a token begins with
            (only,), (before, between, after) = slots, self._pieces
            for part in batches(rows, 1_000):
                names = names_in_path([stored.href for stored in part])
                yield from [
                    f"{before}{name}{between}{only(stored)}{after}"
                    for name, stored in zip(names, part, strict=True)
                ]
        else:
            for stored in rows:
                yield line % (name_in_path(stored.href), *[slot(stored) for slot in slots])


def names(prop: ET.Element | None) -> tuple[str, ...]:
    """The properties that a DAV:prop element names."""
    return () if prop is None else tuple(dict.fromkeys(child.tag for child in prop))
