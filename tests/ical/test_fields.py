"""Field groups: spelling is no change, meaning is, and each change falls into its group."""

from __future__ import annotations

import pytest

from bridge.ical.fields import changed, fingerprint, groups
from bridge.ical.text import parse
from tests.ical import situations
from tests.ical.situations import NAMES, rewritten_by_a_server, situation, with_block, with_line, without

BERLIN = "DTSTART;TZID=Europe/Berlin:20240720T110000"


def event(*lines: str, zones: str = "") -> str:
    body = "".join(line + "\r\n" for line in lines)
    return (
        f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{zones}BEGIN:VEVENT\r\nUID:1\r\n{body}"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    )


def zone(tzid: str, *lines: str) -> str:
    body = "".join(line + "\r\n" for line in lines)
    return f"BEGIN:VTIMEZONE\r\nTZID:{tzid}\r\n{body}END:VTIMEZONE\r\n"


INDIA = (
    "BEGIN:STANDARD",
    "DTSTART:19700101T000000",
    "TZOFFSETFROM:+0530",
    "TZOFFSETTO:+0530",
    "END:STANDARD",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_servers_rewriting_is_no_change(name: str) -> None:
    text = situation(name)
    again = rewritten_by_a_server(text)
    assert again != text
    assert changed(text, again) == frozenset()
    assert fingerprint(text) == fingerprint(again)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([BERLIN, "DTEND;TZID=Europe/Berlin:20240720T130000"], [BERLIN, "DURATION:PT2H"]),
        ([BERLIN, "DURATION:PT120M"], [BERLIN, "DURATION:PT2H0M0S"]),
        ([BERLIN], [BERLIN, "DTEND;TZID=Europe/Berlin:20240720T110000"]),
        ([BERLIN], ["DTSTART;TZID=W. Europe Standard Time:20240720T110000"]),
        ([BERLIN], ["DTSTART;TZID=/mozilla.org/20050126_1/Europe/Berlin:20240720T110000"]),
        ([BERLIN], ["DTSTART;X-VOBJ-ORIGINAL-TZID=x;VALUE=DATE-TIME;TZID=Europe/Berlin:20240720T110000"]),
        (["DTSTART:20240720T110000Z"], ["DTSTART;TZID=UTC:20240720T110000"]),
        (["DTSTART;VALUE=DATE:20240720"], ["DTSTART;VALUE=DATE:20240720", "DTEND;VALUE=DATE:20240721"]),
        (["DTSTART;VALUE=DATE:20240720", "DURATION:P1W"], ["DTSTART;VALUE=DATE:20240720", "DTEND:20240727"]),
        # 24 hours over the end of summer time are a day and no hour less: 26 to 27 October has 25
        (
            ["DTSTART;TZID=Europe/Berlin:20241026T120000", "DURATION:PT24H"],
            ["DTSTART;TZID=Europe/Berlin:20241026T120000", "DTEND;TZID=Europe/Berlin:20241027T110000"],
        ),
        (
            ["DTSTART;TZID=Europe/Berlin:20241026T120000", "DURATION:P1D"],
            ["DTSTART;TZID=Europe/Berlin:20241026T120000", "DTEND;TZID=Europe/Berlin:20241027T120000"],
        ),
        (["RRULE:FREQ=WEEKLY;BYDAY=MO,TU"], ["RRULE:byday=TU,MO;INTERVAL=1;FREQ=WEEKLY;WKST=MO"]),
        (
            ["EXDATE;TZID=Europe/Berlin:20240520T180000,20240527T180000"],
            ["EXDATE:20240527T160000Z", "EXDATE;TZID=Europe/Berlin:20240520T180000"],
        ),
        (
            ["RDATE;VALUE=PERIOD:20240508T180000Z/PT2H"],
            ["RDATE;VALUE=PERIOD:20240508T180000Z/20240508T200000Z"],
        ),
        ([r"SUMMARY:a\, b\; c\nd"], [r"summary;language=en:a, b; c\Nd"]),
        (["DESCRIPTION:", "LOCATION:"], []),
        (["STATUS:CONFIRMED", "TRANSP:opaque", "CLASS:PUBLIC", "PRIORITY:0"], []),
        (["CATEGORIES:a,b"], ["CATEGORIES:b", "CATEGORIES:a"]),
        (["ATTENDEE;RSVP=FALSE;CN=A;SCHEDULE-STATUS=2.0:MAILTO:a@b.c"], ['ATTENDEE;cn="A":mailto:A@b.c']),
        (["GEO:52.5;13.40"], ["GEO:52.500000;13.4"]),
        (["X-ALT-DESC;FMTTYPE=text/html:a, b; c"], [r"X-ALT-DESC;FMTTYPE=text/html:a\, b\; c"]),
        (
            ["X-MOZ-GENERATION:1", "X-MOZ-SNOOZE-TIME-1715000000:x", "X-PICSELLO-BRIDGE:a;b"],
            ["X-LIC-ERROR:y"],
        ),
    ],
)
def test_two_spellings_of_the_same(one: list[str], other: list[str]) -> None:
    assert groups(event(*one)) == groups(event(*other))
    assert fingerprint(event(*one)) == fingerprint(event(*other))


