"""Field groups: the units in which an object changes, is compared and is merged.

``when, title, place, notes, status, busy, alarms, guests`` and ``x:<NAME>`` for every other property or
sub-component; each for the master (None) and for every override (its recurrence id). The group
``component`` stands for the existence of a master or an override. What a single value means is told by
``values``; moving groups between texts is left to ``transfer``, deciding to ``merge``.

Not compared: the UID (identity), properties of the calendar itself (PRODID, METHOD, X-WR-...) and
``BOOKKEEPING``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, TypeAlias

from bridge.ical import moments, values
from bridge.ical.text import Component, Line, tree

#: The key of an instance: None for the master, else ``20240501``, ``20240501T100000`` or ``...Z`` as in
#: ``moments.instant``; ``#2`` and so on for what stands there twice,
#: ``<NAME>#1`` for what is no event, task or journal.
Instance: TypeAlias = str | None
GroupKey: TypeAlias = tuple[Instance, str]

COMPONENT = "component"

#: Properties that are nobody's edit, each with who writes it.
BOOKKEEPING = frozenset(
    {
        "DTSTAMP",  # every writer, at every write; Google at every read of a feed
        "LAST-MODIFIED",  # every writer; Google and Exchange without an edit
        "CREATED",  # Google and Exchange write their own moment of creation
        "SEQUENCE",  # Apple, Outlook and servers count in their own ways
        "X-PICSELLO-BRIDGE",  # our own marker
        "X-MOZ-GENERATION",  # Thunderbird counts its edits
        "X-MOZ-LASTACK",  # Thunderbird: a reminder was dismissed
        "X-MOZ-SNOOZE-TIME",  # Thunderbird: a reminder was put off (a series adds the instance to the name)
        "X-MOZ-RECEIVED-SEQUENCE",  # Thunderbird on invitations
        "X-MOZ-RECEIVED-DTSTAMP",  # likewise
        "X-MOZ-FAKED-MASTER",  # Thunderbird, for overrides that came without a master
        "X-LIC-ERROR",  # libical (Cyrus, Evolution) complains inside the object
        "X-EVOLUTION-CALDAV-HREF",  # Evolution remembers where the object lives
        "X-EVOLUTION-CALDAV-ETAG",  # and its tag
        "X-RADICALE-NAME",  # Radicale, the file's name
        "X-APPLE-CREATOR-IDENTITY",  # macOS notes which program saved it
        "X-APPLE-CREATOR-TEAM-IDENTITY",  # and whose
        "X-APPLE-ETAG",  # macOS in its exports
        "X-APPLE-SCHEDULETAG",  # likewise
        "X-APPLE-SERVERFILENAME",  # likewise
        "X-MICROSOFT-CDO-OWNERAPPTID",  # Exchange numbers its items
        "X-MICROSOFT-CDO-APPT-SEQUENCE",  # Exchange counts beside SEQUENCE
        "X-MICROSOFT-CDO-OWNER-CRITICAL-CHANGE",  # Exchange stamps
        "X-MICROSOFT-CDO-ATTENDEE-CRITICAL-CHANGE",  # likewise
        "X-MICROSOFT-CDO-REPLYTIME",  # likewise
        "X-MS-OLK-FORCEINSPECTOROPEN",  # Outlook: how to open the window
    }
)
_BOOKKEEPING_PREFIXES = ("X-MOZ-SNOOZE-TIME-",)

#: Properties of a reminder that say what became of it on one device, not what the user set.
ALARM_BOOKKEEPING = frozenset(
    {
        "ACKNOWLEDGED",  # RFC 9074 6: Apple and Google, when one device dismissed it
        "UID",  # RFC 9074 4: Apple and Cyrus name the alarm
        "X-WR-ALARMUID",  # Apple, the same before RFC 9074
        "X-EVOLUTION-ALARM-UID",  # Evolution, the same
        "X-MOZ-LASTACK",  # Thunderbird, dismissed
        "X-MOZ-SNOOZE-TIME",  # Thunderbird, put off
        "X-APPLE-DEFAULT-ALARM",  # Apple: it came from the settings
        "X-APPLE-LOCAL-DEFAULT-ALARM",  # likewise
        "X-LIC-ERROR",  # libical
        "DTSTAMP",  # some servers stamp alarms too
    }
)

_GROUP = {
    **dict.fromkeys(("DTSTART", "DTEND", "DUE", "DURATION", "RRULE", "EXRULE", "RDATE", "EXDATE"), "when"),
    "SUMMARY": "title",
    # what draws the place on a map goes with its name: alone it would show the old place
    **dict.fromkeys(("LOCATION", "GEO", "X-APPLE-STRUCTURED-LOCATION"), "place"),
    # likewise the formatted form of a text, which Outlook and Thunderbird prefer to the plain one
    **dict.fromkeys(("DESCRIPTION", "X-ALT-DESC", "STYLED-DESCRIPTION"), "notes"),
    **dict.fromkeys(("STATUS", "COMPLETED", "PERCENT-COMPLETE"), "status"),
    "TRANSP": "busy",
    "VALARM": "alarms",
    **dict.fromkeys(("ORGANIZER", "ATTENDEE"), "guests"),
}
_IDENTITY = frozenset({"UID", "RECURRENCE-ID"})

#: What some spell out and others leave away.
_DEFAULTS: frozenset[tuple[str, str]] = frozenset(
    {
        ("TRANSP", "OPAQUE"),
        ("CLASS", "PUBLIC"),
        ("PRIORITY", "0"),
        ("PERCENT-COMPLETE", "0"),
    }
)
DEFAULT_STATUS = {"VEVENT": "CONFIRMED", "VTODO": "NEEDS-ACTION"}
_EVENT_LIKE = frozenset({"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VAVAILABILITY", "VPOLL"})


#: Characters; readings of larger texts are not kept.
_SMALL = 16_000


class Reading:
    """One text, read for comparison; each instance is looked at once, when first asked for."""

    __slots__ = ("_values", "calendar", "facts", "instances", "zones")

    def __init__(self, text: str | Component):
        self.calendar = tree(text)
        self.zones = moments.ZoneNames(self.calendar)
        self.instances = dict(_instances(self.calendar, self.zones))
        self._values: dict[Instance, dict[str, object]] = {}
        self.facts: Any = None  # ``facts.Facts``, once they were asked for

    def groups(self, instance: Instance) -> dict[str, object]:
        """The instance's groups that say anything (a default says nothing), with comparable values."""
        known = self._values.get(instance)
        if known is None:
            known = self._values[instance] = component_groups(self.instances[instance], self.zones)
        return known


