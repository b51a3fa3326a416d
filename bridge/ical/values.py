"""When two spellings of a property mean the same: comparable values of lines.

A value becomes a plain string or a tuple of strings, so that it can be compared, sorted and hashed.
Spelling is dropped (escapes, case of tokens, order of parameters, quotes, ``PT60M`` for ``PT1H``);
meaning never is: what is not understood stands as it was written. Which property belongs to which
group, and what counts as absent, is left to ``fields``.
"""

from __future__ import annotations

from typing import TypeAlias

from bridge.ical.moments import ZoneNames, duration, moment, period, recurrence
from bridge.ical.text import Component, Line, plain_param, unescape

#: One comparable value: (name, parameters, value).
Value: TypeAlias = tuple[str, tuple[tuple[str, str], ...], str]

TEXTS = frozenset({"SUMMARY", "LOCATION", "DESCRIPTION", "COMMENT", "CONTACT"})
TEXT_LISTS = frozenset({"CATEGORIES", "RESOURCES"})
TOKENS = frozenset({"STATUS", "TRANSP", "CLASS", "ACTION", "BUSYTYPE", "PROXIMITY"})
ADDRESSES = frozenset({"ATTENDEE", "ORGANIZER"})
MOMENTS = frozenset({"DTSTART", "DTEND", "DUE", "RECURRENCE-ID", "COMPLETED"})
MOMENT_LISTS = frozenset({"EXDATE", "RDATE"})

#: Parameters that others add and nobody means.
BOOKKEEPING_PARAMS = frozenset(
    {
        "X-VOBJ-FLOATINGTIME-ALLOWED",  # vobject (Radicale) on every floating time
        "X-VOBJ-ORIGINAL-TZID",  # vobject, where it rewrote the zone
        "SCHEDULE-STATUS",  # CalDAV scheduling servers note what became of an invitation (RFC 6638 7.3)
        "X-CALENDARSERVER-DTSTAMP",  # Apple Calendar Server (iCloud) on guests who answered
        "LANGUAGE",  # Outlook names the language of its own surface
    }
)
#: Parameters whose default (RFC 5545 3.2) some spell out and others drop.
DEFAULT_PARAMS = frozenset(
    {
        ("RSVP", "FALSE"),
        ("ROLE", "REQ-PARTICIPANT"),
        ("CUTYPE", "INDIVIDUAL"),
        ("PARTSTAT", "NEEDS-ACTION"),
        ("SCHEDULE-AGENT", "SERVER"),
        ("RELATED", "START"),
        ("VALUE", "TEXT"),
        ("FBTYPE", "BUSY"),
        ("X-NUM-GUESTS", "0"),  # Google on every guest
    }
)
#: Parameters whose values are tokens without case.
_TOKEN_PARAMS = frozenset(
    {"RSVP", "ROLE", "CUTYPE", "PARTSTAT", "SCHEDULE-AGENT", "RELATED", "VALUE", "FBTYPE"}
)


def params(line: Line, *, without: frozenset[str] = frozenset()) -> tuple[tuple[str, str], ...]:
    """The parameters that mean something, in order of name."""
    if not line.params:
        return ()
    kept = []
    for name, spelled in line.params:
        if name in BOOKKEEPING_PARAMS or name in without:
            continue
        plain = plain_param(spelled)
        pair = (name, plain.upper() if name in _TOKEN_PARAMS else plain)
        if pair not in DEFAULT_PARAMS:
            kept.append(pair)
    kept.sort()
    return tuple(kept)


_TIME_PARAMS = frozenset({"TZID", "VALUE"})
_TRIGGER_PARAMS = frozenset({"VALUE"})


def values(line: Line, zones: ZoneNames) -> list[Value]:
    """What one line says: one value, or one for each element of a list. Empty texts say nothing."""
    name, value = line.name, line.value
    if name in TEXTS:
        return [(name, params(line), unescape(value))] if value else []
    if name in MOMENTS:
        return [(name, params(line, without=_TIME_PARAMS), moment(value, line.param("TZID"), zones))]
    if name in MOMENT_LISTS:
        tzid = line.param("TZID")
        kept = params(line, without=_TIME_PARAMS)
        return [(name, kept, period(item, tzid, zones)) for item in value.split(",") if item.strip()]
    if name in TEXT_LISTS:
        kept = params(line)
        return [(name, kept, unescape(item).strip()) for item in split_list(value) if item.strip()]
    kept = params(line)
    if name in TOKENS:
        spelled = value.strip().upper()
    elif name in ("RRULE", "EXRULE"):
        spelled = recurrence(value)
    elif name == "DURATION":
        length = duration(value)
        spelled = value.strip().upper() if length is None else f"P{length.days}DT{length.seconds}S"
    elif name == "TRIGGER":
        length = duration(value)
        spelled = value.strip().upper() if length is None else f"{length.days * 86_400 + length.seconds}s"
        kept = params(line, without=_TRIGGER_PARAMS)
    elif name in ADDRESSES:
        spelled = value.strip().lower()
    elif name == "GEO":
        spelled = _numbers(value)
    elif name.startswith("X-") and not any(key == "VALUE" for key, _ in kept):
        spelled = unescape(value)
    else:
        spelled = value
    if line.group:
        kept = (*kept, ("group", line.group))
    return [(name, kept, spelled)]


def component_value(
    component: Component, zones: ZoneNames, without: frozenset[str] = frozenset()
) -> tuple[object, ...]:
    """What a sub-component says, without the properties named."""
    lines = [
        value
        for line in component.lines()
        if line.name and line.name not in without
        for value in values(line, zones)
    ]
    inner = [component_value(part, zones, without) for part in component.components()]
    return (component.name, tuple(sorted(lines)), tuple(sorted(inner, key=repr)))


def split_list(value: str) -> list[str]:
    """A comma-separated list of TEXT; escaped commas do not part."""
    if "\\" not in value:
        return value.split(",")
    items, start = [], 0
    index = 0
    while index < len(value):
        if value[index] == "\\":
            index += 1
        elif value[index] == ",":
            items.append(value[start:index])
            start = index + 1
        index += 1
    items.append(value[start:])
    return items


def _numbers(value: str) -> str:
    try:
        return ";".join(f"{float(part):.6f}" for part in value.split(";"))
    except ValueError:
        return value
