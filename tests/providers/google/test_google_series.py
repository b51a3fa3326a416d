"""Series at Google: one object here, a master with exceptions there; and writes that are lost half-way."""

from __future__ import annotations

import pytest

from bridge.errors import ObjectGone, ObjectRefused, RetryLater, TagMismatch
from bridge.ical.fields import changed
from bridge.ical.marker import mark, marker
from bridge.ports import Provider
from tests.contracts.google_stand import GoogleStand
from tests.contracts.samples import SERIES, calendar, event
from tests.providers.google.place import Place
from tests.servers import fault

#: Six Tuesdays from 6 January 2026, 9 o'clock in Berlin.
PLAIN = (
    "\r\n".join(
        line
        for line in SERIES.split("BEGIN:VEVENT\r\nUID:series\r\nDTSTAMP:20260101T000000Z\r\nRECURRENCE-ID")[
            0
        ].split("\r\n")
        if not line.startswith("EXDATE")
    )
    + "END:VCALENDAR\r\n"
)
THIRD = "20260120T090000"


def test_dates_left_out_and_moved_arrive_as_they_were_sent(place: Place):
    entry = place.create("series", SERIES)
    assert not changed(SERIES, entry.text or "")
    (exception,) = [e for e in place.events() if "recurringEventId" in e]
    assert exception["start"]["dateTime"] == "2026-01-21T14:00:00+01:00"
    assert place.master()["recurrence"] == [
        "RRULE:FREQ=WEEKLY;COUNT=6",
        "EXDATE;TZID=Europe/Berlin:20260113T090000",
    ]


def test_a_date_moved_at_google_comes_as_the_whole_series(place: Place):
    entry = place.create("series", PLAIN)
    cursor = place.provider.changes(place.calendar, None).cursor
    place.hands.edit(place.date(THIRD), start=_at("2026-01-20T15:00"), end=_at("2026-01-20T16:00"))
    delta = place.provider.changes(place.calendar, cursor)
    (now,) = delta.entries
    assert (now.href, delta.gone) == (entry.href, frozenset())
    assert now.tag != entry.tag
    assert "RECURRENCE-ID;TZID=Europe/Berlin:20260120T090000\r\n" in (now.text or "")
    assert "DTSTART;TZID=Europe/Berlin:20260120T150000\r\n" in (now.text or "")
    assert list(place.provider.fetch(place.calendar, [entry.href])) == [now]


def test_a_date_deleted_at_google_is_left_out_here(place: Place):
    entry = place.create("series", PLAIN)
    cursor = place.provider.changes(place.calendar, None).cursor
    place.hands.delete(place.date(THIRD))
    (now,) = place.provider.changes(place.calendar, cursor).entries
    assert now.href == entry.href
    assert "EXDATE;TZID=Europe/Berlin:20260120T090000\r\n" in (now.text or "")


def test_a_series_deleted_at_google_is_gone_with_all_its_dates(place: Place):
    entry = place.create("series", SERIES)
    cursor = place.provider.changes(place.calendar, None).cursor
    place.hands.delete(entry.href)
    delta = place.provider.changes(place.calendar, cursor)
    assert (list(delta.entries), delta.gone) == ([], frozenset({entry.href}))


def test_a_date_left_out_here_is_cancelled_there_and_may_take_place_again(place: Place):
    entry = place.create("series", PLAIN)
    left_out = PLAIN.replace("SUMMARY:Team", f"EXDATE;TZID=Europe/Berlin:{THIRD}\r\nSUMMARY:Team")
    without = place.update(entry, left_out)
    assert place.master()["recurrence"] == ["RRULE:FREQ=WEEKLY;COUNT=6"]  # never left out in both ways
    assert [e["status"] for e in place.events() if "recurringEventId" in e] == ["cancelled"]
    assert not changed(left_out, without.text or "")
    again = place.update(without, PLAIN)
    assert [e["status"] for e in place.events() if "recurringEventId" in e] == ["confirmed"]
    assert "EXDATE" not in (again.text or "")


def test_a_date_that_was_moved_goes_back_to_its_series(place: Place):
    entry = place.create("series", SERIES)
    back = place.update(
        entry,
        SERIES.split("BEGIN:VEVENT\r\nUID:series\r\nDTSTAMP:20260101T000000Z\r\nRECURRENCE-ID")[0]
        + "END:VCALENDAR\r\n",
    )
    (exception,) = [e for e in place.events() if "recurringEventId" in e]
    assert exception["start"]["dateTime"] == "2026-01-20T09:00:00+01:00"
    assert exception["summary"] == "Team"
    assert "Team (moved)" not in (back.text or "")


