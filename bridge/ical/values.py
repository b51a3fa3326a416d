"""When two spellings of a property mean the same: comparable values of lines.

A value becomes a plain string or a tuple of strings, so that it can be compared, sorted and hashed.
Spelling is dropped (escapes, case of tokens, order of parameters, quotes, ``PT60M`` for ``PT1H``);
meaning never is: what is not understood stands as it was written. Which property belongs to which
group, and what counts as absent, is left to ``fields``.

Moments are written ``20240501`` (date), ``20240501T100000`` (floating), ``...Z`` (UTC) and
``20240501T100000@<zone>``; zones by IANA name where ours, Microsoft's or a vendor's name tells it,
else by the definition that the text carries, else by the bare TZID.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple, TypeAlias

from bridge.ical.text import Component, Line, plain_param, unescape
from bridge.ical.zones import Zones, iana_name

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
_UTC_NAMES = frozenset(
    {"UTC", "Etc/UTC", "Etc/UCT", "Etc/Universal", "Etc/Zulu", "GMT", "Etc/GMT", "Z", "Zulu"}
)
#: What we put before a TZID that means something else in the text it travels to (RFC 5545 3.2.19: a
#: leading solidus makes it unique). Vendors' paths end in the name they stand for, and so does ours.
OWN_PREFIX = re.compile(r"^/picsello-bridge/\d+/")
_DURATION = re.compile(
    r"([+-]?)P(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,9})S)?)?"
)


class ZoneNames:
    """What the TZIDs of one text stand for, found when first asked for."""

    def __init__(self, calendar: Component):
        self._zones = Zones(calendar, UTC)
        self._calendar = calendar
        self._names: dict[str, str] = {}
        self._infos: dict[str, tzinfo | None] = {}

    def name(self, tzid: str) -> str:
        """The zone's one name: IANA, else its definition, else the TZID itself."""
        known = self._names.get(tzid)
        if known is None:
            plain = OWN_PREFIX.sub("", tzid)
            known = self._names[tzid] = iana_name(plain) or self._definition(tzid) or plain
            info = self._zones.get(tzid)
            self._infos[known] = None if tzid in self._zones.unknown else info
        return known

    def info(self, name: str) -> tzinfo | None:
        """The zone behind a name that ``name`` gave; None if nothing tells what it means."""
        return self._infos.get(name)

    def _definition(self, tzid: str) -> str | None:
        for zone in self._calendar.components("VTIMEZONE"):
            if zone.value("TZID") == tzid:
                return "rules:" + repr(definition_value(zone))
        return None


def definition_value(zone: Component) -> tuple[object, ...]:
    """What a VTIMEZONE defines, without its names and stamps."""
    ignored = {"TZID", "TZNAME", "X-LIC-LOCATION", "TZURL", "LAST-MODIFIED", "COMMENT", "X-PROLEPTIC-TZNAME"}
    parts = []
    for part in zone.components():
        lines = (
            (line.name, recurrence(line.value) if line.name == "RRULE" else line.value.strip())
            for line in part.lines()
            if line.name and line.name not in ignored
        )
        parts.append((part.name, *sorted(lines)))
    return tuple(sorted(parts))


# --- time -----------------------------------------------------------------------------------------


def moment(value: str, tzid: str | None, zones: ZoneNames) -> str:
    """A DATE or DATE-TIME, see the module's docstring."""
    value = value.strip().upper()
    if tzid is None or len(value) == 8 or value.endswith("Z"):
        return value
    zone = zones.name(tzid)
    return f"{value}Z" if zone in _UTC_NAMES else f"{value}@{zone}"


def instant(value: str, zones: ZoneNames) -> str:
    """The same moment in UTC where its zone is known: the identity of an instance of a series,
    which one client names in UTC and another in the zone of the series."""
    wall, at, zone = value.partition("@")
    info = zones.info(zone) if at else None
    start = wall_time(wall)
    if start is None or info is None:
        return value
    try:
        return spell(start.replace(tzinfo=info).astimezone(UTC)) + "Z"
    except OverflowError:
        return value


class Length(NamedTuple):
    """A duration: whole days of wall time, and exact seconds (RFC 5545 3.3.6), both of one sign."""

    days: int
    seconds: int


def later(value: str, by: Length, zones: ZoneNames) -> str | None:
    """A moment plus a duration. None if the moment is unreadable, or its zone is needed but unknown."""
    wall, at, zone = value.removesuffix("Z").partition("@")
    start = wall_time(wall)
    if start is None:
        return None
    exact = timedelta(seconds=by.seconds)
    try:
        end = start + timedelta(days=by.days)
        if exact and at:
            info = zones.info(zone)
            if info is None:
                return None
            end = (end.replace(tzinfo=info).astimezone(UTC) + exact).astimezone(info)
        elif "T" in wall:
            end += exact
    except OverflowError:
        return None
    spelled = spell(end) if "T" in wall else f"{end:%Y%m%d}"
    return spelled + value[len(wall) :]


def between(start: str, end: str) -> Length | None:
    """The duration from one moment to another of the same form (both dates, or both in the same zone):
    whole days and the rest of the way on the clock. None if the forms differ."""
    first, _, zone = start.removesuffix("Z").partition("@")
    last, _, zone_there = end.removesuffix("Z").partition("@")
    from_, to = wall_time(first), wall_time(last)
    if from_ is None or to is None or zone != zone_there or start.endswith("Z") != end.endswith("Z"):
        return None
    gap = to - from_
    return Length(gap.days, gap.seconds)


def wall_time(value: str) -> datetime | None:
    """``20240501T100000`` or ``20240501`` as a naive datetime, None if it is neither."""
    try:
        day = datetime(int(value[:4]), int(value[4:6]), int(value[6:8]))  # noqa: DTZ001 - wall time
        if len(value) == 8:
            return day
        if len(value) not in (13, 15) or value[8] != "T":
            return None
        return day.replace(
            hour=int(value[9:11]), minute=int(value[11:13]), second=min(int(value[13:15] or 0), 59)
        )
    except (ValueError, IndexError):
        return None


def spell(wall: datetime) -> str:
    """``20240501T100000``."""
    return f"{wall.year:04}{wall.month:02}{wall.day:02}T{wall.hour:02}{wall.minute:02}{wall.second:02}"


def duration(value: str) -> Length | None:
    """A DURATION, None if unreadable."""
    match = _DURATION.fullmatch(value.strip().upper())
    if match is None:
        return None
    weeks, days, hours, minutes, seconds = (int(number or 0) for number in match.groups()[1:])
    sign = -1 if match[1] == "-" else 1
    return Length(sign * (weeks * 7 + days), sign * (hours * 3600 + minutes * 60 + seconds))


def period(value: str, tzid: str | None, zones: ZoneNames) -> str:
    """A moment or a PERIOD, as instants: an element of EXDATE or RDATE."""
    start, slash, end = value.partition("/")
    first = moment(start, tzid, zones)
    if not slash:
        return instant(first, zones)
    length = duration(end)
    last = moment(end, tzid, zones) if length is None else later(first, length, zones) or end
    return f"{instant(first, zones)}/{instant(last, zones)}"


def recurrence(value: str) -> str:
    """A RECUR value with its parts and lists in order and the defaults left out."""
    parts = []
    for part in value.strip().upper().split(";"):
        name, _, given = part.partition("=")
        if not name or (name, given) in {("INTERVAL", "1"), ("WKST", "MO")}:
            continue
        parts.append(f"{name}={','.join(sorted(given.split(',')))}" if "," in given else part)
    return ";".join(sorted(parts))


# --- lines and components ---------------------------------------------------------------------------


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
