"""A shoot as a booking: the text that calendars get. The same row always gives the same bytes.

What Picsello keeps private (a job's notes) is not even read. How an edit comes back is ``edits``.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bridge.errors import Invalid
from bridge.ical.build import booking_text
from bridge.ical.text import Line, escape
from bridge.ical.zones import zone_named
from bridge.sources.picsello.options import Options
from bridge.sources.picsello.queries import Row

#: What Picsello assumes itself where nothing is set (picsello-domain.md 2.2).
DEFAULT_ZONE = "America/New_York"
DEFAULT_MINUTES = 15

LOCATIONS = {"studio": "In Studio", "on_location": "On Location", "home": "In Client's Home"}
#: Names of CSS colours (RFC 7986 5.9), near to those of Picsello's own calendar page.
JOB_COLOR, LEAD_COLOR = "mediumturquoise", "powderblue"


def uid(shoot_id: int) -> str:
    """The UID that Picsello's own feed gives, so that old subscriptions are recognised."""
    return f"shoot_{shoot_id}@picsello.com"


def shoot_id(href: str) -> int | None:
    """The other way round."""
    number = href.removeprefix("shoot_").removesuffix("@picsello.com")
    return int(number) if number.isascii() and number.isdigit() and len(number) < 19 else None


def zone_of(name: str | None) -> ZoneInfo:
    """The studio's zone; a name that nobody knows counts as none."""
    try:
        return zone_named((name or "").strip() or DEFAULT_ZONE)
    except Invalid:
        return zone_named(DEFAULT_ZONE)


def humanized(job_type: str) -> str:
    """A job's type as people read it."""
    return "Mini-session" if job_type == "mini" else job_type.replace("_", " ").capitalize()


def job_title(row: Row, options: Options) -> str:
    """The job's display name."""
    client = " ".join((row.client or "").split())
    if options.titles == "initials":
        client = " ".join(f"{word[0].upper()}." for word in client.split())
    elif (row.job_name or "").strip():
        return " ".join((row.job_name or "").split())
    return f"{client} {humanized(row.type)}".strip()


def title(row: Row, options: Options) -> str:
    name = " ".join((row.name or "").split())
    return f"{job_title(row, options)} - {name}" if name else job_title(row, options)


def place(row: Row) -> str:
    """The address, else the label of the location."""
    address = " ".join((row.address or "").split())
    return address or LOCATIONS.get(row.location or "", row.location or "")


def contact(row: Row, options: Options) -> str:
    """What is added to the notes."""
    if not options.contact:
        return ""
    phone = f"\nPhone: {row.phone}" if row.phone else ""
    return f"Client: {row.client}{phone}" if row.client else phone.strip()


def minutes(row: Row) -> int:
    """How long the booking is shown to take."""
    known = row.duration_minutes
    return known if known is not None and known > 0 else DEFAULT_MINUTES


def rendered(row: Row, zone: ZoneInfo, options: Options) -> str:
    """The whole VCALENDAR."""
    changed = _aware(max(row.updated_at, row.job_updated_at, row.inserted_at))
    notes = "\n\n".join(part for part in ((row.notes or "").strip(), contact(row, options)) if part)
    length = timedelta(minutes=minutes(row))
    text = booking_text(
        uid(row.id),
        title(row, options),
        _aware(row.starts_at).astimezone(zone),
        duration=length,
        zone=_expressible(_aware(row.starts_at), length, zone),
        place=place(row),
        notes=notes,
        status="TENTATIVE" if row.is_lead else "CONFIRMED",
        created=_aware(row.inserted_at),
        now=changed,
    )
    # paying may leave every stamp alone, and must still count as a later version
    age = int((changed - _aware(row.inserted_at)).total_seconds())
    sequence = min(2 * max(age, 0) + (0 if row.is_lead else 1), 999_999_999)
    kind = "leads" if row.is_lead else "jobs"
    more = [
        Line.make("CATEGORIES", escape(humanized(row.type))),
        Line.make("COLOR", LEAD_COLOR if row.is_lead else JOB_COLOR),
        Line.make("URL", f"{options.app_url.rstrip('/')}/{kind}/{row.job_id}"),
    ]
    text = text.replace("\r\nSEQUENCE:0\r\n", f"\r\nSEQUENCE:{sequence}\r\n", 1)
    body, end, rest = text.rpartition("END:VEVENT\r\n")
    return "".join([body, *(line.raw for line in more), end, rest])


def _expressible(start: datetime, length: timedelta, zone: ZoneInfo) -> ZoneInfo:
    """The zone to write the times in: UTC for a time in the hour that a clock change repeats, since a wall
    time there always means the first of the two (RFC 5545 3.3.5)."""
    repeated = start.astimezone(zone).fold or (start + length).astimezone(zone).fold
    return ZoneInfo("UTC") if repeated else zone


def _aware(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC)