def test_one_date_is_retitled_and_the_others_stay(place: Place):
    entry = place.create("series", SERIES)
    place.sent.clear()
    renamed = SERIES.replace("Team (moved)", "Team, elsewhere")
    assert not changed(renamed, place.update(entry, renamed).text or "")
    ((method, body),) = place.bodies()
    assert (method, body["summary"]) == ("PATCH", "Team, elsewhere")
    assert body.keys() == {"summary", "extendedProperties"}


def test_a_series_and_its_dates_move_together(place: Place):
    entry = place.create("series", SERIES)
    later = SERIES.replace("T090000", "T110000").replace("T100000", "T120000")
    now = place.update(entry, later)
    assert not changed(later, now.text or "")
    assert {
        e["originalStartTime"]["dateTime"]
        for e in place.events()
        if e["status"] != "cancelled" and "recurringEventId" in e
    } == {"2026-01-20T11:00:00+01:00"}


def test_a_single_event_becomes_a_series_and_one_event_again(place: Place):
    single = PLAIN.replace("RRULE:FREQ=WEEKLY;COUNT=6\r\n", "")
    entry = place.create("series", single)
    series = place.update(entry, PLAIN)
    assert not changed(PLAIN, series.text or "")
    assert not changed(single, place.update(series, single).text or "")


def test_the_series_must_be_the_version_expected_in_all_its_dates(place: Place):
    entry = place.create("series", PLAIN)
    place.hands.edit(place.date(THIRD), summary="Theirs")
    with pytest.raises(TagMismatch):
        place.update(entry, PLAIN.replace("Team", "Ours"))
    with pytest.raises(TagMismatch):
        place.provider.delete(place.calendar, entry.href, entry.tag)


def test_dates_of_somebody_elses_series_that_we_were_invited_to_are_an_object(place: Place):
    place.create("series", SERIES)
    (exception,) = [e for e in place.events() if "recurringEventId" in e]
    stored = place.far.google.calendars[place.calendar]
    del stored.events[exception["recurringEventId"]]  # the series itself is not on our calendar
    (entry,) = place.provider.changes(place.calendar, None).entries
    assert (entry.text or "").count("BEGIN:VEVENT") == 1
    assert "RECURRENCE-ID" in (entry.text or "")


def test_what_changes_all_dates_from_one_on_is_refused_and_nothing_is_written(place: Place):
    entry = place.create("series", SERIES)
    onwards = SERIES.replace("RECURRENCE-ID;", "RECURRENCE-ID;RANGE=THISANDFUTURE;")
    with pytest.raises(ObjectRefused, match="all dates from one on"):
        place.update(entry, onwards)
    assert place.read() == entry


# --- half a write ------------------------------------------------------------------------------------


def test_half_a_new_series_is_shown_to_nobody_and_completed_by_the_next_try(place: Place, stand: GoogleStand):
    href = place.provider.new_href(place.calendar, "series")
    stand.faults.fault("PATCH", fault.answer(503), times=2)
    with pytest.raises(RetryLater):
        place.provider.put(place.calendar, href, SERIES, None)
    assert len(place.events()) == 1
    assert list(place.provider.changes(place.calendar, None).entries) == []
    assert list(place.provider.fetch(place.calendar, [href])) == []
    stand.faults.heal()
    entry = place.provider.put(place.calendar, href, SERIES, None)
    assert not changed(SERIES, entry.text or "")
    assert [e.href for e in place.provider.changes(place.calendar, None).entries] == [href]


def test_half_an_update_does_not_bear_its_name(place: Place, stand: GoogleStand):
    entry = place.create("series", mark(SERIES, "here", "series#1"))
    renamed = SERIES.replace("SUMMARY:Team", "SUMMARY:Crew")
    stand.faults.fault("PATCH", fault.answer(503), path=rf"/{entry.href}\?", times=9)
    with pytest.raises(RetryLater):
        place.update(entry, mark(renamed, "here", "series#2"))
    stand.faults.heal()
    (now,) = place.provider.fetch(place.calendar, [entry.href])
    assert "Crew (moved)" in (now.text or "")
    assert "X-PICSELLO-BRIDGE:here\\;series#1" in (now.text or "").replace("here;", "here\\;")


REFUSED = fault.answer(403, b'{"error":{"code":403,"errors":[{"reason":"forbiddenForNonOrganizer"}]}}')


