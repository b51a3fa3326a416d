"""What we and Graph both have words for: one event, one series, and Graph's JSON of them.

``Event`` and ``Series`` compare by meaning, so that the difference of two is what has to be sent: a PATCH
names only fields that changed (providers.md section 3). Attendees are read and never written: writing them
sends mail, and there is no switch against it. iCalendar is left to ``translate``. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bridge.errors import Invalid
from bridge.providers.microsoft import recurrence
from bridge.providers.microsoft.zones import GREENWICH, known_name, zone_of

Json = Mapping[str, Any]

_MIDNIGHT = timedelta(hours=12)

_PRIORITY = {"high": 1, "low": 9}
_CLASS = {"private": "PRIVATE", "personal": "PRIVATE", "confidential": "CONFIDENTIAL"}
_SENSITIVITY = {"PRIVATE": "private", "CONFIDENTIAL": "confidential", "": "normal"}


@dataclass(frozen=True, slots=True)
class When:
    """Wall times with the Windows names of their zones. Dates: midnights, the end exclusive, in UTC."""

    start: datetime
    end: datetime
    zone: str = GREENWICH
    end_zone: str = GREENWICH
    all_day: bool = False

    def moved_to(self, start: datetime) -> When:
        """The same length at another wall time."""
        return replace(self, start=start, end=start + (self.end - self.start))


@dataclass(frozen=True, slots=True)
class Event:
    """One event, or one date of a series. ``klass`` is CLASS without PUBLIC, ``priority`` 1, 9 or 0.

    ``read_only``: properties that only Graph may change (guests, a cancelled meeting), as iCalendar lines.
    """

    when: When
    subject: str = ""
    location: str = ""
    notes: str = ""
    show_as: str = "busy"
    klass: str = ""
    priority: int = 0
    reminder: int | None = None  # minutes before
    categories: tuple[str, ...] = ()
    read_only: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Series:
    """An event with its repetition, if it has one. Overrides and ``cancelled`` go by the wall time, in the
    master's zone, that the series would have had."""

    master: Event
    rrule: str = ""
    overrides: Mapping[datetime, Event] = field(default_factory=dict)
    cancelled: frozenset[datetime] = frozenset()

    def as_planned(self, instance: datetime) -> Event:
        """What a date looks like that nobody touched."""
        return replace(self.master, when=self.master.when.moved_to(instance))


# --- from Graph -------------------------------------------------------------------------------------


def series_of(master: Json) -> Series:
    """Read a single event, or a master that was read with its exceptions and cancelled dates.

    Raises ``Invalid`` for what cannot be understood."""
    event = event_of(master)
    if not master.get("recurrence"):
        return Series(event)
    when = event.when
    zone = zone_of(when.zone)
    rrule = recurrence.to_rrule(master["recurrence"], when.start, zone, when.all_day)
    series = Series(event, rrule)
    overrides = {}
    for exception in master.get("exceptionOccurrences") or ():
        changed = event_of(exception)
        instance = original_start(exception, when) or changed.when.start
        if changed != series.as_planned(instance):
            overrides[instance] = changed
    gone = (_date_of(name) for name in master.get("cancelledOccurrences") or ())
    cancelled = frozenset(datetime.combine(day, when.start.time()) for day in gone if day is not None)
    return replace(series, overrides=overrides, cancelled=cancelled - overrides.keys())


def event_of(found: Json) -> Event:
    """One event's own words, whatever it belongs to."""
    return Event(
        when=_when(found),
        subject=(found.get("subject") or "").strip(),
        location=_location(found),
        notes=plain((found.get("body") or {}).get("content") or ""),
        show_as=_shown(found),
        klass=_CLASS.get(found.get("sensitivity") or "", ""),
        priority=_PRIORITY.get(found.get("importance") or "", 0),
        reminder=found.get("reminderMinutesBeforeStart") or 0 if found.get("isReminderOn") else None,
        categories=tuple(found.get("categories") or ()),
        read_only=tuple(_read_only(found)),
    )


def original_start(exception: Json, when: When) -> datetime | None:
    """The wall time, in the series' zone, that an exception or occurrence stands for. ``originalStart`` is in
    UTC whatever zone stands beside it, and may be missing (sync-engines.md 2.5)."""
    said = exception.get("originalStart")
    if not said:
        return None
    moment = _moment(str(said))
    if when.all_day:
        return _midnight(moment)
    return _wall(moment, when.zone)


def plain(notes: str) -> str:
    """Notes without what mail programs add and take away at line ends and at the end."""
    return notes.replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ").rstrip()


