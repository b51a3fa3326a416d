"""When tasks and journal entries take place: the rows of RFC 4791 9.9, and repetition."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bridge.ical.tasks import takes_place

BERLIN = ZoneInfo("Europe/Berlin")


def todo(*lines: str, kind: str = "VTODO") -> str:
    body = "".join(f"{line}\r\n" for line in (f"BEGIN:{kind}", "UID:t", *lines, f"END:{kind}"))
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{body}END:VCALENDAR\r\n"


def at(hour: float, day: int = 10) -> int:
    return int(datetime(2026, 6, day, tzinfo=UTC).timestamp() + hour * 3600)


START, DUE = "DTSTART:20260610T100000Z", "DUE:20260610T120000Z"
CREATED, COMPLETED = "CREATED:20260610T080000Z", "COMPLETED:20260610T090000Z"


@pytest.mark.parametrize(
    ("lines", "start", "end", "there"),
    [
        ([START, DUE], at(11), at(13), True),
        ([START, DUE], at(9), at(10), False),
        ([START, DUE], at(12), at(13), False),
        ([START, "DURATION:PT2H"], at(12), at(13), True),  # start <= DTSTART+DURATION
        ([START, "DURATION:PT2H"], at(12.1), at(13), False),
        ([START, "DURATION:PT2H"], at(9), at(10), False),
        ([START], at(10), at(11), True),
        ([START], at(9), at(10), False),
        ([START], at(10.1), at(11), False),
        ([DUE], at(11), at(12), True),  # end >= DUE
        ([DUE], at(12), at(13), False),  # start < DUE
        ([DUE], at(10), at(11), False),
        ([CREATED, COMPLETED], at(8.2), at(8.5), True),
        ([CREATED, COMPLETED], at(9.1), at(10), False),
        ([CREATED, COMPLETED], at(7), at(7.5), False),
        ([COMPLETED], at(9), at(10), True),
        ([COMPLETED], at(10), at(11), False),
        ([CREATED], at(7), at(8), False),
        ([CREATED], at(7), at(9), True),
        ([CREATED], at(7, 28), at(9, 29), True),
        ([], at(0), at(1), True),
        (["DTSTART:nonsense"], at(0), at(1), False),
    ],
)
def test_a_task_meets_a_stretch_of_time(lines: list[str], start: int, end: int, there: bool) -> None:
    assert takes_place(todo(*lines), start, end, BERLIN) is there


def test_a_task_on_a_day_is_the_readers_day() -> None:
    text = todo("DTSTART;VALUE=DATE:20260610", "DUE;VALUE=DATE:20260611")
    assert takes_place(text, at(-2), at(-1), BERLIN)  # Berlin's midnight is 22:00 in UTC
    assert not takes_place(text, at(22), at(23), BERLIN)
    assert takes_place(text, at(22), at(23), ZoneInfo("UTC"))


def test_a_task_that_repeats_takes_place_each_time_but_those_taken_out() -> None:
    text = todo(START, DUE, "RRULE:FREQ=DAILY;COUNT=5", "EXDATE:20260612T100000Z")
    days = [day for day in range(8, 18) if takes_place(text, at(9, day), at(13, day), BERLIN)]
    assert days == [10, 11, 13, 14]
    weekly = todo(DUE, "RRULE:FREQ=WEEKLY")
    assert takes_place(weekly, at(11, 17), at(13, 17), BERLIN)
    assert not takes_place(weekly, at(11, 18), at(13, 18), BERLIN)


@pytest.mark.parametrize(
    ("lines", "start", "end", "there"),
    [
        (["DTSTART:20260610T100000Z"], at(10), at(11), True),
        (["DTSTART:20260610T100000Z"], at(11), at(12), False),
        (["DTSTART;VALUE=DATE:20260610"], at(20), at(21), True),
        (["DTSTART;VALUE=DATE:20260610"], at(23), at(24), False),
        ([], at(0), at(24), False),
    ],
)
def test_an_entry_of_a_journal_is_on_its_day(lines: list[str], start: int, end: int, there: bool) -> None:
    assert takes_place(todo(*lines, kind="VJOURNAL"), start, end, BERLIN) is there