@pytest.mark.parametrize(
    ("one", "other", "group"),
    [
        ([BERLIN], ["DTSTART;TZID=Europe/London:20240720T110000"], "when"),
        ([BERLIN], ["DTSTART:20240720T090000Z"], "when"),  # the wall time and the zone are what was meant
        ([BERLIN], ["DTSTART:20240720T110000"], "when"),
        ([BERLIN], ["DTSTART;VALUE=DATE:20240720"], "when"),
        (["RRULE:FREQ=DAILY"], ["RRULE:FREQ=DAILY;COUNT=3"], "when"),
        (["EXDATE:20240520T180000Z"], [], "when"),
        (["SUMMARY:a"], ["SUMMARY:A"], "title"),
        (["LOCATION:a"], ["LOCATION:a "], "place"),
        (["X-APPLE-STRUCTURED-LOCATION:geo:1,2"], ["X-APPLE-STRUCTURED-LOCATION:geo:1,3"], "place"),
        (["DESCRIPTION:a"], [], "notes"),
        (["X-ALT-DESC:a,b"], ["X-ALT-DESC:a"], "notes"),
        (["STATUS:TENTATIVE"], [], "status"),
        (["TRANSP:TRANSPARENT"], ["TRANSP:OPAQUE"], "busy"),
        (["ATTENDEE;PARTSTAT=ACCEPTED:mailto:a"], ["ATTENDEE;PARTSTAT=DECLINED:mailto:a"], "guests"),
        (["ORGANIZER:mailto:a"], ["ORGANIZER:mailto:b"], "guests"),
        (["CATEGORIES:a"], [r"CATEGORIES:a\,b"], "x:CATEGORIES"),
        (["item1.X-A:1"], ["item2.X-A:1"], "x:X-A"),
        (["X-A;P=1:1"], ["X-A;P=2:1"], "x:X-A"),
        (["ATTACH:https://a/b"], ["ATTACH:https://a/B"], "x:ATTACH"),
        (["BEGIN:PARTICIPANT", "UID:1", "END:PARTICIPANT"], [], "x:PARTICIPANT"),
    ],
)
def test_a_difference_in_meaning_falls_into_its_group(one: list[str], other: list[str], group: str) -> None:
    assert changed(event(*one), event(*other)) == {(None, group)}
    assert fingerprint(event(*one)) != fingerprint(event(*other))


def alarm(*lines: str) -> str:
    return event("BEGIN:VALARM", "ACTION:DISPLAY", *lines, "END:VALARM")


def test_what_a_device_notes_in_a_reminder_is_no_change() -> None:
    plain = alarm("TRIGGER:-PT15M")
    for noted in (
        "ACKNOWLEDGED:20240101T000000Z",
        "X-WR-ALARMUID:1",
        "UID:2",
        "X-MOZ-LASTACK:20240101T000000Z",
    ):
        assert changed(plain, alarm("TRIGGER;RELATED=START:-PT900S", noted)) == frozenset()
    assert changed(plain, alarm("TRIGGER;RELATED=END:-PT15M")) == {(None, "alarms")}
    assert changed(plain, alarm("TRIGGER:-PT15M", "X-VENDOR-TONE:beep")) == {(None, "alarms")}
    assert changed(plain, event()) == {(None, "alarms")}


def test_a_snoozed_reminders_shadow_is_no_change() -> None:
    text = situation("snoozed-alarm-of-rfc-9074")
    blocks = text.split("BEGIN:VALARM")
    assert (
        changed(text, blocks[0] + "BEGIN:VALARM" + blocks[1] + "END:VEVENT\r\nEND:VCALENDAR\r\n")
        == frozenset()
    )


