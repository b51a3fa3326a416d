"""Arithmetic of one RRULE over wall time (RFC 5545 3.3.10): which local times does it name?

Pure and bounded. ``dateutil.rrule`` is the oracle in the tests but not the engine, because it can
neither begin in the middle of a series nor be stopped between two results: ``FREQ=SECONDLY;BYMONTH=1``
or a rule that never matches keeps it busy for minutes. Here every rule without COUNT jumps to the
window, and the work of one question is capped by ``STEPS``.

Left to others: zones, UNTIL (its meaning depends on DTSTART's zone), EXDATE, RDATE, overrides.
"""

from __future__ import annotations

import re
from calendar import isleap, monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice, product

from bridge.errors import Invalid

#: Days, periods and instances that may be looked at for one answer: about a third of a second.
STEPS = 100_000

FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY")
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_UNIT = {"HOURLY": 3600, "MINUTELY": 60, "SECONDLY": 1}
_DAY = 86_400
_LAST_DAY = date.max.toordinal()
_BY_DAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)

#: part -> (lowest, highest, may be negative)
_RANGES = {
    "BYSECOND": (0, 60, False),
    "BYMINUTE": (0, 59, False),
    "BYHOUR": (0, 23, False),
    "BYMONTHDAY": (1, 31, True),
    "BYYEARDAY": (1, 366, True),
    "BYWEEKNO": (1, 53, True),
    "BYMONTH": (1, 12, False),
    "BYSETPOS": (1, 366, True),
}


def _numbers(part: str, value: str) -> tuple[int, ...]:
    low, high, signed = _RANGES[part]
    numbers = []
    for item in value.split(","):
        number = int(item)
        if not (low <= number <= high or (signed and low <= -number <= high)):
            raise ValueError(item)
        numbers.append(number)
    return tuple(sorted(set(numbers)))


def _weekday_items(value: str) -> tuple[tuple[int, int], ...]:
    items = set()
    for item in value.upper().split(","):
        match = _BY_DAY.fullmatch(item.strip())
        if match is None:
            raise ValueError(item)
        items.add((int(match[1] or 0), WEEKDAYS.index(match[2])))
    return tuple(sorted(items))


@dataclass(frozen=True, slots=True)
class Rule:
    """One RRULE. ``until`` is kept as written; ``by_day`` holds (ordinal or 0, weekday with Monday 0)."""

    freq: str
    interval: int = 1
    count: int | None = None
    until: str | None = None
    week_start: int = 0
    by_second: tuple[int, ...] = ()
    by_minute: tuple[int, ...] = ()
    by_hour: tuple[int, ...] = ()
    by_day: tuple[tuple[int, int], ...] = ()
    by_month_day: tuple[int, ...] = ()
    by_year_day: tuple[int, ...] = ()
    by_week: tuple[int, ...] = ()
    by_month: tuple[int, ...] = ()
    by_set_pos: tuple[int, ...] = ()

    @classmethod
    def parse(cls, value: str) -> Rule:
        """Read an RRULE value. Unknown parts (RSCALE, X-...) are ignored, a negative COUNT too, as
        recurring-ical-events does. Raises ``Invalid``."""
        parts = dict[str, str]()
        for item in value.strip().split(";"):
            name, _, content = item.partition("=")
            if content:
                parts[name.strip().upper()] = content.strip()
        try:
            freq = parts["FREQ"].upper()
            FREQUENCIES.index(freq)
            interval = int(parts.get("INTERVAL", "1"))
            count = int(parts["COUNT"]) if "COUNT" in parts else None
            lists = {part: _numbers(part, parts[part]) if part in parts else () for part in _RANGES}
            by_day = _weekday_items(parts["BYDAY"]) if "BYDAY" in parts else ()
            week_start = WEEKDAYS.index(parts.get("WKST", "MO").upper())
        except (KeyError, ValueError) as error:
            raise Invalid(
                f"The repetition rule “{value[:80]}” can't be understood.", "valid-calendar-data"
            ) from error
        return cls(
            freq=freq,
            interval=max(interval, 1),
            count=None if count is not None and count < 0 else count,
            until=parts.get("UNTIL"),
            week_start=week_start,
            by_second=tuple(sorted({min(second, 59) for second in lists["BYSECOND"]})),
            by_minute=lists["BYMINUTE"],
            by_hour=lists["BYHOUR"],
            by_day=by_day,
            by_month_day=lists["BYMONTHDAY"],
            by_year_day=lists["BYYEARDAY"],
            by_week=lists["BYWEEKNO"],
            by_month=lists["BYMONTH"],
            by_set_pos=lists["BYSETPOS"],
        )

    @property
    def dense(self) -> bool:
        """May several instances fall on one day?"""
        times_of_day = (self.by_hour, self.by_minute, self.by_second)
        return self.freq in _UNIT or any(len(part) > 1 for part in times_of_day)

    def instances(self, start: datetime, floor: datetime, ceiling: datetime) -> Iterator[datetime]:
        """Wall times of the rule, ascending, with ``floor <= time <= ceiling`` and ``start <= time``.

        ``start`` is DTSTART's wall time; it is no instance unless it fits the rule. Ends early, without
        a word, after ``STEPS`` steps.
        """
        floor = max(floor, start)
        if self.count is not None:  # every instance since the first must be counted
            counted = islice(_Walk(self, start, start, ceiling).run(), min(self.count, STEPS))
            return (time for time in counted if time >= floor)
        return _Walk(self, start, floor, ceiling).run()


