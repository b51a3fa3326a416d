"""The feed behind the port of every spoke. It is never a complete listing.

A session leaves the feed at the moment it starts, so what is missing is a cancellation only if it had not
started by then; else it is history, and stays. The cursor remembers what was there, and when it begins.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bridge.errors import Invalid, NotPermitted
from bridge.ports import Capabilities, Changes, Clock, Entry, RemoteCalendar
from bridge.providers.cursors import read_cursor
from bridge.providers.ics.provider import CALENDAR as PUBLISHED
from bridge.providers.ics.provider import ICSProvider
from bridge.sources.feed.session import Session, session

CALENDAR = "feed"
#: Its clock and ours may differ, and what answers may be a little old: seconds.
MARGIN = 15 * 60
#: How often a feed that does not say is asked again: seconds.
REST = 300.0


class FeedSource:
    """One photographer's feed."""

    capabilities = Capabilities(writes=False, conditional_writes=False, lists_everything=False)

    def __init__(self, published: ICSProvider, clock: Clock):
        self._published = published
        self._clock = clock

    @property
    def requests(self) -> int:
        return self._published.requests

    def calendars(self) -> list[RemoteCalendar]:
        return [RemoteCalendar(CALENDAR, "Picsello", writable=False)]

    def survey(self) -> Mapping[str, str] | None:
        return None

    def changes(self, calendar: str, cursor: str | None) -> Changes:  # noqa: ARG002 - there is one
        known = read_cursor(cursor)
        found = self._published.changes(PUBLISHED, known.get("published"))
        rest = found.rest or REST
        if not found.complete:
            new = json.dumps({**known, "published": found.cursor}, sort_keys=True)
            return Changes((), frozenset(), False, new, rest=rest)
        before: dict[str, list[Any]] = known.get("sessions", {})
        now = int(self._clock.now().timestamp())
        there: dict[str, list[Any]] = {}
        entries: list[Entry] = []
        blurred: set[int] = set()  # starts of sessions that cannot be told apart any more
        for entry in found.entries:
            try:
                one = session(entry.text or "")
            except Invalid:
                if entry.href in before:
                    there[entry.href] = before[entry.href]
                continue
            if entry.href.endswith("@content"):
                blurred.add(one.starts)
            elif not one.cancelled:
                old = before.get(entry.href)
                version = 0 if old is None else old[2] + (old[0] != entry.tag)
                there[entry.href] = [entry.tag, one.starts, version]
                if old is None or old[0] != entry.tag:
                    entries.append(Entry(entry.href, entry.tag, one.text(version)))
        gone: set[str] = set()
        for uid, (tag, starts, version) in before.items():
            if uid in there or starts <= now + MARGIN:
                continue
            if starts in blurred:
                there[uid] = [tag, starts, version]
            else:
                gone.add(uid)
        new = json.dumps({"published": found.cursor, "sessions": there}, sort_keys=True)
        return Changes(entries, frozenset(gone), False, new, rest=rest)

    def fetch(self, calendar: str, hrefs: Sequence[str]) -> Iterator[Entry]:  # noqa: ARG002
        for entry in self._published.fetch(PUBLISHED, hrefs):
            one = _readable(entry)
            if one is not None and not one.cancelled:
                yield Entry(entry.href, entry.tag, one.text(0))

    def put(self, calendar: str, href: str, text: str, expect: str | None) -> Entry:  # noqa: ARG002
        raise self._read_only()

    def delete(self, calendar: str, href: str, expect: str) -> None:  # noqa: ARG002
        raise self._read_only()

    def new_href(self, calendar: str, key: str) -> str:  # noqa: ARG002
        raise self._read_only()

    def close(self) -> None:
        self._published.close()

    def _read_only(self) -> NotPermitted:
        return NotPermitted("Picsello's calendar link can only be read. Change the booking in Picsello.")


def _readable(entry: Entry) -> Session | None:
    try:
        return session(entry.text or "")
    except Invalid:
        return None
