"""What the store keeps in columns of an object, read from its text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.ical import fields
from bridge.ical.text import Component

_REPEATING = frozenset({"RRULE", "RDATE", "EXRULE"})


@dataclass(frozen=True, slots=True)
class Facts:
    """``component``, ``summary``, ``location``, ``status`` and ``transparent`` are the master's, or the
    first override's where the master is missing. Texts are unescaped; what is absent is empty.

    ``status`` is upper case; where none is given it is what RFC 5545 says that means. ``sequence`` is the
    highest in the object. ``recurrence_ids`` are keys as in ``fields.Instance``.
    """

    uid: str
    component: str
    summary: str
    location: str
    status: str
    transparent: bool
    recurring: bool
    sequence: int
    recurrence_ids: tuple[str, ...]


def facts(text: str | Component | fields.Reading) -> Facts:
    """Read the facts; tolerant. Raises Invalid for what is no iCalendar."""
    reading = fields.reading(text)
    if reading.facts is None:
        reading.facts = _read(reading.instances)
    known: Facts = reading.facts
    return known


def _read(instances: Mapping[fields.Instance, Component]) -> Facts:
    main = instances.get(None) or next(iter(instances.values()), None) or Component.make("")
    found = {line.name: line for line in reversed(list(main.lines()))}

    def plain(name: str) -> str:
        return found[name].text if name in found else ""

    overrides = tuple(key for key in instances if key is not None)
    return Facts(
        uid=found["UID"].value.strip() if "UID" in found else "",
        component=main.name,
        summary=plain("SUMMARY"),
        location=plain("LOCATION"),
        status=plain("STATUS").strip().upper() or fields.DEFAULT_STATUS.get(main.name, ""),
        transparent=plain("TRANSP").strip().upper() == "TRANSPARENT",
        recurring=bool(overrides) or not _REPEATING.isdisjoint(found),
        sequence=max((_sequence(part) for part in instances.values()), default=0),
        recurrence_ids=overrides,
    )


def _sequence(component: Component) -> int:
    value = (component.value("SEQUENCE") or "").strip()
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0


def places(text: str | Component | fields.Reading) -> dict[str | None, str]:
    """The name of the place of each instance."""
    reading = fields.reading(text)
    lines = {key: part.first("LOCATION") for key, part in reading.instances.items()}
    return {key: line.text if line is not None else "" for key, line in lines.items()}


def stamps(text: str | Component | fields.Reading) -> frozenset[tuple[str | None, str, str]]:
    """What every program moves when it saves an edit (RFC 5545 3.8.7): DTSTAMP, LAST-MODIFIED and SEQUENCE
    of each
    instance. Unchanged stamps beside changed text are the mark of a server that rewrites what it stores."""
    reading = fields.reading(text)
    return frozenset(
        (key, line.name, line.value)
        for key, part in reading.instances.items()
        for line in part.lines()
        if line.name in ("DTSTAMP", "LAST-MODIFIED", "SEQUENCE")
    )
