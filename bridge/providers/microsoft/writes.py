"""Writing to Graph: creates that can be found again, changes that touch only what changed, silent deletions.

A single event is one request. A series with exceptions is several, because Graph takes the change of a
date only at the date itself: its create bears a draft's identity until it is whole, and its change gets the
new text and marker last, so that a broken-off write is never taken for a finished one. What is refused
half-way is taken back, or put back as it was. Attendees are never written.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bridge.errors import (
    Invalid,
    NotPermitted,
    ObjectGone,
    ObjectRefused,
    ProviderError,
    RetryLater,
    TagMismatch,
)
from bridge.ical.fields import changed
from bridge.providers.microsoft import stash
from bridge.providers.microsoft.client import LABEL, Graph, Json
from bridge.providers.microsoft.event import (
    Series,
    differences,
    event_of,
    fields,
    original_start,
    repetition,
    series_of,
)
from bridge.providers.microsoft.translate import read
from bridge.providers.microsoft.zones import zone_of

#: What guests are not told about.
_PRIVATE = frozenset(
    {"showAs", "sensitivity", "importance", "isReminderOn", "reminderMinutesBeforeStart", "categories"}
)
_OURS = uuid.UUID("7c1f6a52-3e0b-4a5d-9d6f-2b8e4c90a1d7")
_DAY = timedelta(days=1)
#: Creates of one series within an hour that may have been refused half-way.
_ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class Written:
    """What came of a write. Not ``sure``: somebody else was there before we had read it back."""

    found: Json
    sure: bool = True


Read = Callable[[str, str], Json]
Tag = Callable[[Json], str]


class Writer:
    """``read_event(calendar, id)`` reads a whole event; ``mail``: whether guests may hear of changes."""

    def __init__(self, graph: Graph, read_event: Read, now: Callable[[], datetime], *, mail: bool):
        self._graph = graph
        self._read = read_event
        self._now = now
        self._mail = mail

    def named(self, place: str, key: str) -> list[Json]:
        """The events that bear an identity, the oldest first."""
        condition = f"singleValueExtendedProperties/any(ep: ep/id eq '{stash.KEY}' and ep/value eq '{key}')"
        url = self._graph.url("calendars", place, "events", filter=condition, select="createdDateTime")
        found = [event for page in self._graph.pages(url) for event in page.get("value") or ()]
        return sorted(found, key=lambda event: (str(event.get("createdDateTime")), str(event["id"])))

    def create(self, place: str, key: str, text: str) -> Written:
        """Raises ``TagMismatch`` if it exists already."""
        uid, series = read(text)
        body = fields(series.master)
        if rule := repetition(series):
            body["recurrence"] = rule
        if self.named(place, key):
            raise TagMismatch(f"The entry exists in {LABEL} already.")
        staged = bool(series.overrides or series.cancelled)
        draft = stash.draft_key(uid or key)
        leftovers = self.named(place, draft) if staged else []
        for leftover in leftovers:
            self._graph.write("DELETE", self._url(place, leftover["id"]))
        final = stash.properties(key, text)
        spent = [str(leftover["id"]) for leftover in leftovers]
        if not staged:
            made = self._post(place, key, {**body, "singleValueExtendedProperties": final}, spent)
            return Written({**made, "singleValueExtendedProperties": final})
        body["singleValueExtendedProperties"] = [{"id": stash.KEY, "value": draft}]
        made = self._begun(place, key, body, spent)
        try:
            self._dates(place, made, series)
            return self._finish(place, str(made["id"]), final, text)
        except (NotPermitted, ObjectRefused):
            with suppress(ProviderError):  # else the next attempt finds it, and begins with that
                self._graph.write("DELETE", self._url(place, made["id"]))
            raise

    def update(self, place: str, event_id: str, text: str, expect: str, tag: Tag) -> Written:
        """Raises ``TagMismatch``, ``ObjectGone``, ``ObjectRefused``."""
        _, after = read(text)
        found = self._read(place, event_id)
        if tag(found) != expect:
            raise TagMismatch(f"The entry has changed in {LABEL} in the meantime.")
        before = _series(found)
        patch = differences(before.master, after.master)
        anew = _repeats_anew(before, after)
        if anew:
            patch["recurrence"] = repetition(after)
        dates = anew or before.overrides != after.overrides or before.cancelled != after.cancelled
        self._check(found, before, after, text, {*patch, *(["dates"] if dates else [])}, anew=anew)
        kept = self._kept(found, text)
        etag = expect.partition("|")[0]
        if not dates:
            return self._single(place, found, {**patch, **kept}, etag)
        try:
            if patch:
                self._graph.write("PATCH", self._url(place, event_id), patch, etag)
                found = self._read(place, event_id)
            self._dates(place, found, after)
            return self._finish(place, event_id, kept.get("singleValueExtendedProperties"), text)
        except (NotPermitted, ObjectRefused):
            with suppress(ProviderError):  # else a part of it stays, and the next try goes on from there
                self._put_back(place, event_id, before, patch.keys())
            raise

    def delete(self, place: str, event_id: str, expect: str, tag: Tag) -> None:
        """Raises ``TagMismatch``, ``ObjectGone``, ``ObjectRefused`` (guests would be mailed)."""
        found = self._read(place, event_id)
        if tag(found) != expect:
            raise TagMismatch(f"The entry has changed in {LABEL} in the meantime.")
        if self._would_mail(found):
            raise ObjectRefused(
                f"{LABEL} would tell the guests that this meeting is cancelled. Cancel it in {LABEL}."
            )
        self._graph.write("DELETE", self._url(place, event_id), tag=expect.partition("|")[0])

    # --- steps -----------------------------------------------------------------------------------

    def _post(self, place: str, key: str, body: Json, spent: list[str]) -> Json:
        """Its transaction makes a create harmless that is repeated before Graph's index knows of the first.
        The same for an hour, for one calendar, and for one attempt (``spent``: what others made): for longer
        it could find what was deleted since."""
        attempt = " ".join([place, key, f"{self._now():%Y%m%d%H}", *spent])
        body["transactionId"] = str(uuid.uuid5(_OURS, attempt))
        return self._graph.write("POST", self._graph.url("calendars", place, "events"), body)

    def _begun(self, place: str, key: str, body: Json, spent: list[str]) -> Json:
        """A series without its dates. What its transaction finds may be what an attempt within the hour made
        and took back: then it is another's turn."""
        for _ in range(_ATTEMPTS):
            made = str(self._post(place, key, body, spent)["id"])
            with suppress(ObjectGone):
                return self._read(place, made)
            spent.append(made)
        raise RetryLater(f"{LABEL} refused this series again and again. We try again by ourselves.")

    def _put_back(self, place: str, event_id: str, before: Series, touched: Collection[str]) -> None:
        """A series as it was before a write that was refused half-way, which touched these fields. Dates that
        were cancelled come back with the rule alone."""
        found = self._read(place, event_id)
        now = _series(found)
        changes = differences(now.master, before.master)
        patch = {name: value for name, value in changes.items() if name in touched}
        if _repeats_anew(now, before) or now.cancelled - before.cancelled:
            patch["recurrence"] = repetition(before)
        if patch:
            self._graph.write("PATCH", self._url(place, event_id), patch, found.get("@odata.etag"))
            found = self._read(place, event_id)
        self._dates(place, found, before)

    def _single(self, place: str, found: Json, patch: Json, etag: str) -> Written:
        """One PATCH, or none; of a series, read again, as its exceptions follow the master."""
        event_id = str(found["id"])
        if not patch:
            return Written(found)
        written = self._graph.write("PATCH", self._url(place, event_id), patch, etag)
        if found.get("recurrence"):
            read_back = self._read(place, event_id)
            return Written(read_back, _same_version(written, read_back))
        kept = {name: patch[name] for name in ("singleValueExtendedProperties",) if name in patch}
        return Written({**found, **written, **kept})

    def _finish(self, place: str, event_id: str, properties: list[Any] | None, text: str) -> Written:
        """The last step of several, and what came of them all."""
        written: Json = {}
        if properties:
            patch = {"singleValueExtendedProperties": properties}
            written = self._graph.write("PATCH", self._url(place, event_id), patch)
        found = self._read(place, event_id)
        return Written(found, _same_version(written, found) and not changed(text, stash.text_of(found)))

    def _dates(self, place: str, master: Json, wanted: Series) -> None:
        """Change and cancel single dates until they are as wanted."""
        have = _series(master)
        work: dict[datetime, Json | None] = dict.fromkeys(wanted.cancelled - have.cancelled)
        for instance in wanted.overrides.keys() | (have.overrides.keys() - wanted.cancelled):
            event = wanted.overrides.get(instance) or wanted.as_planned(instance)
            now = have.overrides.get(instance) or have.as_planned(instance)
            if differences(now, event):
                work[instance] = differences(now, event)
        if not work:
            return
        ids = self._date_ids(place, master, have, sorted(work))
        # what is cancelled cannot be brought back alone: it goes last, when all else was taken
        for instance, patch in sorted(work.items(), key=lambda one: (one[1] is None, one[0])):
            url = self._url(place, ids[instance])
            if patch is not None:
                self._graph.write("PATCH", url, patch)
                continue
            with suppress(ObjectGone):
                self._graph.write("DELETE", url)

    def _date_ids(
        self, place: str, master: Json, series: Series, dates: list[datetime]
    ) -> dict[datetime, str]:
        """The ids of single dates: of exceptions as listed, of untouched ones by asking."""
        when = series.master.when
        ids: dict[datetime, str] = {}
        for exception in master.get("exceptionOccurrences") or ():
            if instance := original_start(exception, when):
                ids[instance] = str(exception["id"])
        missing = [date for date in dates if date not in ids]
        if missing:
            zone = zone_of(when.zone)
            first, last = (date.replace(tzinfo=zone) for date in (missing[0] - _DAY, missing[-1] + _DAY))
            window = {"startDateTime": first.isoformat(), "endDateTime": last.isoformat()}
            url = self._graph.url("calendars", place, "events", str(master["id"]), "instances", **window)
            for page in self._graph.pages(url):
                for found in page.get("value") or ():
                    instance = original_start(found, when) or event_of(found).when.start
                    ids.setdefault(instance, str(found["id"]))
        if lost := [date for date in dates if date not in ids]:
            raise ObjectRefused(
                f"{LABEL} has no {lost[0]:%d %B %Y} in this series, so nothing was changed there."
            )
        return ids

    # --- what may not be done ----------------------------------------------------------------------

    def _check(
        self, found: Json, before: Series, after: Series, text: str, touched: set[str], *, anew: bool
    ) -> None:
        if before.rrule and not after.rrule:
            raise ObjectRefused(f"{LABEL} keeps a series a series. Delete it, and make a new event.")
        if (before.cancelled - after.cancelled) and not anew:
            raise ObjectRefused(
                f"{LABEL} cannot bring back one cancelled date of a series. Add it as an event of its own."
            )
        if "body" in touched and found.get("isOnlineMeeting"):
            raise ObjectRefused(f"The notes hold the online meeting's link, so change them in {LABEL}.")
        if found.get("attendees") and (None, "guests") in changed(stash.text_of(found), text):
            raise ObjectRefused(f"{LABEL} would mail the guests. Invite or remove them in {LABEL}.")
        if touched - _PRIVATE and self._would_mail(found):
            raise ObjectRefused(f"{LABEL} would mail the guests about this change. Make it in {LABEL}.")

    def _would_mail(self, found: Json) -> bool:
        """Graph tells the guests of everything their organiser does, and has no switch against it."""
        return not self._mail and bool(found.get("attendees")) and found.get("isOrganizer") is not False

    def _kept(self, found: Json, text: str) -> Json:
        """What to remember beside the fields: always of our own, of others' only what would be lost."""
        key = stash.key_of(found)
        if key is None and stash.kept(found) is None and not stash.loses(text, found):
            return {}
        return {"singleValueExtendedProperties": stash.properties(key, text)}

    def _url(self, place: str, event_id: Any) -> str:
        return self._graph.url("calendars", place, "events", str(event_id))


def _same_version(written: Json, found: Json) -> bool:
    """Whether what was read is what the write made."""
    return written.get("@odata.etag") in (None, found.get("@odata.etag"))


def _repeats_anew(before: Series, after: Series) -> bool:
    """Whether the rule has to be written, which makes Outlook forget all exceptions of the series."""
    if not after.rrule:
        return False
    same = ("start", "zone", "all_day")
    moved = any(getattr(before.master.when, name) != getattr(after.master.when, name) for name in same)
    return moved or before.rrule != after.rrule


def _series(found: Json) -> Series:
    try:
        return series_of(found)
    except Invalid as error:
        raise ObjectRefused(str(error)) from error
