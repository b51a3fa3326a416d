"""What the store keeps of an object's text: the columns of its row, and its place in the occurrence index.

Pure; writing it is left to ``objects`` and ``arrivals``.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from bridge.errors import Invalid
from bridge.ical.facts import Facts, facts
from bridge.ical.fields import reading
from bridge.store.calendars import CalendarRow
from bridge.store.times import Times, times


class Kept(NamedTuple):
    """One text as the store sees it."""

    etag: str
    facts: Facts
    when: Times

    def columns(
        self, href: str, text: str, kind: str, seq: int, now: datetime, *, hidden: bool
    ) -> dict[str, Any]:
        """Those of its row, but for the calendar and the moment it was made."""
        return {
            "href": href,
            "uid": self.facts.uid,
            "etag": self.etag,
            "text": text,
            "component": self.facts.component,
            "kind": kind,
            "hidden": hidden,
            "status": self.facts.status,
            "starts": self.when.starts,
            "ends": self.when.ends,
            "recurring": self.when.recurring,
            "seq": seq,
            "modified": now,
        }


def kept(text: str, row: CalendarRow, zone: ZoneInfo | None = None) -> Kept:
    """Read it for that calendar; ``zone`` defaults to the user's. Raises Invalid."""
    etag = etag_of(text)
    read = reading(text)  # once for all
    known = facts(read)
    if not known.uid:
        raise Invalid("The event has no UID, so it cannot be kept.", "valid-calendar-object-resource")
    zone = zone or ZoneInfo(row.time_zone)
    return Kept(etag, known, times(read.calendar, zone, row.horizon_start, row.horizon_end))


def etag_of(text: str) -> str:
    """The etag (without quotes) of these bytes. Raises Invalid for text that cannot be kept: half a surrogate
    pair has no bytes, and PostgreSQL takes no NUL."""
    try:
        if "\0" in text:
            raise Invalid("The event holds a NUL character.", "valid-calendar-data")
        return hashlib.sha256(text.encode()).hexdigest()[:32]
    except UnicodeEncodeError as error:
        raise Invalid(
            "The event holds characters that do not exist in Unicode.", "valid-calendar-data"
        ) from error
