"""When an object happens, told case by case; what is generated is in test_occurrences_property."""

from datetime import UTC, datetime
from time import process_time
from zoneinfo import ZoneInfo

import pytest

from bridge.errors import Invalid
from bridge.ical.occurrences import MOST, Span, enclosing, occurrences

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")


def calendar(*events: str, before: str = "") -> str:
    blocks = "".join(f"BEGIN:VEVENT\r\nUID:x\r\n{_crlf(event)}END:VEVENT\r\n" for event in events)
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{_crlf(before)}{blocks}END:VCALENDAR\r\n"


def _crlf(text: str) -> str:
    return "".join(f"{line.strip()}\r\n" for line in text.strip().splitlines())


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    return int(datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp())


YEAR = (at(2024, 1, 1), at(2025, 1, 1))


def starts(text: str, zone: ZoneInfo = BERLIN, window: tuple[int, int] = YEAR) -> list[int]:
    return [span.starts for span in occurrences(text, *window, zone)]


def test_a_plain_event_is_itself() -> None:
    text = calendar("DTSTART;TZID=Europe/Berlin:20240501T100000\nDTEND;TZID=Europe/Berlin:20240501T120000")
    assert occurrences(text, *YEAR, BERLIN) == [Span(at(2024, 5, 1, 8), at(2024, 5, 1, 10))]
    assert enclosing(text, BERLIN) == (at(2024, 5, 1, 8), at(2024, 5, 1, 10), False)


def test_the_window_takes_in_what_overlaps_it_and_not_what_touches_it() -> None:
    text = calendar("DTSTART:20240501T100000Z\nDTEND:20240501T120000Z")
    ten, twelve = at(2024, 5, 1, 10), at(2024, 5, 1, 12)
    assert occurrences(text, ten - 60, ten, BERLIN) == []
    assert occurrences(text, twelve, twelve + 60, BERLIN) == []
    assert len(occurrences(text, ten + 600, ten + 601, BERLIN)) == 1


def test_an_event_of_no_length_counts_where_it_begins() -> None:
    text = calendar("DTSTART:20240501T100000Z")
    ten = at(2024, 5, 1, 10)
    assert starts(text, window=(ten, ten + 1)) == [ten]
    assert starts(text, window=(ten - 60, ten)) == []


def test_an_all_day_event_is_a_day_of_the_reader() -> None:
    text = calendar("DTSTART;VALUE=DATE:20240501")
    assert occurrences(text, *YEAR, BERLIN) == [
        Span(at(2024, 4, 30, 22), at(2024, 5, 1, 22), None, all_day=True)
    ]
    assert occurrences(text, *YEAR, NEW_YORK) == [
        Span(at(2024, 5, 1, 4), at(2024, 5, 2, 4), None, all_day=True)
    ]


def test_the_day_the_clocks_change_has_23_or_25_hours() -> None:
    text = calendar(
        "DTSTART;VALUE=DATE:20240331", "DTSTART;VALUE=DATE:20241027\nRECURRENCE-ID;VALUE=DATE:20241027"
    )
    assert [span.ends - span.starts for span in occurrences(text, *YEAR, BERLIN)] == [23 * 3600, 25 * 3600]


def test_a_floating_time_is_the_readers() -> None:
    text = calendar("DTSTART:20240501T100000\nDURATION:PT1H")
    assert starts(text, BERLIN) == [at(2024, 5, 1, 8)]
    assert starts(text, NEW_YORK) == [at(2024, 5, 1, 14)]


def test_a_series_keeps_its_wall_time_when_the_clocks_change() -> None:
    text = calendar("DTSTART;TZID=Europe/Berlin:20240325T100000\nRRULE:FREQ=WEEKLY;COUNT=2")
    assert starts(text) == [at(2024, 3, 25, 9), at(2024, 4, 1, 8)]


