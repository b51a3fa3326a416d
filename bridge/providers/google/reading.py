"""From Google's JSON to one iCalendar text per series; pure, so that equal JSON gives equal bytes.

A series comes as its master and its exceptions, each an item of its own; a cancelled exception is a date
that is left out. What Google knows and iCalendar has no word for is not in the text and stays with Google,
because only what changed in a text is ever sent back (``writing``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from bridge.errors import Invalid
from bridge.ical.marker import NAME as MARKER
from bridge.ical.occurrences import occurrences
from bridge.ical.text import Component, Line, escape, parse
from bridge.ical.zones import Zones, iana_name, vtimezone
from bridge.providers.google.fields import ANSWERS, VISIBILITIES, When, key, of_component

PRODID = "-//picsello-bridge//Google Calendar//EN"

#: Our private properties on an event (``extendedProperties.private``; 44 characters a name, 1024 a value).
UID = "X-PICSELLO-UID"  # the identity of one of our objects: Google gives an inserted event its own iCalUID
OWNER = "X-PICSELLO-ID"  # the event they were written for: a copy of it is not ours
STAMPS = "X-PICSELLO-STAMPS"  # DTSTAMP and so on as written, and the digest of what they were written for
PENDING = "X-PICSELLO-PENDING"  # a series whose dates are still being written

_PARTSTAT = {answer: name for name, answer in ANSWERS.items()}
_CLASS = {visibility: name for name, visibility in VISIBILITIES.items()}
_STAMPED = ("DTSTAMP", "LAST-MODIFIED", "SEQUENCE")

Event = Mapping[str, Any]
UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Series:
    """One object as Google has it. ``master`` None: we were invited to single dates of somebody's series."""

    id: str
    master: Event | None
    exceptions: tuple[Event, ...] = ()

    @property
    def tag(self) -> str:
        """Google's own etag for a single event; a series changes when any of its items does."""
        if self.master is not None and not self.exceptions and "recurrence" not in self.master:
            return str(self.master["etag"])
        etags = [(event["id"], event.get("etag", "")) for event in (self.master, *self.exceptions) if event]
        return "series:" + hashlib.sha256(repr(sorted(etags)).encode()).hexdigest()[:32]

    @property
    def pending(self) -> bool:
        """Whether a create of ours did not come to its end yet."""
        return self.master is not None and PENDING in own(self.master)


def own(event: Event) -> Mapping[str, str]:
    """Our private properties, where they are this very event's (a copy in Google carries them too)."""
    found: Mapping[str, str] = event.get("extendedProperties", {}).get("private", {})
    owner = found.get(OWNER)
    return found if owner is not None and owner in (event["id"], event.get("recurringEventId")) else {}


def text_of(series: Series) -> str:
    """The whole VCALENDAR, CRLF."""
    model = _model(series)
    events = [_component(series.master, series)] if series.master is not None else []
    if events:
        dates = sorted(left_out(series))
        at = max(
            n for n, line in enumerate(events[0].items) if line.name in ("DTEND", "RRULE", "EXDATE", "RDATE")
        )
        events[0].items[at + 1 : at + 1] = [_time("EXDATE", _like(_parsed(name), model)) for name in dates]
    kept = [e for e in series.exceptions if e.get("status") != "cancelled" and "start" in e]
    events += [_component(event, series) for event in sorted(kept, key=original)]
    head: list[Line | Component] = [Line.make("VERSION", "2.0"), Line.make("PRODID", PRODID)]
    zones = _zones(events)
    return Component.make("VCALENDAR", [*head, *zones, *events]).serialize()


def original(event: Event) -> str:
    """The date of the series that an exception replaces, as ``fields.key`` names it."""
    return key(moment(event["originalStartTime"]))


def left_out(series: Series) -> frozenset[str]:
    """The dates that are cancelled exceptions. One of a time that the series no longer has (it was moved) is
    nobody's date."""
    names = {original(event) for event in series.exceptions if event.get("status") == "cancelled"}
    if not names or series.master is None:
        return frozenset(names)
    master = _component(series.master, Series(series.id, series.master))
    calendar = Component.make("VCALENDAR", [*_zones([master]), master])
    moments = [_instant(_parsed(name)) for name in names]
    spans = occurrences(calendar, min(moments), max(moments) + 1, UTC)
    return frozenset(names & {span.recurrence_id for span in spans if span.recurrence_id})


