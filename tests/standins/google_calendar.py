"""One calendar of the Google stand-in: events, series with their exceptions, and the log of what changed.

Written from Google's manual and the providers' notes, section 2.2; dates of a series come from dateutil, not
from the code under test.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

Json = dict[str, Any]

#: "characters allowed in the ID are those used in base32hex encoding", 5 to 1024 of them.
ID = re.compile(r"[a-v0-9]{5,1024}")
#: What an exception does not take over from its series.
ITS_OWN = {"id", "etag", "recurrence", "start", "end", "htmlLink", "originalStartTime", "recurringEventId"}
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class Refusal(Exception):
    """An answer from 400 on."""

    def __init__(self, status: int, reason: str, message: str):
        super().__init__(message)
        self.status = status
        self.reason = reason


class Calendar:
    """``entry`` is its CalendarListEntry. ``generation`` grows when all sync tokens end."""

    def __init__(self, id_: str, email: str, entry: Json):
        self.id = id_
        self.email = email
        self.entry = {
            "kind": "calendar#calendarListEntry",
            "etag": '"entry"',
            "id": id_,
            "summary": id_,
            "timeZone": "Europe/Berlin",
            "accessRole": "owner",
            **entry,
        }
        self.generation = 1
        self.seq = 0
        self.events: dict[str, Json] = {}
        self.changed: dict[str, int] = {}  # event id -> seq of its last change
        self.told: Callable[[], None] = lambda: None  # called when something changed

    # --- reading ---------------------------------------------------------------------------------

    def get(self, id_: str) -> Json:
        """Deleted events are still there to be got, as cancelled."""
        return deepcopy(self.events.get(id_) or self._instance(id_))

    def page_of(self, events: list[Json]) -> Json:
        return {
            "kind": "calendar#events",
            "etag": f'"page{self.seq}"',
            "summary": self.entry["summary"],
            "timeZone": self.entry["timeZone"],
            "accessRole": self.entry["accessRole"],
            "updated": _stamp(self.seq),
            "items": events,
        }

    def listed(self, since: int | None, until: int, uid: str | None) -> Iterator[Json]:
        """Everything, or what changed after ``since``: then deletions show too, as little more than an id."""
        for id_, event in self.events.items():
            if since is not None and not since < self.changed[id_] <= until:
                continue
            if uid is not None and event["iCalUID"] != uid:
                continue
            cancelled = event["status"] == "cancelled"
            if not cancelled:
                yield deepcopy(event)
            elif "recurringEventId" in event:
                if since is not None or self.events[event["recurringEventId"]]["status"] != "cancelled":
                    names = ("kind", "etag", "id", "status", "recurringEventId", "originalStartTime")
                    yield {name: deepcopy(event[name]) for name in names}
            elif since is not None:
                yield {name: event[name] for name in ("kind", "etag", "id", "status")}

    def instances(self, id_: str, original: str | None) -> list[Json]:
        """The dates of a series, the exceptions in their place; only one if asked for by its start."""
        master = self._master(id_)
        found = []
        for start in islice(_dates(master), 500):
            if original is None or _same(start, original):
                name = _instance_id(id_, start)
                found.append(deepcopy(self.events.get(name) or self._instance(name)))
        return found

    # --- writing ---------------------------------------------------------------------------------

    def insert(self, body: Json) -> Json:
        if "id" in body and not ID.fullmatch(body["id"]):
            raise Refusal(400, "invalid", "Invalid resource id value.")
        if body.get("id") in self.events:
            raise Refusal(409, "duplicate", "The requested identifier already exists.")
        id_ = body.get("id") or f"made{self.seq:08}".replace("w", "a")
        event = {"iCalUID": f"{id_}@google.com", **deepcopy(body), "id": id_}
        return self._store(id_, event, new=True)

    def import_(self, body: Json) -> Json:
        """The only way to bring a UID of one's own."""
        return self.insert(body)

    def patch(self, id_: str, body: Json, if_match: str | None) -> Json:
        known = self.get(id_)
        _condition(known, if_match)
        event = _merged(known, body)
        if event.get("status") == "cancelled":
            return self._cancel(id_, event)
        return self._store(id_, event, new=False)

    def delete(self, id_: str, if_match: str | None) -> None:
        known = self.get(id_)
        if known["status"] == "cancelled":
            raise Refusal(410, "deleted", "Resource has been deleted")
        _condition(known, if_match)
        self._cancel(id_, known)

    def _store(self, id_: str, event: Json, *, new: bool) -> Json:
        for name in ("start", "end"):
            event[name] = self._time(event.get(name), required=bool(event.get("recurrence")))
        if isinstance(_when(event["start"]), datetime) != isinstance(_when(event["end"]), datetime):
            raise Refusal(400, "invalid", "Start and end times must either both be date or both be dateTime.")
        if _when(event["end"]) < _when(event["start"]):
            raise Refusal(400, "timeRangeEmpty", "The specified time range is empty.")
        if not event.get("recurrence"):
            event.pop("recurrence", None)
        else:
            _checked_rules(event["recurrence"])
        before = self.events.get(id_, {})
        moved = not new and any(
            before.get(name) != event.get(name) for name in ("start", "end", "recurrence")
        )
        event["sequence"] = event.get("sequence", 0) + moved
        stored = self._keep(
            id_,
            {
                "status": "confirmed",
                "htmlLink": f"https://www.google.com/calendar/event?eid={id_}",
                "created": _stamp(self.seq + 1),
                "creator": {"email": self.email, "self": True},
                "organizer": {"email": self.email, "self": True},
                "reminders": {"useDefault": True},
                "eventType": "default",
                **event,
            },
        )
        if moved:
            self._drop_stray_exceptions(stored)
        return deepcopy(stored)

    def _cancel(self, id_: str, event: Json) -> Json:
        stored = self._keep(id_, {**event, "status": "cancelled"})
        for other in list(self.events.values()):
            if other.get("recurringEventId") == id_ and other["status"] != "cancelled":
                self._keep(other["id"], {**other, "status": "cancelled"})
        return deepcopy(stored)

    def _keep(self, id_: str, event: Json) -> Json:
        self.seq += 1
        self.changed[id_] = self.seq
        etag = f'"{3_000_000_000 + self.seq}"'
        stored = {**event, "kind": "calendar#event", "id": id_, "etag": etag, "updated": _stamp(self.seq)}
        self.events[id_] = stored
        self.told()
        return stored

    def _drop_stray_exceptions(self, master: Json) -> None:
        """An exception of a date that the series no longer has goes."""
        dates = (
            {_instance_id(master["id"], start) for start in islice(_dates(master), 500)}
            if "recurrence" in master
            else set()
        )
        for other in list(self.events.values()):
            if other.get("recurringEventId") == master["id"] and other["id"] not in dates:
                self._keep(other["id"], {**other, "status": "cancelled"})

    def _master(self, id_: str) -> Json:
        master = self.events.get(id_)
        if master is None or "recurrence" not in master or master["status"] == "cancelled":
            raise Refusal(404, "notFound", "Not Found")
        return master

    def _instance(self, id_: str) -> Json:
        """A date of a series that is like all others."""
        name, _, _ = id_.rpartition("_")
        master = self._master(name)
        start = next((s for s in islice(_dates(master), 500) if _instance_id(name, s) == id_), None)
        if start is None:
            raise Refusal(404, "notFound", "Not Found")
        length = _when(master["end"]) - _when(master["start"])
        zone = master["start"].get("timeZone")
        taken = {k: deepcopy(v) for k, v in master.items() if k not in ITS_OWN}
        return {
            **taken,
            "id": id_,
            "etag": master["etag"],
            "recurringEventId": name,
            "originalStartTime": _spelled(start, zone),
            "start": _spelled(start, zone),
            "end": _spelled(start + length, zone),
        }

    def _time(self, value: Json | None, *, required: bool) -> Json:
        """As Google gives it back: with the offset of its zone."""
        if not value or ("date" in value) == ("dateTime" in value):
            raise Refusal(400, "invalid", "Invalid start or end time.")
        if "date" in value:
            return {"date": date.fromisoformat(value["date"]).isoformat()}
        if required and "timeZone" not in value:
            raise Refusal(400, "required", "Missing time zone definition for start time.")
        zone = value.get("timeZone", self.entry["timeZone"])
        try:
            when = datetime.fromisoformat(value["dateTime"])
            info = ZoneInfo(zone)
        except (ValueError, KeyError, OSError):
            raise Refusal(400, "invalid", "Invalid time or time zone.") from None
        return _spelled(when.replace(tzinfo=info) if when.tzinfo is None else when.astimezone(info), zone)


