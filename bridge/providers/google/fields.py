"""What Google Calendar can hold of one event, read from its iCalendar component.

``Fields`` is the common ground of both directions: two components with equal fields are the same event to
Google, whatever else their texts say, so nothing is sent for what it could not keep. From JSON to text is
``reading``, from fields to requests ``writing``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from bridge.errors import Invalid
from bridge.ical.text import Component, Line
from bridge.ical.times import Moment, parse_duration, parse_moment
from bridge.ical.zones import Zones

#: Reminders an event can have of its own, and how early one can be (discovery document, EventReminder).
MOST_ALARMS = 5
MOST_MINUTES = 40_320

#: A date (all day), or an aware time in a zone that Google knows by name.
When = date

VISIBILITIES = {"PUBLIC": "public", "PRIVATE": "private", "CONFIDENTIAL": "confidential"}
ANSWERS = {
    "NEEDS-ACTION": "needsAction",
    "DECLINED": "declined",
    "TENTATIVE": "tentative",
    "ACCEPTED": "accepted",
}


@dataclass(frozen=True, slots=True)
class Guest:
    """An attendee; ``email`` in lower case."""

    email: str
    name: str
    answer: str
    optional: bool
    resource: bool


@dataclass(frozen=True, slots=True)
class Fields:
    """One event. ``rules``: its RRULE, EXRULE and RDATE lines, unfolded. ``excluded``: the starts that are
    taken out of the series, as ``key`` names them. ``alarms``: (method, minutes before the start)."""

    start: When
    end: When
    rules: tuple[str, ...]
    excluded: frozenset[str]
    summary: str
    location: str
    description: str
    status: str
    transparent: bool
    visibility: str
    url: str
    alarms: tuple[tuple[str, int], ...]
    guests: tuple[Guest, ...]

    def digest(self) -> str:
        """The same for equal fields, in every process."""
        parts = [
            str(getattr(self, name)) for name in self.__slots__ if name not in ("excluded", "start", "end")
        ]
        parts += [*sorted(self.excluded), _spelled(self.start), _spelled(self.end)]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A whole object: the series (or single event), and its dates that differ, by ``key``."""

    uid: str
    master: Fields | None
    overrides: dict[str, Fields]
    #: The components they were read from, by key; None is the master's.
    components: dict[str | None, Component]


def read(calendar: Component, home: ZoneInfo) -> Wanted:
    """Read every event of an object. ``home``: the calendar's zone, for times without one.

    Raises Invalid where there is no event with a start.
    """
    zones = Zones(calendar, home)
    uid, master = "", None
    overrides: dict[str, Fields] = {}
    components: dict[str | None, Component] = {}
    cancelled: set[str] = set()
    for event in calendar.components("VEVENT"):
        uid = uid or (event.value("UID") or "").strip()
        instance = event.first("RECURRENCE-ID")
        fields = of_component(event, zones, home)
        if instance is None:
            master, components[None] = fields, event
            continue
        if instance.param("RANGE") is not None:
            raise Invalid("It changes all dates from one on: Google Calendar makes a new series of that.")
        replaced = key(_when(instance, zones, home))
        if fields.status == "cancelled":
            cancelled.add(replaced)
        else:
            overrides[replaced], components[replaced] = fields, event
    if not components:
        raise Invalid("This holds no event, so Google Calendar cannot take it.")
    if master is not None and cancelled:
        master = _without(master, cancelled)
    return Wanted(uid, master, overrides, components)


def of_component(event: Component, zones: Zones, home: ZoneInfo) -> Fields:
    """Raises Invalid for an event without a start."""
    found = event.first("DTSTART")
    if found is None:
        raise Invalid("This event has no start, so Google Calendar cannot take it.")
    start = _when(found, zones, home)
    end = _end(event, start, zones, home)
    status = (event.value("STATUS") or "CONFIRMED").strip().lower()
    return Fields(
        start=start,
        end=end,
        rules=tuple(_rules(event, zones, home)),
        excluded=frozenset(
            key(_at(value, line, zones, home))
            for line in event.lines("EXDATE")
            for value in line.value.split(",")
        ),
        summary=_text(event, "SUMMARY"),
        location=_text(event, "LOCATION"),
        description=_text(event, "DESCRIPTION"),
        status=status if status in ("tentative", "cancelled") else "confirmed",
        transparent=(event.value("TRANSP") or "").strip().upper() == "TRANSPARENT",
        visibility=VISIBILITIES.get((event.value("CLASS") or "").strip().upper(), "default"),
        url=_url(event),
        alarms=_alarms(event, start, end, zones, home),
        guests=tuple(sorted(_guests(event), key=lambda guest: guest.email)),
    )


def key(when: When) -> str:
    """The name of one date of a series: the same instant has one name, in whatever zone it is told."""
    if isinstance(when, datetime):
        return f"{when.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    return f"{when:%Y%m%d}"


def _without(master: Fields, cancelled: set[str]) -> Fields:
    values = {name: getattr(master, name) for name in Fields.__slots__}
    return Fields(**{**values, "excluded": master.excluded | cancelled})


def _spelled(when: When) -> str:
    return f"{when.isoformat()} {when.tzinfo}" if isinstance(when, datetime) else when.isoformat()