def test_the_order_of_reminders_does_not_matter_but_their_number_does() -> None:
    one = "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT5M\nEND:VALARM"
    two = "BEGIN:VALARM\nACTION:AUDIO\nTRIGGER:-PT9M\nEND:VALARM"
    assert groups(with_block(with_block(event(), one), two)) == groups(
        with_block(with_block(event(), two), one)
    )
    twice = with_block(with_block(event(), one), one)
    assert changed(with_block(event(), one), twice) == {(None, "alarms")}


def test_an_instance_is_the_same_in_utc_and_in_the_zone_of_its_series() -> None:
    utc = situation("override-named-in-utc")
    local = with_line(utc, "RECURRENCE-ID;TZID=Europe/Berlin:20240513T180000", part=1)
    assert changed(utc, local) == frozenset()
    assert ("20240513T160000Z", "title") in groups(local)


def test_an_override_that_came_or_went_counts_as_one_change() -> None:
    series = situation("series-with-override-and-exdates-on-one-line")
    key = ("20240513T160000Z", "component")
    assert changed(series, situations.without_part(series, 1)) == {key}
    assert changed(situations.without_part(series, 1), series) == {key}


def test_a_change_within_an_override_names_the_instance() -> None:
    series = situation("series-with-override-and-exdates-on-one-line")
    assert changed(series, with_line(series, "SUMMARY:Other", part=1)) == {("20240513T160000Z", "title")}
    assert changed(series, with_line(series, "SUMMARY:Other", part=0)) == {(None, "title")}


def test_an_instance_and_all_from_it_on_are_two_things() -> None:
    onwards = situation("this-and-future-override")
    alone = with_line(onwards, "RECURRENCE-ID:20240601T180000Z", part=1)
    assert {key[1] for key in changed(onwards, alone)} == {"component"}


def test_one_name_with_two_definitions_is_two_zones() -> None:
    start = "DTSTART;TZID=Studio:20240720T110000"
    india = event(start, zones=zone("Studio", *INDIA))
    named_otherwise = event(start.replace("Studio", "Other"), zones=zone("Other", *INDIA))
    pacific = event(start, zones=zone("Studio", *(line.replace("+0530", "-0800") for line in INDIA)))
    assert groups(india) == groups(named_otherwise)
    assert changed(india, pacific) == {(None, "when")}


def test_an_override_in_a_custom_zone_is_known_by_its_instant() -> None:
    override = ("RECURRENCE-ID;TZID=Studio:20240720T110000", "DTSTART:20240720T060000Z")
    assert ("20240720T053000Z", "when") in groups(event(*override, zones=zone("Studio", *INDIA)))


def test_the_calendars_own_properties_are_not_compared() -> None:
    assert changed(event(), event().replace("VERSION:2.0", "PRODID:x\r\nX-WR-CALNAME:y")) == frozenset()


def test_two_masters_in_one_text_are_told_apart() -> None:
    text = event("SUMMARY:a")
    twice = text.replace("END:VCALENDAR", "BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:b\r\nEND:VEVENT\r\nEND:VCALENDAR")
    assert {key: value for key, value in groups(twice).items() if key[1] == "title"} == {
        (None, "title"): (("SUMMARY", (), "a"),),
        ("#2", "title"): (("SUMMARY", (), "b"),),
    }


def test_unreadable_values_are_compared_as_they_stand() -> None:
    bad = ["DTSTART:tomorrow", "DURATION:long", "RRULE:often", "EXDATE:never,20241399", "GEO:here"]
    assert changed(event(*bad), event(*bad)) == frozenset()
    assert changed(event(*bad), event("DTSTART:today", *bad[1:])) == {(None, "when")}


@pytest.mark.parametrize("name", NAMES)
def test_removing_any_property_is_seen_in_its_group_alone(name: str) -> None:
    text = situation(name)
    parts = [part for part in parse(text).components() if part.name != "VTIMEZONE"]
    for line in list(parts[0].lines()):
        if not line.name or line.name in ("UID", "RECURRENCE-ID"):
            continue
        seen = {group for instance, group in changed(text, without(text, line.name))}
        assert len(seen) <= 1, line


def test_a_parsed_component_may_be_given_instead_of_a_text() -> None:
    text = situation("utc-times")
    assert fingerprint(parse(text)) == fingerprint(text)