def _merged(known: Json, change: Json) -> Json:
    """PATCH: null clears, objects are merged, lists are replaced."""
    result = dict(known)
    for name, value in change.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict) and isinstance(result.get(name), dict):
            result[name] = _merged(result[name], value)
        else:
            result[name] = (
                {k: v for k, v in value.items() if v is not None}
                if isinstance(value, dict)
                else deepcopy(value)
            )
    return result


def _condition(known: Json, if_match: str | None) -> None:
    if if_match is not None and if_match != known["etag"]:
        raise Refusal(412, "conditionNotMet", "Precondition Failed")


def _checked_rules(lines: list[str]) -> None:
    for line in lines:
        if not re.match(r"(RRULE|EXRULE|RDATE|EXDATE)[;:]", line):
            raise Refusal(400, "invalid", f"Invalid recurrence rule: {line}")


def _dates(master: Json) -> Iterator[date]:
    """The starts of a series: on the clock of its zone."""
    start = _when(master["start"])
    wall = (
        start.replace(tzinfo=None)
        if isinstance(start, datetime)
        else datetime(start.year, start.month, start.day)
    )
    lines = []
    for line in master["recurrence"]:
        head, _, value = line.partition(":")
        name = head.split(";")[0]
        if name == "RRULE":
            lines.append("RRULE:" + re.sub(r"UNTIL=(\d{8})(T\d{6})?Z?", _local_until(start), value))
        else:
            lines += [f"{name}:{_local(one, start)}" for one in value.split(",")]
    for found in rrulestr("\n".join(lines), dtstart=wall, forceset=True):
        yield found.replace(tzinfo=start.tzinfo) if isinstance(start, datetime) else found.date()


