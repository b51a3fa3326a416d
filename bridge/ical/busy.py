"""Which time an object takes: the one answer behind booking pages, ``/api/v1/availability`` and free-busy.

Transparent and cancelled events leave the time free, tentative ones take it tentatively (RFC 4791 7.10);
so does an invitation that the user declined, or has only half accepted (RFC 5545 3.2.12). Each occurrence
is judged by the component that describes it: an override speaks for itself.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import tzinfo
from enum import IntEnum

from bridge.ical.occurrences import MOST, Span, occurrences
from bridge.ical.text import Component, tree


class Takes(IntEnum):
    """What an event does to its time. ``ASKS``: it depends on whose answer to the invitation counts."""

    FREE = 0
    BUSY = 1
    TENTATIVE = 2
    ASKS = 3


@dataclass(frozen=True, slots=True, order=True)
class Taken:
    """One occurrence that takes time: ``[starts, ends)`` in seconds since 1970, never empty. ``component``
    is the index of the VEVENT that describes it."""

    starts: int
    ends: int
    tentative: bool
    component: int


def takes(event: Component) -> Takes:
    """What one VEVENT does to its time, whoever reads it."""
    if (event.value("TRANSP") or "").strip().upper() == "TRANSPARENT":
        return Takes.FREE
    status = (event.value("STATUS") or "").strip().upper()
    if status == "CANCELLED":
        return Takes.FREE
    if any(_answer(line.param("PARTSTAT")) for line in event.lines("ATTENDEE")):
        return Takes.ASKS
    return Takes.TENTATIVE if status == "TENTATIVE" else Takes.BUSY


def takes_of(event: Component, me: Collection[str]) -> Takes:
    """What one VEVENT does to the time of the user with these e-mail addresses (lower case)."""
    found = takes(event)
    if found is not Takes.ASKS:
        return found
    answers = {
        _answer(line.param("PARTSTAT"))
        for line in event.lines("ATTENDEE")
        if line.value.strip().lower().removeprefix("mailto:") in me
    }
    if "DECLINED" in answers:
        return Takes.FREE
    tentative = "TENTATIVE" in answers or (event.value("STATUS") or "").strip().upper() == "TENTATIVE"
    return Takes.TENTATIVE if tentative else Takes.BUSY


def taken(source: str | Component, start: int, end: int, zone: tzinfo, me: Collection[str]) -> list[Taken]:
    """The time that an object takes within ``[start, end)``, ordered. Raises Invalid as ``occurrences``.

    A window with more occurrences of one object than can be listed is simply full: an answer that comes late,
    or with holes, is worse than a slot too few.
    """
    calendar = tree(source)
    kinds = [takes_of(event, me) for event in calendar.components("VEVENT")]
    found = set()
    for span in _every(calendar, start, end, zone):
        kind = kinds[span.component]
        if kind is not Takes.FREE and span.ends > span.starts:
            found.add(Taken(span.starts, span.ends, kind is Takes.TENTATIVE, span.component))
    return sorted(found)


def _every(calendar: Component, start: int, end: int, zone: tzinfo) -> list[Span]:
    found = occurrences(calendar, start, end, zone)
    return found if len(found) < MOST else [Span(start, end, component=found[0].component)]


def _answer(partstat: str | None) -> str | None:
    """The PARTSTATs that make a difference."""
    spelled = (partstat or "").strip().upper()
    return spelled if spelled in ("DECLINED", "TENTATIVE") else None