def reading(source: str | Component | Reading) -> Reading:
    """The text, read; whoever asks for the same one soon after gets the same reading, so nobody may change
    it. Raises Invalid for what is no iCalendar."""
    if isinstance(source, str) and len(source) <= _SMALL:
        return _kept(source)
    return source if isinstance(source, Reading) else Reading(source)


@lru_cache(maxsize=256)
def _kept(text: str) -> Reading:
    return Reading(text)


def groups(source: str | Component | Reading) -> dict[GroupKey, object]:
    """Comparable values of everything that can change. Raises Invalid for what is no iCalendar."""
    read = reading(source)
    return {
        (instance, group): value
        for instance in read.instances
        for group, value in read.groups(instance).items()
    }


def changed(before: str | Component | Reading, after: str | Component | Reading) -> frozenset[GroupKey]:
    """The groups that differ. A master or override that only one of the texts has counts as
    ``component`` alone."""
    first, second = reading(before), reading(after)
    found: set[GroupKey] = set()
    for instance in first.instances.keys() | second.instances.keys():
        if instance not in first.instances or instance not in second.instances:
            found.add((instance, COMPONENT))
        else:
            found |= {
                (instance, group) for group in differing(first.groups(instance), second.groups(instance))
            }
    return frozenset(found)


def differing(first: dict[str, object], second: dict[str, object]) -> Iterator[str]:
    """The groups whose values are not equal."""
    for group in first.keys() | second.keys():
        if first.get(group) != second.get(group):
            yield group


