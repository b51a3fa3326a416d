"""Which zone a TZID means, and local times as a person types them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bridge.errors import Invalid
from bridge.ical.zones import Zones, iana_name, parse_local, zone_named

FALLBACK = ZoneInfo("Asia/Tokyo")


def zones(*definitions: str) -> Zones:
    body = "".join(f"{line.strip()}\r\n" for text in definitions for line in text.strip().splitlines())
    return Zones(f"BEGIN:VCALENDAR\r\n{body}END:VCALENDAR\r\n", FALLBACK)


def definition(tzid: str, offset: str = "+0530") -> str:
    return f"""BEGIN:VTIMEZONE\nTZID:{tzid}\nBEGIN:STANDARD\nDTSTART:19700101T000000
        TZOFFSETFROM:{offset}\nTZOFFSETTO:{offset}\nEND:STANDARD\nEND:VTIMEZONE"""


NOON = datetime(2024, 7, 1, 12)


@pytest.mark.parametrize(
    ("tzid", "name"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ('"America/New_York"', "America/New_York"),
        ("America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("/mozilla.org/20050126_1/Europe/Berlin", "Europe/Berlin"),
        ("/freeassociation.sourceforge.net/Tzfile/America/Indiana/Knox", "America/Indiana/Knox"),
        ("/softwarestudio.org/Olson_20011030_5/America/Chicago", "America/Chicago"),
        ("/citadel.org/20210210_1/UTC", "UTC"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("Pacific Standard Time", "America/Los_Angeles"),
        ("tzone://Microsoft/Utc", "UTC"),
        ("../../etc/passwd", None),
        ("Custom", None),
        ("", None),
    ],
)
def test_names_that_tell_the_zone(tzid: str, name: str | None) -> None:
    assert iana_name(tzid) == name


def test_a_known_name_wins_over_the_definition_beside_it() -> None:
    assert zones(definition("Europe/Berlin")).get("Europe/Berlin") is ZoneInfo("Europe/Berlin")


def test_an_abbreviation_means_what_its_object_says_if_that_says_anything() -> None:
    assert zones(definition("EST")).get("EST").utcoffset(NOON) == timedelta(hours=5, minutes=30)
    assert zones().get("EST").utcoffset(NOON) == timedelta(hours=-5)


def test_leap_seconds_are_nobodys() -> None:
    assert iana_name("right/Europe/Berlin") == "Europe/Berlin"


def test_an_unknown_name_means_what_its_object_says() -> None:
    found = zones(definition("Customized Time Zone"))
    assert found.get("Customized Time Zone").utcoffset(NOON) == timedelta(hours=5, minutes=30)
    assert found.unknown == []


def test_a_definition_wins_over_the_name_without_its_suffix() -> None:
    assert zones(definition("Eastern Standard Time 1")).get("Eastern Standard Time 1").utcoffset(
        NOON
    ) == timedelta(hours=5, minutes=30)
    assert zones().get("Eastern Standard Time 1") is ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("tzid", "hours"),
    [
        ("(UTC+01:00) Europe/Berlin", 2),
        ("GMT+0200", 2),
        ("UTC-5", -5),
        ("(UTC-08:00) Somewhere", -8),
        ("UTC", 0),
    ],
)
def test_names_that_tell_an_offset(tzid: str, hours: int) -> None:
    offset = zones().get(tzid).utcoffset(NOON)
    assert offset == timedelta(hours=hours)


def test_a_name_that_nothing_resolves_is_reported_and_read_as_the_readers_zone() -> None:
    found = zones(definition("Broken", offset="nonsense"))
    assert found.get("Broken") is FALLBACK
    assert found.get("Atlantis") is FALLBACK
    assert found.get("Atlantis") is FALLBACK
    assert found.unknown == ["Broken", "Atlantis"]


def test_a_typed_time_is_in_the_zone() -> None:
    time = parse_local("2024-05-01T10:00", "Europe/Berlin")
    assert time.isoformat() == "2024-05-01T10:00:00+02:00"
    assert parse_local(" 2024-05-01 10:00:30 ", ZoneInfo("UTC")).isoformat() == "2024-05-01T10:00:30+00:00"


def test_a_typed_offset_is_honoured() -> None:
    assert parse_local("2024-05-01T10:00Z", "Europe/Berlin") == datetime(2024, 5, 1, 10, tzinfo=UTC)
    assert parse_local("2024-05-01T10:00-04:00", "Europe/Berlin").isoformat() == "2024-05-01T16:00:00+02:00"


def test_a_typed_time_in_the_gap_is_refused_and_the_next_one_named() -> None:
    with pytest.raises(Invalid, match=r"02:30 does not exist on 2024-03-31 in Europe/Berlin.*from 03:00 on"):
        parse_local("2024-03-31T02:30", "Europe/Berlin")
    with pytest.raises(Invalid, match="from 02:30 on"):  # Lord Howe moves by half an hour
        parse_local("2024-10-06T02:10", "Australia/Lord_Howe")


def test_a_day_that_a_zone_left_out_is_refused() -> None:
    with pytest.raises(Invalid, match="does not exist on 2011-12-30"):
        parse_local("2011-12-30T12:00", "Pacific/Apia")


def test_a_typed_time_that_occurs_twice_is_the_first() -> None:
    assert parse_local("2024-10-27T02:30", "Europe/Berlin").utcoffset() == timedelta(hours=2)


@pytest.mark.parametrize(
    "typed",
    ["", "tomorrow", "2024-05-01", "20240501", "2024-W18-3", "2024-02-30T10:00", "10:00", "2024-05-01T25:00"],
)
def test_nonsense_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(Invalid, match="Write it like"):
        parse_local(typed, "Europe/Berlin")


@pytest.mark.parametrize(
    ("typed", "zone"),
    [("9999-12-31T23:59", "America/Los_Angeles"), ("0001-01-01T00:00+14:00", "Pacific/Kiritimati")],
)
def test_the_ends_of_time_are_refused_in_words(typed: str, zone: str) -> None:
    with pytest.raises(Invalid, match="too far away"):
        parse_local(typed, zone)


def test_an_unknown_zone_is_named() -> None:
    with pytest.raises(Invalid, match=r"Mars/Phobos.*unknown"):
        zone_named("Mars/Phobos")
    with pytest.raises(Invalid, match="unknown"):
        parse_local("2024-05-01T10:00", "Nowhere")
