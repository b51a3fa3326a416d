"""What is read from Outlook: what a delta tells and hides, windows, zones, and calendars that move."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from bridge.errors import CalendarGone, CursorLost, SignInNeeded
from bridge.ical.fields import changed
from bridge.providers.microsoft.calendars import Calendars
from bridge.providers.microsoft.client import Graph as Client
from bridge.providers.microsoft.provider import MicrosoftProvider
from tests.contracts.microsoft_stand import MicrosoftStand
from tests.contracts.samples import SERIES, event
from tests.providers.microsoft_bed import Bed
from tests.servers.fault import FaultProxy
from tests.standins.microsoft import Graph

LONG_AGO = {
    "subject": "Long ago",
    "start": {"dateTime": "2019-05-01T09:00:00", "timeZone": "Eastern Standard Time"},
    "end": {"dateTime": "2019-05-01T10:00:00", "timeZone": "Eastern Standard Time"},
}


@pytest.fixture
def bed() -> Iterator[Bed]:
    with Graph() as graph, FaultProxy(graph.url) as faults:
        stand = MicrosoftStand(graph, faults)
        made, hands = stand.make_calendar("arbeit", title="Arbeit", color="#1d9bf6")
        yield Bed(stand, made, hands)
        assert graph.violations == []


def soon(days: int) -> dict[str, object]:
    """An event so many days from today, at nine in Berlin."""
    day = (datetime.now(UTC) + timedelta(days=days)).date()
    times = {
        name: {"dateTime": f"{day}T{hour}:00:00", "timeZone": "W. Europe Standard Time"}
        for name, hour in (("start", "09"), ("end", "10"))
    }
    return {"subject": "Soon", **times}


# --- the delta is a signal, the listing the truth ---------------------------------------------------------


def test_events_before_and_after_the_window_are_listed_all_the_same(bed: Bed):
    bed.mailbox.add(bed.calendar, LONG_AGO)
    assert "DTSTART;TZID=America/New_York:20190501T090000" in (bed.only().text or "")


def test_an_event_moved_out_of_the_window_is_no_deletion(bed: Bed):
    stored = bed.mailbox.add(bed.calendar, soon(3))
    provider = bed.provider()
    cursor = provider.changes(bed.calendar, None).cursor
    bed.mailbox.change(stored, {name: LONG_AGO[name] for name in ("start", "end")})
    delta = provider.changes(bed.calendar, cursor)
    assert delta.gone == frozenset()
    assert ["20190501" in (entry.text or "") for entry in delta.entries] == [True]


def test_a_new_event_outside_the_window_comes_as_removed_and_is_read(bed: Bed):
    provider = bed.provider()
    cursor = provider.changes(bed.calendar, None).cursor
    stored = bed.mailbox.add(bed.calendar, LONG_AGO)
    delta = provider.changes(bed.calendar, cursor)
    assert ([entry.href for entry in delta.entries], delta.gone) == ([stored.id], frozenset())


def test_a_booking_of_ours_deleted_there_goes_by_our_name_for_it(bed: Bed):
    """A removal tells an id and nothing else."""
    provider = bed.provider()
    href = provider.new_href(bed.calendar, "k1")
    provider.put(bed.calendar, href, event("a"), None)
    cursor = provider.changes(bed.calendar, None).cursor
    bed.mailbox.remove(bed.stored())
    assert bed.provider().changes(bed.calendar, cursor).gone == {href}


def test_a_booking_sent_after_the_listing_is_known_by_name_too(bed: Bed):
    provider = bed.provider()
    cursor = provider.changes(bed.calendar, None).cursor
    href = provider.new_href(bed.calendar, "k1")
    written = provider.put(bed.calendar, href, event("a"), None)
    bed.mailbox.change(bed.stored(), soon(5))
    delta = bed.provider().changes(bed.calendar, cursor)
    assert [entry.href for entry in delta.entries] == [href]
    assert delta.entries[0].tag != written.tag
    bed.mailbox.remove(bed.stored())
    assert bed.provider().changes(bed.calendar, delta.cursor).gone == {href}


def test_an_occurrence_changed_there_brings_the_whole_series(bed: Bed):
    stored = bed.mailbox.add(bed.calendar, {**soon(3), **_weekly(3)})
    provider = bed.provider()
    first = provider.changes(bed.calendar, None)
    day = date.fromisoformat(stored.fields["recurrence"]["range"]["startDate"]) + timedelta(days=7)
    bed.mailbox.change_date(stored, day, {"subject": "Later"})
    (entry,) = provider.changes(bed.calendar, first.cursor).entries
    assert entry.href == stored.id
    assert entry.tag != first.entries[0].tag
    assert "RRULE:FREQ=WEEKLY;COUNT=4" in (entry.text or "")
    assert "SUMMARY:Later" in (entry.text or "")


def test_a_cancelled_date_that_no_delta_tells_is_found_by_listing(bed: Bed):
    """So the engine is told that deltas leave something out, and lists everything every hour."""
    bed.hands.put("series", SERIES)
    provider = bed.provider()
    assert not provider.capabilities.tells_all
    before = bed.only()
    cursor = provider.changes(bed.calendar, None).cursor
    bed.mailbox.cancel_date(bed.stored(), date(2026, 1, 27))
    assert provider.changes(bed.calendar, cursor).entries == []
    after = bed.only()
    assert after.tag != before.tag
    assert "EXDATE;TZID=Europe/Berlin:20260127T090000" in (after.text or "")


def test_a_calendar_of_many_pages_is_read_to_its_end(bed: Bed):
    """Five hundred events: three pages of the listing, three of the delta's beginning."""
    for _ in range(500):
        bed.mailbox.add(bed.calendar, soon(3))
    provider = bed.provider()
    assert len(provider.changes(bed.calendar, None).entries) == 500
    assert provider.requests == 6


