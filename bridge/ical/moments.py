"""Moments and lengths of time as comparable strings: wall time plus zone, by the zone's one name.

Written ``20240501`` (date), ``20240501T100000`` (floating), ``...Z`` (UTC) and
``20240501T100000@<zone>``; zones by IANA name where ours, Microsoft's or a vendor's name tells it, else by
the definition that the text carries, else by the bare TZID. What is unreadable stands as it was written.
Seconds since 1970 and repetition are left to ``times``, ``zones`` and ``recurrence``.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from bridge.ical.text import Component
from bridge.ical.zones import Zones, iana_name

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
