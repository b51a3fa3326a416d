"""A mailbox as Graph keeps it: calendars, events, series with exceptions, and what changed since when.

State only; requests are in ``microsoft``. Nothing here is shared with the code under test: repetition is
worked out day by day from the pattern's words. The prose that it follows is in providers.md section 3 and
sync-engines.md 2.5.
"""

from __future__ import annotations

import calendar as months
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tzlocal.windows_tz import win_tz

Json = dict[str, Any]

DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
INDEXES = ["first", "second", "third", "fourth"]
_DEFAULTS: Json = {
    "subject": "",
    "body": {"contentType": "html", "content": ""},
    "location": {"displayName": ""},
    "showAs": "busy",
    "sensitivity": "normal",
    "importance": "normal",
    "isReminderOn": True,
    "reminderMinutesBeforeStart": 15,
    "categories": [],
    "attendees": [],
    "isAllDay": False,
    "isCancelled": False,
    "isOnlineMeeting": False,
    "isOrganizer": True,
}


class Refused(Exception):
    """An answer of Graph that is no success."""

    def __init__(self, status: int, code: str, message: str = "no"):
        super().__init__(message)
        self.status, self.code = status, code


@dataclass
class Stored:
    """One single event or master. ``exceptions`` and ``cancelled`` go by the series' own date."""

    id: str
    calendar: str
    fields: Json
    properties: dict[str, str] = field(default_factory=dict)
    seq: int = 0
    key: int = 0
    made: int = 0
    gone: bool = False
    uid: str = ""  # of an invitation from elsewhere; nobody can set it
    exceptions: dict[date, Json] = field(default_factory=dict)
    exception_keys: dict[date, int] = field(default_factory=dict)
    cancelled: set[date] = field(default_factory=set)

    @property
    def recurring(self) -> bool:
        return bool(self.fields.get("recurrence"))

    @property
    def etag(self) -> str:
        return f'W/"CK{self.key}"'


