"""What people say of a time that changed."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bridge.ical.fields import Reading
from bridge.web.moved import moved
from tests.store.studio import event

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def said(before: tuple[str, ...], after: tuple[str, ...]) -> str | None:
    old, new = (Reading(event("s", "Shoot", *how)) for how in (before, after))
    return moved(old, new, NOW, BERLIN)


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ((":20260511T080000Z",), (":20260511T090000Z",), "from 11 May, 10:00–11:00 to 11:00–12:00"),
        ((":20260511T080000Z",), (":20260512T080000Z",), "from 11 May, 10:00–11:00 to 12 May, 10:00–11:00"),
        (
            (":20260511T080000Z",),
            (":20270511T080000Z", "DURATION:PT90M"),
            "from 11 May, 10:00–11:00 to 11 May 2027, 10:00–11:30",
        ),
        ((":20260511T080000Z", "DURATION:PT0S"), (":20260511T090000Z",), "from 11 May, 10:00 to 11:00–12:00"),
        ((";VALUE=DATE:20260511",), (";VALUE=DATE:20260512",), "from 11 May to 12 May"),
        (
            (";VALUE=DATE:20260511",),
            (";VALUE=DATE:20260511", "DTEND;VALUE=DATE:20260514"),
            "from 11 May to 11 May – 13 May",
        ),
        ((";VALUE=DATE:20260511",), (":20260511T080000Z",), "from 11 May to 11 May, 10:00–11:00"),
        (
            (":20260511T200000Z",),
            (":20260511T213000Z",),
            "from 11 May, 22:00–23:00 to 11 May, 23:30 – 12 May, 00:30",
        ),
        ((":20260511T210000Z",), (":20260511T200000Z",), "from 11 May, 23:00–00:00 to 22:00–23:00"),
    ],
)
def test_the_reader_s_clock_and_the_day_once(
    before: tuple[str, ...], after: tuple[str, ...], sentence: str
) -> None:
    assert said(before, after) == sentence


def test_of_a_series_it_is_not_said_by_two_times() -> None:
    assert said((":20260511T080000Z",), (":20260511T090000Z", "RRULE:FREQ=DAILY")) is None
