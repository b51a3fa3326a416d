"""Random studios: odd zones, days on which the clocks change, and calendars as people keep them.

Each event is made twice from the same dice: as iCalendar text for the real thing, and as a stretch of minutes
for the oracle, read off the list of minutes.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from bridge.ical.busy import taken
from bridge.slots.days import Part
from bridge.slots.rules import Busy, Day, Rules
from tests.slots.oracle import Axis, SetUp, Stretch

ME = "anna@studio.example"

#: A zone and a day of 2027; most of them change their clocks on it, some at midnight, one by half an hour.
PLACES = [
    ("Europe/Berlin", date(2027, 3, 28)),
    ("Europe/Berlin", date(2027, 10, 31)),
    ("America/New_York", date(2027, 3, 14)),
    ("America/New_York", date(2027, 11, 7)),
    ("Australia/Lord_Howe", date(2027, 4, 4)),
    ("Australia/Lord_Howe", date(2027, 10, 3)),
    ("America/Santiago", date(2027, 4, 4)),
    ("America/Santiago", date(2027, 9, 5)),
    ("Africa/Cairo", date(2027, 4, 30)),
    ("Africa/Cairo", date(2027, 10, 29)),
    ("Asia/Kolkata", date(2027, 6, 15)),
    ("Pacific/Chatham", date(2027, 9, 26)),
    ("America/Los_Angeles", date(2027, 12, 31)),
]

MINUTES = 11 * 1440


def studio(dice: Random) -> tuple[SetUp, list[tuple[str, dict[str, int]]]]:
    """A set-up for the oracle, and its events as ``(iCalendar text, what the studio wants around it)``."""
    zone, day = dice.choice(PLACES)
    first = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) - 4 * 86_400
    axis = Axis(zone, first, MINUTES)
    middle = axis.at(datetime.combine(day, datetime.min.time()) - timedelta(days=1))
    window = sorted(dice.sample(range(middle, middle + 3 * 1440), 2))
    setup = SetUp(
        axis=axis,
        days={day + timedelta(days=number): _parts(dice) for number in dice.sample(range(-2, 3), 3)},
        length=dice.choice([5, 15, 20, 30, 45, 60, 90, 240]),
        gap=dice.choice([0, 0, 5, 15, 30]),
        before=dice.choice([0, 0, 10, 60]),
        after=dice.choice([0, 0, 15, 90]),
        notice=dice.choice([0, 0, 60, 1440]),
        now=dice.choice([10, middle, dice.randrange(middle, middle + 2880)]),
        furthest=dice.choice([None, None, 0, 1, 4]),
        per_day=dice.choice([None, None, 1, 2]),
        per_week=dice.choice([None, None, None, 1, 3]),
        closed=dice.choice([[], [], [(day, day)], [(day - timedelta(days=9), day - timedelta(days=1))]]),
        window=(window[0], window[1]),
    )
    events = [_event(dice, setup, day, number) for number in range(dice.randrange(7))]
    return setup, events


def rules(setup: SetUp) -> Rules:
    """The same studio for the real thing."""

    def parts(day: date, kind: str) -> tuple[Part, ...]:
        return tuple(Part(60 * a, 60 * b) for name, a, b in setup.days[day] if name == kind)

    return Rules(
        zone=ZoneInfo(setup.axis.zone),
        length=60 * setup.length,
        gap=60 * setup.gap,
        dates={day: Day(parts(day, "open"), parts(day, "break"), parts(day, "hidden")) for day in setup.days},
        closed=setup.closed,
        before=60 * setup.before,
        after=60 * setup.after,
        notice=60 * setup.notice,
        furthest=setup.furthest,
        per_day=setup.per_day,
        per_week=setup.per_week,
    )


def busy(setup: SetUp, events: list[tuple[str, dict[str, int]]]) -> list[Busy]:
    """What the events' texts take, as the real thing reads them."""
    zone, first = ZoneInfo(setup.axis.zone), setup.axis.first
    return [
        Busy(
            one.starts,
            one.ends,
            number,
            session=bool(how["session"]),
            before=60 * how["before"],
            after=60 * how["after"],
        )
        for number, (text, how) in enumerate(events)
        for one in taken(text, first, first + 60 * setup.axis.minutes, zone, {ME})
    ]


