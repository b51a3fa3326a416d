"""Occurrences of generated objects are those that recurring-ical-events finds by brute force."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import recurring_ical_events
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from bridge.ical.occurrences import enclosing, occurrences
from bridge.ical.recurrence import Rule

READER = ZoneInfo("Europe/Berlin")
FORMS = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Z", "floating", "date")
HOUR = timedelta(hours=1)


@dataclass
class Form:
    """How the times of one generated object are written."""

    kind: str

    @property
    def zone(self) -> ZoneInfo | None:
        name = {"Z": "UTC", "floating": None, "date": None}.get(self.kind, self.kind)
        return ZoneInfo(name) if name else None

    @property
    def params(self) -> str:
        if self.kind == "date":
            return ";VALUE=DATE"
        return f";TZID={self.kind}" if "/" in self.kind else ""

    def write(self, wall: datetime) -> str:
        if self.kind == "date":
            return f"{wall:%Y%m%d}"
        return f"{wall:%Y%m%dT%H%M%S}" + ("Z" if self.kind == "Z" else "")

    def until(self, wall: datetime) -> str:
        if self.zone is None:
            return self.write(wall)
        return f"{wall.replace(tzinfo=self.zone).astimezone(UTC):%Y%m%dT%H%M%SZ}"


LENGTHS = st.sampled_from([timedelta(0), HOUR, timedelta(hours=26), timedelta(minutes=1), timedelta(days=9)])


def times(draw: st.DrawFn, form: Form, wall: datetime, name: str = "") -> list[str]:
    lines = [f"DTSTART{form.params}:{form.write(wall)}"]
    if form.kind == "date":
        days = draw(st.integers(0, 3))
        if days:
            how = draw(st.booleans())
            end = form.write(wall + timedelta(days=days))
            lines.append(f"DTEND;VALUE=DATE:{end}" if how else f"DURATION:P{days}D")
        return lines
    length = draw(LENGTHS)
    match draw(st.integers(0, 2)):
        case 0:
            lines.append(f"DTEND{form.params}:{form.write(wall + length)}")
        case 1:
            lines.append(f"DURATION:P{length.days}DT{length.seconds}S")
    return lines


@st.composite
def objects(draw: st.DrawFn) -> str:
    form = Form(draw(st.sampled_from(FORMS)))
    wall = draw(st.datetimes(datetime(2024, 1, 1), datetime(2025, 6, 1))).replace(microsecond=0)
    wall = wall.replace(hour=0, minute=0, second=0) if form.kind == "date" else wall.replace(second=0)
    freq = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    rule = f"FREQ={freq};INTERVAL={draw(st.integers(1, 3))}"
    if draw(st.booleans()):
        by = {
            "DAILY": ["BYDAY=MO,TU,WE,TH,FR", "BYMONTH=1,3,5,10"],
            "WEEKLY": ["BYDAY=TU,SA", "BYDAY=MO,SU;WKST=SU", "BYDAY=FR"],
            "MONTHLY": ["BYDAY=2TU", "BYDAY=-1SU", "BYMONTHDAY=31", "BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"],
            "YEARLY": ["BYMONTH=3,10;BYDAY=-1SU", "BYYEARDAY=100,-1", "BYWEEKNO=20;BYDAY=MO"],
        }
        rule += ";" + draw(st.sampled_from(by[freq]))
    instances = list(Rule.parse(rule).instances(wall, wall, wall + timedelta(days=500)))[:25]
    assume(instances)
    match draw(st.integers(0, 2)):
        case 0:
            rule += f";COUNT={draw(st.integers(1, 40))}"
        case 1:
            rule += f";UNTIL={form.until(draw(st.sampled_from(instances)))}"
    master = ["UID:x", "SEQUENCE:1", *times(draw, form, wall)]
    if draw(st.integers(0, 4)):
        master.append(f"RRULE:{rule}")
    some = st.lists(st.sampled_from(instances), max_size=3, unique=True)
    for exdate in draw(some):
        master.append(f"EXDATE{form.params}:{form.write(exdate)}")
    for offset in draw(st.lists(st.integers(1, 400), max_size=2, unique=True)):
        extra = wall + timedelta(days=offset)
        if "/" in form.kind and draw(st.booleans()):
            master.append(f"RDATE;VALUE=PERIOD{form.params}:{form.write(extra)}/PT3H")
        else:
            master.append(f"RDATE{form.params}:{form.write(extra)}")
    text = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//t//EN", "BEGIN:VEVENT", *master, "END:VEVENT"]
    for instance in draw(some):
        moved = instance + timedelta(days=draw(st.integers(-40, 40)))
        if form.kind != "date":
            moved += timedelta(minutes=draw(st.integers(-600, 600)))
        future = ";RANGE=THISANDFUTURE" if draw(st.integers(0, 4)) == 0 else ""
        text += ["BEGIN:VEVENT", "UID:x", "SEQUENCE:1"]
        text += [f"RECURRENCE-ID{future}{form.params}:{form.write(instance)}"]
        text += [*times(draw, form, moved), "END:VEVENT"]
    return "\r\n".join([*text, "END:VCALENDAR", ""])


def epoch(value: date, zone: ZoneInfo = READER) -> int:
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    return int((value if value.tzinfo else value.replace(tzinfo=zone)).timestamp())


def brute_force(text: str, start: int, end: int, zone: ZoneInfo = READER) -> list[tuple[int, int, bool]]:
    """What recurring-ical-events finds around the window; cut to the window by instants, since Python
    compares times of the same zone by their wall clock."""
    margin = timedelta(days=3)
    low = datetime.fromtimestamp(start, zone) - margin
    high = datetime.fromtimestamp(end, zone) + margin
    found = []
    for event in recurring_ical_events.of(Calendar.from_ical(text)).between(low, high):
        begins, ends = event["DTSTART"].dt, event["DTEND"].dt
        first, after = epoch(begins, zone), epoch(ends, zone)
        # an hour that daylight saving takes away can leave less than nothing
        after = max(first, after)
        if start <= first < end if first == after else first < end and start < after:
            found.append((first, after, not isinstance(begins, datetime)))
    return sorted(found)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    objects(),
    st.datetimes(datetime(2023, 12, 1), datetime(2026, 6, 1)),
    st.sampled_from([1, 31, 400, 1000]),
)
def test_occurrences_are_those_of_brute_force(text: str, begin: datetime, days: float) -> None:
    start = int(begin.replace(tzinfo=UTC, microsecond=0).timestamp())
    end = start + int(days * 86400)
    spans = occurrences(text, start, end, READER)
    assert sorted((span.starts, span.ends, span.all_day) for span in spans) == brute_force(text, start, end)
    first, last, recurring = enclosing(text, READER)
    assert all(first is not None and first <= span.starts for span in spans)
    assert all(last is None or span.ends <= last for span in spans)
    assert recurring == any(word in text for word in ("RRULE", "RDATE", "RECURRENCE-ID"))
