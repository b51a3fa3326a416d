"""Repetition rules: RFC 5545's RRULE and Graph's pattern and range, both ways.

Graph knows six patterns and one rule a series. What it has no word for is refused with a sentence, never
bent. Where both have a word for almost the same, the meaning decides: a monthly pattern on the 31st falls on
the last day of shorter months there, which an RRULE says with BYMONTHDAY=-1, while BYMONTHDAY=31 leaves such
months out and is refused. Pure; excluded and moved dates are left to ``translate``.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import UTC, date, datetime, tzinfo
from typing import Any

from bridge.errors import Invalid, ObjectRefused
from bridge.ical.recurrence import Rule
from bridge.ical.times import LAST, parse_moment

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CODES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_INDEXES = {1: "first", 2: "second", 3: "third", 4: "fourth", -1: "last"}
_POSITIONS = {word: number for number, word in _INDEXES.items()}

_REFUSAL = (
    "Outlook cannot repeat an event like this ({why}), so it stays here only. Choose a simpler repetition."
)

Graph = dict[str, Any]


def to_graph(rrule: str, start: datetime, zone: tzinfo, zone_name: str) -> Graph:
    """Pattern and range of an RRULE value. ``start``: the first wall time; ``zone_name``: the zone's Windows
    name.

    Raises ``ObjectRefused`` for what Graph cannot say."""
    try:
        rule = Rule.parse(rrule)
        until = _last_day(rule, start, zone)
    except Invalid:
        raise _refused("its rule cannot be read") from None
    if rule.by_second or rule.by_minute or rule.by_hour or rule.by_year_day or rule.by_week:
        raise _refused("it depends on hours, weeks or days of the year")
    pattern = {"interval": rule.interval, **_pattern(rule, start)}
    first = next(rule.instances(start, start, LAST), None)
    if first != start:
        raise _refused("its first date does not follow its own rule")
    range_: Graph = {"startDate": start.date().isoformat(), "recurrenceTimeZone": zone_name}
    if rule.count is not None:
        range_ |= {"type": "numbered", "numberOfOccurrences": rule.count}
    elif until is not None:
        range_ |= {"type": "endDate", "endDate": until.isoformat()}
    else:
        range_["type"] = "noEnd"
    return {"pattern": pattern, "range": range_}


def to_rrule(recurrence: Mapping[str, Any], start: datetime, zone: tzinfo, all_day: bool) -> str:
    """The RRULE value of a pattern and its range, always spelled the same way. Raises ``Invalid`` for a
    pattern that nobody has heard of."""
    pattern, range_ = recurrence.get("pattern") or {}, recurrence.get("range") or {}
    parts = _parts(pattern, start)
    interval = pattern.get("interval") or 1
    if interval > 1:
        parts.insert(1, f"INTERVAL={interval}")
    match range_.get("type"):
        case "numbered":
            parts.append(f"COUNT={range_.get('numberOfOccurrences') or 1}")
        case "endDate":
            parts.append(f"UNTIL={_until(str(range_.get('endDate')), start, zone, all_day)}")
    return ";".join(parts)


# --- towards Graph ----------------------------------------------------------------------------------


def _pattern(rule: Rule, start: datetime) -> Graph:
    match rule.freq:
        case "DAILY":
            return _daily(rule)
        case "WEEKLY":
            return _weekly(rule, start)
        case "MONTHLY" if not rule.by_month:
            return _monthly(rule, start)
        case "YEARLY":
            return _yearly(rule, start)
    raise _refused("several times a day, or only in some months")


def _daily(rule: Rule) -> Graph:
    if rule.by_month or rule.by_month_day or rule.by_set_pos:
        raise _refused("daily, but only on some dates")
    if not rule.by_day:
        return {"type": "daily"}
    if rule.interval > 1:
        raise _refused("every few days, but only on some weekdays")
    return {"type": "weekly", "daysOfWeek": _weekdays(rule), "firstDayOfWeek": "monday"}


def _weekly(rule: Rule, start: datetime) -> Graph:
    if rule.by_month or rule.by_month_day or rule.by_set_pos:
        raise _refused("weekly, but only on some dates")
    days = _weekdays(rule) if rule.by_day else [DAYS[start.weekday()]]
    return {"type": "weekly", "daysOfWeek": days, "firstDayOfWeek": DAYS[rule.week_start]}


def _monthly(rule: Rule, start: datetime) -> Graph:
    if rule.by_day:
        return {"type": "relativeMonthly", **_nth_weekday(rule)}
    return {"type": "absoluteMonthly", "dayOfMonth": _day_of_month(rule, start, shortest=28, longest=31)}


def _yearly(rule: Rule, start: datetime) -> Graph:
    if len(rule.by_month) > 1:
        raise _refused("in several months of a year")
    month = rule.by_month[0] if rule.by_month else start.month
    if rule.by_day:
        if not rule.by_month:
            raise _refused("on the n-th weekday of a year")
        return {"type": "relativeYearly", "month": month, **_nth_weekday(rule)}
    if rule.by_month_day and not rule.by_month:
        raise _refused("on the same date of every month of a year")
    longest = monthrange(2024, month)[1]  # a leap year
    day = _day_of_month(rule, start, shortest=monthrange(2023, month)[1], longest=longest)
    return {"type": "absoluteYearly", "month": month, "dayOfMonth": day}


def _day_of_month(rule: Rule, start: datetime, *, shortest: int, longest: int) -> int:
    """The day; beyond ``shortest`` only in words that mean the last day where a month is shorter."""
    days = rule.by_month_day or (start.day,)
    if len(days) == 1 and not rule.by_set_pos:
        if days[0] == -1:
            return longest
        if 0 < days[0] <= shortest:
            return days[0]
        raise _refused("on a date that not every month has")
    if rule.by_set_pos == (-1,) and sorted(days) == list(range(28, max(days) + 1)):
        return max(days)
    raise _refused("on several dates of a month")


def _nth_weekday(rule: Rule) -> Graph:
    if rule.by_month_day:
        raise _refused("only when a weekday falls on certain dates")
    ordinals = {number for number, _ in rule.by_day}
    if ordinals == {0} and len(rule.by_set_pos) == 1:
        position = rule.by_set_pos[0]
    elif len(rule.by_day) == 1 and not rule.by_set_pos:
        position = rule.by_day[0][0]
    else:
        raise _refused("on several weekdays of a month")
    if position not in _INDEXES:
        raise _refused("on another weekday than the first to fourth or last")
    return {"daysOfWeek": [DAYS[day] for _, day in sorted(rule.by_day)], "index": _INDEXES[position]}


def _weekdays(rule: Rule) -> list[str]:
    if any(number for number, _ in rule.by_day):
        raise _refused("on the n-th weekday of a week")
    return [DAYS[day] for _, day in sorted(rule.by_day)]


def _last_day(rule: Rule, start: datetime, zone: tzinfo) -> date | None:
    """The local date of the last instance that UNTIL allows."""
    if rule.until is None:
        return None
    until = parse_moment(rule.until, None, lambda _: zone, zone)
    if until.is_date:
        return until.wall.date()
    wall = until.wall.replace(tzinfo=until.zone).astimezone(zone).replace(tzinfo=None)
    day = wall.date()
    return day if wall.time() >= start.time() else date.fromordinal(max(1, day.toordinal() - 1))


def _refused(why: str) -> ObjectRefused:
    return ObjectRefused(_REFUSAL.format(why=why))


# --- from Graph -------------------------------------------------------------------------------------


def _parts(pattern: Mapping[str, Any], start: datetime) -> list[str]:
    codes = [code for code, day in zip(_CODES, DAYS, strict=True) if day in (pattern.get("daysOfWeek") or ())]
    day = pattern.get("dayOfMonth") or start.day
    month = pattern.get("month") or start.month
    match pattern.get("type"):
        case "daily":
            return ["FREQ=DAILY"]
        case "weekly":
            if codes in ([], [_CODES[start.weekday()]]):
                return ["FREQ=WEEKLY"]  # the start says the rest
            week_start = _CODES[DAYS.index(pattern.get("firstDayOfWeek") or "sunday")]
            # where weeks begin matters only if some are skipped
            named = (
                [f"WKST={week_start}"] if (pattern.get("interval") or 1) > 1 and week_start != "MO" else []
            )
            return ["FREQ=WEEKLY", f"BYDAY={','.join(codes)}", *named]
        case "absoluteMonthly":
            return ["FREQ=MONTHLY", *_date_parts(day, shortest=28, longest=31)]
        case "relativeMonthly":
            return ["FREQ=MONTHLY", *_weekday_parts(codes, pattern)]
        case "absoluteYearly":
            shortest, longest = monthrange(2023, month)[1], monthrange(2024, month)[1]
            dates = _date_parts(min(day, longest), shortest=shortest, longest=longest)
            return ["FREQ=YEARLY", f"BYMONTH={month}", *dates]
        case "relativeYearly":
            return ["FREQ=YEARLY", f"BYMONTH={month}", *_weekday_parts(codes, pattern)]
    raise Invalid(f"Outlook repeats an event in a way we do not know ({pattern.get('type')}).")


def _date_parts(day: int, *, shortest: int, longest: int) -> list[str]:
    if day <= shortest:
        return [f"BYMONTHDAY={day}"]
    if day == longest:
        return ["BYMONTHDAY=-1"]
    return [f"BYMONTHDAY={','.join(map(str, range(28, day + 1)))}", "BYSETPOS=-1"]


def _weekday_parts(codes: list[str], pattern: Mapping[str, Any]) -> list[str]:
    position = _POSITIONS.get(str(pattern.get("index") or "first"), 1)
    if len(codes) == 1:
        return [f"BYDAY={position}{codes[0]}"]
    return [f"BYDAY={','.join(codes)}", f"BYSETPOS={position}"]


def _until(day: str, start: datetime, zone: tzinfo, all_day: bool) -> str:
    try:
        last = datetime.combine(date.fromisoformat(day), start.time())
    except ValueError:
        raise Invalid(f"Outlook ends a series on “{day[:20]}”, which is no date.") from None
    if all_day:
        return f"{last:%Y%m%d}"
    return f"{last.replace(tzinfo=zone).astimezone(UTC):%Y%m%dT%H%M%SZ}"
