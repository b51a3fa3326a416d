"""What Graph says, as iCalendar text: one VCALENDAR a series, always spelled the same way. Pure.

The way back is ``translate``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bridge.ical.text import Line, escape
from bridge.ical.vtimezone import vtimezone
from bridge.ical.zones import iana_name
from bridge.providers.microsoft.event import Event, Series, When
from bridge.providers.microsoft.translate import BUSY
from bridge.providers.microsoft.zones import GREENWICH

PRODID = "-//picsello-bridge//Microsoft Graph//EN"

_BUSY_NAMES = {word: name for name, word in BUSY.items()}


@dataclass(frozen=True, slots=True)
class Stamps:
    """Whose event it is, and when it was made and last changed (UTC, ``20260105T090000Z``)."""

    uid: str
    changed: str
    created: str = ""


def render(series: Series, stamps: Stamps) -> str:
    """One VCALENDAR with CRLF: the zones used, the master, and its overrides in order of time."""
    events = [series.master, *series.overrides.values()]
    keys = {key for event in events for key in _zone_keys(event.when)}
    first = min(event.when.start.date() for event in events)
    body = [_lines(("VERSION", "2.0"), ("PRODID", PRODID))]
    body += [vtimezone(key, first, first) for key in sorted(keys)]
    body.append(_component(series.master, stamps, _repetition(series)))
    when = series.master.when
    for instance, event in sorted(series.overrides.items()):
        named = _at("RECURRENCE-ID", instance, when.zone, all_day=when.all_day)
        body.append(_component(event, stamps, [named]))
    return f"BEGIN:VCALENDAR\r\n{''.join(body)}END:VCALENDAR\r\n"


def _repetition(series: Series) -> list[Line]:
    when = series.master.when
    lines = [Line.make("RRULE", series.rrule)] if series.rrule else []
    return lines + [_at("EXDATE", gone, when.zone, all_day=when.all_day) for gone in sorted(series.cancelled)]


def _component(event: Event, stamps: Stamps, more: list[Line]) -> str:
    when = event.when
    lines = [Line.make("UID", escape(stamps.uid)), Line.make("DTSTAMP", stamps.changed)]
    if stamps.created:
        lines.append(Line.make("CREATED", stamps.created))
    lines.append(Line.make("LAST-MODIFIED", stamps.changed))
    lines.append(_at("DTSTART", when.start, when.zone, all_day=when.all_day))
    lines.append(_at("DTEND", when.end, when.end_zone, all_day=when.all_day))
    lines += more
    for name, value in (
        ("SUMMARY", event.subject),
        ("LOCATION", event.location),
        ("DESCRIPTION", event.notes),
    ):
        if value:
            lines.append(Line.make(name, escape(value)))
    cancelled = any(name == "STATUS" for name, *_ in event.read_only)
    if event.show_as == "free":
        lines.append(Line.make("TRANSP", "TRANSPARENT"))
    elif event.show_as == "tentative" and not cancelled:
        lines.append(Line.make("STATUS", "TENTATIVE"))
    elif event.show_as in _BUSY_NAMES:
        lines.append(Line.make("X-MICROSOFT-CDO-BUSYSTATUS", _BUSY_NAMES[event.show_as]))
    if event.klass:
        lines.append(Line.make("CLASS", event.klass))
    if event.priority:
        lines.append(Line.make("PRIORITY", str(event.priority)))
    if event.categories:
        lines.append(Line.make("CATEGORIES", ",".join(map(escape, event.categories))))
    lines += [Line.make(*said) for said in event.read_only]
    alarm = "" if event.reminder is None else _alarm(event)
    return f"BEGIN:VEVENT\r\n{''.join(line.raw for line in lines)}{alarm}END:VEVENT\r\n"


def _alarm(event: Event) -> str:
    """Its words say nothing of the event: a new title is no new reminder."""
    inner = _lines(("ACTION", "DISPLAY"), ("TRIGGER", f"-PT{event.reminder}M"), ("DESCRIPTION", "Reminder"))
    return f"BEGIN:VALARM\r\n{inner}END:VALARM\r\n"


def _at(name: str, wall: datetime, zone: str, *, all_day: bool) -> Line:
    if all_day:
        return Line.make(name, f"{wall:%Y%m%d}", (("VALUE", "DATE"),))
    key = _key(zone)
    if key is None:
        return Line.make(name, f"{wall:%Y%m%dT%H%M%S}Z")
    return Line.make(name, f"{wall:%Y%m%dT%H%M%S}", (("TZID", key),))


def _zone_keys(when: When) -> set[str]:
    return set() if when.all_day else {key for zone in (when.zone, when.end_zone) if (key := _key(zone))}


def _key(windows: str) -> str | None:
    return None if windows == GREENWICH else iana_name(windows)


def _lines(*said: tuple[str, str]) -> str:
    return "".join(Line.make(name, value).raw for name, value in said)
