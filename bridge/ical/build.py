"""The objects we write ourselves, and the edits we make to texts that somebody else may have written.

A new booking is complete (zone definition, escaping, folding). An edit replaces the lines it is about
and the bookkeeping ones (SEQUENCE, LAST-MODIFIED, DTSTAMP); all other bytes stay. Whether an edit is
allowed is left to the services.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from bridge.errors import Invalid
from bridge.ical.series import Event, read
from bridge.ical.text import Component, Line, escape, parse, with_line_end
from bridge.ical.times import parse_duration
from bridge.ical.zones import Zones, vtimezone, zone_named

PRODID = "-//picsello-bridge//bookings//EN"

#: What RFC 5545 3.8.1.11 knows for events.
STATUSES = ("CONFIRMED", "TENTATIVE", "CANCELLED")

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def booking_text(
    uid: str,
    title: str,
    start: date,
    *,
    end: date | None = None,
    duration: timedelta | None = None,
    zone: ZoneInfo | str,
    place: str = "",
    notes: str = "",
    status: str = "CONFIRMED",
    created: datetime | None = None,
    now: datetime,
) -> str:
    """A whole VCALENDAR with one VEVENT, CRLF line ends.

    ``start`` and the exclusive ``end`` are aware times (written in ``zone``) or dates (all day); exactly one
    of ``end`` and ``duration`` (time that passes) for times, ``end`` or one day for dates. ``created`` and
    ``now`` are aware. Raises ``Invalid`` for an unknown zone or status, and ValueError for naive times.
    """
    info = zone_named(zone) if isinstance(zone, str) else zone
    if end is None:
        end = (
            start + (duration or timedelta(days=1))
            if not isinstance(start, datetime)
            else _later(start, duration)
        )
    items: list[Line | Component] = [Line.make("VERSION", "2.0"), Line.make("PRODID", PRODID)]
    if isinstance(start, datetime) and info.key != "UTC":
        items.append(_definition(info, start, end))
    stamp = _utc(now)
    event = Component.make("VEVENT", [Line.make("UID", uid), Line.make("DTSTAMP", stamp)])
    event.items.append(Line.make("CREATED", _utc(created or now)))
    event.items.append(Line.make("LAST-MODIFIED", stamp))
    event.items.append(Line.make("SEQUENCE", "0"))
    event.items.append(_time_line("DTSTART", start, info))
    event.items.append(_time_line("DTEND", end, info))
    event.items.append(Line.make("SUMMARY", escape(_one_line(title))))
    if place.strip():
        event.items.append(Line.make("LOCATION", escape(_one_line(place))))
    if notes.strip():
        event.items.append(Line.make("DESCRIPTION", escape(_lines(notes))))
    event.items.append(Line.make("STATUS", _status(status)))
    event.items.append(Line.make("TRANSP", "OPAQUE"))
    return Component.make("VCALENDAR", [*items, event]).serialize()


# --- edits ------------------------------------------------------------------------------------------


def moved(text: str, start: date, duration: timedelta | None, now: datetime, zone: ZoneInfo) -> str:
    """The master at another time; only DTSTART, DTEND or DURATION and the bookkeeping change.

    A time stays written in the event's own zone; only a floating or all-day event takes ``zone``, and with
    it a VTIMEZONE. ``duration`` is time that passes; None keeps the event's. Raises ``Invalid`` for a series
    and where there is no event with a start.
    """
    calendar = parse(text)
    series = read(calendar, zone)
    known = series.master
    if series.recurring:
        raise Invalid(
            "This event repeats. Move it in a calendar app, where you can say which dates you mean."
        )
    if known is None:
        raise Invalid("This event has no start that could be moved.")
    master = list(calendar.components("VEVENT"))[known.index]
    length = duration
    if length is None:
        length = _length(known, timed=isinstance(start, datetime))
    _set_time(calendar, master, "DTSTART", start, zone)
    spelled = master.value("DURATION")
    if master.first("DTEND") is None and spelled is not None:
        if parse_duration(spelled) != length:
            _set(master, Line.make("DURATION", _duration(length)))
    elif master.first("DTEND") is not None or length != _implied(start):
        end = _later(start, length) if isinstance(start, datetime) else start + length
        _set_time(calendar, master, "DTEND", end, zone, after="DTSTART")
    return _result(text, calendar, [master], now)


def retitled(text: str, title: str, now: datetime) -> str:
    """Another SUMMARY for the master."""
    return _worded(text, "SUMMARY", _one_line(title), now)


def noted(text: str, notes: str, now: datetime) -> str:
    """Another DESCRIPTION for the master."""
    return _worded(text, "DESCRIPTION", _lines(notes), now)


def with_status(text: str, status: str, now: datetime) -> str:
    """Another STATUS for the event; of a series, for every override too.

    TRANSP is left alone: a cancelled event takes no time whatever it says (RFC 4791 7.10), and when it is
    confirmed again, at whichever side, it must be as busy as before.
    """
    calendar = parse(text)
    events = _events(calendar)
    for event in events:
        there = event.first("STATUS")
        if there is None:
            if _status(status) != "CONFIRMED":
                _set(event, Line.make("STATUS", _status(status)))
        elif there.value.strip().upper() != _status(status):
            _set(event, there.with_value(_status(status)))
    return _result(text, calendar, events, now)


def bumped(text: str, now: datetime) -> str:
    """The same event under a new SEQUENCE and new stamps: other bytes, hence another ETag."""
    calendar = parse(text)
    for event in _events(calendar):
        _stamp(event, now)
    return calendar.serialize()


# --- lines --------------------------------------------------------------------------------------------


def _worded(text: str, name: str, words: str, now: datetime) -> str:
    calendar = parse(text)
    master = _masters(calendar)[0]
    there = master.first(name)
    if there is None:
        _set(master, Line.make(name, escape(words)))
    elif there.text != words:
        _set(master, there.with_value(escape(words)))
    return _result(text, calendar, [master], now)


def _result(before: str, calendar: Component, edited: list[Component], now: datetime) -> str:
    """The edited text, stamped; an edit that changed nothing leaves every byte."""
    if calendar.serialize() == before:
        return before
    for event in edited:
        _stamp(event, now)
    return calendar.serialize()


def _stamp(event: Component, now: datetime) -> None:
    value = (event.value("SEQUENCE") or "0").strip()
    sequence = int(value) if value.isdecimal() and len(value) < 10 else 0
    _set(event, Line.make("SEQUENCE", str(sequence + 1)))
    _set(event, Line.make("DTSTAMP", _utc(now)))
    _set(event, Line.make("LAST-MODIFIED", _utc(now)))


def _set(component: Component, line: Line, after: str | None = None) -> None:
    """Put the line where the first of its name is; else behind ``after``, or the component's last line."""
    line = line._replace(raw=with_line_end(line.raw, component.line_end))
    items = component.items
    place = _index(items, lambda item: item.name == line.name)
    if place is not None:
        items[place] = line
        return
    place = _index(items, lambda item: after is not None and item.name == after)
    if place is None:
        inner = (index for index, item in enumerate(items) if isinstance(item, Component))
        place = next(inner, len(items)) - 1
    items.insert(place + 1, line)


