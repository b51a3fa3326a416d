"""``bridge.ports.Provider`` over Microsoft Graph: listing, deltas, texts; writing is in ``writes``.

The truth is a plain listing of the calendar's events: single events and masters, each master read once more
with its exceptions and cancelled dates. The delta of the calendar view is only a signal which of them to read
again, because its entries are bare occurrences, it covers a fixed window, and it tells neither of a date that
was cancelled nor of events outside the window (providers.md section 3, sync-engines.md 2.5). So

* the cursor is the delta link (called unchanged) with the day until which we trust its window, and the names
  of our own events by their ids: a removal tells nothing but an id;
* ``@removed`` is looked at before it is believed: an event that left the window is still there;
* ``capabilities.tells_all`` is False, and the engine lists everything every hour;
* ``conditional_writes`` is False: If-Match is documented on DELETE alone, so a write reads and compares
  first, and sends If-Match all the same.

An event that we made goes by the identity that its create carried (``stash.KEY``), any other one by its
immutable id. A series' tag covers its exceptions and cancelled dates too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from bridge.errors import CalendarGone, CursorLost, Invalid, ObjectGone
from bridge.ports import Capabilities, Changes, Channel, Entry, RemoteCalendar
from bridge.providers.microsoft import stash, subscriptions
from bridge.providers.microsoft.calendars import Calendars
from bridge.providers.microsoft.client import LABEL, PAGE, Graph, Json
from bridge.providers.microsoft.cursor import GOOD_FOR, Cursor, day, short, window
from bridge.providers.microsoft.writes import Writer

#: More texts than this are quicker read in pages.
FEW = 40

OWN = "own:"

_FIELDS = (
    "type,subject,body,start,end,isAllDay,location,locations,recurrence,showAs,sensitivity,importance,"
    "categories,isReminderOn,reminderMinutesBeforeStart,isCancelled,isOnlineMeeting,isOrganizer,organizer,"
    "attendees,iCalUId,createdDateTime,lastModifiedDateTime,changeKey,originalStart,originalStartTimeZone,"
    "originalEndTimeZone,seriesMasterId"
)


class MicrosoftProvider:
    """One mailbox's calendars. ``mail``: whether guests may be mailed about changes."""

    capabilities = Capabilities(conditional_writes=False, tells_all=False)

    def __init__(
        self, graph: Graph, calendars: Calendars, now: Callable[[], datetime], *, mail: bool = False
    ):
        self._graph = graph
        self._calendars = calendars
        self._now = now
        self._ids: dict[tuple[str, str], str] = {}  # (calendar, own href) -> event id, as seen here
        self._writer = Writer(graph, self._read_event, now, mail=mail)

    @property
    def requests(self) -> int:
        return self._graph.session.requests

    def calendars(self) -> list[RemoteCalendar]:
        return self._calendars.all()

    def make_calendar(self, name: str) -> RemoteCalendar:
        return self._calendars.make(name)

    def survey(self) -> Mapping[str, str] | None:
        """Graph has no request for all calendars at once."""
        return None

    def changes(self, calendar: str, cursor: str | None) -> Changes:
        place = self._calendars.place(calendar)
        try:
            return self._changes(place, cursor)
        except CalendarGone:
            return self._changes(self._calendars.found_again(calendar), None)

    def fetch(self, calendar: str, hrefs: Sequence[str]) -> Iterator[Entry]:
        place = self._calendars.place(calendar)
        if len(hrefs) > FEW:
            wanted = set(hrefs)
            listed = ((href, found) for href, found in self._events(place) if href in wanted)
            yield from (self._entry(whole, href) for href, whole in self._whole(place, listed))
            return
        for href in hrefs:
            found = self._find(place, href)
            if found is not None:
                yield self._entry(found, href)

    def put(self, calendar: str, href: str, text: str, expect: str | None) -> Entry:
        place = self._calendars.place(calendar)
        if expect is None:
            written = self._writer.create(place, href.removeprefix(OWN), text)
        else:
            written = self._writer.update(place, self._id(place, href), text, expect, tag)
        self._ids[place, href] = str(written.found["id"])
        version = tag(written.found)
        if not written.sure:
            return Entry(href, f"{version}?")  # equals nothing: what is there is looked at again
        return Entry(href, version, stash.text_of(written.found))

    def delete(self, calendar: str, href: str, expect: str) -> None:
        place = self._calendars.place(calendar)
        self._writer.delete(place, self._id(place, href), expect, tag)
        self._ids.pop((place, href), None)

    def new_href(self, calendar: str, key: str) -> str:  # noqa: ARG002 - the same in each
        return OWN + key

    def watch(self, calendar: str, address: str, secret: str, known: Channel | None) -> Channel:
        place = self._calendars.place(calendar)
        return subscriptions.watch(self._graph, place, address, secret, known, self._now())

    def unwatch(self, channel: Channel) -> None:
        subscriptions.stop(self._graph, channel)

    def close(self) -> None:
        self._graph.session.close()

    # --- listing ---------------------------------------------------------------------------------

    def _changes(self, place: str, cursor: str | None) -> Changes:
        if cursor is not None:
            return self._delta(place, Cursor.read(cursor))
        # the delta begins before the listing, so that nothing falls between them
        begun = self._graph.url("calendars", place, "calendarView", "delta", **window(self._now()))
        link = ""
        for page in self._graph.pages(begun):
            link = page.get("@odata.deltaLink") or link
        own: dict[str, str] = {}
        entries: list[Entry] = []
        for href, found in self._whole(place, self._events(place)):
            entries.append(self._entry(found, href))
            if href.startswith(OWN):
                own[short(found["id"])] = href.removeprefix(OWN)
        following = Cursor(link, day(self._now() + GOOD_FOR), own) if link else None
        return Changes(entries, frozenset(), True, following.spelled() if following else None)

    def _events(self, place: str) -> Iterator[tuple[str, Json]]:
        """Every event of the calendar, masters bare. Of two with one identity (somebody made a copy) the
        older keeps it; a series half made is left out."""
        seen: set[str] = set()
        url = self._graph.url(
            "calendars",
            place,
            "events",
            select=_FIELDS,
            expand=stash.EXPAND,
            orderby="createdDateTime",
            top=str(PAGE),
        )
        for page in self._graph.pages(url):
            for found in page.get("value") or ():
                event_id, key = str(found["id"]), stash.key_of(found) or ""
                if found.get("type") not in (None, "singleInstance", "seriesMaster") or event_id in seen:
                    continue
                if key.startswith(stash.DRAFT):
                    continue
                href = OWN + key if key and OWN + key not in seen else event_id
                if href.startswith(OWN):
                    self._ids[place, href] = event_id
                seen |= {event_id, href}
                yield href, found

    def _whole(self, place: str, events: Iterable[tuple[str, Json]]) -> Iterator[tuple[str, Json]]:
        """Masters with their exceptions; without what was deleted while we were reading."""
        for href, found in events:
            if found.get("type") != "seriesMaster":
                yield href, found
                continue
            with suppress(ObjectGone):
                yield href, self._read_event(place, str(found["id"]))

    def _delta(self, place: str, known: Cursor) -> Changes:
        if day(self._now()) > known.until or not self._graph.is_ours(known.link):
            raise CursorLost("The window that we watched has passed. We list everything again.")
        own = dict(known.own)
        touched: dict[str, None] = {}
        removed: dict[str, None] = {}
        link = known.link
        for page in self._graph.pages(known.link):
            for said in page.get("value") or ():
                if "@removed" in said:
                    removed[str(said["id"])] = None
                else:
                    touched[str(said.get("seriesMasterId") or said["id"])] = None
            link = page.get("@odata.deltaLink") or link
        entries: dict[str, Entry] = {}
        gone: set[str] = set()
        for event_id, found in self._sought(place, list(touched | removed)):
            if found is None:
                key = own.pop(short(event_id), None)
                gone.add(OWN + key if key else event_id)
                continue
            key = stash.key_of(found) or ""
            if key.startswith(stash.DRAFT):
                continue
            name = short(str(found["id"]))
            if key and key not in (known_key for other, known_key in own.items() if other != name):
                own[name] = key
                self._ids[place, OWN + key] = str(found["id"])
            href = OWN + own[name] if name in own else str(found["id"])
            entries[href] = self._entry(found, href)
        following = Cursor(link, known.until, own)
        return Changes(list(entries.values()), frozenset(gone - entries.keys()), False, following.spelled())

    def _sought(self, place: str, ids: Sequence[str]) -> Iterator[tuple[str, Json | None]]:
        """The events of these ids, or None; a few one by one, many in pages."""
        if len(ids) > FEW:
            missing = dict.fromkeys(ids)
            listed = ((href, found) for href, found in self._events(place) if found["id"] in missing)
            for _, whole in self._whole(place, listed):
                del missing[str(whole["id"])]
                yield str(whole["id"]), whole
            yield from missing.items()
            return
        for event_id in ids:
            try:
                found = self._read_event(place, event_id)
                if found.get("type") in ("occurrence", "exception"):
                    found = self._read_event(place, str(found["seriesMasterId"]))
            except ObjectGone:
                yield event_id, None
            else:
                yield event_id, found

    # --- one event -------------------------------------------------------------------------------

    def _read_event(self, place: str, event_id: str) -> Json:
        """A single event, or a master with its exceptions and cancelled dates. Raises ``ObjectGone``."""
        return self._graph.read(
            self._graph.url(
                "calendars",
                place,
                "events",
                event_id,
                select=f"{_FIELDS},exceptionOccurrences,cancelledOccurrences",
                expand=f"exceptionOccurrences,{stash.EXPAND}",
            )
        )

    def _entry(self, found: Json, href: str) -> Entry:
        try:
            text = stash.text_of(found)
        except Invalid as error:
            text = str(error)  # no iCalendar: left out, with this sentence
        return Entry(href, tag(found), text)

    def _find(self, place: str, href: str) -> Json | None:
        try:
            return self._read_event(place, self._id(place, href))
        except ObjectGone:
            return None

    def _id(self, place: str, href: str) -> str:
        """The event's id. Raises ``ObjectGone`` if none bears our identity."""
        if not href.startswith(OWN):
            return href
        if (place, href) not in self._ids:
            found = self._writer.named(place, href.removeprefix(OWN))
            if not found:
                raise ObjectGone(f"The entry no longer exists in {LABEL}.")
            self._ids[place, href] = str(found[0]["id"])
        return self._ids[place, href]


def tag(found: Mapping[str, Any]) -> str:
    """The event's version; of a series with exceptions, theirs too."""
    own = str(found.get("@odata.etag") or f'W/"{found.get("changeKey") or ""}"')
    exceptions = [
        [str(one.get("id")), str(one.get("@odata.etag") or one.get("changeKey"))]
        for one in found.get("exceptionOccurrences") or ()
    ]
    cancelled = sorted(map(str, found.get("cancelledOccurrences") or ()))
    if not exceptions and not cancelled:
        return own
    digest = hashlib.sha256(json.dumps([sorted(exceptions), cancelled]).encode()).hexdigest()[:16]
    return f"{own}|{digest}"
