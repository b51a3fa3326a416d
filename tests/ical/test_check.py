"""What a client may PUT: what real clients send passes, what RFC 4791 4.1 forbids does not."""

from __future__ import annotations

import pytest

from bridge.errors import Invalid, TooLarge
from bridge.ical.check import check_resource
from tests.ical.situations import NAMES, situation, with_line, with_part, without, without_part

ALL = ("VEVENT", "VTODO", "VJOURNAL")
#: Kept when a provider has it, refused from a client, that can mend it: a line that is no property, and
#: messages (RFC 4791 4.1: no METHOD).
REFUSED = {
    "description-whose-author-forgot-to-fold",
    "published-event-with-a-method",
    "request-kept-with-its-method",
}
CALL = "utc-times"


@pytest.mark.parametrize("name", sorted(set(NAMES) - REFUSED))
def test_what_real_clients_send_passes(name: str) -> None:
    text = situation(name)
    assert check_resource(text, max_bytes=100_000, components=ALL).calendar.serialize() == text


def second(uid: str, kind: str = "VEVENT") -> str:
    return f"BEGIN:{kind}\nUID:{uid}\nDTSTAMP:20240501T070000Z\nDTSTART:20240501T070000Z\nEND:{kind}"


def call(*lines: str) -> str:
    text = situation(CALL)
    for line in lines:
        text = with_line(text, line)
    return text


@pytest.mark.parametrize(
    ("text", "precondition", "words"),
    [
        ("hello", "valid-calendar-data", "not calendar data"),
        ("<html></html>", "valid-calendar-data", "web page"),
        (situation(CALL)[:-15], "valid-calendar-data", "cut off"),
        (
            situation("description-whose-author-forgot-to-fold"),
            "valid-calendar-data",
            "second line without a fold",
        ),
        (situation(CALL).replace("SUMMARY", "SUM MARY"), "valid-calendar-data", "SUM MARY"),
        (call("SUMMARY:\0"), "valid-calendar-data", "NUL"),
        (situation(CALL).replace("VERSION:2.0", "VERSION:1.0"), "supported-calendar-data", "1.0"),
        (
            situation(CALL).replace("VERSION", "METHOD:REQUEST\r\nVERSION"),
            "valid-calendar-object-resource",
            "METHOD",
        ),
        (without_part(situation(CALL), 0), "valid-calendar-object-resource", "no event"),
        (with_part(situation(CALL), second("other")), "valid-calendar-object-resource", "Several events"),
        (with_part(situation(CALL), second("utc-1")), "valid-calendar-object-resource", "twice"),
        (without(situation(CALL), "UID"), "valid-calendar-object-resource", "no UID"),
        (with_part(situation(CALL), second("utc-1", "VTODO")), "supported-calendar-component", "VTODO"),
        (situation("task-with-due-date"), "supported-calendar-component", "VTODO"),
        (without(situation(CALL), "DTSTART"), "valid-calendar-data", "no start"),
        (call("DTSTART:tomorrow"), "valid-calendar-data", "tomorrow"),
        (call("DTEND:20241332T000000Z"), "valid-calendar-data", "20241332"),
        (call("RECURRENCE-ID:x"), "valid-calendar-data", "RECURRENCE-ID"),
        (call("DURATION:long"), "valid-calendar-data", "long"),
        (call("RRULE:FREQ=OFTEN"), "valid-calendar-data", "OFTEN"),
        (call("RRULE:FREQ=DAILY;INTERVAL=0"), "valid-calendar-data", "INTERVAL"),
        (call("RRULE:FREQ=DAILY;COUNT=-1"), "valid-calendar-data", "COUNT"),
        (call("RRULE:FREQ=DAILY;COUNT=99999999"), "valid-calendar-data", "COUNT"),
        (call("RRULE:FREQ=DAILY;UNTIL=never"), "valid-calendar-data", "never"),
    ],
)
def test_what_may_not_be_put_is_refused_with_its_precondition(
    text: str, precondition: str, words: str
) -> None:
    with pytest.raises(Invalid, match=words) as refusal:
        check_resource(text, max_bytes=100_000)
    assert refusal.value.precondition == precondition
    assert "\n" not in str(refusal.value)


def test_two_kinds_in_one_object_are_refused_where_both_are_welcome() -> None:
    with pytest.raises(Invalid) as refusal:
        check_resource(
            with_part(situation(CALL), second("utc-1", "VTODO")), max_bytes=100_000, components=ALL
        )
    assert refusal.value.precondition == "valid-calendar-object-resource"


def test_a_limit_counts_octets() -> None:
    text = call("SUMMARY:äöü")
    size = len(text.encode())
    check_resource(text, max_bytes=size)
    with pytest.raises(TooLarge) as refusal:
        check_resource(text, max_bytes=size - 1)
    assert refusal.value.precondition == "max-resource-size"