def _parts(dice: Random) -> list[tuple[str, int, int]]:
    found = []
    for _ in range(dice.randrange(1, 4)):
        opens, closes = sorted(dice.sample([*range(0, 1440, 15), 1440], 2))
        found.append((dice.choice(["open", "open", "open", "break", "hidden"]), opens, closes))
    return found


def _event(dice: Random, setup: SetUp, day: date, number: int) -> tuple[str, dict[str, int]]:
    axis = setup.axis
    wants = {
        "before": dice.choice([0, 0, 30]),
        "after": dice.choice([0, 0, 45]),
        "session": dice.choice([0, 1]),
    }
    starts_on = day + timedelta(days=dice.randrange(-2, 3))
    lines, spans = _all_day(dice, axis, starts_on) if dice.random() < 0.2 else _timed(dice, axis, starts_on)
    free = False
    match dice.randrange(8):
        case 0:
            lines.append("TRANSP:TRANSPARENT")
            free = True
        case 1:
            lines.append("STATUS:CANCELLED")
            free = True
        case 2:
            lines.append(f"ATTENDEE;PARTSTAT=DECLINED:mailto:{ME.title()}")
            free = True
        case 3:
            lines.append("ATTENDEE;PARTSTAT=DECLINED:mailto:somebody@else.example")
        case 4:
            lines.append("STATUS:TENTATIVE")
    if not free:
        setup.busy += [
            Stretch(a, b, wants["before"], wants["after"], bool(wants["session"])) for a, b in spans
        ]
    head = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:t",
        "BEGIN:VEVENT",
        f"UID:{number}",
        "DTSTAMP:20270101T000000Z",
    ]
    return "\r\n".join([*head, *lines, "END:VEVENT", "END:VCALENDAR", ""]), wants


def _all_day(dice: Random, axis: Axis, first: date) -> tuple[list[str], list[tuple[int, int]]]:
    last = first + timedelta(days=dice.randrange(1, 3))
    midnights = [axis.at(datetime.combine(day, datetime.min.time())) for day in (first, last)]
    lines = [f"DTSTART;VALUE=DATE:{first:%Y%m%d}", f"DTEND;VALUE=DATE:{last:%Y%m%d}"]
    return lines, [(midnights[0], midnights[1])]


def _timed(dice: Random, axis: Axis, day: date) -> tuple[list[str], list[tuple[int, int]]]:
    """Once or repeated daily, in the zone, floating, or in UTC; past midnight, for days, or no time."""
    if dice.random() < 0.4:  # the clocks change at night, where "the same time every day" has exceptions
        wall = datetime.combine(day, datetime.min.time()) + timedelta(minutes=dice.randrange(4 * 60, 20 * 60))
        length, count = dice.randrange(10, 200), dice.randrange(2, 4)
        skipped = dice.choice([None, 1])
        name = f";TZID={axis.zone}"
        lines = [
            f"DTSTART{name}:{wall:%Y%m%dT%H%M%S}",
            f"DURATION:PT{length}M",
            f"RRULE:FREQ=DAILY;COUNT={count}",
        ]
        walls = [wall + timedelta(days=turn) for turn in range(count)]
        if skipped is not None:
            lines.append(f"EXDATE{name}:{walls.pop(skipped):%Y%m%dT%H%M%S}")
        return lines, [(axis.at(w), axis.at(w) + length) for w in walls]
    starts = axis.at(datetime.combine(day, datetime.min.time())) + dice.randrange(0, 1440)
    ends = starts + dice.choice([0, 1, 30, 120, 600, 1600])
    if dice.random() < 0.5:
        moments = [datetime.fromtimestamp(axis.seconds(at), UTC) for at in (starts, ends)]
        return [f"DTSTART:{moments[0]:%Y%m%dT%H%M%SZ}", f"DTEND:{moments[1]:%Y%m%dT%H%M%SZ}"], [
            (starts, ends)
        ]
    shown = [axis.seen[at] for at in (starts, ends)]
    spans = [(axis.index[shown[0]], axis.index[shown[1]])]  # a time that occurs twice means the first
    name = dice.choice([f";TZID={axis.zone}", ""])
    lines = [f"DTSTART{name}:{shown[0]:%Y%m%dT%H%M%S}", f"DTEND{name}:{shown[1]:%Y%m%dT%H%M%S}"]
    return lines, [span for span in spans if span[1] >= span[0]] or [(spans[0][0], spans[0][0])]
