"""A change of an event's time, said as people say it: "from 25 November, 14:00–15:00, to 16:00–17:00"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from bridge.ical.fields import Reading
from bridge.ical.occurrences import enclosing
from bridge.web import words


@dataclass(frozen=True, slots=True)
class _Time:
    """When an event takes place, on the clock of whoever reads it. ``last`` is the last day of it."""

    starts: datetime
    ends: datetime
    all_day: bool

    @property
    def first(self) -> date:
        return self.starts.date()

    @property
    def last(self) -> date:
        return (self.ends - timedelta(microseconds=1)).date() if self.ends > self.starts else self.first

    def clocks(self) -> str:
        starts, ends = words.clock(self.starts), words.clock(self.ends)
        return starts if self.ends == self.starts else f"{starts}–{ends}"

    def whole(self, today: date) -> str:
        first, last = words.short_date(self.first, today), words.short_date(self.last, today)
        if self.all_day:
            return first if self.first == self.last else f"{first} – {last}"
        if self.first == self.last:
            return f"{first}, {self.clocks()}"
        return f"{first}, {words.clock(self.starts)} – {last}, {words.clock(self.ends)}"


def moved(before: Reading, after: Reading, now: datetime, zone: ZoneInfo) -> str | None:
    """From when to when; None for a series, and where either time is not known. The day is said once if it
    stayed."""
    old, new = _time(before, zone), _time(after, zone)
    if old is None or new is None:
        return None
    today = now.astimezone(zone).date()
    same_day = old.first == old.last == new.first == new.last and not (old.all_day or new.all_day)
    return f"from {old.whole(today)} to {new.clocks() if same_day else new.whole(today)}"


def _time(reading: Reading, zone: ZoneInfo) -> _Time | None:
    main = reading.instances.get(None)
    starts, ends, recurring = enclosing(reading.calendar, zone)
    if main is None or recurring or starts is None:
        return None
    said = main.first("DTSTART")
    all_day = said is not None and "T" not in said.value.upper()
    opens, closes = (
        datetime.fromtimestamp(at, UTC).astimezone(zone) for at in (starts, starts if ends is None else ends)
    )
    return _Time(opens, closes, all_day)