def _when(found: Json) -> When:
    """Read with ``Prefer: outlook.timezone="UTC"``; the zone it was made in stands beside it."""
    start, end = (_moment((found.get(name) or {}).get("dateTime") or "") for name in ("start", "end"))
    if found.get("isAllDay"):
        return When(_midnight(start), _midnight(end), all_day=True)
    series = ((found.get("recurrence") or {}).get("range") or {}).get("recurrenceTimeZone")
    zone = known_name(found.get("originalStartTimeZone"), series)
    end_zone = known_name(found.get("originalEndTimeZone"), zone)
    return When(_wall(start, zone), _wall(end, end_zone), zone, end_zone)


def _wall(moment: datetime, zone: str) -> datetime:
    """A naive time in UTC as the clocks of a zone show it."""
    return moment.replace(tzinfo=UTC).astimezone(zone_of(zone)).replace(tzinfo=None)


def _moment(said: str) -> datetime:
    """``2026-01-05T09:00:00.0000000`` (seven decimals, no offset) or with a Z, as a naive time in UTC."""
    try:
        return datetime.fromisoformat(said[:19])
    except ValueError:
        raise Invalid(f"Outlook gives “{said[:40]}” as a time, which is none.") from None


def _midnight(moment: datetime) -> datetime:
    """The date that a midnight in any zone near UTC means."""
    return (moment + _MIDNIGHT).replace(hour=0, minute=0, second=0)


def _date_of(occurrence: str) -> Any:
    """``OID.<master>.2026-01-13``: the date that was cancelled."""
    try:
        return datetime.fromisoformat(occurrence.rpartition(".")[2]).date()
    except ValueError:
        return None


def _shown(found: Json) -> str:
    said = found.get("showAs") or "busy"
    return "busy" if said == "unknown" else str(said)


def _location(found: Json) -> str:
    name = (found.get("location") or {}).get("displayName")
    if not name:
        name = "; ".join(place.get("displayName") or "" for place in found.get("locations") or ())
    return str(name).strip()


def _read_only(found: Json) -> Iterable[tuple[str, str, tuple[tuple[str, str], ...]]]:
    if found.get("isCancelled"):
        yield "STATUS", "CANCELLED", ()
    guests = found.get("attendees") or ()
    organizer = (found.get("organizer") or {}).get("emailAddress") or {}
    if guests and organizer.get("address"):
        yield "ORGANIZER", f"mailto:{organizer['address']}", _named(organizer)
    for guest in guests:
        person = guest.get("emailAddress") or {}
        if person.get("address"):
            answer = _ANSWERS.get((guest.get("status") or {}).get("response") or "", "NEEDS-ACTION")
            role = {"optional": "OPT-PARTICIPANT", "resource": "NON-PARTICIPANT"}.get(guest.get("type") or "")
            more = (("ROLE", role),) if role else ()
            yield "ATTENDEE", f"mailto:{person['address']}", (*_named(person), ("PARTSTAT", answer), *more)


_ANSWERS = {"accepted": "ACCEPTED", "declined": "DECLINED", "tentativelyAccepted": "TENTATIVE"}
_ANSWERS["organizer"] = "ACCEPTED"


def _named(person: Json) -> tuple[tuple[str, str], ...]:
    name = person.get("name")
    return (("CN", str(name)),) if name and name != person["address"] else ()


# --- towards Graph ----------------------------------------------------------------------------------


def fields(event: Event) -> dict[str, Any]:
    """Everything of an event that we may write, by Graph's names."""
    when = event.when
    return {
        "subject": event.subject,
        "start": _zoned(when.start, when.zone),
        "end": _zoned(when.end, when.end_zone),
        "isAllDay": when.all_day,
        "location": {"displayName": event.location},
        "body": {"contentType": "text", "content": event.notes},
        "showAs": event.show_as,
        "sensitivity": _SENSITIVITY[event.klass],
        "importance": {1: "high", 9: "low"}.get(event.priority, "normal"),
        "isReminderOn": event.reminder is not None,
        "reminderMinutesBeforeStart": event.reminder or 0,
        "categories": list(event.categories),
    }


def differences(before: Event, after: Event) -> dict[str, Any]:
    """The fields that turn one into the other; a time is always said whole."""
    old, new = fields(before), fields(after)
    found = {name: value for name, value in new.items() if value != old[name]}
    if found.keys() & {"start", "end", "isAllDay"}:
        found |= {name: new[name] for name in ("start", "end", "isAllDay")}
    return found


def repetition(series: Series) -> dict[str, Any] | None:
    """Pattern and range of a series. Raises ``ObjectRefused`` for what Graph cannot say."""
    if not series.rrule:
        return None
    when = series.master.when
    return recurrence.to_graph(series.rrule, when.start, zone_of(when.zone), when.zone)


def _zoned(wall: datetime, zone: str) -> dict[str, str]:
    return {"dateTime": wall.isoformat(), "timeZone": zone}
