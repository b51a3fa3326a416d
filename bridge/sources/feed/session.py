"""One session of Picsello's feed as a booking: whole and valid, whatever the feed left out.

Known flaws (3.1 and D17 to D21 of the notes): no DTSTAMP, TZID without its definition, LF, unescaped commas,
an organizer that is no address, the word ``nil`` for a place, no length. What cannot be read at all is no
booking, but it is no cancellation either. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from bridge.errors import Invalid
from bridge.ical.build import booking_text
from bridge.ical.series import Event, read
from bridge.ical.text import Component, Line, parse
from bridge.ical.zones import iana_name, zone_named

#: The feed tells no moment of change; a fixed one keeps texts the same.
STAMP = datetime(2020, 1, 1, tzinfo=UTC)
#: What Picsello itself took for sessions without a length.
DEFAULT_LENGTH = timedelta(minutes=15)
LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Session:
    """``starts``: seconds since 1970. ``cancelled``: the feed itself says so."""

    uid: str
    starts: int
    cancelled: bool
    _text: str

    def text(self, version: int) -> str:
        """The booking; ``version`` counts how often the feed has changed it, for SEQUENCE."""
        return self._text.replace("\r\nSEQUENCE:0\r\n", f"\r\nSEQUENCE:{version}\r\n", 1)


def session(text: str) -> Session:
    """Raises Invalid for what is no session: without a start, or with one that cannot be read."""
    calendar = parse(text)
    event = next(calendar.components("VEVENT"), None)
    if event is None:
        raise Invalid("There is no event.")
    found = read(calendar, UTC).master
    uid = (event.value("UID") or "").strip()
    if found is None or not uid:
        raise Invalid("The session has no start.")
    start, length = _when(event, found)
    made = booking_text(
        uid,
        _text(event, "SUMMARY") or "Session",
        start,
        end=start + length if not isinstance(start, datetime) else None,
        duration=length if isinstance(start, datetime) else None,
        zone=_zone(event, found),
        place="" if _text(event, "LOCATION") == "nil" else _text(event, "LOCATION"),
        notes=_text(event, "DESCRIPTION"),
        now=STAMP,
    )
    url = event.value("URL")
    if url and url.strip().startswith(("http://", "https://")):
        body, end, rest = made.rpartition("END:VEVENT\r\n")
        made = body + Line.make("URL", url.strip()).raw + end + rest
    cancelled = _text(event, "STATUS").upper() == "CANCELLED"
    return Session(uid, found.span[0], cancelled, made)


def _when(event: Component, found: Event) -> tuple[date, timedelta]:
    starts, ends = found.span
    length = timedelta(seconds=ends - starts)
    if found.start.is_date:
        return found.start.wall.date(), max(timedelta(days=found.length.days), timedelta(days=1))
    has_length = event.first("DTEND") is not None or event.first("DURATION") is not None
    if not has_length or not timedelta(0) < length <= LONGEST:
        length = DEFAULT_LENGTH
    return datetime.fromtimestamp(starts, UTC), length


def _zone(event: Component, found: Event) -> ZoneInfo:
    """The studio's zone; UTC where a wall time in it would be ambiguous, or it is unknown."""
    line = event.first("DTSTART")
    name = iana_name((line.param("TZID") or "").strip('" ')) if line is not None else None
    if name is None:
        return ZoneInfo("UTC")
    zone = zone_named(name)
    repeated = any(datetime.fromtimestamp(at, zone).fold for at in found.span)
    return ZoneInfo("UTC") if repeated else zone


def _text(event: Component, name: str) -> str:
    line = event.first(name)
    return line.text.strip() if line is not None else ""