def test_many_changes_are_read_in_pages_too(bed: Bed):
    gone = [bed.mailbox.add(bed.calendar, soon(3)) for _ in range(30)]
    provider = bed.provider()
    cursor = provider.changes(bed.calendar, None).cursor
    before = provider.requests
    new = {bed.mailbox.add(bed.calendar, soon(3)).id for _ in range(100)}
    for stored in gone:
        bed.mailbox.remove(stored)
    delta = provider.changes(bed.calendar, cursor)
    assert {entry.href for entry in delta.entries} == new
    assert delta.gone == {stored.id for stored in gone}
    assert provider.requests - before == 2


def test_a_window_that_time_has_left_behind_begins_anew(bed: Bed):
    now = datetime.now(UTC)
    session = bed.provider()._graph.session  # type: ignore[attr-defined]
    graph = Client(session, bed.stand.graph.api_url)
    calendars = Calendars(graph, {}, lambda _: None)
    cursor = MicrosoftProvider(graph, calendars, lambda: now).changes(bed.calendar, None).cursor
    later = MicrosoftProvider(graph, calendars, lambda: now + timedelta(days=31))
    with pytest.raises(CursorLost):
        later.changes(bed.calendar, cursor)


def test_our_token_follows_no_link_to_another_house(bed: Bed):
    provider = bed.provider()
    cursor = json.loads(provider.changes(bed.calendar, None).cursor or "")
    cursor["link"] = "https://graph.example/v1.0/me/calendars/x/calendarView/delta?$deltatoken=1"
    before = provider.requests
    with pytest.raises(CursorLost):
        provider.changes(bed.calendar, json.dumps(cursor))
    assert provider.requests == before


# --- words -----------------------------------------------------------------------------------------------