def _index(items: list[Line | Component], wanted: Callable[[Line], bool]) -> int | None:
    return next((i for i, item in enumerate(items) if isinstance(item, Line) and wanted(item)), None)


def _events(calendar: Component) -> list[Component]:
    events = list(calendar.components("VEVENT"))
    if not events:
        raise Invalid("There is no event in this calendar data.", "valid-calendar-object-resource")
    return events


def _masters(calendar: Component) -> list[Component]:
    """The event without RECURRENCE-ID first."""
    return sorted(_events(calendar), key=lambda event: event.first("RECURRENCE-ID") is not None)


# --- times --------------------------------------------------------------------------------------------


def _set_time(
    calendar: Component, event: Component, name: str, when: date, zone: ZoneInfo, *, after: str | None = None
) -> None:
    there = event.first(name) or (event.first(after) if after else None)
    line = _time_line(name, when, zone)
    if isinstance(when, datetime):
        tzid = there.param("TZID") if there is not None else None
        if there is not None and tzid is not None:
            local = when.astimezone(Zones(calendar, zone).get(tzid))
            line = there.with_value(f"{local:%Y%m%dT%H%M%S}")
            if there.name != name:
                line = Line.make(name, line.value, [("TZID", tzid)])
        elif there is not None and there.value.strip().upper().endswith("Z"):
            line = Line.make(name, _utc(when))
        elif zone.key != "UTC" and not _defines(calendar, zone.key):
            _define(calendar, zone, when)
    known = event.first(name)
    if known is None or (known.value, known.params) != (line.value, line.params):
        _set(event, line, after=after)