class Mailbox:
    """Switches, each a behaviour that is prose: ``tells_cancelled_dates`` (False: a deleted occurrence is in
    no delta), ``exceptions_touch_master`` (False: a master's version says nothing of its dates)."""

    def __init__(self) -> None:
        self.calendars: dict[str, Json] = {}
        self.events: dict[str, Stored] = {}
        self.transactions: dict[str, str] = {}
        self.mails: list[str] = []
        self.tells_cancelled_dates = False
        self.exceptions_touch_master = False
        self._numbers = itertools.count(1)
        self.seq = 1  # since 0 means: from the beginning
        self.told: Callable[[str, str], None] = lambda _calendar, _event: (
            None
        )  # called when something changed

    # --- calendars ---------------------------------------------------------------------------------

    def add_calendar(self, name: str, color: str = "#1d9bf6", *, can_edit: bool = True) -> str:
        calendar_id = f"AAMkCal{next(self._numbers):04}="
        owner = {"name": "Anna", "address": "anna@outlook.example"}
        self.calendars[calendar_id] = {
            "id": calendar_id,
            "name": name,
            "color": "auto",
            "hexColor": color,
            "canEdit": can_edit,
            "owner": owner,
            "isDefaultCalendar": len(self.calendars) == 0,
        }
        return calendar_id

    def drop_calendar(self, calendar: str) -> None:
        del self.calendars[calendar]
        for stored in self.events.values():
            stored.gone = stored.gone or stored.calendar == calendar

    def renumber(self, calendar: str) -> str:
        """Calendar ids have been seen to change (microsoft-graph-docs #5580, #11296)."""
        other = calendar[:-1] + "X="
        self.calendars[other] = {**self.calendars.pop(calendar), "id": other}
        for stored in self.events.values():
            if stored.calendar == calendar:
                stored.calendar = other
        return other

    # --- events ------------------------------------------------------------------------------------

    def add(self, calendar: str, fields: Json) -> Stored:
        if calendar not in self.calendars:
            raise Refused(404, "ErrorItemNotFound")
        transaction = fields.get("transactionId")
        if transaction in self.transactions:
            return self.events[self.transactions[transaction]]
        number = next(self._numbers)
        stored = Stored(f"AAMkEvent{number:06}-_=", calendar, dict(_DEFAULTS), made=number)
        self.events[stored.id] = stored
        if transaction:
            self.transactions[transaction] = stored.id
        self.change(stored, fields)
        return stored

    def change(self, stored: Stored, fields: Json) -> None:
        fields = dict(fields)
        for one in fields.pop("singleValueExtendedProperties", ()):
            stored.properties[one["id"]] = one["value"]
        if fields.get("attendees"):
            self.mails.append(f"invitation to {stored.id}")
        elif stored.fields["attendees"] and fields.keys() - {
            "showAs",
            "isReminderOn",
            "reminderMinutesBeforeStart",
        }:
            self.mails.append(f"update of {stored.id}")
        if "recurrence" in fields:
            # a changed pattern makes Exchange forget every exception
            stored.exceptions, stored.cancelled = {}, set()
        stored.fields.update(fields)
        self._check_times(stored.fields)
        if stored.recurring and next(self.dates(stored), None) is None:
            raise Refused(400, "ErrorRecurrenceHasNoOccurrence")
        self._touch(stored)

    def remove(self, stored: Stored) -> None:
        if stored.fields["attendees"] and stored.fields["isOrganizer"]:
            self.mails.append(f"cancellation of {stored.id}")
        stored.gone = True
        self._touch(stored)

    def change_date(self, stored: Stored, day: date, fields: Json) -> None:
        known = stored.exceptions.get(day) or self._as_planned(stored, day)
        known = {**known, **fields}
        known.pop("singleValueExtendedProperties", None)
        self._check_times(known)
        stored.exceptions[day] = known
        self._touch(stored, of_date=day)

    def cancel_date(self, stored: Stored, day: date) -> None:
        stored.exceptions.pop(day, None)
        stored.cancelled.add(day)
        key, seq = stored.key, stored.seq
        self._touch(stored)
        if not self.tells_cancelled_dates:
            stored.seq = seq
        if not self.exceptions_touch_master:
            stored.key = key

    def _touch(self, stored: Stored, of_date: date | None = None) -> None:
        self.seq += 1
        stored.seq = self.seq
        if of_date is not None:
            stored.exception_keys[of_date] = self.seq
        if of_date is None or self.exceptions_touch_master:
            stored.key = self.seq
        self.told(stored.calendar, stored.id)

    def _check_times(self, fields: Json) -> None:
        start, end = (instant(fields[name]) for name in ("start", "end"))
        if end < start:
            raise Refused(400, "ErrorCalendarEndDateIsEarlierThanStartDate")
        midnights = [fields[name]["dateTime"][11:19] == "00:00:00" for name in ("start", "end")]
        if fields["isAllDay"] and not (
            all(midnights) and fields["start"]["timeZone"] == fields["end"]["timeZone"]
        ):
            raise Refused(400, "ErrorInvalidTimes", "all-day events start and end at midnight, in one zone")

    # --- series ------------------------------------------------------------------------------------

    def dates(self, stored: Stored, last: date = date(2040, 1, 1)) -> Iterator[date]:
        """The series' own dates, cancelled ones included."""
        recurrence = stored.fields["recurrence"]
        range_ = recurrence["range"]
        begin = date.fromisoformat(range_["startDate"])
        if range_["type"] == "endDate":
            last = min(last, date.fromisoformat(range_["endDate"]))
        left = range_["numberOfOccurrences"] if range_["type"] == "numbered" else 10_000
        day = begin
        while day <= last and left:
            if _matches(recurrence["pattern"], begin, day):
                left -= 1
                yield day
            day += timedelta(days=1)

    def date_of(self, stored: Stored, moment: datetime) -> date:
        return moment.astimezone(zone(stored.fields["start"]["timeZone"])).date()

    def _as_planned(self, stored: Stored, day: date) -> Json:
        """An untouched date: the master's fields at that day, by wall time."""
        fields = {name: value for name, value in stored.fields.items() if name != "recurrence"}
        start, end = (datetime.fromisoformat(fields[name]["dateTime"][:19]) for name in ("start", "end"))
        moved = datetime.combine(day, start.time())
        fields["start"] = {**fields["start"], "dateTime": moved.isoformat()}
        fields["end"] = {**fields["end"], "dateTime": (moved + (end - start)).isoformat()}
        return fields

    def occurrence(self, stored: Stored, day: date) -> Json:
        """One date as Graph names it, in UTC."""
        changed = day in stored.exceptions
        fields = stored.exceptions.get(day) or self._as_planned(stored, day)
        planned = self._as_planned(stored, day)["start"]
        key = stored.exception_keys.get(day, stored.key)
        return {
            **presented(fields),
            "id": f"{stored.id}.{day:%Y%m%d}",
            "@odata.etag": f'W/"CK{key}"',
            "type": "exception" if changed else "occurrence",
            "seriesMasterId": stored.id,
            "originalStart": f"{instant(planned):%Y-%m-%dT%H:%M:%SZ}",
        }

    def occurrences(self, stored: Stored, begin: datetime, end: datetime) -> Iterator[Json]:
        for day in self.dates(stored, (end + timedelta(days=2)).date()):
            if day in stored.cancelled:
                continue
            found = self.occurrence(stored, day)
            starts, ends = (_utc(found[name]["dateTime"]) for name in ("start", "end"))
            if starts < end and ends > begin:
                yield found

    def whole(self, stored: Stored) -> Json:
        """Everything there is to say of an event, in UTC; the request selects from it."""
        kind = "seriesMaster" if stored.recurring else "singleInstance"
        moment = f"2026-01-01T{stored.made % 24:02}:00:{stored.made % 60:02}Z"
        edited = datetime(2026, 2, 1, tzinfo=UTC) + timedelta(seconds=stored.key)
        found = {
            **presented(stored.fields),
            "id": stored.id,
            "@odata.etag": stored.etag,
            "changeKey": f"CK{stored.key}",
            "type": kind,
            "iCalUId": stored.uid or f"040000008200E00074C5B7101A82E008{stored.made:08}",
            "createdDateTime": moment,
            "lastModifiedDateTime": f"{edited:%Y-%m-%dT%H:%M:%SZ}",
            "singleValueExtendedProperties": [{"id": k, "value": v} for k, v in stored.properties.items()],
            "organizer": {"emailAddress": {"name": "Anna", "address": "anna@outlook.example"}},
        }
        if stored.recurring:
            found["exceptionOccurrences"] = [
                self.occurrence(stored, day) for day in sorted(stored.exceptions)
            ]
            found["cancelledOccurrences"] = [f"OID.{stored.id}.{day}" for day in sorted(stored.cancelled)]
        return found

    # --- what changed ------------------------------------------------------------------------------

    def delta(self, calendar: str, begin: datetime, end: datetime, since: int) -> list[Json]:
        """Occurrences come bare; what left the window or was new outside it is ``@removed``."""
        found: list[Json] = []
        for stored in sorted(self.events.values(), key=lambda one: one.seq):
            if stored.calendar != calendar or stored.seq <= since:
                continue
            if stored.gone:
                if since:
                    found.append({"id": stored.id, "@removed": {"reason": "deleted"}})
                continue
            whole = self.whole(stored)
            whole.pop("singleValueExtendedProperties")
            dates = list(self.occurrences(stored, begin, end)) if stored.recurring else []
            starts, ends = (_utc(whole[name]["dateTime"]) for name in ("start", "end"))
            if dates:
                found += [_bare(one) for one in dates]
            elif not stored.recurring and starts < end and ends > begin:
                found.append(whole)
            elif since:
                found.append({"id": stored.id, "@removed": {"reason": "changed"}})
        return found


