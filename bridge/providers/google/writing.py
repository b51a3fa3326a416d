"""From fields to what is sent to Google: a whole event for a new one, else only what changed; pure.

A PATCH names the fields that differ from the event as it was read a moment ago, so that whatever we do not
know of (colours, conferences, attachments, guests' private notes) is left alone. A field set to null is
cleared; private properties are merged by name (Google's manual on PATCH).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bridge.ical.marker import NAME as MARKER
from bridge.ical.text import Component
from bridge.providers.google.fields import Fields, Guest, When, spelled_date
from bridge.providers.google.reading import OWNER, STAMPS, UID, Event, excluded_by_lines, own, written_stamps

Body = dict[str, Any]


def new_event(event_id: str, wanted: Fields) -> Body:
    """The body of an insert; the dates left out become EXDATE lines."""
    body: Body = {
        "id": event_id,
        "start": spelled_time(wanted.start),
        "end": spelled_time(wanted.end),
        "status": wanted.status,
    }
    if wanted.rules:
        body["recurrence"] = [*wanted.rules, *_exdates(wanted.excluded, wanted.start)]
    for name in ("summary", "location", "description"):
        if value := getattr(wanted, name):
            body[name] = value
    body["transparency"] = "transparent" if wanted.transparent else "opaque"
    body["visibility"] = wanted.visibility
    if wanted.url:
        body["source"] = {"url": wanted.url, "title": wanted.summary or wanted.url}
    if wanted.alarms:
        body["reminders"] = _reminders(wanted)
    if wanted.guests:
        body["attendees"] = [_guest(guest, {}) for guest in wanted.guests]
    return body


def again(wanted: Fields) -> Body:
    """The body of a PATCH by which a cancelled date takes place again: everything, as Google may tell nothing
    of what it said before."""
    body = new_event("", wanted)
    del body["id"]
    return {"summary": None, "location": None, "description": None, **body}


def changes(before: Fields, wanted: Fields, event: Event) -> Body:
    """The body of a PATCH that makes ``wanted`` of an event whose fields are ``before``; empty if nothing
    that Google can hold differs."""
    body: Body = {}
    for name in ("summary", "location", "description"):
        if getattr(wanted, name) != getattr(before, name):
            body[name] = getattr(wanted, name) or None
    if wanted.status != before.status:
        body["status"] = wanted.status
    if wanted.transparent != before.transparent:
        body["transparency"] = "transparent" if wanted.transparent else "opaque"
    if wanted.visibility != before.visibility:
        body["visibility"] = wanted.visibility
    if _differ(wanted.start, before.start) or _differ(wanted.end, before.end):
        body["start"] = spelled_time(wanted.start, instead_of=before.start)
        body["end"] = spelled_time(wanted.end, instead_of=before.end)
    if wanted.url != before.url:
        source = {
            "url": wanted.url,
            "title": event.get("source", {}).get("title") or wanted.summary or wanted.url,
        }
        body["source"] = source if wanted.url else None
    if wanted.alarms != before.alarms:
        body["reminders"] = _reminders(wanted)
    if wanted.guests != before.guests and not event.get("attendeesOmitted"):
        body["attendees"] = _guests(before, wanted, event)
    return body


def recurrence(before: Fields, wanted: Fields, event: Event, cancelled: frozenset[str]) -> list[str] | None:
    """The rules of the series as they should be; None if they need not change.

    Dates that are cancelled exceptions stay those: one date is never left out in both ways."""
    if not wanted.rules:
        return [] if event.get("recurrence") else None
    lines = excluded_by_lines(event)
    if wanted.rules != before.rules or _differ(wanted.start, before.start):
        kept = wanted.excluded - cancelled
    elif lines <= wanted.excluded:
        return None
    else:
        kept = lines & wanted.excluded
    return [*wanted.rules, *_exdates(kept, wanted.start)]


def on_its_date(master: Fields, date: When) -> Fields:
    """What the series itself says of one of its dates."""
    values = {name: getattr(master, name) for name in Fields.__slots__}
    end: When
    if isinstance(date, datetime) and isinstance(master.start, datetime) and isinstance(master.end, datetime):
        end = (date + (master.end - master.start)).astimezone(date.tzinfo)
    else:
        end = date + (master.end - master.start)
    return Fields(**{**values, "start": date, "end": end, "rules": (), "excluded": frozenset()})


def identity(uid: str, event_id: str) -> dict[str, str | None]:
    """What tells one of our objects, and that it is not a copy."""
    return {UID: uid, OWNER: event_id}


def properties(component: Component, event: Event, uid: str) -> dict[str, str | None]:
    """The private properties of ours to write to an event: identity, this write's marker, its stamps; none
    for an event of somebody else's."""
    there, marker = own(event), component.value(MARKER)
    if marker is None and not there:
        return {}
    wanted = identity(uid, event.get("recurringEventId") or event["id"])
    wanted[STAMPS] = written_stamps(component)
    if marker is not None:
        wanted[MARKER] = marker
    return {name: value for name, value in wanted.items() if there.get(name) != value}


def _differ(first: When, second: When) -> bool:
    """Times differ also by their zone: a series follows its own through the year."""
    if isinstance(first, datetime) and isinstance(second, datetime):
        return first != second or str(first.tzinfo) != str(second.tzinfo)
    return isinstance(first, datetime) or isinstance(second, datetime) or first != second


def spelled_time(when: When, instead_of: When | None = None) -> Body:
    """An EventDateTime. A date that becomes a time must say that it is no date any more."""
    if not isinstance(when, datetime):
        clear = {"dateTime": None, "timeZone": None} if isinstance(instead_of, datetime) else {}
        return {"date": when.isoformat(), **clear}
    clear = {"date": None} if instead_of is not None and not isinstance(instead_of, datetime) else {}
    return {"dateTime": when.isoformat(), "timeZone": str(when.tzinfo), **clear}


def _exdates(names: Iterable[str], start: When) -> list[str]:
    return [spelled_date("EXDATE", date_named(name, start)) for name in sorted(names)]


def date_named(name: str, start: When) -> When:
    """The date of a series that ``fields.key`` names, in the form of its start."""
    if "T" not in name:
        return datetime.strptime(name, "%Y%m%d").replace(tzinfo=ZoneInfo("UTC")).date()
    zone = start.tzinfo if isinstance(start, datetime) else ZoneInfo("UTC")
    return datetime.strptime(name, "%Y%m%dT%H%M%S%z").astimezone(zone)


def _reminders(wanted: Fields) -> Body:
    overrides = [{"method": method, "minutes": minutes} for method, minutes in wanted.alarms]
    return {"useDefault": False, "overrides": overrides}


def _guests(before: Fields, wanted: Fields, event: Event) -> list[Body]:
    """The whole list, as PATCH replaces arrays: entries that did not change keep all that Google knows."""
    known = {guest.email: guest for guest in before.guests}
    left = {guest.email: guest for guest in wanted.guests}
    result: list[Body] = []
    for entry in event.get("attendees", ()):
        email = entry.get("email", "").lower()
        if not email:
            result.append(dict(entry))
        elif (guest := left.pop(email, None)) is not None:
            result.append(dict(entry) if guest == known.get(email) else _guest(guest, entry))
    return [*result, *(_guest(guest, {}) for guest in left.values())]


def _guest(guest: Guest, entry: Mapping[str, Any]) -> Body:
    said: Body = {**entry, "email": entry.get("email", guest.email), "responseStatus": guest.answer}
    if guest.name:
        said["displayName"] = guest.name
    for name, value in (("optional", guest.optional), ("resource", guest.resource)):
        if value or name in entry:
            said[name] = value
    return said
