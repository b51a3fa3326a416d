"""Booking events and opening hours, as the photographer sets them up.

An event is a page on which clients choose a session. Its days are named with their blocks, or left to the
opening hours. What the rules mean is decided in ``bridge.slots``; this module checks what people type.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection

from bridge.errors import Invalid, NotAllowed, NotFound
from bridge.service import Bridge
from bridge.service.bookings import LONGEST, MOST_CHARACTERS
from bridge.slots.days import DAY, Part
from bridge.store import booking_events, people
from bridge.store.booking_events import EventRow
from bridge.store.people import UserRow

#: What the status may become, and from which calls.
STATUSES = ("active", "disabled", "archived")

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


def add(tx: Connection, user: UserRow, plan: Plan, now: datetime) -> EventRow:
    """A new, active event. Raises Invalid, and NotAllowed if the user's bookings live elsewhere."""
    if user.source != "studio":
        raise NotAllowed(
            f"The bookings of {user.email} come from another source ({user.source}). "
            "Make the booking page there."
        )
    title = " ".join(plan.title.split())
    if not title:
        raise Invalid("A booking page needs a name, such as “Spring mini-sessions”.")
    for name, text in (("title", title), ("place", plan.place), ("notes", plan.description)):
        if len(text) > MOST_CHARACTERS[name]:
            raise Invalid(f"The {name} must stay under {MOST_CHARACTERS[name]:,} characters.")
    event_id = booking_events.create(
        tx,
        user_id=user.id,
        studio_id=user.studio_id,
        slug=_free_slug(title, booking_events.slugs(tx, user.studio_id)),
        title=title,
        place=plan.place.strip(),
        description=plan.description.strip(),
        days=_days(plan),
        length=60 * _within("A session takes", plan.length, 1, LONGEST, "minutes"),
        gap=60 * _within("The gap between sessions is", plan.gap, 0, LONGEST, "minutes"),
        before=60 * _within("The time kept free before is", plan.before, 0, LONGEST, "minutes"),
        after=60 * _within("The time kept free after is", plan.after, 0, LONGEST, "minutes"),
        notice=60 * _within("The notice is", plan.notice, 0, 60 * 24 * 366, "minutes"),
        furthest=_optional("The furthest day is", plan.furthest, 0, 1000, "days ahead"),
        per_day=_optional("The most a day is", plan.per_day, 1, 1000, "sessions"),
        per_week=_optional("The most a week is", plan.per_week, 1, 1000, "sessions"),
        hold=60 * _within("A hold lasts", plan.hold, 0, 60 * 24 * 30, "minutes"),
        created=now,
    )
    return booking_events.get(tx, event_id)


def url(bridge: Bridge, event: EventRow) -> str:
    """The address that clients are given."""
    return f"{bridge.public_url}/book/{event.studio}/{event.slug}"


def list_(bridge: Bridge, email: str) -> list[Mapping[str, Any]]:
    """The user's events, oldest first. Raises NotFound."""
    with bridge.db.reading() as tx:
        rows = booking_events.of_user(tx, people.user_by_email(tx, email).id)
    return [
        {
            "event": row.id,
            "name": row.title,
            "status": row.status,
            "dates": sorted(row.days) if row.days is not None else [],
            "length": row.length // 60,
            "gap": row.gap // 60,
            "place": row.place,
            "url": url(bridge, row),
        }
        for row in rows
    ]


def set_status(tx: Connection, event_id: int, status: str) -> EventRow:
    """Disable, enable or archive it; sessions already booked stay. Raises NotFound, NotAllowed."""
    found = booking_events.get(tx, event_id)
    if found.status == "archived" and status != "archived":
        raise NotAllowed("This booking page is archived. Make a new one instead.")
    booking_events.set_(tx, event_id, status=status)
    return booking_events.get(tx, event_id)


def at(tx: Connection, studio: str, slug: str) -> tuple[EventRow, UserRow]:
    """The event at this address, and whose it is. Raises NotFound, also for an archived one."""
    found = booking_events.find(tx, studio, slug)
    if found is None or found.status == "archived":
        raise NotFound("There is no booking page at this address (any more).")
    return found, people.user_by_id(tx, found.user_id)


