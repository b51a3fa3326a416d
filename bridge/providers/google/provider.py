"""``bridge.ports.Provider`` over Google Calendar: whole series in, only what changed out.

An href is the id of an event or of a series' master; its tag is Google's etag, for a series one over all its
items. Deltas come from ``syncToken``; a series of which one date changed is read whole. A write first reads
what is there, compares, and sends the difference, each request conditional on the version just read.
"""

from __future__ import annotations

import hashlib
from base64 import b32hexencode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

from bridge.errors import CursorLost, Invalid, ObjectGone, ObjectRefused, RetryLater, TagMismatch
from bridge.ical.text import parse
from bridge.ical.zones import iana_name
from bridge.ports import Capabilities, Changes, Channel, Entry, RemoteCalendar
from bridge.providers.google import channels, making
from bridge.providers.google.fields import Wanted, read
from bridge.providers.google.reading import Event, Series, text_of
from bridge.providers.google.wire import Json, Stale, Wire, segment
from bridge.providers.google.writer import Writer

#: Entries of one page, the most that Google gives.
PAGE = "2500"
#: More objects than this are cheaper listed than read one by one.
ONE_BY_ONE = 20


class GoogleProvider:
    """One account's calendars. ``mail``: Google may mail guests about our changes."""

    capabilities = Capabilities()

    def __init__(self, wire: Wire, *, mail: bool):
        self._wire = wire
        self._mail = mail
        self._homes: dict[str, ZoneInfo] = {}  # the zones of the calendars

    @property
    def requests(self) -> int:
        return self._wire.session.requests

    def calendars(self) -> list[RemoteCalendar]:
        found: list[RemoteCalendar] = []
        for page in self._wire.pages(
            "users/me/calendarList", {"minAccessRole": "reader", "maxResults": "250"}
        ):
            for entry in page.get("items", ()):
                if not entry.get("deleted"):
                    self._note_home(entry["id"], entry.get("timeZone"))
                    found.append(_calendar(entry))
        return found

    def make_calendar(self, name: str) -> RemoteCalendar:
        return making.make(self._wire, name)

    def survey(self) -> Mapping[str, str] | None:
        """Google tells the state of no calendar but by its own listing."""
        return None

    def changes(self, calendar: str, cursor: str | None) -> Changes:
        if cursor is None:
            entries, token = self._everything(calendar)
            return Changes(entries, frozenset(), True, token)
        return self._delta(calendar, cursor)

    def fetch(self, calendar: str, hrefs: Sequence[str]) -> Iterator[Entry]:
        if len(hrefs) > ONE_BY_ONE:
            wanted = set(hrefs)
            yield from (entry for entry in self._everything(calendar)[0] if entry.href in wanted)
            return
        for href in hrefs:
            series = self._series(calendar, href)
            if series is not None and not series.pending:
                yield _entry(series)

    def put(self, calendar: str, href: str, text: str, expect: str | None) -> Entry:
        wanted = self._wanted(calendar, text)
        writer = Writer(self._wire, calendar, href, mail=self._mail)
        known = None
        if expect is not None:
            known = self._known(calendar, href, expect)
            if known.master is not None and known.master.get("eventType", "default") != "default":
                raise ObjectRefused(
                    "Google Calendar made this entry by itself: it can be changed only there."
                )
        written = writer.write(wanted, known, lambda: self._series(calendar, href))
        if written.master is not None and "recurrence" in written.master:
            again = self._series(calendar, href)
            if again is None:
                raise ObjectGone("It was deleted at Google right after we wrote it.")
            written = again
        return _entry(written)

    def delete(self, calendar: str, href: str, expect: str) -> None:
        etag = expect
        if expect.startswith("series:"):
            known = self._known(calendar, href, expect)
            if known.master is None:
                raise ObjectRefused(
                    "This is a date of somebody else's series: it can be declined at Google only."
                )
            etag = known.master["etag"]
        Writer(self._wire, calendar, href, mail=self._mail).delete(etag)

    def new_href(self, calendar: str, key: str) -> str:  # noqa: ARG002 - ids are unique within a calendar
        """An id as Google wants them: 5 to 1024 characters of base32hex in lower case."""
        return "pb" + b32hexencode(hashlib.sha256(key.encode()).digest()[:20]).decode().lower()

    def watch(self, calendar: str, address: str, secret: str, known: Channel | None) -> Channel:
        return channels.watch(self._wire, calendar, address, secret, known)

    def unwatch(self, channel: Channel) -> None:
        channels.stop(self._wire, channel)

    def close(self) -> None:
        self._wire.session.close()

    # --- listing ---------------------------------------------------------------------------------

    def _pages(self, calendar: str, cursor: str | None) -> Iterator[Json]:
        """The listing's pages. Every parameter is the same with and without a token, as Google demands."""
        params = {"maxResults": PAGE, "singleEvents": "false"}
        if cursor is not None:
            params["syncToken"] = cursor
        for page in self._wire.pages(f"calendars/{segment(calendar)}/events", params):
            self._note_home(calendar, page.get("timeZone"))
            yield page

    def _everything(self, calendar: str) -> tuple[list[Entry], str | None]:
        """All objects; single events become text page by page, only series wait to be put together."""
        entries: list[Entry] = []
        parts: dict[str, list[Event]] = {}
        token = None
        try:
            for page in self._pages(calendar, None):
                for event in page.get("items", ()):
                    if series := event.get("recurringEventId") or (
                        event["id"] if "recurrence" in event else None
                    ):
                        parts.setdefault(series, []).append(event)
                    elif event.get("status") != "cancelled":
                        entries += _entries([Series(event["id"], event)])
                token = page.get("nextSyncToken")
        except Stale as error:
            raise RetryLater("Google broke off its list of this calendar. We begin again.") from error
        single = {entry.href for entry in entries}  # what once was a series may have left dates behind
        entries += _entries(_grouped(name, events) for name, events in parts.items() if name not in single)
        return entries, token

    def _delta(self, calendar: str, cursor: str) -> Changes:
        entries: list[Entry] = []
        gone: set[str] = set()
        touched: dict[str, str | None] = {}
        token: str | None = None
        try:
            for page in self._pages(calendar, cursor):
                for event in page.get("items", ()):
                    if series := event.get("recurringEventId"):
                        touched[series] = event.get("iCalUID") or touched.get(series)
                    elif event.get("status") == "cancelled":
                        gone.add(event["id"])
                    elif "recurrence" in event:
                        touched[event["id"]] = event.get("iCalUID")
                    else:
                        entries += _entries([Series(event["id"], event)])
                token = page.get("nextSyncToken")
        except Stale as error:
            raise CursorLost(
                "Google no longer knows where we left off. We list everything instead."
            ) from error
        known = gone | {entry.href for entry in entries}
        touched = {name: uid for name, uid in touched.items() if name not in known}
        if len(touched) > ONE_BY_ONE:
            whole, _ = self._everything(calendar)
            here = {entry.href: entry for entry in whole}
            entries += [here[name] for name in touched if name in here]
            gone |= touched.keys() - here.keys()
        else:
            for name, uid in touched.items():
                series_now = self._series(calendar, name, uid)
                if series_now is None:
                    gone.add(name)
                else:
                    entries += _entries([series_now])
        return Changes(entries, frozenset(gone), False, token)

    def _series(self, calendar: str, href: str, uid: str | None = None) -> Series | None:
        """One object as it is now; None if it is deleted. ``uid``: to find single dates without a master."""
        events = f"calendars/{segment(calendar)}/events"
        try:
            master: Json | None = self._wire.call("GET", f"{events}/{segment(href)}")
        except ObjectGone:
            master = None
        if master is not None and master.get("status") == "cancelled":
            master = None
        if master is not None and "recurrence" not in master:
            return Series(href, master)
        uid = master["iCalUID"] if master is not None else uid
        if uid is None:
            return None
        parts: list[Event] = []
        for page in self._wire.pages(events, {"iCalUID": uid, "maxResults": PAGE, "singleEvents": "false"}):
            parts += [e for e in page.get("items", ()) if href in (e["id"], e.get("recurringEventId"))]
        if master is None and all(event.get("status") == "cancelled" for event in parts):
            return None
        return _grouped(href, parts)

    # --- writing ---------------------------------------------------------------------------------

    def _wanted(self, calendar: str, text: str) -> Wanted:
        try:
            return read(parse(text), self._home(calendar))
        except Invalid as error:
            raise ObjectRefused(f"Google Calendar cannot take this entry: {error}") from error

    def _known(self, calendar: str, href: str, expect: str) -> Series:
        """What is there, if it is still the version expected."""
        series = self._series(calendar, href)
        if series is None:
            raise ObjectGone("It no longer exists at Google.")
        if series.tag != expect:
            raise TagMismatch("It was changed at Google in the meantime.")
        return series

    def _home(self, calendar: str) -> ZoneInfo:
        """The calendar's own zone."""
        if calendar not in self._homes:
            entry = self._wire.call("GET", f"users/me/calendarList/{segment(calendar)}")
            self._note_home(calendar, entry.get("timeZone"))
        return self._homes[calendar]

    def _note_home(self, calendar: str, zone: str | None) -> None:
        self._homes[calendar] = ZoneInfo(iana_name(zone or "UTC") or "UTC")


def _calendar(entry: Json) -> RemoteCalendar:
    return RemoteCalendar(
        entry["id"],
        entry.get("summaryOverride") or entry.get("summary") or entry["id"],
        entry.get("backgroundColor"),
        entry.get("accessRole") in ("owner", "writer"),
    )


def _grouped(name: str, events: Sequence[Event]) -> Series:
    master = next(
        (event for event in events if event["id"] == name and event.get("status") != "cancelled"), None
    )
    return Series(name, master, tuple(event for event in events if event["id"] != name))


def _entries(found: Iterable[Series]) -> Iterator[Entry]:
    for series in found:
        shown = any(event.get("status") != "cancelled" for event in series.exceptions)
        if not series.pending and (series.master is not None or shown):
            yield _entry(series)


def _entry(series: Series) -> Entry:
    return Entry(series.id, series.tag, text_of(series))
