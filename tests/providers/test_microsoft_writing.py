"""What is written to Outlook: only what changed, nothing that mails, and nothing twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

import pytest

from bridge.errors import NotPermitted, ObjectRefused, RetryLater, TagMismatch, UnknownOutcome
from bridge.ical.fields import changed
from bridge.ical.marker import mark, marker
from tests.contracts.microsoft_stand import MicrosoftStand
from tests.contracts.samples import SERIES, calendar, event
from tests.providers.microsoft_bed import Bed
from tests.servers import fault
from tests.servers.fault import Fault, FaultProxy
from tests.standins.microsoft import Graph
from tests.standins.microsoft_mailbox import Json

GUESTS = [{"type": "required", "emailAddress": {"name": "Ben", "address": "ben@example.com"}}]
NO_GUESTS_YET = date(2026, 1, 13)


@pytest.fixture
def bed() -> Iterator[Bed]:
    with Graph() as graph, FaultProxy(graph.url) as faults:
        stand = MicrosoftStand(graph, faults)
        made, hands = stand.make_calendar("arbeit", title="Arbeit", color="#1d9bf6")
        yield Bed(stand, made, hands)
        assert graph.violations == []


def test_a_title_changed_here_is_all_that_is_sent(bed: Bed):
    bed.hands.put("a", event("a", "Lunch", "LOCATION:Café", "DESCRIPTION:bring the lenses"))
    stored = bed.stored()
    stored.fields["body"] = {"contentType": "html", "content": "<b>bring</b> the lenses"}
    entry = bed.only()
    assert "DESCRIPTION:bring the lenses" in (entry.text or "")
    written = bed.provider().put(
        bed.calendar, entry.href, (entry.text or "").replace("SUMMARY:Lunch", "SUMMARY:Dinner"), entry.tag
    )
    assert bed.sent("PATCH") == [{"subject": "Dinner"}]
    assert stored.fields["body"]["content"] == "<b>bring</b> the lenses"
    assert "SUMMARY:Dinner" in (written.text or "")
    assert bed.only() == written


def test_a_moved_event_is_sent_with_both_its_ends_and_in_its_zone(bed: Bed):
    bed.hands.put(
        "a",
        event("a")
        .replace(":20260105T090000Z", ";TZID=Europe/Berlin:20260105T100000")
        .replace(":20260105T100000Z", ";TZID=Europe/Berlin:20260105T110000"),
    )
    entry = bed.only()
    text = (entry.text or "").replace("Berlin:20260105T110000", "Berlin:20260105T120000")
    bed.provider().put(bed.calendar, entry.href, text, entry.tag)
    zone = "W. Europe Standard Time"
    assert bed.sent("PATCH") == [
        {
            "start": {"dateTime": "2026-01-05T10:00:00", "timeZone": zone},
            "end": {"dateTime": "2026-01-05T12:00:00", "timeZone": zone},
            "isAllDay": False,
        }
    ]


def test_what_outlook_has_no_field_for_survives_an_edit_in_outlook(bed: Bed):
    ours = mark(
        event("a", "Lunch", "X-STUDIO-ROOM:2", "URL:https://example.com/a", "DESCRIPTION:old"), "here", "a#1"
    )
    provider = bed.provider()
    provider.put(bed.calendar, provider.new_href(bed.calendar, "k1"), ours, None)
    bed.mailbox.change(bed.stored(), {"body": {"contentType": "html", "content": "<p>new</p>"}})
    text = bed.only().text or ""
    assert {group for _, group in changed(ours, text)} == {"notes"}
    assert marker(text) == marker(ours)
    assert "X-STUDIO-ROOM:2" in text


def test_a_zone_that_windows_calls_by_another_name_comes_back_as_it_was(bed: Bed):
    vienna = event("a").replace(":20260105T090000Z", ";TZID=Europe/Vienna:20260105T100000")
    vienna = vienna.replace("DTEND:20260105T100000Z", "DURATION:PT1H")
    provider = bed.provider()
    provider.put(bed.calendar, provider.new_href(bed.calendar, "k1"), vienna, None)
    assert bed.stored().fields["start"] == {
        "dateTime": "2026-01-05T10:00:00",
        "timeZone": "W. Europe Standard Time",
    }
    assert bed.only().text == vienna


def test_a_text_too_long_to_keep_beside_still_keeps_its_identity(bed: Bed):
    import random

    letters = random.Random(5)
    notes = "".join(letters.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(40_000))
    provider = bed.provider()
    href = provider.new_href(bed.calendar, "k1")
    provider.put(bed.calendar, href, mark(event("long", "Lunch", f"DESCRIPTION:{notes}"), "here", "x"), None)
    entry = bed.only()
    assert entry.href == href
    assert "UID:long" in (entry.text or "")
    assert notes in (entry.text or "").replace("\r\n ", "")


def test_a_lost_create_is_found_by_its_identity_from_a_new_connection(bed: Bed):
    provider = bed.provider()
    href = provider.new_href(bed.calendar, "k1")
    bed.stand.faults.fault("POST", fault.lose_answer)
    with pytest.raises(UnknownOutcome):
        provider.put(bed.calendar, href, event("a"), None)
    with pytest.raises(TagMismatch):
        bed.provider().put(bed.calendar, href, event("a"), None)
    assert [entry.href for entry in bed.provider().fetch(bed.calendar, [href])] == [href]
    assert len(bed.hands.list()) == 1


def test_a_copy_made_in_outlook_is_an_event_of_its_own(bed: Bed):
    provider = bed.provider()
    href = provider.new_href(bed.calendar, "k1")
    provider.put(bed.calendar, href, event("a"), None)
    first = bed.stored()
    copy = bed.mailbox.add(bed.calendar, {**first.fields, "transactionId": None})
    copy.properties.update(first.properties)
    assert set(bed.entries()) == {href, copy.id}


def test_a_version_that_outlook_does_not_check_is_checked_by_reading(bed: Bed):
    bed.stand.graph.patch_honours_if_match = False
    bed.hands.put("a", event("a"))
    entry = bed.only()
    bed.hands.put("a", event("a", "Theirs"))
    with pytest.raises(TagMismatch):
        bed.provider().put(bed.calendar, entry.href, event("a", "Ours"), entry.tag)
    assert bed.stored().fields["subject"] == "Theirs"
    assert bed.sent("PATCH") == []


# --- series ----------------------------------------------------------------------------------------------


def test_an_exception_made_here_touches_that_date_alone(bed: Bed):
    bed.hands.put("series", SERIES)
    entry = bed.only()
    text = (entry.text or "").replace("SUMMARY:Team (moved)", "SUMMARY:Team (elsewhere)")
    written = bed.provider().put(bed.calendar, entry.href, text, entry.tag)
    assert bed.sent("PATCH") == [{"subject": "Team (elsewhere)"}]
    assert written.tag != entry.tag
    assert bed.only() == written


def test_a_date_cancelled_here_is_deleted_there(bed: Bed):
    bed.hands.put("series", SERIES)
    entry = bed.only()
    gone = "EXDATE;TZID=Europe/Berlin:20260127T090000\r\nSUMMARY:Team\r\n"
    text = (entry.text or "").replace("SUMMARY:Team\r\n", gone, 1)
    written = bed.provider().put(bed.calendar, entry.href, text, entry.tag)
    assert bed.stored().cancelled == {date(2026, 1, 13), date(2026, 1, 27)}
    assert bed.sent("PATCH") == []
    assert not changed(text, written.text or "")


def test_an_exception_taken_back_looks_like_its_series_again(bed: Bed):
    bed.hands.put("series", SERIES)
    entry = bed.only()
    head, _, rest = (entry.text or "").partition("END:VEVENT\r\n")
    text = head + "END:VEVENT\r\nEND:VCALENDAR\r\n"
    assert "moved" in rest
    written = bed.provider().put(bed.calendar, entry.href, text, entry.tag)
    assert not changed(text, written.text or "")


def test_a_new_rule_keeps_the_exceptions_that_outlook_forgets(bed: Bed):
    bed.hands.put("series", SERIES)
    entry = bed.only()
    text = (entry.text or "").replace("COUNT=6", "COUNT=8")
    written = bed.provider().put(bed.calendar, entry.href, text, entry.tag)
    stored = bed.stored()
    assert stored.fields["recurrence"]["range"]["numberOfOccurrences"] == 8
    assert (set(stored.exceptions), stored.cancelled) == ({date(2026, 1, 20)}, {date(2026, 1, 13)})
    assert not changed(text, written.text or "")


def test_one_cancelled_date_cannot_be_brought_back_and_that_is_said(bed: Bed):
    bed.hands.put("series", SERIES)
    entry = bed.only()
    text = "".join(line for line in (entry.text or "").splitlines(True) if not line.startswith("EXDATE"))
    with pytest.raises(ObjectRefused, match="cannot bring back one cancelled date"):
        bed.provider().put(bed.calendar, entry.href, text, entry.tag)


def test_a_series_half_made_is_nobodys_until_it_is_whole(bed: Bed):
    provider = bed.provider()
    href = provider.new_href(bed.calendar, "k1")
    bed.stand.faults.fault("DELETE", fault.answer(503))  # the cancelled date
    with pytest.raises(RetryLater):
        provider.put(bed.calendar, href, SERIES, None)
    assert bed.entries() == {}
    again = bed.provider()
    assert not list(again.fetch(bed.calendar, [href]))
    again.put(bed.calendar, href, SERIES, None)
    assert bed.only().text == SERIES
    assert bed.only().href == href


def test_a_series_changed_half_way_still_bears_the_old_marker(bed: Bed):
    provider = bed.provider()
    href = provider.new_href(bed.calendar, "k1")
    entry = provider.put(bed.calendar, href, mark(SERIES, "here", "series#1"), None)
    text = mark((entry.text or "").replace("SUMMARY:Team", "SUMMARY:Crew"), "here", "series#2")
    bed.stand.faults.fault("PATCH", fault.lose_answer, path=r"\.2026")  # the exception's
    with pytest.raises(UnknownOutcome):
        provider.put(bed.calendar, href, text, entry.tag)
    found = marker(bed.only().text or "")
    assert found is not None
    assert found.key == "series#1"


TOO_LARGE = fault.answer(413, b'{"error":{"code":"ErrorMessageSizeExceeded","message":"no"}}')
REFUSED = fault.answer(400, b'{"error":{"code":"ErrorInvalidRequest","message":"no"}}')
FULL = fault.answer(507, b'{"error":{"code":"ErrorQuotaExceeded","message":"full"}}')
A_DATE, A_SERIES = r"\.2026", r"/events/[^/.?]+$"


@pytest.mark.parametrize(
    ("what", "where", "why"),
    [
        (REFUSED, A_DATE, ObjectRefused),
        (FULL, A_DATE, NotPermitted),
        (TOO_LARGE, A_SERIES, ObjectRefused),
    ],
    ids=["a date", "a full mailbox", "its name, the last step"],
)
def test_a_new_series_that_is_refused_half_way_is_taken_back(
    bed: Bed, what: Fault, where: str, why: type[Exception]
):
    """Nobody finds a part of it in Outlook. It can be made after all within the hour in which a create that
    is repeated finds what the first one made."""
    for _ in range(2):
        provider = bed.provider()
        href = provider.new_href(bed.calendar, "k1")
        bed.stand.faults.fault("PATCH", what, path=where)
        with pytest.raises(why):
            provider.put(bed.calendar, href, SERIES, None)
        assert all(event.gone for event in bed.mailbox.events.values())
    bed.provider().put(bed.calendar, href, SERIES, None)
    assert bed.only().text == SERIES
    assert bed.stored().cancelled == {date(2026, 1, 13)}


def later(text: str) -> str:
    return text.replace("T090000", "T110000")


def renamed(text: str) -> str:
    return text.replace("SUMMARY:Team", "SUMMARY:Crew")


def one_less(text: str) -> str:
    gone = "EXDATE;TZID=Europe/Berlin:20260127T090000\r\nSUMMARY:Crew\r\n"
    return renamed(text).replace("SUMMARY:Crew\r\n", gone, 1)


@pytest.mark.parametrize(
    ("change", "what", "where"),
    [
        (later, REFUSED, A_DATE),
        (renamed, REFUSED, A_DATE),
        (one_less, TOO_LARGE, A_SERIES),
        (renamed, FULL, A_DATE),
    ],
    ids=["another time", "another title", "a date cancelled", "a full mailbox"],
)
def test_an_update_that_is_refused_half_way_is_put_back_as_it_was(
    bed: Bed, change: Callable[[str], str], what: Fault, where: str
):
    provider = bed.provider()
    href = provider.new_href(bed.calendar, "k1")
    entry = provider.put(bed.calendar, href, mark(SERIES, "here", "series#1"), None)
    kept = bed.mailbox.whole(bed.stored())
    passes = 1 if where == A_SERIES else 0  # the series itself first, its name last
    for _ in range(passes):
        bed.stand.faults.fault("PATCH", fault.meanwhile(lambda: None), path=where)
    bed.stand.faults.fault("PATCH", what, path=where)
    with pytest.raises((ObjectRefused, NotPermitted)):
        provider.put(bed.calendar, href, mark(change(entry.text or ""), "here", "series#2"), entry.tag)
    now = bed.only()
    assert now.text == entry.text, "the marker too"
    assert fields_of(bed.mailbox.whole(bed.stored())) == fields_of(kept)


def fields_of(whole: Json) -> Json:
    """What people see of a series, its dates included, without versions."""
    versions = {"@odata.etag", "changeKey", "lastModifiedDateTime", "id"}
    seen = {name: value for name, value in whole.items() if name not in versions}
    dates = [fields_of(one) for one in seen.pop("exceptionOccurrences", None) or ()]
    return {**seen, **({"dates": dates} if dates else {})}


def test_an_update_that_is_refused_at_once_touches_nothing(bed: Bed):
    bed.hands.put("series", SERIES)
    entry = bed.only()
    bed.stand.faults.fault("PATCH", REFUSED)
    with pytest.raises(ObjectRefused):
        bed.provider().put(bed.calendar, entry.href, later(entry.text or ""), entry.tag)
    assert len(bed.sent("PATCH")) == 1
    assert bed.only() == entry


def test_what_somebody_changed_meanwhile_stays_when_a_refused_update_is_put_back(bed: Bed):
    bed.hands.put("series", SERIES)
    entry = bed.only()

    def theirs() -> None:
        bed.mailbox.change(bed.stored(), {"location": {"displayName": "Theirs"}})

    bed.stand.faults.fault("PATCH", fault.meanwhile(theirs), path=A_SERIES)
    bed.stand.faults.fault("PATCH", REFUSED, path=A_DATE)
    with pytest.raises(ObjectRefused):
        bed.provider().put(bed.calendar, entry.href, renamed(entry.text or ""), entry.tag)
    stored = bed.stored().fields
    assert (stored["subject"], stored["location"]["displayName"]) == ("Team", "Theirs")


def test_what_cannot_be_put_back_either_is_still_told_as_what_was_refused(bed: Bed):
    bed.hands.put("series", SERIES)
    entry = bed.only()
    bed.stand.faults.fault("PATCH", REFUSED, path=A_DATE)
    bed.stand.faults.fault("PATCH", fault.meanwhile(lambda: None), path=A_SERIES)
    bed.stand.faults.fault("PATCH", fault.answer(503), path=A_SERIES, times=9)
    with pytest.raises(ObjectRefused, match="refuses this entry"):
        bed.provider().put(bed.calendar, entry.href, renamed(entry.text or ""), entry.tag)


def test_somebodys_edit_between_our_write_and_our_look_is_not_taken_for_ours(bed: Bed):
    bed.hands.put("series", SERIES)
    entry = bed.only()

    def theirs() -> None:
        bed.mailbox.change(bed.stored(), {"location": {"displayName": "Theirs"}})

    bed.stand.faults.fault("PATCH", fault.meanwhile(theirs))
    text = (entry.text or "").replace("SUMMARY:Team\r\n", "SUMMARY:Crew\r\n")
    written = bed.provider().put(bed.calendar, entry.href, text, entry.tag)
    assert written.text is None
    assert written.tag != bed.only().tag


# --- guests ----------------------------------------------------------------------------------------------


def meeting(bed: Bed) -> str:
    bed.hands.put("m", event("m", "Meeting"))
    bed.stored().fields["attendees"] = GUESTS
    return bed.stored().id


def test_guests_are_shown_and_never_written(bed: Bed):
    meeting(bed)
    entry = bed.only()
    assert "ATTENDEE;CN=Ben;PARTSTAT=NEEDS-ACTION:mailto:ben@example.com" in (entry.text or "").replace(
        "\r\n ", ""
    )
    text = (entry.text or "").replace("BEGIN:VALARM", "CLASS:PRIVATE\r\nBEGIN:VALARM")
    text = text if "CLASS:PRIVATE" in text else text.replace("SUMMARY:", "CLASS:PRIVATE\r\nSUMMARY:")
    bed.provider().put(bed.calendar, entry.href, text, entry.tag)
    assert bed.sent("PATCH") == [{"sensitivity": "private"}]


@pytest.mark.parametrize(
    ("old", "new"), [("SUMMARY:Meeting", "SUMMARY:Moved"), ("ben@example.com", "eve@example.com")]
)
def test_a_change_that_outlook_would_mail_about_is_refused(bed: Bed, old: str, new: str):
    meeting(bed)
    entry = bed.only()
    text = (entry.text or "").replace("\r\n ", "").replace(old, new)
    with pytest.raises(ObjectRefused, match="would mail the guests"):
        bed.provider().put(bed.calendar, entry.href, text, entry.tag)
    with pytest.raises(ObjectRefused, match="would tell the guests"):
        bed.provider().delete(bed.calendar, entry.href, entry.tag)
    assert bed.mailbox.mails == []


def test_with_mail_switched_on_the_guests_hear_of_it(bed: Bed):
    name = meeting(bed)
    entry = bed.only()
    text = (entry.text or "").replace("SUMMARY:Meeting", "SUMMARY:Moved")
    bed.provider(mail=True).put(bed.calendar, entry.href, text, entry.tag)
    assert bed.mailbox.mails == [f"update of {name}"]


def test_the_notes_of_an_online_meeting_are_left_alone(bed: Bed):
    bed.hands.put("a", event("a", "Call", "DESCRIPTION:join here"))
    bed.stored().fields["isOnlineMeeting"] = True
    entry = bed.only()
    with pytest.raises(ObjectRefused, match="online meeting"):
        bed.provider().put(
            bed.calendar, entry.href, (entry.text or "").replace("join here", "mine"), entry.tag
        )


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (("DTSTART:20260105T090000", "SUMMARY:floating"), "no time zone"),
        (("DTSTART:20260105T090000Z", "RDATE:20260106T090000Z"), "no extra dates"),
        (("DTSTART:20260105T090000Z", "RRULE:FREQ=HOURLY"), "cannot repeat"),
        (("DTSTART:20260105T090000Z", "RECURRENCE-ID:20260105T090000Z"), "no single date"),
        (("SUMMARY:never",), "no start"),
    ],
)
def test_what_outlook_cannot_take_is_refused_in_plain_words(bed: Bed, lines: tuple[str, ...], why: str):
    text = calendar("BEGIN:VEVENT", "UID:x", "DTSTAMP:20260101T000000Z", *lines, "END:VEVENT")
    provider = bed.provider()
    with pytest.raises(ObjectRefused, match=why):
        provider.put(bed.calendar, provider.new_href(bed.calendar, "x"), text, None)
    assert provider.requests == 0


def test_the_same_booking_goes_into_two_calendars_of_one_mailbox(bed: Bed):
    """Graph answers a transaction that it knows with the event it made then, wherever that is."""
    provider = bed.provider()
    other, _ = bed.stand.make_calendar("privat", title="Privat", color="#1d9bf6")
    for calendar_id in (bed.calendar, other):
        provider.put(calendar_id, provider.new_href(calendar_id, "k1"), event("a"), None)
        assert len(list(provider.fetch(calendar_id, [provider.new_href(calendar_id, "k1")]))) == 1
    assert sorted(stored.calendar for stored in bed.mailbox.events.values()) == [bed.calendar, other]
