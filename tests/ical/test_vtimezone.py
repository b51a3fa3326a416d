"""VTIMEZONE: what we write is read back right by independent readers, and what others write is read right."""

import io
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from dateutil.tz import tzical
from icalendar import Timezone

from bridge.ical.vtimezone import read_vtimezone, vtimezone

FIRST, LAST = date(2020, 1, 1), date(2037, 12, 31)
ZONES = sorted(
    name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "right/"))
)
#: Zones with something special: Ramadan, half-hour saving, negative saving, changes of law, date-line jumps.
SPECIAL = [
    "Africa/Casablanca", "Australia/Lord_Howe", "Europe/Dublin", "America/Scoresbysund", "Asia/Gaza",
    "Asia/Tehran", "America/Mexico_City", "America/Godthab", "Africa/Cairo", "Asia/Almaty",
    "America/Sao_Paulo", "Pacific/Easter", "Asia/Amman", "Africa/Juba", "Pacific/Fiji", "Antarctica/Troll",
    "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "America/Asuncion", "Asia/Beirut", "Pacific/Apia",
]  # fmt: skip


def instants(zone: str) -> list[datetime]:
    """Every change of offset in the years, a second before and after, and the middle of each month."""
    info = ZoneInfo(zone)
    times = [
        datetime(year, month, 15, 12, tzinfo=UTC) for year in range(2020, 2038) for month in range(1, 13)
    ]
    at = datetime(2020, 1, 1, tzinfo=UTC)
    while at.year < 2038:
        after = at + timedelta(days=1)
        if at.astimezone(info).utcoffset() != after.astimezone(info).utcoffset():
            low, high = at, after
            while high - low > timedelta(seconds=1):
                middle = (low + (high - low) // 2).replace(microsecond=0)
                if middle.astimezone(info).utcoffset() == low.astimezone(info).utcoffset():
                    low = middle
                else:
                    high = middle
            times += [low - timedelta(hours=3), low, high, high + timedelta(hours=3)]
        at = after
    return times


@pytest.mark.parametrize("zone", sorted({*ZONES[::9], *SPECIAL}))
def test_what_we_write_reads_back_right(zone: str) -> None:
    text = vtimezone(zone, FIRST, LAST)
    info, ours = ZoneInfo(zone), read_vtimezone(text)
    for time in instants(zone):
        assert time.astimezone(ours).utcoffset() == time.astimezone(info).utcoffset(), time
        wall = time.astimezone(info).replace(tzinfo=None)
        for fold in (0, 1):
            local = wall.replace(fold=fold)
            assert ours.utcoffset(local) == info.utcoffset(local), (local, fold)


@pytest.mark.parametrize("zone", SPECIAL)
def test_independent_readers_agree(zone: str) -> None:
    text = vtimezone(zone, FIRST, LAST)
    info = ZoneInfo(zone)
    theirs = tzical(io.StringIO(text)).get()
    other = Timezone.from_ical(text).to_tz(lookup_tzid=False)
    ambiguous = timedelta(hours=3)
    changes = [time for time in instants(zone) if time.day != 15 or time.hour != 12]
    for time in instants(zone):
        if any(timedelta(0) < abs(time - change) < ambiguous for change in changes):
            continue  # within the overlap itself these readers know no fold
        wall = time.astimezone(info).replace(tzinfo=None)
        assert wall.replace(tzinfo=theirs).utcoffset() == info.utcoffset(wall), wall
        assert wall.replace(tzinfo=other).utcoffset() == info.utcoffset(wall), wall


def test_a_regular_zone_is_two_rules_without_end() -> None:
    for zone in (
        "Europe/Berlin",
        "America/New_York",
        "Australia/Sydney",
        "America/Santiago",
        "Asia/Jerusalem",
    ):
        text = vtimezone(zone, date(2026, 1, 1), date(2026, 12, 31))
        assert text.count("RRULE:") == 2, zone
        assert "UNTIL" not in text
        assert "RDATE" not in text
        assert text.count("BEGIN:") == 3


def test_a_zone_without_changes_is_one_offset() -> None:
    text = vtimezone("Asia/Kathmandu", FIRST, LAST)
    assert text.count("BEGIN:") == 2
    assert "TZOFFSETTO:+0545" in text
    assert all(len(line) <= 75 for line in text.split("\r\n"))


def read(body: str) -> object:
    return read_vtimezone("".join(f"{line.strip()}\r\n" for line in body.strip().splitlines()))


OUTLOOK = """BEGIN:VTIMEZONE
    TZID:Customized Time Zone
    BEGIN:STANDARD
    DTSTART:16010101T030000
    TZOFFSETFROM:+0200
    TZOFFSETTO:+0100
    RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
    END:STANDARD
    BEGIN:DAYLIGHT
    DTSTART:16010101T020000
    TZOFFSETFROM:+0100
    TZOFFSETTO:+0200
    RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
    END:DAYLIGHT
    END:VTIMEZONE"""


def test_outlooks_definition_from_1601_is_central_european_time() -> None:
    zone, berlin = (
        read_vtimezone("\r\n".join(OUTLOOK.split("\n")).replace("    ", "") + "\r\n"),
        ZoneInfo("Europe/Berlin"),
    )
    for time in instants("Europe/Berlin"):
        assert time.astimezone(zone).replace(tzinfo=None) == time.astimezone(berlin).replace(tzinfo=None)
        assert time.astimezone(zone).fold == time.astimezone(berlin).fold
        assert time.astimezone(zone).astimezone(UTC) == time


def test_a_hostile_definition_is_read_in_bounds() -> None:
    zone = read_vtimezone(
        "BEGIN:VTIMEZONE\r\nTZID:x\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0000\r\n"
        "TZOFFSETTO:+0100\r\nRRULE:FREQ=SECONDLY\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
    )
    assert zone.utcoffset(datetime(2024, 1, 1)) == timedelta(hours=1)
