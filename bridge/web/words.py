"""Numbers, times and colours as people read them; the filters of the templates.

Every time is shown in the visitor's zone. The clock has twelve hours where the browser's first language is
English as written in a country that reads it so, and twenty-four elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from flask import Flask, g, has_request_context, request

_TWELVE_HOURS = frozenset({"en-us", "en-ca", "en-au", "en-nz", "en-in", "en-ph"})
_COLOR = re.compile(r"#?([0-9a-fA-F]{6})(?:[0-9a-fA-F]{2})?")

#: For calendars whose provider names no colour; told apart on light and dark, by colour-blind eyes too.
PALETTE = ("#585df6", "#b4632b", "#2f8f5b", "#b0457d", "#7a6a1f", "#2a7fb8", "#8a4fc0", "#5f6f78")
BOOKINGS_COLOR = "#2d93ad"


def install(app: Flask) -> None:
    """Register the filters."""
    for word in (ago, clock, day_name, long_date, short_date, moment, count, color):
        app.template_filter(word.__name__)(word)


def color(given: str | None, number: int = 0) -> str:
    """A colour that is safe in an attribute: what the provider gave if it is one, else one of ours."""
    match = _COLOR.fullmatch((given or "").strip())
    return f"#{match[1].lower()}" if match else PALETTE[number % len(PALETTE)]


def count(number: int, one: str, many: str | None = None) -> str:
    """``1 booking``, ``1,204 bookings``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def clock(at: datetime) -> str:
    """The time of day of a datetime that is already in the zone to show: ``14:05`` or ``2:05 pm``."""
    if not twelve_hours():
        return f"{at:%H:%M}"
    return f"{at.hour % 12 or 12}:{at:%M} {'am' if at.hour < 12 else 'pm'}"


def day_name(day: date, today: date) -> str:
    """``Today``, ``Tomorrow``, else ``Friday, 4 December``, with the year if it is another one."""
    near = {today: "Today", today + timedelta(days=1): "Tomorrow", today - timedelta(days=1): "Yesterday"}
    return near.get(day) or long_date(day, today)


def long_date(day: date, today: date) -> str:
    """``Friday, 4 December``, with the year if it is another one."""
    return f"{day:%A}, {short_date(day, today)}"


def short_date(day: date, today: date) -> str:
    """``4 December``, with the year if it is another one."""
    return f"{day.day} {day:%B}" + ("" if day.year == today.year else f" {day.year}")


def moment(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """A past or coming instant in full: ``today at 14:05``, ``4 December at 14:05``."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    name = day_name(local.date(), today)
    if name in ("Today", "Tomorrow", "Yesterday"):
        return f"{name.lower()} at {clock(local)}"
    return f"{short_date(local.date(), today)} at {clock(local)}"


def ago(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """How long ago: ``just now``, ``3 minutes ago``, ``2 hours ago``; beyond half a day the moment itself."""
    seconds = (now - at).total_seconds()
    if seconds < 45:
        return "just now"
    if seconds < 3600:
        return count(max(1, round(seconds / 60)), "minute") + " ago"
    if seconds < 12 * 3600:
        return count(round(seconds / 3600), "hour") + " ago"
    return moment(at, now, zone)


def later(passed: timedelta) -> str:
    """How long after something else: ``at once``, ``4 seconds later``, ``3 hours later``."""
    seconds = passed.total_seconds()
    for size, name in ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= size:
            return count(int(seconds // size), name) + " later"
    return "at once"


def twelve_hours() -> bool:
    """Whether the visitor reads ``2:05 pm`` rather than ``14:05``."""
    if not has_request_context():
        return False
    if "twelve_hours" not in g:
        languages = request.accept_languages.values()
        g.twelve_hours = next(iter(languages), "").lower() in _TWELVE_HOURS
    return bool(g.twelve_hours)


def who(actor: str, devices: Mapping[str, str]) -> str:
    """Who changed something, from the journal's word for it; ``devices`` by number."""
    kind, _, number = actor.partition(":")
    match kind:
        case "device":
            return devices.get(number, "a device that was removed")
        case "user":
            return "you, on these pages"
        case "pass" | "link":
            return "sync"
        case "token":
            return "a program, by its API token"
        case "client":
            return "a client, by your booking page"
        case "clash":
            return "the check for double bookings"
        case "command":
            return "the command line"
        case _:
            return kind
