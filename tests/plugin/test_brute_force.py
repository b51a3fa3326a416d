"""Queries by time, expansion and free-busy of generated calendars say what a brute-force expansion says: over
overrides moved in and out, RDATE and EXDATE, and all-day and floating events in the calendar's own zone."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ical.test_occurrences_property import brute_force, objects
from tests.plugin.conftest import Prepared, Studio, opened

HOME = "/anna@studio.example/"
NS = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
ZONES = ("Europe/Berlin", "America/New_York", "Pacific/Auckland")
_numbers = itertools.count()


@pytest.fixture(scope="module")
def studio(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with opened(prepared, tmp_path_factory.mktemp("brute-force")) as studio:
        yield studio


def calendar_in(studio: Studio, zone: str, texts: list[str]) -> str:
    """A new calendar with these objects; its dates and floating times are the zone's."""
    path = f"{HOME}{next(_numbers)}/"
    named = f"<C:calendar-timezone-id>{zone}</C:calendar-timezone-id>"
    body = f"<C:mkcalendar {NS}><D:set><D:prop>{named}</D:prop></D:set></C:mkcalendar>"
    assert studio.anna("MKCALENDAR", path, body).status == 201
    for number, text in enumerate(texts):
        stored = studio.anna.put(f"{path}{number}.ics", text.replace("UID:x", f"UID:{number}"))
        assert stored.status == 201, stored.body
    return path


def busy(text: str) -> list[tuple[int, int]]:
    periods = re.findall(r"(?m)^FREEBUSY;FBTYPE=BUSY:(\w+)/(\w+)", text)
    return [tuple(_seconds(at) for at in period) for period in periods]  # type: ignore[misc]


def _seconds(at: str) -> int:
    return int(datetime.strptime(at, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp())


def together(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Minute by minute, as nobody would do it."""
    minutes = sorted({minute for first, after in spans for minute in range(first // 60, after // 60)})
    runs = [list(run) for _, run in itertools.groupby(enumerate(minutes), lambda pair: pair[1] - pair[0])]
    return [(run[0][1] * 60, run[-1][1] * 60 + 60) for run in runs]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(objects(), min_size=1, max_size=4),
    st.sampled_from(ZONES),
    st.datetimes(datetime(2023, 12, 1), datetime(2026, 6, 1)),
    st.sampled_from([1, 7, 31]),
)
def test_a_window_holds_what_brute_force_finds_in_it(
    studio: Studio, texts: list[str], zone: str, begin: datetime, days: int
) -> None:
    begin = begin.replace(second=0, microsecond=0, tzinfo=UTC)
    start, end = int(begin.timestamp()), int(begin.timestamp()) + days * 86_400
    window = f'start="{begin:%Y%m%dT%H%M%SZ}" end="{begin + timedelta(days=days):%Y%m%dT%H%M%SZ}"'
    path = calendar_in(studio, zone, texts)

    spans = [brute_force(text, start, end, ZoneInfo(zone)) for text in texts]

    rule = f"<C:time-range {window}/>"
    found = studio.anna.query(path, rule, f"<C:calendar-data><C:expand {window}/></C:calendar-data>").texts()
    assert {name: text.count("BEGIN:VEVENT") for name, text in found.items()} == {
        f"{number}.ics": len(dates) for number, dates in enumerate(spans) if dates
    }

    answer = studio.anna(
        "REPORT", path, f"<C:free-busy-query {NS}><C:time-range {window}/></C:free-busy-query>"
    )
    taken = [(max(first, start), min(after, end)) for dates in spans for first, after, _ in dates]
    assert busy(answer.body.decode()) == together(taken)
