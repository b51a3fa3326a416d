"""The test bed of Microsoft Graph: our stand-in with the fault proxy before it.

Somebody's hands are the stand-in's own state: their iCalendar texts become Graph's fields here, by the
``icalendar`` library, so that the translation under test is never checked against itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import icalendar
from tzlocal.windows_tz import tz_win

from bridge.ports import Provider
from bridge.providers.microsoft import open_account
from bridge.providers.oauth import App, Session, session_http
from tests.contracts.stand import Calendar, Stand
from tests.servers.fault import FaultProxy
from tests.standins.microsoft import Graph
from tests.standins.microsoft_mailbox import DAYS, Json, Mailbox, Stored

SECRET = json.dumps(
    {"access_token": "first", "refresh_token": "r", "token_type": "Bearer", "expires_at": 4_102_444_800}
)


class MicrosoftStand(Stand):
    reads = ("GET",)
    creates = "POST"
    surveys = False

    def __init__(self, graph: Graph, faults: FaultProxy):
        self.graph = graph
        self.faults = faults
        graph.public = faults.url
        self.profile: dict[str, Any] = {}
        self._read_only = graph.mailbox.add_calendar("Nur lesen", can_edit=False)

    def provider(self, *, mail: bool = False) -> Provider:
        app = App(f"{self.faults.url}oauth", self.graph.api_url, "client", "secret")
        http = session_http(app, frozenset({self.faults.host_and_port}))
        session = Session(app, "Outlook", SECRET, http, lambda _: None)
        return open_account(session, app, self.profile, mail=mail, learnt=self.profile.update)

    def make_calendar(self, name: str, *, title: str, color: str) -> tuple[str, Calendar]:
        calendar = self.graph.mailbox.add_calendar(title, color)
        return calendar, Hands(self.graph.mailbox, calendar)

    def read_only_calendar(self) -> str | None:
        return self._read_only

    def seed(self, calendar: str, texts: Mapping[str, str]) -> None:
        hands = Hands(self.graph.mailbox, calendar)
        for name, text in texts.items():
            hands.put(name, text)

    def lost_cursor(self, cursor: str) -> str:
        self.graph.forgets_tokens_before = 1_000_000
        return cursor


class Hands:
    """A calendar in somebody else's hands: names of their own for what they put, ids for the rest."""

    def __init__(self, mailbox: Mailbox, calendar: str):
        self.mailbox = mailbox
        self.calendar = calendar
        self._names: dict[str, Stored] = {}

    def put(self, name: str, text: str) -> Stored:
        fields, uid, dates = graph_fields(text)
        stored = self.stored(name)
        if stored is None:
            stored = self._names[name] = self.mailbox.add(self.calendar, fields)
            stored.uid = uid
        else:
            self.mailbox.change(stored, fields)
        for day, changed in dates.items():
            if changed is None:
                self.mailbox.cancel_date(stored, day)
            else:
                self.mailbox.change_date(stored, day, changed)
        return stored

    def get(self, name: str) -> str | None:
        stored = self.stored(name)
        return None if stored is None else json.dumps(self.mailbox.whole(stored), ensure_ascii=False)

    def delete(self, name: str) -> None:
        stored = self.stored(name)
        assert stored is not None
        self.mailbox.remove(stored)

    def list(self) -> dict[str, str]:
        names = {stored.id: name for name, stored in self._names.items()}
        return {names.get(stored.id, stored.id): stored.etag for stored in self._all()}

    def drop(self) -> None:
        self.mailbox.drop_calendar(self.calendar)

    def stored(self, name: str) -> Stored | None:
        named = self._names.get(name)
        return next((one for one in self._all() if one is named or one.id == name), None)

    def _all(self) -> list[Stored]:
        events = self.mailbox.events.values()
        return [one for one in events if one.calendar == self.calendar and not one.gone]


def graph_fields(text: str) -> tuple[Json, str, dict[date, Json | None]]:
    """Fields, UID, and per date of a series what became of it (None: cancelled). Of what the samples hold."""
    master, *overrides = icalendar.Calendar.from_ical(text).walk("VEVENT")
    fields = _fields(master)
    dates: dict[date, Json | None] = {}
    if "RRULE" in master:
        rule, start = master["RRULE"], master["DTSTART"].dt
        assert rule["FREQ"] == ["WEEKLY"]
        pattern = {"type": "weekly", "interval": 1, "daysOfWeek": [DAYS[start.weekday()]]}
        range_ = {"type": "numbered", "numberOfOccurrences": rule["COUNT"][0]}
        zone = fields["start"]["timeZone"]
        range_ |= {"startDate": start.date().isoformat(), "recurrenceTimeZone": zone}
        fields["recurrence"] = {"pattern": pattern, "range": range_}
        excluded = master.get("EXDATE")
        for one in excluded.dts if excluded else ():
            dates[one.dt.date()] = None
        for override in overrides:
            dates[override["RECURRENCE-ID"].dt.date()] = _fields(override)
    return fields, str(master["UID"]), dates


def _fields(event: icalendar.Event) -> Json:
    start = event["DTSTART"].dt
    end = event["DTEND"].dt if "DTEND" in event else start + timedelta(days=1)
    alarms = event.walk("VALARM")
    return {
        "subject": str(event.get("SUMMARY", "")),
        "body": {"contentType": "text", "content": str(event.get("DESCRIPTION", ""))},
        "location": {"displayName": str(event.get("LOCATION", ""))},
        "isAllDay": not isinstance(start, datetime),
        "start": _zoned(start),
        "end": _zoned(end),
        "isReminderOn": bool(alarms),
        "reminderMinutesBeforeStart": -alarms[0]["TRIGGER"].dt // timedelta(minutes=1) if alarms else 0,
    }


def _zoned(moment: date) -> Json:
    if not isinstance(moment, datetime):
        return {"dateTime": f"{moment}T00:00:00", "timeZone": "UTC"}
    name = "UTC" if moment.utcoffset() == UTC.utcoffset(None) else tz_win[str(moment.tzinfo)]
    return {"dateTime": f"{moment:%Y-%m-%dT%H:%M:%S}", "timeZone": name}
