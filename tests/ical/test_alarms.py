"""When alarms ring."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bridge.ical.alarms import rings
from bridge.ical.tasks import timed
from bridge.ical.text import parse

BERLIN = ZoneInfo("Europe/Berlin")


def with_alarm(
    *alarm: str, event: tuple[str, ...] = (), kind: str = "VEVENT", end: str = "DURATION:PT1H", day: int = 10
) -> str:
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"BEGIN:{kind}",
        "UID:a",
        f"DTSTART;TZID=Europe/Berlin:202606{day}T100000",
        end,
        *event,
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        *alarm,
        "END:VALARM",
        f"END:{kind}",
        "END:VCALENDAR",
        "",
    ]
    return "\r\n".join(lines)


def minutes(text: str, day: int = 10, part: int = 0) -> list[str]:
    """The minutes (in UTC) of a day in which the first alarm rings."""
    calendar = parse(text)
    alarm = next(timed(calendar)[part].components("VALARM"))
    midnight = int(datetime(2026, 6, day, tzinfo=UTC).timestamp())
    return [
        f"{minute // 60:02}:{minute % 60:02}"
        for minute in range(24 * 60)
        if rings(calendar, part, alarm, midnight + 60 * minute, midnight + 60 * minute + 60, BERLIN)
    ]


@pytest.mark.parametrize(
    ("alarm", "rung"),
    [
        (["TRIGGER:-PT15M"], ["07:45"]),
        (["TRIGGER;RELATED=END:PT5M"], ["09:05"]),
        (["TRIGGER;VALUE=DATE-TIME:20260610T063000Z"], ["06:30"]),
        (["TRIGGER:-PT15M", "REPEAT:2", "DURATION:PT5M"], ["07:45", "07:50", "07:55"]),
        (["TRIGGER:soon"], []),
        ([], []),
    ],
)
def test_an_alarm_rings_when_it_says(alarm: list[str], rung: list[str]) -> None:
    assert minutes(with_alarm(*alarm)) == rung


def test_an_alarm_of_a_series_rings_at_each_of_its_dates() -> None:
    text = with_alarm("TRIGGER:-P1D", event=("RRULE:FREQ=WEEKLY;COUNT=2",))
    assert [day for day in range(8, 20) if minutes(text, day)] == [9, 16]


def test_an_override_has_alarms_of_its_own() -> None:
    text = with_alarm("TRIGGER:-PT15M", event=("RRULE:FREQ=DAILY;COUNT=2",))
    instance = ("RECURRENCE-ID;TZID=Europe/Berlin:20260611T100000",)
    override = with_alarm("TRIGGER:-PT30M", event=instance, day=11)
    override = override[override.index("BEGIN:VEVENT") : override.index("END:VCALENDAR")]
    whole = text.replace("END:VCALENDAR", override + "END:VCALENDAR")
    assert (minutes(whole, 10), minutes(whole, 11)) == (["07:45"], [])
    assert (minutes(whole, 10, part=1), minutes(whole, 11, part=1)) == ([], ["07:30"])


def test_a_task_is_announced_before_it_is_due() -> None:
    due = "DUE;TZID=Europe/Berlin:20260610T180000"
    assert minutes(with_alarm("TRIGGER;RELATED=END:-PT10M", kind="VTODO", end=due)) == ["15:50"]