def excluded_by_lines(master: Event) -> frozenset[str]:
    """The dates that EXDATE lines of the master leave out (others are cancelled exceptions)."""
    lines = "".join(
        f"{line}\r\n" for line in master.get("recurrence", ()) if line.upper().startswith("EXDATE")
    )
    start = _time("DTSTART", moment(master["start"])).raw
    text = f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n{start}{lines}END:VEVENT\r\nEND:VCALENDAR\r\n"
    calendar = parse(text)
    return of_component(next(calendar.components("VEVENT")), Zones(calendar, UTC), UTC).excluded


def moment(value: Mapping[str, str]) -> When:
    """An EventDateTime: a date, or a time in its zone (UTC where it names none that we know)."""
    if value.get("date"):
        return date.fromisoformat(value["date"])
    zone = ZoneInfo(iana_name(value.get("timeZone") or "UTC") or "UTC")
    when = datetime.fromisoformat(value["dateTime"])
    return when.replace(tzinfo=zone) if when.tzinfo is None else when.astimezone(zone)


# --- one event --------------------------------------------------------------------------------------


def _component(event: Event, series: Series) -> Component:
    mine = own(event)
    main = series.master or event
    uid = own(main).get(UID) or main.get("iCalUID") or main["id"]
    component = Component.make("VEVENT", [Line.make("UID", uid), *_content(event, _model(series))])
    if marker := mine.get(MARKER):
        component.items.append(Line.make(MARKER, marker))
    component.items += _alarms(event)
    component.items[1:1] = _stamps(event, mine, component)
    return component


def _content(event: Event, model: When | None) -> Iterator[Line]:
    start, end = moment(event["start"]), moment(event["end"])
    if "originalStartTime" in event:
        yield _time("RECURRENCE-ID", _like(moment(event["originalStartTime"]), model))
    yield _time("DTSTART", start)
    yield _time("DTEND", end)
    for line in event.get("recurrence", ()):
        head, _, value = line.partition(":")
        name, *params = head.split(";")
        yield Line.make(name.upper(), value, [_param(param) for param in params])
    for name, field in (("SUMMARY", "summary"), ("LOCATION", "location"), ("DESCRIPTION", "description")):
        if event.get(field):
            yield Line.make(name, escape(event[field].replace("\r\n", "\n")))
    yield Line.make("STATUS", event.get("status", "confirmed").upper())
    yield Line.make("TRANSP", event.get("transparency", "opaque").upper())
    if visibility := _CLASS.get(event.get("visibility", "default")):
        yield Line.make("CLASS", visibility)
    if url := event.get("source", {}).get("url"):
        yield Line.make("URL", url)
    yield from _people(event)
    for attached in event.get("attachments", ()):
        if attached.get("fileUrl"):
            type_ = [("FMTTYPE", attached["mimeType"])] if attached.get("mimeType") else []
            yield Line.make("ATTACH", attached["fileUrl"], type_)
    if event.get("hangoutLink"):
        yield Line.make("X-GOOGLE-CONFERENCE", event["hangoutLink"])


def _people(event: Event) -> Iterator[Line]:
    """Guests; the organizer too where there are any (Google names one for every event)."""
    guests = [guest for guest in event.get("attendees", ()) if guest.get("email")]
    organizer = event.get("organizer", {})
    if guests and organizer.get("email"):
        yield Line.make("ORGANIZER", "mailto:" + organizer["email"], _named(organizer))
    for guest in guests:
        params = _named(guest)
        if guest.get("resource"):
            params.append(("CUTYPE", "RESOURCE"))
        if guest.get("optional"):
            params.append(("ROLE", "OPT-PARTICIPANT"))
        params.append(("PARTSTAT", _PARTSTAT.get(guest.get("responseStatus", ""), "NEEDS-ACTION")))
        yield Line.make("ATTENDEE", "mailto:" + guest["email"], params)


