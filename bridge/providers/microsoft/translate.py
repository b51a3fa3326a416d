"""iCalendar text to what Graph has words for; the way back is ``render``.

``read`` gives exactly what Graph will make of a text, so that reading it and reading the event back compare
equal; what Graph has no word for is kept by ``stash``. A repetition that Graph cannot say, an event without a
time zone and a lone date of somebody's series are refused with a sentence. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bridge.errors import Invalid, ObjectRefused
from bridge.ical.recurrence import Rule
from bridge.ical.text import Component, parse, unescape
from bridge.ical.times import Moment, parse_duration, parse_moment, shifted
from bridge.ical.values import split_list
from bridge.ical.zones import Zones
from bridge.providers.microsoft import recurrence
from bridge.providers.microsoft.event import Event, Series, When, plain
from bridge.providers.microsoft.zones import GREENWICH, windows_name, zone_of

#: X-MICROSOFT-CDO-BUSYSTATUS, where TRANSP and STATUS do not say it already.
BUSY = {"OOF": "oof", "WORKINGELSEWHERE": "workingElsewhere"}
_DAY = timedelta(days=1)


def read(text: str) -> tuple[str, Series]:
    """The UID, and the series as Graph will hold it. Raises ``ObjectRefused``."""
    try:
        calendar = parse(text)
        return _read(calendar)
    except Invalid as error:
        raise ObjectRefused(f"This entry cannot be read, so it was not sent to Outlook: {error}") from error


def _read(calendar: Component) -> tuple[str, Series]:
    zones = Zones(calendar, UTC)
    parts = list(calendar.components("VEVENT"))
    master = next((part for part in parts if part.first("RECURRENCE-ID") is None), None)
    if master is None:
        raise ObjectRefused("Outlook takes no single date of a series that it does not have.")
    rules = [line.value for line in master.lines("RRULE")]
    if len(rules) > 1 or master.first("RDATE") or master.first("EXRULE"):
        raise ObjectRefused(
            "Outlook knows one rule for a series, and no extra dates, so this one stays here only."
        )
    event = _event(master, zones, recurring=bool(rules))
    uid = master.first("UID")
    series = Series(event, _canonical(rules[0], event.when) if rules else "")
    if rules:
        excluded = _excluded(master, event.when, zones)
        series = replace(series, cancelled=frozenset(day for day in excluded if _happens(series, day)))
        overrides = dict(_overrides(parts, series, zones))
        series = replace(series, overrides=overrides, cancelled=series.cancelled - overrides.keys())
    return (uid.text if uid else ""), series


def _canonical(rrule: str, when: When) -> str:
    zone = zone_of(when.zone)
    graph = recurrence.to_graph(rrule, when.start, zone, when.zone)
    return recurrence.to_rrule(graph, when.start, zone, when.all_day)


def _event(part: Component, zones: Zones, *, recurring: bool) -> Event:
    when = _when(part, zones, recurring=recurring)
    return Event(
        when=when,
        subject=" ".join(_text(part, "SUMMARY").split("\n")).strip(),
        location=_text(part, "LOCATION").strip(),
        notes=plain(_text(part, "DESCRIPTION")),
        show_as=_show_as(part),
        klass=_klass(part),
        priority=_priority(part),
        reminder=next(_reminders(part, when, zones), None),
        categories=tuple(_categories(part)),
    )


def _when(part: Component, zones: Zones, *, recurring: bool) -> When:
    start = _moment(part, "DTSTART", zones)
    if start is None:
        raise ObjectRefused("This entry has no start, so Outlook cannot take it.")
    end = _moment(part, "DTEND", zones)
    duration = part.value("DURATION")
    if start.is_date:
        days = (end.wall - start.wall) if end else parse_duration(duration) if duration else _DAY
        return When(start.wall, shifted(start.wall, max(days, _DAY)), all_day=True)
    if end is None or end.is_date:
        length = parse_duration(duration) if duration else timedelta(0)
        end = replace(start, wall=shifted(start.wall, max(length, timedelta(0))))
    elif end.instant < start.instant:
        end = start
    (wall, zone), (end_wall, end_zone) = (_placed(moment, recurring=recurring) for moment in (start, end))
    return When(wall, end_wall, zone, end_zone)


def _placed(moment: Moment, *, recurring: bool) -> tuple[datetime, str]:
    """A wall time and its zone in Windows' words; a zone of the object's own making becomes UTC."""
    if moment.floating:
        raise ObjectRefused("This entry has no time zone, so Outlook cannot know when it is. Give it one.")
    name = windows_name(moment.zone)
    if name is not None:
        return moment.wall, name
    if recurring:
        raise ObjectRefused("Outlook does not know this entry's time zone, so it cannot repeat it rightly.")
    return moment.wall.replace(tzinfo=moment.zone).astimezone(UTC).replace(tzinfo=None), GREENWICH


def _excluded(master: Component, when: When, zones: Zones) -> Iterator[datetime]:
    for line in master.lines("EXDATE"):
        for value in line.value.split(","):
            yield _instance(parse_moment(value, line.param("TZID"), zones.get, UTC), when)


def _overrides(parts: list[Component], series: Series, zones: Zones) -> Iterator[tuple[datetime, Event]]:
    for part in parts:
        named = part.first("RECURRENCE-ID")
        if named is None:
            continue
        if (named.param("RANGE") or "").upper() == "THISANDFUTURE":
            raise ObjectRefused("Outlook cannot change all later dates of a series at once.")
        instance = _instance(
            parse_moment(named.value, named.param("TZID"), zones.get, UTC), series.master.when
        )
        if not _happens(series, instance):
            raise ObjectRefused(
                "This series changes a date that it does not have, which Outlook cannot hold."
            )
        event = _event(part, zones, recurring=True)
        if event != series.as_planned(instance):
            yield instance, event


def _happens(series: Series, instance: datetime) -> bool:
    """Whether the rule, left alone, would give this date."""
    start = series.master.when.start
    return instance in Rule.parse(series.rrule).instances(start, instance, instance)


def _instance(moment: Moment, when: When) -> datetime:
    """The wall time, in the series' zone, of the date that is meant."""
    if moment.is_date:
        return datetime.combine(moment.wall.date(), when.start.time())
    if moment.floating or when.all_day:
        return moment.wall
    aware = moment.wall.replace(tzinfo=moment.zone)
    return aware.astimezone(zone_of(when.zone)).replace(tzinfo=None)