def fingerprint(text: str | Component | Reading) -> str:
    """SHA-256 (hex) over ``groups``: equal for texts that mean the same."""
    listed = sorted(((instance or "", group), value) for (instance, group), value in groups(text).items())
    return hashlib.sha256(repr(listed).encode("utf-8", "surrogatepass")).hexdigest()


def group_of(name: str) -> str | None:
    """The group of a property or sub-component; None for identity and bookkeeping."""
    known = _GROUP.get(name)
    if known is not None:
        return known
    if not name or name in BOOKKEEPING or name in _IDENTITY or name.startswith(_BOOKKEEPING_PREFIXES):
        return None
    return "x:" + name


def component_groups(component: Component, zones: moments.ZoneNames) -> dict[str, object]:
    """The groups of one master or override."""
    said: dict[str, list[values.Value]] = {}
    inner: dict[str, list[object]] = {}
    status = DEFAULT_STATUS.get(component.name)
    for item in component.items:
        group = group_of(item.name)
        if group is None:
            continue
        if isinstance(item, Component):
            value = unit_value(item, zones)
            if value:
                inner.setdefault(group, []).append(value[0])
            continue
        for found in values.values(item, zones):
            if (found[0], found[2]) in _DEFAULTS or (found[0] == "STATUS" and found[2] == status):
                continue
            said.setdefault(group, []).append(found)
    result: dict[str, object] = {COMPONENT: component.name}
    for group, list_ in said.items():
        list_.sort()
        result[group] = _when(component.name, list_, zones) if group == "when" else tuple(list_)
    for group, parts in inner.items():
        parts.sort(key=repr)
        result[group] = (result[group], tuple(parts)) if group in result else tuple(parts)
    return result


def unit_value(item: Line | Component, zones: moments.ZoneNames) -> list[object]:
    """What one line or sub-component adds to its group; nothing for a snoozed reminder's shadow."""
    if isinstance(item, Line):
        return list(values.values(item, zones))
    if item.name != "VALARM":
        return [values.component_value(item, zones)]
    related = item.first("RELATED-TO")
    if related is not None and related.param("RELTYPE") == "SNOOZE":  # RFC 9074 7.1
        return []
    return [values.component_value(item, zones, ALARM_BOOKKEEPING)]


def instance_key(component: Component, zones: moments.ZoneNames) -> Instance:
    """None for a master, else the instant that an override replaces."""
    line = component.first("RECURRENCE-ID")
    if line is None:
        return None
    key = moments.instant(moments.moment(line.value, line.param("TZID"), zones), zones)
    onwards = (line.param("RANGE") or "").upper() == "THISANDFUTURE"
    return f"{key};THISANDFUTURE" if onwards else key


def _instances(calendar: Component, zones: moments.ZoneNames) -> Iterator[tuple[Instance, Component]]:
    seen: dict[str, int] = {}
    for component in calendar.components():
        if component.name == "VTIMEZONE":
            continue
        usual = component.name in _EVENT_LIKE
        key = instance_key(component, zones) if usual else component.name
        count = seen[key or ""] = seen.get(key or "", 0) + 1
        yield (key if count == 1 and usual else f"{key or ''}#{count}"), component


def _when(component: str, said: list[values.Value], zones: moments.ZoneNames) -> tuple[object, ...]:
    """(start, end, the rest). DURATION and DTEND are one thing, and an absent end is the default one
    (RFC 5545 3.6.1: a day for dates, no time for times)."""
    start = end = length = None
    rest: list[values.Value] = []
    for name, params, value in said:
        if name == "DTSTART" and start is None:
            start = value
        elif name in ("DTEND", "DUE") and end is None:
            end = value
        elif name == "DURATION" and length is None:
            length = value
        else:
            rest.append((name, params, value))
            continue
        if params:
            rest.append((name, params, ""))
    if end is None and start is not None:
        by = None
        if length is not None:
            by = moments.duration(length)
        elif component == "VEVENT":
            by = moments.Length(1 if len(start) == 8 else 0, 0)
        end = moments.later(start, by, zones) if by is not None else None
    if end is None and length is not None:
        end = f"+{length}"
    return (start, end, tuple(rest))
