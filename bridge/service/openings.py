"""What holds for all of a photographer's availability: opening hours, days off, room around sessions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from bridge.errors import Invalid
from bridge.service.booking_plans import WEEKDAYS, spelled, stretch, week_of, within
from bridge.service.bookings import LONGEST
from bridge.store import booking_events
from bridge.store.people import UserRow


def set_opening(
    tx: Connection,
    user: UserRow,
    *,
    hours: Sequence[str] | None = None,
    closed: Sequence[str] | None = None,
    tentative_blocks: bool | None = None,
    private: tuple[int, int] | None = None,
    buffers: Mapping[str, tuple[int, int]] | None = None,
) -> None:
    """Change what holds for all of the user's availability; None leaves it as it is.

    ``hours``: ``mon=09:00-17:00`` each, none: always open; ``closed``: a date or ``first..last`` each;
    ``private``: minutes kept free before and after events that are no sessions; ``buffers``: the same around
    sessions of a job type. Raises Invalid."""
    values: dict[str, Any] = {}
    if hours is not None:
        values["hours"] = week_of(hours)
    if closed is not None:
        values["closed"] = [stretch(one) for one in closed]
    if tentative_blocks is not None:
        values["tentative_blocks"] = tentative_blocks
    if private is not None:
        values["private_before"], values["private_after"] = _pair("private events", private)
    if buffers is not None:
        values["buffers"] = {job_type(name): _pair(name, pair) for name, pair in buffers.items()}
    if values:
        booking_events.set_opening(tx, user.id, **values)


def opening(tx: Connection, user: UserRow) -> dict[str, list[str]]:
    """The same, as ``set_opening`` and the command line take it."""
    row = booking_events.opening_of(tx, user.id)
    hours = [
        f"{WEEKDAYS[int(weekday)]}={spelled(opens)}-{spelled(closes)}"
        for weekday, parts in sorted((row.hours or {}).items())
        for opens, closes in parts
    ]
    closed = [first if first == last else f"{first}..{last}" for first, last in row.closed]
    return {
        "hours": hours,
        "closed": closed,
        "tentative": ["busy" if row.tentative_blocks else "free"],
        "private": [f"{row.private_before // 60},{row.private_after // 60}"],
        "buffers": [f"{name}={before // 60},{after // 60}" for name, (before, after) in row.buffers.items()],
    }


def job_type(text: str) -> str:
    """As it is compared: lower case, without blanks around."""
    found = " ".join(text.lower().split())
    if len(found) > 60:
        raise Invalid("A job type is a word or two, such as wedding.")
    return found


def minutes(text: str) -> tuple[int, int]:
    """``30,60``: minutes before and after. Raises Invalid."""
    before, _, after = text.partition(",")
    if not all(re.fullmatch(r"[0-9]{1,5}", one.strip(), re.ASCII) for one in (before, after)):
        raise Invalid(f"“{text[:40]}” is no pair of minutes. Write it like 30,60: before and after.")
    return int(before), int(after)


def buffer(text: str) -> tuple[str, tuple[int, int]]:
    """``wedding=60,120``: a job type and its minutes. Raises Invalid."""
    name, _, pair = text.partition("=")
    return name, minutes(pair)


def _pair(what: str, minutes: tuple[int, int]) -> list[int]:
    return [
        60 * within(f"The time kept free around {what} is", one, 0, LONGEST, "minutes") for one in minutes
    ]