def _defines(calendar: Component, key: str) -> bool:
    return any(part.value("TZID") == key for part in calendar.components("VTIMEZONE"))


def _define(calendar: Component, zone: ZoneInfo, when: datetime) -> None:
    definition = _definition(zone, when, when)
    if calendar.line_end == "\n":
        definition = parse(Component.make("VCALENDAR", [definition]).serialize().replace("\r\n", "\n"))
        definition = next(definition.components())
    place = next(
        (index for index, item in enumerate(calendar.items) if isinstance(item, Component)),
        len(calendar.items),
    )
    calendar.items.insert(place, definition)


def _definition(zone: ZoneInfo, start: date, end: date) -> Component:
    # whole years, so that bookings share what is computed
    text = vtimezone(zone.key, date(start.year, 1, 1), date(end.year, 12, 31))
    return next(parse(f"BEGIN:VCALENDAR\r\n{text}END:VCALENDAR\r\n").components())


def _time_line(name: str, when: date, zone: ZoneInfo) -> Line:
    if not isinstance(when, datetime):
        return Line.make(name, f"{when:%Y%m%d}", [("VALUE", "DATE")])
    if when.tzinfo is None:
        raise ValueError("a time without zone is no moment")
    if zone.key == "UTC":
        return Line.make(name, _utc(when))
    return Line.make(name, f"{when.astimezone(zone):%Y%m%dT%H%M%S}", [("TZID", zone.key)])


def _utc(when: datetime) -> str:
    if when.tzinfo is None:
        raise ValueError("a time without zone is no moment")
    return f"{when.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _later(start: datetime, length: timedelta | None) -> datetime:
    """``start`` after so much time has passed, clock changes included."""
    return (start.astimezone(UTC) + (length or timedelta(0))).astimezone(start.tzinfo)


def _length(event: Event, *, timed: bool) -> timedelta:
    """How long the event takes now: days for all-day ones, else time that passes."""
    if event.start.is_date:
        if timed:
            raise Invalid("This event lasts all day: say how many minutes it takes at its new time.")
        return timedelta(days=event.length.days)
    if not timed:
        return timedelta(days=1)
    starts, ends = event.span
    return timedelta(seconds=ends - starts)


def _implied(start: date) -> timedelta:
    """The length of an event that has neither DTEND nor DURATION (RFC 5545 3.6.1)."""
    return timedelta(0) if isinstance(start, datetime) else timedelta(days=1)


def _duration(length: timedelta) -> str:
    days, seconds = length.days, length.seconds
    hours, minutes, seconds = seconds // 3600, seconds // 60 % 60, seconds % 60
    clock = "".join(f"{n}{unit}" for n, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if n)
    return (
        "P"
        + (f"{days}D" if days else "")
        + (f"T{clock}" if clock or not days else "")
        + ("" if clock or days else "0S")
    )


# --- words --------------------------------------------------------------------------------------------


def _status(status: str) -> str:
    if status.upper() not in STATUSES:
        raise Invalid(f"The status “{status[:20]}” is unknown. Use confirmed or tentative.")
    return status.upper()


def _one_line(text: str) -> str:
    return " ".join(_CONTROL.sub(" ", text).split())


def _lines(text: str) -> str:
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