def _named(person: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [("CN", person["displayName"])] if person.get("displayName") else []


def _alarms(event: Event) -> Iterator[Component]:
    """The event's own reminders; the calendar's default ones are nobody's edit."""
    for reminder in event.get("reminders", {}).get("overrides", ()):
        email = reminder["method"] == "email"
        lines = [
            Line.make("ACTION", "EMAIL" if email else "DISPLAY"),
            Line.make("TRIGGER", f"-PT{reminder['minutes']}M" if reminder["minutes"] else "PT0S"),
            Line.make("DESCRIPTION", "Reminder"),
        ]
        if email:
            lines.append(Line.make("SUMMARY", "Reminder"))
        yield Component.make("VALARM", lines)


def _stamps(event: Event, mine: Mapping[str, str], component: Component) -> list[Line | Component]:
    """As we wrote them, while nobody has changed what we wrote; else as Google tells."""
    said = {
        "DTSTAMP": _utc(event.get("updated") or event.get("created")),
        "LAST-MODIFIED": _utc(event.get("updated")),
        "SEQUENCE": str(event.get("sequence", 0)),
    }
    try:
        digest, written = json.loads(mine[STAMPS])
        if digest == digest_of(component):
            said = {name: written[name] for name in _STAMPED if name in written}
    except (KeyError, ValueError, TypeError, Invalid):
        pass
    lines: list[Line | Component] = [Line.make(name, value) for name, value in said.items() if value]
    if created := _utc(event.get("created")):
        lines.insert(1, Line.make("CREATED", created))
    return lines


def written_stamps(component: Component) -> str:
    """What ``_stamps`` reads back: the component's stamps, and what they were written for."""
    said = {name: component.value(name) for name in _STAMPED if component.value(name)}
    return json.dumps([digest_of(component), said], separators=(",", ":"))


def digest_of(component: Component) -> str:
    """The digest of one component's fields, without the dates left out: these are items of their own."""
    bare = Component.make("VEVENT", [item for item in component.items if item.name != "EXDATE"])
    calendar = Component.make("VCALENDAR", [*_zones([bare]), bare])
    return of_component(bare, Zones(calendar, UTC), UTC).digest()


# --- lines ------------------------------------------------------------------------------------------


def _model(series: Series) -> When | None:
    """The start of the series, in whose form its dates are named."""
    return moment(series.master["start"]) if series.master is not None else None


def _like(when: When, model: When | None) -> When:
    if isinstance(when, datetime) and isinstance(model, datetime):
        return when.astimezone(model.tzinfo)
    return when


def _parsed(name: str) -> When:
    if "T" in name:
        return datetime.strptime(name, "%Y%m%dT%H%M%S%z").astimezone(UTC)
    return date(int(name[:4]), int(name[4:6]), int(name[6:8]))


def _instant(when: When) -> int:
    if isinstance(when, datetime):
        return int(when.timestamp())
    return int(datetime(when.year, when.month, when.day, tzinfo=UTC).timestamp())


def _time(name: str, when: When) -> Line:
    if not isinstance(when, datetime):
        return Line.make(name, f"{when:%Y%m%d}", [("VALUE", "DATE")])
    zone = str(when.tzinfo)
    if zone in ("UTC", "Etc/UTC"):
        return Line.make(name, f"{when:%Y%m%dT%H%M%SZ}")
    return Line.make(name, f"{when:%Y%m%dT%H%M%S}", [("TZID", zone)])


def _param(spelled: str) -> tuple[str, str]:
    name, _, value = spelled.partition("=")
    return name, value.strip('"')


def _utc(stamp: str | None) -> str:
    """``2026-01-05T08:00:00.000Z`` as iCalendar writes it."""
    return f"{datetime.fromisoformat(stamp).astimezone(UTC):%Y%m%dT%H%M%SZ}" if stamp else ""


def _zones(events: list[Component]) -> list[Component]:
    """The definitions the events need: whole years from the first to ten after the last that is named."""
    years: dict[str, list[int]] = {}
    for event in events:
        for line in event.lines():
            if (zone := line.param("TZID")) and line.value[:4].isdigit():
                years.setdefault(zone, []).append(int(line.value[:4]))
    found = []
    for zone, seen in sorted(years.items()):
        if iana_name(zone) == zone:
            definition = vtimezone(zone, date(min(seen), 1, 1), date(min(max(seen) + 10, 9970), 12, 31))
            found.append(next(parse(f"BEGIN:VCALENDAR\r\n{definition}END:VCALENDAR\r\n").components()))
    return found
