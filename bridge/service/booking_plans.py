"""What people type about booking pages and opening hours, read and checked: dates, blocks, repetitions.

Every refusal says what to write instead. Keeping what was meant is ``booking_events``'.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from zoneinfo import ZoneInfo

from bridge.errors import Invalid
from bridge.slots.days import DAY, Part
from bridge.slots.light import SUNRISE, SUNSET, sunny
from bridge.slots.repeats import UNITS, Repeat

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_CLOCK = re.compile(r"(\d{1,2}):(\d\d)", re.ASCII)
MOST_DAYS = 366
_YEARS = range(2000, 2200)

Parts = dict[str, list[list[int]]]
Days = dict[str, Parts]


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
    job_type: str = ""  # such as wedding
    address: str = ""
    place_id: int | None = None  # from the address book: its name, address and coordinates
    latitude: str = ""  # degrees, such as 52.52
    longitude: str = ""
    sun: str = ""  # sunset or sunrise: the sessions of each date follow it
    sessions: int = 1  # so many of them


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


def date_of(text: str) -> date:
    try:
        found = date.fromisoformat(text.strip())
    except ValueError:
        raise Invalid(f"“{text[:30]}” is no date. Write it like 2027-05-08.") from None
    if found.year not in _YEARS:
        raise Invalid(f"{text.strip()} is in the year {found.year}. Check the date.")
    return found


def days_of(plan: Plan, where: tuple[float, float] | None, zone: ZoneInfo) -> Days | None:
    """The dates of the plan with their parts; None where there are none. Raises Invalid."""
    if not plan.dates:
        if plan.blocks or plan.breaks or plan.hidden:
            raise Invalid("A block needs a date: add --date, such as --date 2027-05-08.")
        if plan.sun:
            raise Invalid("Sessions that follow the sun need dates: add the first one, and let it repeat.")
        return None
    found = sorted(set(_dates(plan)))
    if len(found) > MOST_DAYS:
        raise Invalid(f"A booking page may have {MOST_DAYS} dates, not {len(found)}.")
    if plan.sun:
        return sunny_days(found, plan.sun, plan.sessions, plan.length, plan.gap, where, zone)
    if not plan.blocks:
        raise Invalid("A date needs at least one block of time: add --block, such as --block 09:00-13:00.")
    parts = parts_of(plan.blocks, plan.breaks, plan.hidden, plan.length)
    return {day.isoformat(): parts for day in found}


def sunny_days(
    days: Iterable[date],
    sun: str,
    sessions: int,
    length: int,
    gap: int,
    where: tuple[float, float] | None,
    zone: ZoneInfo,
) -> Days:
    """Each day with the block in which so many sessions (minutes) follow the sun there. Raises Invalid."""
    if sun not in (SUNSET, SUNRISE):
        raise Invalid("Sessions follow the sunset or the sunrise.")
    if where is None:
        raise Invalid("To follow the sun, the place needs its latitude and longitude.")
    within("On a day take place", sessions, 1, 50, "sessions")
    takes = 60 * (sessions * length + (sessions - 1) * gap)
    found = {}
    for day in days:
        part = sunny(day, sun, *where, zone, takes)
        if part is not None:
            found[day.isoformat()] = {"open": [[part.opens, part.closes]], "breaks": [], "hidden": []}
    if not found:
        raise Invalid(
            "On none of these dates do the sessions fit: the sun does not rise or set in time there."
        )
    return found


def parts_of(blocks: Sequence[str], breaks: Sequence[str], hidden: Sequence[str], length: int) -> Parts:
    """A day's parts as they are kept. Raises Invalid, also for a block that is shorter than a session."""
    parts = {"open": _pairs(blocks), "breaks": _pairs(breaks), "hidden": _pairs(hidden)}
    for opens, closes in parts["open"]:
        if closes - opens < 60 * length:
            raise Invalid(
                f"A session of {length} minutes does not fit into the block "
                f"{spelled(opens)}-{spelled(closes)}. Make the block longer or the session shorter."
            )
    return parts


def coordinates(latitude: str, longitude: str) -> tuple[float, float] | None:
    """Degrees, or None where nothing was typed. Raises Invalid."""
    if not (latitude.strip() or longitude.strip()):
        return None
    try:
        found = float(latitude.replace(",", ".")), float(longitude.replace(",", "."))
    except ValueError:
        found = (math.nan, math.nan)
    if not (abs(found[0]) <= 90 and abs(found[1]) <= 180):
        raise Invalid("Latitude and longitude are degrees such as 52.5163 and 13.3777. Maps show them.")
    return found


def _dates(plan: Plan) -> list[date]:
    named = [date_of(text) for text in plan.dates]
    if not plan.repeat:
        return named
    if len(named) != 1:
        raise Invalid("What repeats begins on one date: give --date once.")
    if bool(plan.until) == (plan.times is not None):
        raise Invalid("Say when it ends: either --until a date, or --times a number.")
    if plan.on and plan.repeat != "week":
        raise Invalid("Weekdays go with weeks: use --repeat week.")
    if plan.repeat not in UNITS:
        raise Invalid("It repeats by week, month or year.")
    return Repeat(
        plan.repeat,
        within("It repeats every", plan.every, 1, 99, "weeks, months or years"),
        {_weekday(text, text) for text in plan.on},
        date_of(plan.until) if plan.until else None,
        optional("It takes place", plan.times, 1, MOST_DAYS, "times"),
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
    opens = date_of(first)
    closes = date_of(last) if dots else opens
    if closes < opens:
        raise Invalid(f"“{text[:40]}” ends before it begins. Write it like 2027-12-24..2027-12-31.")
    return [opens.isoformat(), closes.isoformat()]


def within(what: str, number: int, least: int, most: int, unit: str) -> int:
    if not least <= number <= most:
        raise Invalid(f"{what} {least} to {most:,} {unit}, not {number}.")
    return number


def optional(what: str, number: int | None, least: int, most: int, unit: str) -> int | None:
    return None if number is None else within(what, number, least, most, unit)