def _text(event: Component, name: str) -> str:
    line = event.first(name)
    return line.text if line is not None else ""


def _url(event: Component) -> str:
    """Google keeps addresses of web pages alone (discovery document, ``source.url``)."""
    url = (event.value("URL") or "").strip()
    return url if url.lower().startswith(("http://", "https://")) else ""


# --- times ------------------------------------------------------------------------------------------


def _when(line: Line, zones: Zones, home: ZoneInfo) -> When:
    return _at(line.value, line, zones, home)


def _at(value: str, line: Line, zones: Zones, home: ZoneInfo) -> When:
    moment = parse_moment(value, line.param("TZID"), zones.get, home)
    return moment.wall.date() if moment.is_date else _aware(moment, home)


def _aware(moment: Moment, home: ZoneInfo) -> datetime:
    """In a zone that Google knows by name; the instant stays."""
    zone: tzinfo = moment.zone
    if zone is UTC:
        zone = ZoneInfo("UTC")
    instant = datetime.fromtimestamp(moment.instant, UTC)
    if isinstance(zone, ZoneInfo):
        return instant.astimezone(zone)
    return instant.astimezone(home)  # a zone of the object's own


def _end(event: Component, start: When, zones: Zones, home: ZoneInfo) -> When:
    """DTEND, else DURATION, else what RFC 5545 3.6.1 says."""
    line = event.first("DTEND")
    if line is not None:
        end = _when(line, zones, home)
        if isinstance(end, datetime) == isinstance(start, datetime):
            return end
    spelled = event.value("DURATION")
    if isinstance(start, datetime):
        length = parse_duration(spelled) if spelled else timedelta(0)
        return (start.astimezone(UTC) + length).astimezone(start.tzinfo)
    return start + (parse_duration(spelled) if spelled else timedelta(days=1))


def _rules(event: Component, zones: Zones, home: ZoneInfo) -> Iterator[str]:
    """As Google takes them: without parameters of others, zones by their IANA names."""
    for line in event.lines():
        if line.name in ("RRULE", "EXRULE"):
            yield f"{line.name}:{line.value.strip()}"
        elif line.name == "RDATE":
            yield from _dates(
                "RDATE", [_at(v.split("/")[0], line, zones, home) for v in line.value.split(",")]
            )


def _dates(name: str, dates: list[When]) -> Iterator[str]:
    for when in dates:
        yield spelled_date(name, when)


def spelled_date(name: str, when: When) -> str:
    """An EXDATE or RDATE line for one date."""
    if not isinstance(when, datetime):
        return f"{name};VALUE=DATE:{when:%Y%m%d}"
    zone = str(when.tzinfo)
    return f"{name}:{when:%Y%m%dT%H%M%SZ}" if zone == "UTC" else f"{name};TZID={zone}:{when:%Y%m%dT%H%M%S}"


# --- reminders and guests ---------------------------------------------------------------------------


def _alarms(
    event: Component, start: When, end: When, zones: Zones, home: ZoneInfo
) -> tuple[tuple[str, int], ...]:
    """Those that Google can hold: before the start, by so many minutes."""
    found: set[tuple[str, int]] = set()
    for alarm in event.components("VALARM"):
        related, trigger = alarm.first("RELATED-TO"), alarm.first("TRIGGER")
        if trigger is None or (related is not None and related.param("RELTYPE") == "SNOOZE"):  # RFC 9074 7.1
            continue
        try:
            ahead = _ahead(trigger, start, end, zones, home)
        except Invalid:
            continue
        minutes = int(ahead.total_seconds()) // 60
        method = "email" if (alarm.value("ACTION") or "").strip().upper() == "EMAIL" else "popup"
        if 0 <= minutes <= MOST_MINUTES:
            found.add((method, minutes))
    return tuple(sorted(found, key=lambda alarm: (alarm[1], alarm[0]))[:MOST_ALARMS])


def _ahead(trigger: Line, start: When, end: When, zones: Zones, home: ZoneInfo) -> timedelta:
    """How long before the start."""
    if (trigger.param("VALUE") or "").upper() == "DATE-TIME":
        at = _at(trigger.value, trigger, zones, home)
        return _instant(start, home) - _instant(at, home)
    ahead = -parse_duration(trigger.value)
    if (trigger.param("RELATED") or "").upper() == "END":
        ahead -= _instant(end, home) - _instant(start, home)
    return ahead


def _instant(when: When, home: ZoneInfo) -> datetime:
    if isinstance(when, datetime):
        return when.astimezone(UTC)
    return datetime(when.year, when.month, when.day, tzinfo=home).astimezone(UTC)


def _guests(event: Component) -> Iterator[Guest]:
    seen: set[str] = set()
    for line in event.lines("ATTENDEE"):
        scheme, _, email = line.value.strip().partition(":")
        email = email.strip().lower()
        if scheme.lower() != "mailto" or "@" not in email or email in seen:
            continue
        seen.add(email)
        yield Guest(
            email,
            line.param("CN") or "",
            ANSWERS.get((line.param("PARTSTAT") or "").upper(), "needsAction"),
            (line.param("ROLE") or "").upper() in ("OPT-PARTICIPANT", "NON-PARTICIPANT"),
            (line.param("CUTYPE") or "").upper() in ("RESOURCE", "ROOM"),
        )