def set_opening(
    tx: Connection,
    user: UserRow,
    *,
    hours: Sequence[str] | None = None,
    closed: Sequence[str] | None = None,
    tentative_blocks: bool | None = None,
) -> None:
    """Change what holds for all of the user's availability; None leaves it as it is.

    ``hours``: ``mon=09:00-17:00`` each, none: always open; ``closed``: a date or ``first..last`` each.
    """
    values: dict[str, Any] = {}
    if hours is not None:
        values["hours"] = _week(hours)
    if closed is not None:
        values["closed"] = [_stretch(one) for one in closed]
    if tentative_blocks is not None:
        values["tentative_blocks"] = tentative_blocks
    if values:
        booking_events.set_opening(tx, user.id, **values)


def opening(tx: Connection, user: UserRow) -> dict[str, list[str]]:
    """The same, as ``set_opening`` takes it."""
    row = booking_events.opening_of(tx, user.id)
    hours = [
        f"{WEEKDAYS[int(weekday)]}={_spelled(opens)}-{_spelled(closes)}"
        for weekday, parts in sorted((row.hours or {}).items())
        for opens, closes in parts
    ]
    closed = [first if first == last else f"{first}..{last}" for first, last in row.closed]
    return {"hours": hours, "closed": closed, "tentative": ["busy" if row.tentative_blocks else "free"]}


# --- what people type ------------------------------------------------------------------------------


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


def _days(plan: Plan) -> dict[str, dict[str, list[list[int]]]] | None:
    if not plan.dates:
        if plan.blocks or plan.breaks or plan.hidden:
            raise Invalid("A block needs a date: add --date, such as --date 2027-05-08.")
        return None
    if not plan.blocks:
        raise Invalid("A date needs at least one block of time: add --block, such as --block 09:00-13:00.")
    found = {_date(text).isoformat() for text in plan.dates}
    if len(found) > _MOST_DAYS:
        raise Invalid(f"A booking page may have {_MOST_DAYS} dates, not {len(found)}.")
    parts = {"open": _pairs(plan.blocks), "breaks": _pairs(plan.breaks), "hidden": _pairs(plan.hidden)}
    for opens, closes in parts["open"]:
        if closes - opens < 60 * plan.length:
            raise Invalid(
                f"A session of {plan.length} minutes does not fit into the block "
                f"{_spelled(opens)}-{_spelled(closes)}. Make the block longer or the session shorter."
            )
    return dict.fromkeys(sorted(found), parts)


def _pairs(texts: Iterable[str]) -> list[list[int]]:
    parts = sorted(part(text) for text in texts)
    for one, other in pairwise(parts):
        if other.opens < one.closes:
            raise Invalid(
                f"The blocks beginning at {_spelled(one.opens)} and {_spelled(other.opens)} overlap. "
                "Make one block of them, or move one."
            )
    return [[one.opens, one.closes] for one in parts]


def _spelled(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}"


def _week(hours: Sequence[str]) -> dict[str, list[list[int]]] | None:
    if not hours:
        return None
    found: dict[str, list[str]] = {}
    for text in hours:
        weekday, _, block = text.partition("=")
        if weekday.strip().lower()[:3] not in WEEKDAYS:
            raise Invalid(f"“{text[:30]}” names no weekday. Write opening hours like mon=09:00-17:00.")
        found.setdefault(str(WEEKDAYS.index(weekday.strip().lower()[:3])), []).append(block)
    return {weekday: _pairs(blocks) for weekday, blocks in found.items()}


def _stretch(text: str) -> list[str]:
    first, dots, last = text.partition("..")
    opens = _date(first)
    closes = _date(last) if dots else opens
    if closes < opens:
        raise Invalid(f"“{text[:40]}” ends before it begins. Write it like 2027-12-24..2027-12-31.")
    return [opens.isoformat(), closes.isoformat()]


def _within(what: str, number: int, least: int, most: int, unit: str) -> int:
    if not least <= number <= most:
        raise Invalid(f"{what} {least} to {most:,} {unit}, not {number}.")
    return number


def _optional(what: str, number: int | None, least: int, most: int, unit: str) -> int | None:
    return None if number is None else _within(what, number, least, most, unit)


def _free_slug(title: str, used: set[str]) -> str:
    """Readable in an address: ``spring-mini-sessions``, with a number if the studio had one before."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-") or "sessions"
    if slug not in used:
        return slug
    return next(f"{slug}-{number}" for number in range(2, len(used) + 3) if f"{slug}-{number}" not in used)