def test_a_new_series_that_is_refused_half_way_is_taken_back(place: Place, stand: GoogleStand):
    href = place.provider.new_href(place.calendar, "series")
    stand.faults.fault("PATCH", REFUSED)
    with pytest.raises(ObjectRefused):
        place.provider.put(place.calendar, href, SERIES, None)
    assert {event["status"] for event in place.events()} == {"cancelled"}
    with pytest.raises(ObjectGone):  # its id is taken for ever: the next try gets another
        place.provider.put(place.calendar, href, SERIES, None)


def test_an_update_that_is_refused_half_way_is_put_back_as_it_was(place: Place, stand: GoogleStand):
    entry = place.create("series", mark(SERIES, "here", "series#1"))
    later = SERIES.replace("T090000", "T110000").replace("SUMMARY:Team", "SUMMARY:Crew")
    dates = rf"/{entry.href}_"
    stand.faults.fault("PATCH", REFUSED, path=dates)
    with pytest.raises(ObjectRefused):
        place.update(entry, mark(later, "here", "series#2"))
    stand.faults.heal()
    (now,) = place.provider.fetch(place.calendar, [entry.href])
    assert not changed(entry.text or "", now.text or "")
    assert marker(now.text or "") == marker(entry.text or "")


def test_an_id_whose_event_was_deleted_since_is_told_apart_from_one_that_is_there(
    place: Place, provider: Provider
):
    entry = place.create("x", event("x"))
    with pytest.raises(TagMismatch):
        provider.put(place.calendar, entry.href, event("x"), None)
    place.hands.delete(entry.href)
    with pytest.raises(ObjectGone):
        provider.put(place.calendar, entry.href, event("x"), None)


def _at(local: str) -> dict[str, str]:
    return {"dateTime": f"{local}:00+01:00", "timeZone": "Europe/Berlin"}


# --- whole days, and clocks that change ----------------------------------------------------------------

WEEKS = calendar(
    "BEGIN:VEVENT",
    "UID:weeks",
    "DTSTAMP:20260101T000000Z",
    "DTSTART;VALUE=DATE:20260302",
    "DTEND;VALUE=DATE:20260304",
    "RRULE:FREQ=WEEKLY;COUNT=6",
    "EXDATE;VALUE=DATE:20260309",
    "SUMMARY:Messe",
    "END:VEVENT",
    "BEGIN:VEVENT",
    "UID:weeks",
    "DTSTAMP:20260101T000000Z",
    "RECURRENCE-ID;VALUE=DATE:20260316",
    "DTSTART;VALUE=DATE:20260318",
    "DTEND;VALUE=DATE:20260319",
    "SUMMARY:Messe\\, kurz",
    "END:VEVENT",
)


def test_a_series_of_whole_days_with_dates_left_out_and_moved(place: Place):
    entry = place.create("weeks", WEEKS)
    assert not changed(WEEKS, entry.text or "")
    fewer = WEEKS.replace("EXDATE;VALUE=DATE:20260309", "EXDATE;VALUE=DATE:20260309,20260330")
    entry = place.update(entry, fewer)
    assert not changed(fewer, entry.text or "")
    more = WEEKS.replace("EXDATE;VALUE=DATE:20260309\r\n", "")
    again = place.update(entry, more)
    assert "EXDATE" not in (again.text or "")
    # Google keeps the date that takes place again as an item of its own, which says what its series says
    assert changed(more, again.text or "") == {("20260330", "component")}
    assert "DTEND;VALUE=DATE:20260401\r\nSUMMARY:Messe\r\n" in (again.text or "")


def test_dates_beyond_a_clock_change_are_found_by_the_clock(place: Place):
    """Tuesdays at nine in Berlin; from 31 March on that is seven in UTC."""
    long = PLAIN.replace("COUNT=6", "COUNT=20")
    entry = place.create("series", long)
    place.hands.delete(place.date("20260407T090000"))
    entry = place.read()
    assert "EXDATE;TZID=Europe/Berlin:20260407T090000\r\n" in (entry.text or "")
    spring = long.replace("SUMMARY", "EXDATE;TZID=Europe/Berlin:20260407T090000,20260414T090000\r\nSUMMARY")
    assert not changed(spring, place.update(entry, spring).text or "")
    cancelled = [e["originalStartTime"]["dateTime"] for e in place.events() if e["status"] == "cancelled"]
    assert cancelled == ["2026-04-07T09:00:00+02:00", "2026-04-14T09:00:00+02:00"]


def test_a_series_bounded_by_a_day_keeps_its_bound(place: Place):
    bounded = PLAIN.replace("COUNT=6", "UNTIL=20260210T080000Z")
    entry = place.create("series", bounded)
    assert not changed(bounded, entry.text or "")
    longer = PLAIN.replace("COUNT=6", "UNTIL=20260310T080000Z")
    assert not changed(longer, place.update(entry, longer).text or "")