def _local(value: str, start: date) -> str:
    """A date or time as the series' clock shows it."""
    if not value.endswith("Z") or not isinstance(start, datetime):
        return value.ljust(8) + ("T000000" if len(value) == 8 else "")
    return f"{datetime.strptime(value, '%Y%m%dT%H%M%S%z').astimezone(start.tzinfo):%Y%m%dT%H%M%S}"


def _local_until(start: date):
    def spell(found: re.Match[str]) -> str:
        return "UNTIL=" + (
            _local(found[0].removeprefix("UNTIL="), start) if found[2] else f"{found[1]}T235959"
        )

    return spell


def _when(value: Json) -> Any:
    if "date" in value:
        return date.fromisoformat(value["date"])
    return datetime.fromisoformat(value["dateTime"]).astimezone(ZoneInfo(value["timeZone"]))


def _spelled(when: date, zone: str | None) -> Json:
    if not isinstance(when, datetime):
        return {"date": when.isoformat()}
    shown = when.isoformat().replace("+00:00", "Z")
    return {"dateTime": shown, "timeZone": zone or "UTC"}


def _instance_id(id_: str, start: date) -> str:
    if isinstance(start, datetime):
        return f"{id_}_{start.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    return f"{id_}_{start:%Y%m%d}"


def _same(start: date, asked: str) -> bool:
    if not isinstance(start, datetime):
        return asked == start.isoformat()
    return datetime.fromisoformat(asked) == start


def _stamp(seq: int) -> str:
    return f"{EPOCH + timedelta(seconds=seq):%Y-%m-%dT%H:%M:%S.000Z}"