def _moment(part: Component, name: str, zones: Zones) -> Moment | None:
    line = part.first(name)
    if line is None or not line.value.strip():
        return None
    return parse_moment(line.value, line.param("TZID"), zones.get, UTC)


def _text(part: Component, name: str) -> str:
    line = part.first(name)
    return line.text if line else ""


def _word(part: Component, name: str) -> str:
    return (part.value(name) or "").strip().upper()


def _show_as(part: Component) -> str:
    if _word(part, "TRANSP") == "TRANSPARENT":
        return "free"
    if busy := BUSY.get(_word(part, "X-MICROSOFT-CDO-BUSYSTATUS")):
        return busy
    return "tentative" if _word(part, "STATUS") == "TENTATIVE" else "busy"


def _klass(part: Component) -> str:
    word = _word(part, "CLASS")
    return "" if word in ("", "PUBLIC") else "CONFIDENTIAL" if word == "CONFIDENTIAL" else "PRIVATE"


def _priority(part: Component) -> int:
    word = _word(part, "PRIORITY")
    number = int(word) if word.isdecimal() and len(word) == 1 else 0
    return 0 if number in (0, 5) else 1 if number < 5 else 9


def _categories(part: Component) -> Iterator[str]:
    for line in part.lines("CATEGORIES"):
        yield from (word for value in split_list(line.value) if (word := unescape(value).strip()))


def _reminders(part: Component, when: When, zones: Zones) -> Iterator[int]:
    """Minutes before the start, of those that Graph can hold: it holds one."""
    for alarm in part.components("VALARM"):
        trigger = alarm.first("TRIGGER")
        if trigger is None or _word(alarm, "ACTION") not in ("DISPLAY", "AUDIO", ""):
            continue
        try:
            if trigger.value.strip().upper().lstrip("+-").startswith("P"):
                before = -parse_duration(trigger.value)
                if (trigger.param("RELATED") or "").upper() == "END":
                    before -= when.end - when.start
            else:
                at = parse_moment(trigger.value, trigger.param("TZID"), zones.get, UTC)
                starts = when.start.replace(tzinfo=zone_of(when.zone))
                before = starts - at.wall.replace(tzinfo=at.zone)
        except Invalid:
            continue
        if before >= timedelta(0):
            yield int(before // timedelta(minutes=1))