# --- times and words ------------------------------------------------------------------------------------


def zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(win_tz.get(name, name))
    except (KeyError, ValueError, OSError):
        raise Refused(400, "TimeZoneNotSupportedException", name) from None


def instant(said: Json) -> datetime:
    return (
        datetime.fromisoformat(said["dateTime"][:19]).replace(tzinfo=zone(said["timeZone"])).astimezone(UTC)
    )


def _utc(said: str) -> datetime:
    return datetime.fromisoformat(said[:19]).replace(tzinfo=UTC)


def presented(fields: Json) -> Json:
    """As read with the UTC preference and text bodies: seven decimals, no offset, the zone it was made in."""
    found = dict(fields)
    for name, original in (("start", "originalStartTimeZone"), ("end", "originalEndTimeZone")):
        moment = instant(fields[name])
        if fields["isAllDay"]:
            moment = _utc(fields[name]["dateTime"])
        found[name] = {"dateTime": f"{moment:%Y-%m-%dT%H:%M:%S}.0000000", "timeZone": "UTC"}
        found[original] = fields[name]["timeZone"]
    body = fields["body"]
    text = re.sub(r"<[^>]+>", "", body["content"]) if body["contentType"] == "html" else body["content"]
    found["body"] = {"contentType": "text", "content": text.replace("\r\n", "\n").replace("\n", "\r\n")}
    found["locations"] = [fields["location"]] if fields["location"]["displayName"] else []
    if fields.get("recurrence"):
        pattern = {
            "month": 0,
            "dayOfMonth": 0,
            "index": "first",
            "firstDayOfWeek": "sunday",
            "daysOfWeek": [],
        }
        range_ = {"endDate": "0001-01-01", "numberOfOccurrences": 0}
        said = fields["recurrence"]
        found["recurrence"] = {"pattern": pattern | said["pattern"], "range": range_ | said["range"]}
    return found


