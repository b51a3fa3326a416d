"""Which time an object takes, where asking for every occurrence would take for ever."""

from __future__ import annotations

import time
from zoneinfo import ZoneInfo

from bridge.ical.busy import Taken, taken

YEAR = 1767225600  # 2026-01-01T00:00Z

EVERY_SECOND = "\r\n".join(
    [
        "BEGIN:VCALENDAR",
        "BEGIN:VEVENT",
        "UID:second",
        "DTSTART:20260101T000000Z",
        "DURATION:PT1S",
        "RRULE:FREQ=SECONDLY",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
)


def test_a_series_of_every_second_fills_a_year_within_bounds() -> None:
    end = YEAR + 366 * 86400
    started = time.process_time()
    found = taken(EVERY_SECOND, YEAR, end, ZoneInfo("UTC"), set())
    assert time.process_time() - started < 60
    assert found == [Taken(YEAR, end, tentative=False, component=0)]
