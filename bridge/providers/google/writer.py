"""One write of one object, request by request: the series, and the dates that differ from it.

Most writes are one request. A series with dates of its own takes several, in an order that never leaves half
a write looking like somebody's edit: what names the write (its marker) goes last, and a new series stays
marked as pending, and is shown to nobody, until all of its dates are there. What is refused half-way is put
back as it was: nobody should find a part of it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from bridge.errors import NotPermitted, ObjectGone, ObjectRefused, ProviderError, TagMismatch
from bridge.ical.text import parse
from bridge.providers.google.fields import Wanted, read
from bridge.providers.google.reading import (
    PENDING,
    UTC,
    Event,
    Series,
    excluded_by_lines,
    left_out,
    moment,
    original,
    text_of,
)
from bridge.providers.google.wire import Duplicate, Json, Wire, segment
from bridge.providers.google.writing import (
    Body,
    again,
    changes,
    date_named,
    identity,
    new_event,
    on_its_date,
    properties,
    recurrence,
)

Reread = Callable[[], Series | None]


class Writer:
    """Writes the object ``href`` of a calendar. ``mail``: guests may be mailed about it."""

    def __init__(self, wire: Wire, calendar: str, href: str, *, mail: bool):
        self._wire = wire
        self._events = f"calendars/{segment(calendar)}/events"
        self._href = href
        self._params = {"sendUpdates": "all" if mail else "none"}

    def write(self, wanted: Wanted, known: Series | None, reread: Reread) -> Series:
        """Create (``known`` None) or update. The master of the answer is as Google gave it.

        Raises TagMismatch, ObjectGone, ObjectRefused and what ``Wire.call`` raises."""
        try:
            if known is not None:
                return self._update(wanted, known, reread)
            created = self._create(wanted, reread)
            return created if not wanted.overrides else self._update(wanted, created, reread)
        except (NotPermitted, ObjectRefused):
            with suppress(ProviderError):  # else a part of it stays, and the next try goes on from there
                self._put_back(known, reread)
            raise

    def delete(self, etag: str) -> None:
        """The event, or the whole series."""
        self._wire.call("DELETE", f"{self._events}/{segment(self._href)}", self._params, etag=etag)

    def _put_back(self, known: Series | None, reread: Reread) -> None:
        """As it was before a write that was refused: with ``known`` None it was not there."""
        now = reread()
        if now is None or now.master is None:
            return
        if known is None:
            if now.pending:
                self.delete(now.master["etag"])
        elif now.tag != known.tag:
            self._update(_fields(known), now, reread)

    def _create(self, wanted: Wanted, reread: Reread) -> Series:
        if wanted.master is None:
            raise ObjectRefused("Google Calendar takes no single dates of a series that it does not know.")
        body = new_event(self._href, wanted.master)
        private = identity(wanted.uid, self._href)
        if wanted.overrides:
            private[PENDING] = "1"
        else:
            private |= properties(wanted.components[None], {"id": self._href}, wanted.uid)
        body["extendedProperties"] = {"private": private}
        try:
            return Series(self._href, self._wire.call("POST", self._events, self._params, body))
        except Duplicate:
            there = reread()
            if there is None:
                # an id is never free again: it was created, and deleted since
                raise ObjectGone("It was deleted at Google.") from None
            if not (there.pending and wanted.overrides):
                raise
            return there

    def _update(self, wanted: Wanted, known: Series, reread: Reread) -> Series:
        before = _fields(known)
        if known.master is None or before.master is None or wanted.master is None:
            self._dates(wanted, before, known, moved=False)
            return reread() or known
        body = changes(before.master, wanted.master, known.master)
        rules = recurrence(before.master, wanted.master, known.master, left_out(known))
        if rules is not None:
            body["recurrence"] = rules or None
        moved = "start" in body or wanted.master.rules != before.master.rules
        master: Event = known.master
        if (moved or rules is not None) and (wanted.overrides or before.overrides or wanted.master.excluded):
            master = self._patch(master, body)  # the dates hang on it
            body = {}
            known = reread() or known
            before = _fields(known)
        if self._dates(wanted, before, known, moved=moved):
            master = self._unchanged(master)
        elif not body and not known.pending and master is known.master:
            return known  # nothing that Google could hold has changed
        private: dict[str, str | None] = properties(wanted.components[None], master, wanted.uid)
        if known.pending:
            private[PENDING] = None
        if private:
            body["extendedProperties"] = {"private": private}
        return Series(known.id, self._patch(master, body) if body else master, known.exceptions)

    # --- the dates of a series -----------------------------------------------------------------------

    def _dates(self, wanted: Wanted, before: Wanted, known: Series, *, moved: bool) -> bool:
        """Bring every date that differs from its series; whether anything was sent. ``moved``: the series
        itself was, so that the dates which differed from it before are left to Google."""
        sent = False
        there = {original(event): event for event in known.exceptions}
        cancelled = left_out(known)
        for name, fields in wanted.overrides.items():
            event = there.get(name) or self._instance(known, name)
            if event is None:
                raise ObjectRefused("One of its dates is not a date of its series, so Google cannot take it.")
            if event.get("status") == "cancelled":
                body = again(fields)
            else:
                alone = Series(known.id, known.master, (event,))
                body = changes(before.overrides.get(name) or _fields(alone).overrides[name], fields, event)
            if body:
                if private := properties(wanted.components[name], event, wanted.uid):
                    body["extendedProperties"] = {"private": private}
                self._patch(event, body)
                sent = True
        if wanted.master is None or known.master is None:
            return sent
        lines = excluded_by_lines(known.master)
        for name in sorted(wanted.master.excluded - lines - cancelled):
            event = there.get(name) or self._instance(known, name)
            if event is not None:
                self._patch(event, {"status": "cancelled"})
                sent = True
        left = cancelled if moved else cancelled | before.overrides.keys()
        for name in sorted(left - wanted.overrides.keys() - wanted.master.excluded):
            usual = on_its_date(wanted.master, date_named(name, wanted.master.start))
            event = there[name]
            body = again(usual) if name in cancelled else changes(before.overrides[name], usual, event)
            if body:
                self._patch(event, body)
                sent = True
        return sent

    def _instance(self, known: Series, name: str) -> Event | None:
        """A date of the series that has been like all others so far."""
        if known.master is None:
            return None
        at = date_named(name, moment(known.master["start"]))
        params = {"originalStart": at.isoformat(), "showDeleted": "true", "maxResults": "1"}
        page = self._wire.call("GET", f"{self._events}/{segment(self._href)}/instances", params)
        return next((event for event in page.get("items", ()) if original(event) == name), None)

    def _unchanged(self, master: Event) -> Event:
        """The master after its dates were written: another etag perhaps, but the same event."""
        now = self._wire.call("GET", f"{self._events}/{segment(self._href)}")
        if now.get("status") == "cancelled":
            raise ObjectGone("It was deleted at Google.")
        first, second = (_fields(Series(self._href, event)) for event in (master, now))
        if first.master != second.master:
            raise TagMismatch("It was changed at Google in the meantime.")
        return now

    def _patch(self, event: Event, body: Body) -> Json:
        path = f"{self._events}/{segment(event['id'])}"
        return self._wire.call("PATCH", path, self._params, body, etag=event["etag"])


def _fields(series: Series) -> Wanted:
    """What is there now, read like what is wanted."""
    return read(parse(text_of(series)), UTC)