class _Walk:
    """One walk of a rule over a window; holds what is derived from DTSTART, and the step budget."""

    def __init__(self, rule: Rule, start: datetime, floor: datetime, ceiling: datetime):
        self.rule, self.start, self.floor, self.ceiling = rule, start, floor, ceiling
        self.steps = STEPS
        freq = rule.freq
        self.months, self.month_days, by_day = rule.by_month, rule.by_month_day, rule.by_day
        # RFC 5545 3.3.10: what the rule leaves open is taken from DTSTART
        if not (rule.by_week or rule.by_year_day or rule.by_month_day or rule.by_day):
            if freq == "YEARLY":
                self.months = self.months or (start.month,)
            if freq in ("YEARLY", "MONTHLY"):
                self.month_days = (start.day,)
            if freq == "WEEKLY":
                by_day = ((0, start.weekday()),)
        ordinal = freq in ("MONTHLY", "YEARLY")
        self.weekdays = frozenset(day for nth, day in by_day if not nth or not ordinal)
        self.nth_weekdays = frozenset((nth, day) for nth, day in by_day if nth and ordinal)
        self.nth_in_year = freq == "YEARLY" and not rule.by_month
        sub_daily = freq in _UNIT
        self.hours = rule.by_hour or (tuple(range(24)) if sub_daily else (start.hour,))
        self.minutes = rule.by_minute or (
            tuple(range(60)) if freq in ("MINUTELY", "SECONDLY") else (start.minute,)
        )
        self.seconds = rule.by_second or (tuple(range(60)) if freq == "SECONDLY" else (start.second,))

    def run(self) -> Iterator[datetime]:
        periods = self._sub_daily() if self.rule.freq in _UNIT else self._daily_and_longer()
        for instances in periods:
            for time in self._picked(instances):
                self.steps -= 1
                if time > self.ceiling or self.steps < 0:
                    return
                if time >= self.floor:
                    yield time

    def _picked(self, instances: Iterator[datetime]) -> Iterator[datetime]:
        """BYSETPOS: the n-th of a period's instances, counted from either end."""
        if not self.rule.by_set_pos:
            return instances
        whole = list(islice(instances, STEPS))
        self.steps -= len(whole)
        places = {place - 1 if place > 0 else len(whole) + place for place in self.rule.by_set_pos}
        return iter([whole[place] for place in sorted(places) if 0 <= place < len(whole)])

    # --- FREQ=YEARLY to DAILY: a period is a list of days, each with the same times of day

    def _daily_and_longer(self) -> Iterator[Iterator[datetime]]:
        for days in self._day_periods():
            self.steps -= 1
            if self.steps < 0:
                return
            yield (
                datetime(day.year, day.month, day.day, hour, minute, second)  # noqa: DTZ001
                for day in days
                for hour, minute, second in product(self.hours, self.minutes, self.seconds)
            )

    def _day_periods(self) -> Iterator[Sequence[date]]:
        first, floor, last = self.start.date(), self.floor.date(), self.ceiling.date()
        interval = self.rule.interval
        match self.rule.freq:
            case "YEARLY":
                skipped = (floor.year - first.year) // interval * interval
                for year in range(first.year + skipped, last.year + 1, interval):
                    months = self.months or range(1, 13)
                    yield [day for month in months for day in self._days_of_month(year, month)]
            case "MONTHLY":
                begin = first.year * 12 + first.month - 1
                skipped = (floor.year * 12 + floor.month - 1 - begin) // interval * interval
                for index in range(begin + skipped, last.year * 12 + last.month, interval):
                    yield self._days_of_month(index // 12, index % 12 + 1)
            case "WEEKLY":
                begin = first.toordinal()
                week = begin - (first.weekday() - self.rule.week_start) % 7
                skipped = (floor.toordinal() - week) // 7 // interval * interval
                for monday in range(week + 7 * skipped, last.toordinal() + 1, 7 * interval):
                    # the first week has only its days from DTSTART on, as in dateutil (BYSETPOS tells)
                    days = range(max(monday, begin), min(monday + 7, _LAST_DAY + 1))
                    yield [day for day in map(date.fromordinal, days) if self._fits(day)]
            case _:
                begin = first.toordinal()
                skipped = (floor.toordinal() - begin) // interval * interval
                for ordinal in range(begin + skipped, last.toordinal() + 1, interval):
                    day = date.fromordinal(ordinal)
                    yield [day] if self._fits(day) else []

    def _days_of_month(self, year: int, month: int) -> list[date]:
        if self.months and month not in self.months:
            return []
        length = monthrange(year, month)[1]
        if self.month_days:
            numbers = {day if day > 0 else length + 1 + day for day in self.month_days}
            candidates: Sequence[int] = sorted(number for number in numbers if 1 <= number <= length)
        else:
            candidates = range(1, length + 1)
        self.steps -= len(candidates)
        return [day for number in candidates if self._fits(day := date(year, month, number))]

    # --- FREQ=HOURLY to SECONDLY: a period is one hour, minute or second

    def _sub_daily(self) -> Iterator[Iterator[datetime]]:
        """Periods are numbered from DTSTART's; whole days that do not fit cost one step each."""
        unit = _UNIT[self.rule.freq]
        stride = unit * self.rule.interval
        begin = self.start.toordinal() * _DAY + self.start.hour * 3600 + self.start.minute * 60
        begin = (begin + self.start.second) // unit * unit
        first_day, last_day = self.floor.toordinal(), self.ceiling.toordinal()
        day_ordinal = first_day
        while day_ordinal <= last_day:
            self.steps -= 1
            if self.steps < 0:
                return
            midnight = day_ordinal * _DAY
            # the first period of the series that begins on this day or later
            period = begin + max(0, -((begin - midnight) // stride)) * stride
            if period >= midnight + _DAY:
                day_ordinal = period // _DAY
                continue
            day = date.fromordinal(day_ordinal)
            if self._fits(day):
                for moment in range(period, midnight + _DAY, stride):
                    self.steps -= 1
                    if self.steps < 0:
                        return
                    yield self._within_period(day, moment - midnight, unit)
            day_ordinal += 1

    def _within_period(self, day: date, moment: int, unit: int) -> Iterator[datetime]:
        hour, minute, second = moment // 3600, moment // 60 % 60, moment % 60
        if hour not in self.hours or (unit <= 60 and minute not in self.minutes):
            return iter(())
        if unit == 1:
            within = [(minute, second)] if second in self.seconds else []
        else:
            within = list(product(self.minutes if unit == 3600 else (minute,), self.seconds))
        return (datetime(day.year, day.month, day.day, hour, m, s) for m, s in within)  # noqa: DTZ001

    # --- the day filters, all of which must hold

    def _fits(self, day: date) -> bool:
        rule = self.rule
        if self.months and day.month not in self.months:
            return False
        if self.month_days:
            from_end = day.day - monthrange(day.year, day.month)[1] - 1
            if day.day not in self.month_days and from_end not in self.month_days:
                return False
        if self.weekdays or self.nth_weekdays:
            weekday = day.weekday()
            if weekday not in self.weekdays and not (self.nth_weekdays and self._is_nth(day, weekday)):
                return False
        if rule.by_year_day:
            number = day.timetuple().tm_yday
            from_end = number - (366 if isleap(day.year) else 365) - 1
            if number not in rule.by_year_day and from_end not in rule.by_year_day:
                return False
        return not rule.by_week or self._in_week(day)

    def _is_nth(self, day: date, weekday: int) -> bool:
        if self.nth_in_year:
            number = day.timetuple().tm_yday
            length = 366 if isleap(day.year) else 365
        else:
            number, length = day.day, monthrange(day.year, day.month)[1]
        nth, from_end = (number - 1) // 7 + 1, -((length - number) // 7 + 1)
        return (nth, weekday) in self.nth_weekdays or (from_end, weekday) in self.nth_weekdays

    def _in_week(self, day: date) -> bool:
        """BYWEEKNO: week 1 is the first with four days in the year; weeks begin on WKST."""
        first = _week_one(day.year, self.rule.week_start)
        year = day.year
        if day.toordinal() < first:
            year, first = year - 1, _week_one(year - 1, self.rule.week_start)
        elif day.toordinal() >= (following := _week_one(year + 1, self.rule.week_start)):
            year, first = year + 1, following
        number = (day.toordinal() - first) // 7 + 1
        weeks = (_week_one(year + 1, self.rule.week_start) - first) // 7
        return number in self.rule.by_week or number - weeks - 1 in self.rule.by_week


def _week_one(year: int, week_start: int) -> int:
    """The ordinal of the first day of week 1 (it holds 4 January)."""
    fourth = date(min(max(year, 1), 9999), 1, 4)
    return fourth.toordinal() - (fourth.weekday() - week_start) % 7