def test_times_that_do_not_exist_or_exist_twice_are_read_as_the_rfc_says() -> None:
    # RFC 5545 3.3.5: in the gap with the offset before it, in the overlap the first
    text = calendar("DTSTART;TZID=Europe/Berlin:20240330T023000\nRRULE:FREQ=DAILY;COUNT=3")
    assert starts(text) == [at(2024, 3, 30, 1, 30), at(2024, 3, 31, 1, 30), at(2024, 4, 1, 0, 30)]
    text = calendar("DTSTART;TZID=Europe/Berlin:20241027T023000")
    assert starts(text) == [at(2024, 10, 27, 0, 30)]


WEEKLY = "DTSTART;TZID=Europe/Berlin:20240501T100000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=3"


def test_an_override_moved_into_and_one_moved_out_of_the_window() -> None:
    text = calendar(
        WEEKLY,
        "RECURRENCE-ID;TZID=Europe/Berlin:20240508T100000\nDTSTART;TZID=Europe/Berlin:20240620T100000\nDURATION:PT2H",
    )
    may, june = (at(2024, 5, 1), at(2024, 6, 1)), (at(2024, 6, 1), at(2024, 7, 1))
    assert [span.recurrence_id for span in occurrences(text, *may, BERLIN)] == [
        "20240501T080000Z",
        "20240515T080000Z",
    ]
    assert occurrences(text, *june, BERLIN) == [
        Span(at(2024, 6, 20, 8), at(2024, 6, 20, 10), "20240508T080000Z", component=1)
    ]
    assert enclosing(text, BERLIN) == (at(2024, 5, 1, 8), at(2024, 6, 20, 10), True)


def test_an_override_may_name_its_instance_in_utc_or_without_zone() -> None:
    for instance in ("RECURRENCE-ID:20240508T080000Z", "RECURRENCE-ID:20240508T100000"):
        text = calendar(WEEKLY, f"{instance}\nDTSTART:20240509T080000Z")
        assert starts(text, NEW_YORK) == [at(2024, 5, 1, 8), at(2024, 5, 9, 8), at(2024, 5, 15, 8)]


def test_an_override_for_this_and_all_that_follow_shifts_them() -> None:
    text = calendar(
        WEEKLY,
        "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20240508T100000\n"
        "DTSTART;TZID=Europe/Berlin:20240508T130000\nDURATION:PT3H",
    )
    hours = [(span.starts, span.ends - span.starts) for span in occurrences(text, *YEAR, BERLIN)]
    assert hours == [(at(2024, 5, 1, 8), 3600), (at(2024, 5, 8, 11), 10800), (at(2024, 5, 15, 11), 10800)]


def test_exceptions_in_utc_in_another_zone_and_by_date() -> None:
    for exception in (
        "EXDATE:20240508T080000Z",
        "EXDATE;TZID=America/New_York:20240508T040000",
        "EXDATE;VALUE=DATE:20240508",
        "EXDATE;TZID=Europe/Berlin:20240101T000000,20240508T100000",
    ):
        assert starts(calendar(f"{WEEKLY}\n{exception}")) == [at(2024, 5, 1, 8), at(2024, 5, 15, 8)]


def test_an_all_day_series_with_exceptions_written_as_times() -> None:
    text = calendar("DTSTART;VALUE=DATE:20240501\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE:20240502T000000")
    assert [span.recurrence_id for span in occurrences(text, *YEAR, BERLIN)] == ["20240501", "20240503"]


def test_additional_dates_may_bring_their_own_length() -> None:
    text = calendar(
        "DTSTART:20240501T100000Z\nDURATION:PT1H\n"
        "RDATE;VALUE=PERIOD:20240601T100000Z/PT3H,20240602T100000Z/20240602T120000Z\nRDATE:20240603T100000Z"
    )
    lengths = [span.ends - span.starts for span in occurrences(text, *YEAR, BERLIN)]
    assert lengths == [3600, 10800, 7200, 3600]


