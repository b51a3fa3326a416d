"""What an edited booking asks Picsello to change, in its own terms, and what of that it cannot have.

Compared with what the row looks like now, never read from the text alone: so what we added to a description
does not travel back, and what the calendar left alone stays as Picsello has it. Carrying it out is
``writing``'s business.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from bridge.errors import Invalid
from bridge.ical.added import description, unnoted, user_part
from bridge.ical.facts import facts
from bridge.ical.fields import GroupKey, changed
from bridge.ical.series import read
from bridge.ical.text import parse
from bridge.sources.picsello.booking import contact, job_title, minutes, place, rendered, title
from bridge.sources.picsello.options import Options
from bridge.sources.picsello.queries import Row

#: The lengths that Picsello's form offers; another one is refused there at the next edit (2.4 of the notes).
LENGTHS: tuple[int, ...] = (5, 10, 15, 20, 30, 45, 60, 90, *range(120, 721, 60))
YEARS = range(1970, 2200)


@dataclass(slots=True)
class Wanted:
    """New values by column, and sentences about what could not be done as asked."""

    values: dict[str, object] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def moves_to(self) -> datetime | None:
        """The new start (naive UTC), if there is one."""
        found = self.values.get("starts_at")
        return found if isinstance(found, datetime) else None

    def stay(self, why: str) -> None:
        """Picsello's rules refuse the new time."""
        self.values.pop("starts_at", None)
        self.values.pop("duration_minutes", None)
        self.notes.append(why)


def wanted(text: str, row: Row, zone: ZoneInfo, options: Options) -> Wanted:
    """The difference between an edited text and the row as it is rendered now. Raises Invalid for what is
    no iCalendar."""
    text = unnoted(text)
    before = rendered(row, zone, options)
    keys = changed(before, text)
    found = Wanted()
    groups: dict[str, Callable[[Wanted, str, Row, ZoneInfo, Options], None]] = {
        "title": _title,
        "place": _place,
        "notes": _notes,
    }
    if _when_changed(keys):
        _when(found, text, row, zone)
    for group, look in groups.items():
        if (None, group) in keys:
            look(found, text, row, zone, options)
    return found


def rounded(length: float) -> int:
    """The next of Picsello's lengths, in minutes; the longest for what is longer."""
    return min((known for known in LENGTHS if known >= length), default=max(LENGTHS))


def _when_changed(keys: frozenset[GroupKey]) -> bool:
    return any(instance is not None or group in ("when", "component") for instance, group in keys)


def _when(found: Wanted, text: str, row: Row, zone: ZoneInfo) -> None:
    try:
        series = read(parse(text), zone)
    except Invalid:
        return found.stay("the new time cannot be read, so the time stays as it was.")
    if series.recurring:
        return found.stay("a booking there happens once, so the time stays as it was.")
    if series.master is None or series.master.start.is_date:
        return found.stay("a booking there needs a time of day, so the time stays as it was.")
    starts, ends = series.master.span
    start = datetime.fromtimestamp(starts, UTC).replace(tzinfo=None)
    if start.year not in YEARS:
        return found.stay("a booking cannot be so far away, so the time stays as it was.")
    if start != row.starts_at:
        found.values["starts_at"] = start
    length = (ends - starts) / 60
    if length != minutes(row):
        known = rounded(length)
        if known != row.duration_minutes:
            found.values["duration_minutes"] = known
        if known != length:
            found.notes.append(f"it has no bookings of {length:g} minutes, so this one takes {known}.")
    return None


def _title(found: Wanted, text: str, row: Row, _: ZoneInfo, options: Options) -> None:
    """Only the shoot's name is ours to change: what stands behind the job's, or a new title as a whole."""
    new = " ".join(facts(text).summary.split())
    job, name = job_title(row, options), " ".join((row.name or "").split())
    if new.startswith(f"{job} - "):
        new = new.removeprefix(f"{job} - ").strip()
    elif new == job or (name and new.endswith(f" - {name}")):
        new = name  # it was the job's name that changed, or the shoot's that was taken away
        found.notes.append(f"the job is called “{job}” there; rename it on the job.")
    if not new:
        found.notes.append("a booking there needs a name, so the title stays as it was.")
    elif new != name and new != title(row, options):
        found.values["name"] = new


def _place(found: Wanted, text: str, row: Row, _: ZoneInfo, __: Options) -> None:
    new = " ".join(facts(text).location.split())
    without_address = replace(row, address=None)
    found.values["address"] = None if new in ("", place(without_address)) else new


def _notes(found: Wanted, text: str, row: Row, _: ZoneInfo, options: Options) -> None:
    new = user_part(description(text), contact(row, options)).strip()
    if new != (row.notes or "").strip():
        found.values["notes"] = new or None