def test_exceptions_and_cancelled_dates_make_one_object(bed: Bed):
    bed.hands.put("series", SERIES)
    assert not changed(SERIES, bed.only().text or "")


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"showAs": "free"}, "TRANSP:TRANSPARENT"),
        ({"showAs": "tentative"}, "STATUS:TENTATIVE"),
        ({"showAs": "oof"}, "X-MICROSOFT-CDO-BUSYSTATUS:OOF"),
        ({"sensitivity": "private"}, "CLASS:PRIVATE"),
        ({"importance": "high"}, "PRIORITY:1"),
        ({"categories": ["Red, warm", "Blue"]}, "CATEGORIES:Red\\, warm,Blue"),
        ({"isReminderOn": True, "reminderMinutesBeforeStart": 30}, "TRIGGER:-PT30M"),
        ({"isCancelled": True}, "STATUS:CANCELLED"),
        ({"location": {"displayName": "Café; hinten"}}, "LOCATION:Café\\; hinten"),
    ],
)
def test_graphs_words_are_said_in_icalendar_and_sent_back_the_same(
    bed: Bed, fields: dict[str, object], line: str
):
    bed.mailbox.add(bed.calendar, {**soon(3), **fields})
    entry = bed.only()
    assert f"\r\n{line}\r\n" in (entry.text or "")
    bed.provider().put(bed.calendar, entry.href, entry.text or "", entry.tag)
    assert bed.sent("PATCH") == []


@pytest.mark.parametrize(
    ("zone", "line"),
    [
        ("tzone://Microsoft/Utc", "DTSTART:20260706T"),
        ("Customized Time Zone", "DTSTART:20260706T"),
        ("Europe/Lisbon", "DTSTART;TZID=Europe/London:20260706T"),  # one Windows zone for both
        ("Alberta Standard Time", "DTSTART;TZID=America/Edmonton:20260706T"),
        ("(UTC+01:00) Amsterdam, Berlin, Bern, Rome", "DTSTART;TZID=Europe/Berlin:20260706T"),
        ("(UTC-05:00) Eastern Time (US & Canada)", "DTSTART;TZID=America/New_York:20260706T"),
    ],
)
def test_names_of_zones_that_graph_is_known_to_give(bed: Bed, zone: str, line: str):
    from bridge.providers.microsoft.stash import text_of

    said = {"dateTime": "2026-07-06T09:00:00.0000000", "timeZone": "UTC"}
    text = text_of({"id": "x", "start": said, "end": said, "originalStartTimeZone": zone})
    assert line in text


# --- the account -----------------------------------------------------------------------------------------


def test_a_calendar_whose_id_changed_is_found_by_name_and_owner(bed: Bed):
    bed.hands.put("a", event("a"))
    bed.provider().calendars()  # as at sign-in
    bed.mailbox.renumber(bed.calendar)
    provider = bed.provider()
    (entry,) = provider.changes(bed.calendar, None).entries
    (again,) = provider.fetch(bed.calendar, [entry.href])
    assert again == entry


def test_two_calendars_of_that_name_are_no_answer(bed: Bed):
    bed.provider().calendars()  # as at sign-in
    bed.mailbox.add_calendar("Arbeit")
    bed.mailbox.renumber(bed.calendar)
    with pytest.raises(CalendarGone):
        bed.provider().changes(bed.calendar, None)


def test_a_consent_taken_back_is_a_matter_of_signing_in(bed: Bed):
    bed.stand.graph.revoked = True
    with pytest.raises(SignInNeeded):
        bed.provider().calendars()


def test_the_palettes_colours_are_colours(bed: Bed):
    bed.mailbox.calendars[bed.calendar] |= {"hexColor": "", "color": "lightGreen"}
    (found,) = [one for one in bed.provider().calendars() if one.id == bed.calendar]
    assert found.color == "#87d28e"


def _weekly(days: int) -> dict[str, object]:
    start = (datetime.now(UTC) + timedelta(days=days)).date()
    weekday = start.strftime("%A").lower()
    pattern = {"type": "weekly", "interval": 1, "daysOfWeek": [weekday]}
    range_ = {"type": "numbered", "numberOfOccurrences": 4, "startDate": start.isoformat()}
    return {"recurrence": {"pattern": pattern, "range": range_}}
