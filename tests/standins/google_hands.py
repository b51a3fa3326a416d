"""Somebody who uses Google Calendar itself: texts become events the way Google's own import reads them.

Read with the ``icalendar`` library, so that the code under test is not its own witness.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote

import icalendar

from bridge.providers.google.reading import Series, text_of
from tests.standins.google import GoogleStandIn
from tests.standins.google_calendar import Calendar, Json

_CLEARED = ("summary", "description", "location", "recurrence", "reminders", "attendees")


class Hands:
    """One calendar in somebody's hands; ``names`` maps what they call an event to its id."""

    def __init__(self, google: GoogleStandIn, calendar: Calendar):
        self._google = google
        self._calendar = calendar
        self._path = f"calendars/{quote(calendar.id, safe='')}/events"
        self._names: dict[str, str] = {}

    def put(self, name: str, text: str) -> None:
        """Import it, or make of the event what the text says (a deleted one comes back from the bin)."""
        with self._google.lock:
            master, *others = _events(text)
            id_ = self._id(name)
            if id_ in self._calendar.events:
                cleared = {field: None for field in _CLEARED if field not in master}
                del master["iCalUID"]
                self._call("PATCH", id_, {**master, **cleared, "status": "confirmed"})
            else:
                made = self._google.call("POST", f"{self._path}/import", {}, master)
                self._names[name] = id_ = made["id"]
            for other in others:
                at = other["originalStartTime"]
                start = at.get("date") or _aware(at).isoformat()
                found = self._calendar.instances(id_, start)[0]
                del other["originalStartTime"], other["iCalUID"]
                self._call("PATCH", found["id"], other)

    def edit(self, name: str, **fields: Any) -> Json:
        """Change some fields of an event, as in the form."""
        with self._google.lock:
            return self._call("PATCH", self._id(name), fields)

    def create(self, summary: str, start: str, end: str) -> str:
        """A new event, typed in; its id."""
        times = {"start": {"dateTime": start}, "end": {"dateTime": end}}
        with self._google.lock:
            made = self._google.call(
                "POST", self._path, {"sendUpdates": "none"}, {"summary": summary, **times}
            )
        return str(made["id"])

    def get(self, name: str) -> str | None:
        """What Google keeps, as a text."""
        id_ = self._id(name)
        event = self._calendar.events.get(id_)
        if event is None or event["status"] == "cancelled":
            return None
        dates = [e for e in self._calendar.listed(None, 0, None) if e.get("recurringEventId") == id_]
        return text_of(Series(id_, event, tuple(dates)))

    def delete(self, name: str) -> None:
        with self._google.lock:
            self._google.call("DELETE", f"{self._path}/{self._id(name)}")

    def list(self) -> dict[str, str]:
        """The events and series that are there, with their etags."""
        called = {id_: name for name, id_ in self._names.items()}
        return {
            called.get(id_, id_): event["etag"]
            for id_, event in self._calendar.events.items()
            if event["status"] != "cancelled" and "recurringEventId" not in event
        }

    def drop(self) -> None:
        with self._google.lock:
            del self._google.calendars[self._calendar.id]

    def fill(self, texts: dict[str, str]) -> None:
        """Many at once, past the contract's eyes."""
        with self._google.lock:
            for name, text in texts.items():
                (event,) = _events(text)
                self._names[name] = self._calendar.insert(event)["id"]

    def _id(self, name: str) -> str:
        return self._names.get(name, name)

    def _call(self, method: str, id_: str, body: Json) -> Json:
        return self._google.call(method, f"{self._path}/{id_}", {"sendUpdates": "none"}, body)


def _events(text: str) -> list[Json]:
    """Google's events of a text, the master first."""
    calendar = icalendar.Calendar.from_ical(text)
    found = [_event(event) for event in calendar.walk("VEVENT")]
    return sorted(found, key=lambda event: "originalStartTime" in event)


def _event(event: icalendar.Event) -> Json:
    start = event["DTSTART"].dt
    end = (
        event["DTEND"].dt
        if "DTEND" in event
        else start + (event["DURATION"].dt if "DURATION" in event else timedelta())
    )
    body: Json = {"iCalUID": str(event["UID"]), "start": _time(start), "end": _time(end)}
    for name, field in (("SUMMARY", "summary"), ("DESCRIPTION", "description"), ("LOCATION", "location")):
        if name in event:
            body[field] = str(event[name])
    if "RECURRENCE-ID" in event:
        body["originalStartTime"] = _time(event["RECURRENCE-ID"].dt)
    rules = [f"RRULE:{event['RRULE'].to_ical().decode()}"] if "RRULE" in event else []
    for dates in [event["EXDATE"]] if "EXDATE" in event else []:
        rules += [_exdate(one.dt) for one in dates.dts]
    if rules:
        body["recurrence"] = rules
    alarms = [a for a in event.walk("VALARM") if isinstance(a["TRIGGER"].dt, timedelta)]
    if alarms:
        overrides = [
            {"method": "popup", "minutes": int(-a["TRIGGER"].dt.total_seconds()) // 60} for a in alarms
        ]
        body["reminders"] = {"useDefault": False, "overrides": overrides}
    if "ATTENDEE" in event:
        people = event["ATTENDEE"] if isinstance(event["ATTENDEE"], list) else [event["ATTENDEE"]]
        body["attendees"] = [
            {
                "email": p.removeprefix("mailto:"),
                "displayName": p.params.get("CN", ""),
                "responseStatus": "needsAction",
            }
            for p in people
        ]
    return body


def _time(when: date) -> Json:
    if not isinstance(when, datetime):
        return {"date": when.isoformat()}
    zone = getattr(when.tzinfo, "key", None) or "UTC"
    return {"dateTime": when.isoformat(), "timeZone": zone}


def _aware(value: Json) -> datetime:
    return datetime.fromisoformat(value["dateTime"]).astimezone(UTC)


def _exdate(when: date) -> str:
    if not isinstance(when, datetime):
        return f"EXDATE;VALUE=DATE:{when:%Y%m%d}"
    return f"EXDATE;TZID={when.tzinfo.key}:{when:%Y%m%dT%H%M%S}"  # type: ignore[union-attr]