def test_until_includes_the_instance_at_that_moment() -> None:
    head = "DTSTART;TZID=America/New_York:20240501T200000\nRRULE:FREQ=DAILY;UNTIL="
    assert len(starts(calendar(head + "20240504T000000Z"))) == 3
    assert len(starts(calendar(head + "20240503T235959Z"))) == 2
    assert len(starts(calendar("DTSTART;VALUE=DATE:20240501\nRRULE:FREQ=DAILY;UNTIL=20240503"))) == 3
    assert len(starts(calendar("DTSTART;VALUE=DATE:20240501\nRRULE:FREQ=DAILY;UNTIL=20240503T215959Z"))) == 3


def test_a_series_without_end_encloses_all_that_is_to_come() -> None:
    text = calendar("DTSTART:20240501T100000Z\nRRULE:FREQ=WEEKLY")
    assert enclosing(text, BERLIN) == (at(2024, 5, 1, 10), None, True)


def test_a_series_with_an_end_encloses_its_last_occurrence_exactly() -> None:
    text = calendar(
        "DTSTART:20240501T100000Z\nDURATION:PT1H\nRRULE:FREQ=YEARLY;INTERVAL=7;UNTIL=20491231T000000Z"
    )
    assert enclosing(text, BERLIN) == (at(2024, 5, 1, 10), at(2045, 5, 1, 11), True)


def test_a_dense_series_that_begins_in_the_gap_encloses_what_the_clock_puts_before_its_start() -> None:
    # 02:30 does not exist and means 03:30; the instances of 03:00 to 03:30 come before it
    head = "DTSTART;TZID=Europe/Berlin:20240331T023000\nRRULE:FREQ=MINUTELY"
    for rule in ("", ";COUNT=45", ";COUNT=3", ";UNTIL=20240331T010500Z"):
        text = calendar(head + rule)
        first, last, _ = enclosing(text, BERLIN)
        spans = occurrences(text, at(2024, 3, 31), at(2024, 3, 31, 6), BERLIN)
        assert first is not None
        assert first <= min(span.starts for span in spans)
        assert last is None or last >= max(span.ends for span in spans)


def test_two_objects_with_one_name_for_two_zones_never_mix() -> None:
    def text(offset: str) -> str:
        zone = (
            f"BEGIN:VTIMEZONE\nTZID:Office\nBEGIN:STANDARD\nDTSTART:19700101T000000\n"
            f"TZOFFSETFROM:{offset}\nTZOFFSETTO:{offset}\nEND:STANDARD\nEND:VTIMEZONE"
        )
        return calendar("DTSTART;TZID=Office:20240501T100000", before=zone)

    assert starts(text("+0530")) == [at(2024, 5, 1, 4, 30)]
    assert starts(text("-0800")) == [at(2024, 5, 1, 18)]
    assert starts(text("+0530")) == [at(2024, 5, 1, 4, 30)]


def test_what_is_no_event_has_no_time() -> None:
    text = calendar("DTSTART:20240501T100000Z").replace("VEVENT", "VTODO")
    assert occurrences(text, *YEAR, BERLIN) == []
    assert enclosing(text, BERLIN) == (None, None, False)


def test_a_start_that_is_no_time_is_named() -> None:
    with pytest.raises(Invalid, match="20241332"):
        occurrences(calendar("DTSTART:20241332T100000Z"), *YEAR, BERLIN)


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=SECONDLY;COUNT=2000000000",
        "FREQ=SECONDLY;UNTIL=99991231T235959Z",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;UNTIL=99991231T235959Z",
        "FREQ=DAILY;INTERVAL=2000000000",
    ],
)
@pytest.mark.parametrize("length", ["PT1S", "P99999999W", "-PT5M"])
def test_a_billion_instances_are_answered_within_bounds(rule: str, length: str) -> None:
    text = calendar(f"DTSTART:19700101T000000Z\nDURATION:{length}\nRRULE:{rule}")
    began = process_time()
    assert len(occurrences(text, *YEAR, BERLIN)) <= MOST
    assert len(occurrences(text, -(10**15), 10**15, BERLIN)) <= MOST
    first, _, recurring = enclosing(text, BERLIN)
    assert first == 0
    assert recurring
    assert process_time() - began < 8