def _bare(occurrence: Json) -> Json:
    """``id``, ``type``, ``seriesMasterId``, ``start``, ``end``: all that a delta says (docs #7632)."""
    names = ("id", "type", "seriesMasterId", "start", "end", "@odata.etag")
    return {name: occurrence[name] for name in names}


def _matches(pattern: Json, begin: date, day: date) -> bool:
    interval, weekday = pattern.get("interval", 1), DAYS[day.weekday()]
    month_steps = (day.year - begin.year) * 12 + day.month - begin.month
    last = months.monthrange(day.year, day.month)[1]
    match pattern["type"]:
        case "daily":
            return (day - begin).days % interval == 0
        case "weekly":
            first = DAYS.index(pattern.get("firstDayOfWeek", "sunday"))
            weeks = [one - timedelta(days=(one.weekday() - first) % 7) for one in (begin, day)]
            return (weeks[1] - weeks[0]).days // 7 % interval == 0 and weekday in pattern["daysOfWeek"]
        case "absoluteMonthly":
            return month_steps % interval == 0 and day.day == min(pattern["dayOfMonth"], last)
        case "relativeMonthly":
            return month_steps % interval == 0 and day == _nth(pattern, day)
        case "absoluteYearly":
            in_month = day.month == pattern["month"] and (day.year - begin.year) % interval == 0
            return in_month and day.day == min(pattern["dayOfMonth"], last)
        case "relativeYearly":
            in_month = day.month == pattern["month"] and (day.year - begin.year) % interval == 0
            return in_month and day == _nth(pattern, day)
    raise Refused(400, "ErrorInvalidRecurrencePattern", str(pattern))


def _nth(pattern: Json, day: date) -> date | None:
    last = months.monthrange(day.year, day.month)[1]
    days = [day.replace(day=number) for number in range(1, last + 1)]
    fitting = [one for one in days if DAYS[one.weekday()] in pattern["daysOfWeek"]]
    index = pattern.get("index", "first")
    return fitting[-1] if index == "last" else fitting[INDEXES.index(index)]
