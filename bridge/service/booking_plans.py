"""What people type about booking pages and opening hours, read and checked: dates, blocks, repetitions.

Every refusal says what to write instead. Keeping what was meant is ``booking_events``'.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from bridge.errors import Invalid
from bridge.slots.days import DAY, Part
from bridge.slots.repeats import Repeat

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_CLOCK = re.compile(r"(\d{1,2}):(\d\d)", re.ASCII)
_MOST_DAYS = 366
_YEARS = range(2000, 2200)


@dataclass(frozen=True)
class Plan:
    """An event as it was asked for. Minutes, except ``furthest`` (days); blocks as ``HH:MM-HH:MM``."""

    title: str
    length: int
    gap: int = 0
    dates: Sequence[str] = ()
    blocks: Sequence[str] = ()
    breaks: Sequence[str] = ()
    hidden: Sequence[str] = ()
    place: str = ""
    description: str = ""
    before: int = 0
    after: int = 0
    notice: int = 0
    furthest: int | None = None
    per_day: int | None = None
    per_week: int | None = None
    hold: int = 0
    repeat: str = ""  # week, month or year, from the one date on
    every: int = 1
    on: Sequence[str] = ()
    until: str = ""
    times: int | None = None


def part(text: str) -> Part:
    """``09:00-13:00``; 24:00 is the end of the day. Raises Invalid."""
    opens, _, closes = text.partition("-")
    first, last = _clock(opens, text), _clock(closes, text)
    if first >= last:
        raise Invalid(f"“{text[:30]}” ends before it begins. Write a block like 09:00-13:00, within one day.")
    return Part(first, last)


def _clock(text: str, whole: str) -> int:
    match = _CLOCK.fullmatch(text.strip())
    seconds = 60 * (60 * int(match[1]) + int(match[2])) if match and int(match[2]) < 60 else DAY + 1
    if seconds > DAY:
        raise Invalid(f"“{whole[:30]}” is no block of time. Write it like 09:00-13:00.")
    return seconds


def _date(text: str) -> date:
    try:
        found = date.fromisoformat(text.strip())
    except ValueError:
        raise Invalid(f"“{text[:30]}” is no date. Write it like 2027-05-08.") from None
    if found.year not in _YEARS:
        raise Invalid(f"{text.strip()} is in the year {found.year}. Check the date.")
    return found


def days_of(plan: Plan) -> dict[str, dict[str, list[list[int]]]] | None:
    if not plan.dates:
        if plan.blocks or plan.breaks or plan.hidden:
            raise Invalid("A block needs a date: add --date, such as --date 2027-05-08.")
        return None
    if not plan.blocks:
        raise Invalid("A date needs at least one block of time: add --block, such as --block 09:00-13:00.")
    found = {day.isoformat() for day in _dates(plan)}
    if len(found) > _MOST_DAYS:
        raise Invalid(f"A booking page may have {_MOST_DAYS} dates, not {len(found)}.")
    parts = {"open": _pairs(plan.blocks), "breaks": _pairs(plan.breaks), "hidden": _pairs(plan.hidden)}
    for opens, closes in parts["open"]:
        if closes - opens < 60 * plan.length:
            raise Invalid(
                f"A session of {plan.length} minutes does not fit into the block "
                f"{spelled(opens)}-{spelled(closes)}. Make the block longer or the session shorter."
            )
    return dict.fromkeys(sorted(found), parts)


def _dates(plan: Plan) -> list[date]:
    named = [_date(text) for text in plan.dates]
    if not plan.repeat:
        return named
    if len(named) != 1:
        raise Invalid("What repeats begins on one date: give --date once.")
    if bool(plan.until) == (plan.times is not None):
        raise Invalid("Say when it ends: either --until a date, or --times a number.")
    if plan.on and plan.repeat != "week":
        raise Invalid("Weekdays go with weeks: use --repeat week.")
    return Repeat(
        plan.repeat,
        within("It repeats every", plan.every, 1, 99, "weeks, months or years"),
        {_weekday(text, text) for text in plan.on},
        _date(plan.until) if plan.until else None,
        optional("It takes place", plan.times, 1, _MOST_DAYS, "times"),
    ).days(named[0])


def _weekday(text: str, whole: str) -> int:
    name = text.strip().lower()[:3]
    if name not in WEEKDAYS:
        raise Invalid(f"“{whole[:30]}” names no weekday. Write it like mon, or mon=09:00-17:00 with hours.")
    return WEEKDAYS.index(name)


def _pairs(texts: Iterable[str]) -> list[list[int]]:
    parts = sorted(part(text) for text in texts)
    for one, other in pairwise(parts):
        if other.opens < one.closes:
            raise Invalid(
                f"The blocks beginning at {spelled(one.opens)} and {spelled(other.opens)} overlap. "
                "Make one block of them, or move one."
            )
    return [[one.opens, one.closes] for one in parts]


def spelled(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}"


def week_of(hours: Sequence[str]) -> dict[str, list[list[int]]] | None:
    if not hours:
        return None
    found: dict[str, list[str]] = {}
    for text in hours:
        weekday, _, block = text.partition("=")
        found.setdefault(str(_weekday(weekday, text)), []).append(block)
    return {weekday: _pairs(blocks) for weekday, blocks in found.items()}


def stretch(text: str) -> list[str]:
    first, dots, last = text.partition("..")
    opens = _date(first)
    closes = _date(last) if dots else opens
    if closes < opens:
        raise Invalid(f"“{text[:40]}” ends before it begins. Write it like 2027-12-24..2027-12-31.")
    return [opens.isoformat(), closes.isoformat()]


def within(what: str, number: int, least: int, most: int, unit: str) -> int:
    if not least <= number <= most:
        raise Invalid(f"{what} {least} to {most:,} {unit}, not {number}.")
    return number


def optional(what: str, number: int | None, least: int, most: int, unit: str) -> int | None:
    return None if number is None else within(what, number, least, most, unit)
