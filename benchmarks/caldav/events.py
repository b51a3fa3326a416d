"""The data: N bookings over three years, always the same; 12 % all-day, 12 % weekly, most with a zone."""

from __future__ import annotations

import random
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from bridge.ical.text import fold
from bridge.ical.vtimezone import vtimezone

FIRST, DAYS = date(2025, 1, 1), 1096
#: What the time-range queries ask for.
MONTH = 'start="20260601T000000Z" end="20260701T000000Z"'

_KINDS = ("Wedding", "Engagement", "Newborn", "Family", "Headshots", "Mini session")
_NAMES = ("Avery", "Blake", "Casey", "Harper", "Jordan", "Morgan", "Quinn", "Rowan", "Zoë")
_PLACES = ("Studio B\\, 14 Mercer St", "Central Park\\, Bow Bridge", "Home of the client")
_ZONE = ZoneInfo("America/New_York").key
_DEFINITION = vtimezone(_ZONE, FIRST, FIRST + timedelta(days=DAYS))


def uid(number: int) -> str:
    return f"booking-{number:07}-5f2c@studio.example"


def name(number: int) -> str:
    """The object's href in its calendar, percent-encoded."""
    return uid(number).replace("@", "%40") + ".ics"


def event(number: int, revision: int = 0) -> bytes:
    """Booking ``number`` as a client would PUT it, about 1.2 kB."""
    dice = random.Random(number * 7919 + 17)  # noqa: S311 (data, not secrets)
    day = FIRST + timedelta(days=dice.randrange(DAYS))
    kind, who = dice.choice(_KINDS), f"{dice.choice(_NAMES)} & {dice.choice(_NAMES)}"
    roll, hour, hours = dice.random(), dice.randrange(8, 19), dice.choice((1, 1, 2, 4))
    about = [
        f"SUMMARY:{kind}: {who}" + (f" (revision {revision})" if revision else ""),
        f"DESCRIPTION:Client: {who}\\nPackage: {dice.choice(('Classic', 'Signature'))}\\, "
        f"{dice.randrange(20, 400)} photos\\nPhone: +1 212 555 {dice.randrange(10_000):04}\\n"
        f"Notes: arrive early\\; bring the 35mm and the backup body.\\nhttps://studio.example/jobs/{number}",
        f"LOCATION:{dice.choice(_PLACES)}",
        f"STATUS:{'CONFIRMED' if dice.random() < 0.8 else 'TENTATIVE'}",
        f"CATEGORIES:{kind.upper()}",
        f"URL:https://studio.example/jobs/{number}",
    ]
    same = [
        f"UID:{uid(number)}",
        "DTSTAMP:20260601T120000Z",
        "CREATED:20250101T090000Z",
        f"SEQUENCE:{revision}",
    ]
    alarm = ["BEGIN:VALARM", "ACTION:DISPLAY", f"DESCRIPTION:{kind}", "TRIGGER:-PT60M", "END:VALARM"]
    if roll < 0.12:
        times = [f"DTSTART;VALUE=DATE:{day:%Y%m%d}", f"DTEND;VALUE=DATE:{day + timedelta(days=1):%Y%m%d}"]
        return _calendar("", [[*same, *times, *about]])
    times = _times(day, hour, hours)
    if roll >= 0.24:
        return _calendar(_DEFINITION, [[*same, *times, *about, *alarm]])
    rule = "RRULE:FREQ=WEEKLY" + ("" if dice.random() < 0.02 else f";COUNT={dice.randrange(6, 16)}")
    without = f"EXDATE;TZID={_ZONE}:{day + timedelta(days=14):%Y%m%d}T{hour:02}0000"
    parts = [[*same, *times, rule, without, *about, *alarm]]
    if dice.random() < 0.5:
        moved = day + timedelta(days=21)
        instance = f"RECURRENCE-ID;TZID={_ZONE}:{moved:%Y%m%d}T{hour:02}0000"
        parts.append([*same, instance, *_times(moved, hour + 1, hours), *about])
    return _calendar(_DEFINITION, parts)


def _times(day: date, hour: int, hours: int) -> list[str]:
    start, end = f"{day:%Y%m%d}T{hour:02}0000", f"{day:%Y%m%d}T{min(hour + hours, 23):02}3000"
    return [f"DTSTART;TZID={_ZONE}:{start}", f"DTEND;TZID={_ZONE}:{end}"]


def _calendar(definition: str, parts: list[list[str]]) -> bytes:
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Studio Example//Bookings 1.0//EN"]
    lines = "".join(f"{line}\r\n" for line in head) + definition
    for part in parts:
        lines += "".join(fold(line) for line in ("BEGIN:VEVENT", *part, "END:VEVENT"))
    return (lines + "END:VCALENDAR\r\n").encode()
