"""Events by window as JSON, the page of one event, moving, cancelling, blocks: what the calendar draws."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.ical.facts import facts
from bridge.store import accounts, calendars, links, objects
from bridge.store.people import UserRow
from bridge.wiring import Bridge
from tests.web import studio
from tests.web.browser import Browser
from tests.web.studio import event

WEDDING = event(
    "w",
    "Wedding",
    "DTSTART;TZID=Europe/Berlin:20261125T140000|DURATION:PT2H",
    "LOCATION:Old Mill\\, River Road 5",
    "DESCRIPTION:Bring the long lens",
    "URL:https://app.picsello.com/jobs/7",
)


def events(browser: Browser, start: str = "2026-11-01", end: str = "2026-12-06") -> list[dict[str, Any]]:
    answer = browser.client.get("/api/v1/events", query_string={"from": start, "to": end})
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    return list(answer.json)


def move(browser: Browser, one: dict[str, Any], **asked: str) -> Any:
    return browser.client.post(
        f"/api/v1/events/{one['object']}/move",
        json={"etag": one["etag"]} | asked,
        headers={"X-CSRFToken": browser.token()},
    )


def kept(bridge: Bridge, user: UserRow, uid: str) -> str:
    with bridge.db.reading() as tx:
        found = objects.by_uid(tx, calendars.bookings(tx, user.id).id, uid, with_hidden=True)
    assert found is not None
    return found.text


def test_every_kind_of_event_is_listed_in_the_users_zone(
    at_annas: Browser, bridge: Bridge, anna: UserRow
) -> None:
    family = studio.link(bridge, studio.account(bridge, anna), "Family", reads=True)
    studio.book(bridge, anna, WEDDING)
    studio.mirrored(
        bridge, family, event("f", "Fair", "DTSTART;VALUE=DATE:20261120|DTEND;VALUE=DATE:20261123")
    )
    studio.mirrored(
        bridge, family, event("y", "Yoga", "DTSTART:20261101T170000Z|DURATION:PT1H", "RRULE:FREQ=WEEKLY")
    )
    found = events(at_annas)
    wedding = next(one for one in found if one["title"] == "Wedding")
    assert (wedding["start"], wedding["end"]) == ("2026-11-25T14:00:00+01:00", "2026-11-25T16:00:00+01:00")
    assert (wedding["kind"], wedding["movable"], wedding["allDay"]) == ("booking", True, False)
    fair = next(one for one in found if one["title"] == "Fair")
    assert (fair["start"], fair["end"], fair["allDay"]) == ("2026-11-20", "2026-11-23", True)
    assert not fair["movable"], "a mirror without the role “edits” is only shown"
    yoga = [one["start"] for one in found if one["title"] == "Yoga"]
    assert yoga == [f"2026-11-{day:02}T18:00:00+01:00" for day in (1, 8, 15, 22, 29)]
    assert [one["title"] for one in events(at_annas, "2026-11-22", "2026-11-23")] == ["Fair", "Yoga"]


def test_a_window_that_is_none_is_refused_in_words(at_annas: Browser) -> None:
    for start, end in (
        ("", ""),
        ("x", "2026-01-01"),
        ("2026-02-01", "2026-01-01"),
        ("2020-01-01", "2026-01-01"),
    ):
        answer = at_annas.client.get("/api/v1/events", query_string={"from": start, "to": end})
        assert answer.status_code == 400
        assert answer.json is not None
        assert answer.json["error"].startswith("“")


def test_what_lies_across_a_booking_is_marked_unless_it_takes_no_time(
    at_annas: Browser, bridge: Bridge, anna: UserRow
) -> None:
    studio.book(bridge, anna, WEDDING)
    family = studio.link(bridge, studio.account(bridge, anna), "Family", reads=True)
    across = "DTSTART:20261125T143000Z|DURATION:PT1H"
    for uid, title, when, more in (
        ("1", "Dentist", across, "TRANSP:OPAQUE"),
        ("2", "Reminder", across, "TRANSP:TRANSPARENT"),
        ("3", "Called off", across, "STATUS:CANCELLED"),
        ("4", "Birthday", "DTSTART;VALUE=DATE:20261125", "TRANSP:OPAQUE"),
        ("5", "Right after", "DTSTART:20261125T150000Z|DURATION:PT1H", "TRANSP:OPAQUE"),
    ):
        studio.mirrored(bridge, family, event(uid, title, when, more))
    assert {one["title"] for one in events(at_annas) if one["conflict"]} == {"Wedding", "Dentist"}


def test_dragging_moves_the_booking_and_undo_brings_it_back(
    at_annas: Browser, bridge: Bridge, anna: UserRow
) -> None:
    studio.book(bridge, anna, WEDDING)
    before = kept(bridge, anna, "w")
    link = studio.link(bridge, studio.account(bridge, anna), "Work", writes=True)
    (one,) = events(at_annas)
    answer = move(at_annas, one, start="2026-11-26T09:30:00")
    assert answer.status_code == 200
    (there,) = events(at_annas)
    assert (there["start"], there["end"]) == ("2026-11-26T09:30:00+01:00", "2026-11-26T11:30:00+01:00")
    assert there["etag"] == answer.json["etag"]
    move(at_annas, there, start="2026-11-25T14:00:00", end="2026-11-25T16:00:00")
    assert events(at_annas)[0]["start"] == one["start"]
    assert facts(kept(bridge, anna, "w")).summary == facts(before).summary
    with bridge.db.reading() as tx:
        assert links.get(tx, link).due_at is not None, "the linked calendar follows"


def test_resizing_changes_the_end(at_annas: Browser, bridge: Bridge, anna: UserRow) -> None:
    studio.book(bridge, anna, WEDDING)
    (one,) = events(at_annas)
    assert move(at_annas, one, start=one["start"], end="2026-11-25T17:15:00").status_code == 200
    assert events(at_annas)[0]["end"] == "2026-11-25T17:15:00+01:00"


def test_an_event_of_a_mirror_moves_only_where_editing_is_allowed(
    at_annas: Browser, bridge: Bridge, anna: UserRow
) -> None:
    family = studio.link(bridge, studio.account(bridge, anna), "Family", reads=True)
    studio.mirrored(bridge, family, event("d", "Dentist", "DTSTART:20261125T080000Z|DURATION:PT1H"))
    (one,) = events(at_annas)
    refused = move(at_annas, one, start="2026-11-26T09:00:00")
    assert (refused.status_code, "read-only here" in refused.json["error"]) == (403, True)
    with bridge.db.writing() as tx:
        calendars.set_editable(tx, one["calendar"], True)
    assert move(at_annas, one, start="2026-11-26T09:00:00").status_code == 200
    assert events(at_annas)[0]["start"] == "2026-11-26T09:00:00+01:00"


def test_all_day_events_move_by_days(at_annas: Browser, bridge: Bridge, anna: UserRow) -> None:
    fair = event("f", "Fair", "DTSTART;VALUE=DATE:20261120|DTEND;VALUE=DATE:20261123")
    studio.book(bridge, anna, fair, kind="block")
    move(at_annas, events(at_annas)[0], start="2026-11-24")
    assert "DTSTART;VALUE=DATE:20261124\r\nDTEND;VALUE=DATE:20261127" in kept(bridge, anna, "f")


def test_what_somebody_changed_meanwhile_is_not_overwritten(
    at_annas: Browser, bridge: Bridge, anna: UserRow
) -> None:
    studio.book(bridge, anna, WEDDING)
    (one,) = events(at_annas)
    studio.book(bridge, anna, WEDDING.replace("Wedding", "Bigger wedding"))
    answer = move(at_annas, one, start="2026-11-26T09:30:00")
    assert (answer.status_code, "changed in the meantime" in answer.json["error"]) == (409, True)
    assert "20261125T140000" in kept(bridge, anna, "w")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"start": "tomorrow"}, "is no date and time"),
        ({"start": "2027-03-28T02:30:00"}, "does not exist on 2027-03-28"),
        ({"start": "2026-11-25T14:00:00", "end": "2026-11-25T13:00:00"}, "must come after the start"),
        ({"start": "2026-11-25T14:00:00", "end": "2026-11-27T13:00:00"}, "takes 1 to 720 minutes"),
    ],
)
def test_a_move_that_makes_no_sense_says_why(
    at_annas: Browser, bridge: Bridge, anna: UserRow, asked: dict[str, str], words: str
) -> None:
    studio.book(bridge, anna, WEDDING)
    answer = move(at_annas, events(at_annas)[0], **asked)
    assert answer.status_code == 400
    assert words in answer.json["error"]


def test_series_and_cancelled_bookings_stay_where_they_are(
    at_annas: Browser, bridge: Bridge, anna: UserRow
) -> None:
    studio.book(
        bridge,
        anna,
        event("s", "Series", "DTSTART:20261125T080000Z|DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=2"),
    )
    studio.book(bridge, anna, event("c", "Off", "DTSTART:20261125T090000Z|DURATION:PT1H", "STATUS:CANCELLED"))
    found = {one["title"]: one for one in events(at_annas)}
    assert not found["Series"]["movable"] and not found["Off"]["movable"]
    assert "repeats" in move(at_annas, found["Series"], start="2026-11-26T09:00").json["error"]
    assert "cancelled" in move(at_annas, found["Off"], start="2026-11-26T09:00").json["error"]


def test_other_peoples_events_do_not_exist(
    app: Any, at_annas: Browser, bridge: Bridge, anna: UserRow, bert: UserRow
) -> None:
    studio.book(bridge, bert, WEDDING)
    assert events(at_annas) == []
    (one,) = events(Browser(app).sign_in(bert.email))
    assert move(at_annas, one, start="2026-11-26T09:00:00").status_code == 404
    assert at_annas.open(one["url"]).status == 404
    assert at_annas.send(f"/calendar/events/{one['object']}/cancel").status == 404
    assert "20261125T140000" in kept(bridge, bert, "w")


# --- the page of one event ----------------------------------------------------------------------------


def test_the_page_of_an_event_says_what_where_and_how_far_it_got(
    at_annas: Browser, bridge: Bridge, anna: UserRow
) -> None:
    studio.book(bridge, anna, WEDDING)
    studio.link(bridge, studio.account(bridge, anna), "Work", writes=True)
    at_annas.open(events(at_annas)[0]["url"])
    assert "Wednesday, 25 November, 14:00 – 16:00" in at_annas.text
    assert "Old Mill, River Road 5" in at_annas.text
    assert "Bring the long lens" in at_annas.text
    assert "On its way to “Work” at Apple iCloud" in at_annas.text
    addresses = [a.get("href") for a in at_annas.document.iter("a")]
    assert "https://www.openstreetmap.org/search?query=Old%20Mill%2C%20River%20Road%205" in addresses
    assert "https://app.picsello.com/jobs/7" in addresses


def test_the_right_date_of_a_series_is_shown(at_annas: Browser, bridge: Bridge, anna: UserRow) -> None:
    studio.book(
        bridge, anna, event("s", "Yoga", "DTSTART:20261125T080000Z|DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=3")
    )
    assert "Friday, 27 November, 09:00 – 10:00" in at_annas.open(events(at_annas)[2]["url"]).text
    assert "This event repeats" in at_annas.text


def test_a_booking_can_be_moved_without_a_script(at_annas: Browser, bridge: Bridge, anna: UserRow) -> None:
    studio.book(bridge, anna, WEDDING)
    at_annas.open(events(at_annas)[0]["url"])
    assert at_annas.field("start").get("value") == "2026-11-25T14:00"
    at_annas.press("Move", start="2026-11-28T10:00", end="2026-11-28T13:00")
    assert "Saturday, 28 November, 10:00 – 13:00" in at_annas.text
    at_annas.press("Move", start="2027-03-28T02:30", end="2027-03-28T04:00")
    assert at_annas.status == 422
    assert "does not exist on 2027-03-28" in at_annas.beside("start")


def test_a_booking_is_cancelled_and_a_block_deleted(at_annas: Browser, bridge: Bridge, anna: UserRow) -> None:
    studio.book(bridge, anna, WEDDING)
    at_annas.open(events(at_annas)[0]["url"]).press("Yes, cancel it")
    assert "The booking is cancelled." in at_annas.text
    assert events(at_annas) == []
    studio.book(bridge, anna, event("b", "Editing", "DTSTART:20261126T080000Z|DURATION:PT1H"), kind="block")
    at_annas.open(events(at_annas)[0]["url"]).press("Delete it")
    assert events(at_annas) == []
    assert "STATUS:CANCELLED" in kept(bridge, anna, "w")


def test_a_time_is_blocked(at_annas: Browser) -> None:
    at_annas.open("/").follow("Block time")
    at_annas.press("Block this time", title="Editing", start="2026-11-24T09:00", end="2026-11-24T12:00")
    assert "Blocked." in at_annas.text
    at_annas.open("/calendar/block?start=2026-11-30T09:00&end=2026-12-02T10:00")
    at_annas.press("Block this time", title="", all_day="yes")
    found = events(at_annas)
    assert [(one["kind"], one["title"], one["start"], one["end"]) for one in found] == [
        ("block", "Editing", "2026-11-24T09:00:00+01:00", "2026-11-24T12:00:00+01:00"),
        ("block", "Blocked", "2026-11-30", "2026-12-03"),
    ]


def test_a_block_without_sense_says_why_beside_its_start(at_annas: Browser) -> None:
    at_annas.open("/calendar/block").press(
        "Block this time", start="2026-11-24T09:00", end="2026-11-24T09:00"
    )
    assert "must come after" in at_annas.beside("start")
    at_annas.press("Block this time", start="", end="")
    assert "when it starts" in at_annas.beside("start")


def test_calendar_sync_connected_is_said_only_if_it_is_true(
    at_annas: Browser, bridge: Bridge, anna: UserRow
) -> None:
    assert "Calendar Sync Connected" not in at_annas.open("/").text
    account = studio.account(bridge, anna)
    studio.link(bridge, account, "Family", reads=True, agreed_at=bridge.clock.now())
    assert "Calendar Sync Connected" in at_annas.open("/").text
    with bridge.db.writing() as tx:
        accounts.set_state(tx, account, "needs-sign-in", "The password changed.", now=bridge.clock.now())
    assert "Needs you to sign in again" in at_annas.open("/").text
    assert "Calendar Sync Connected" not in at_annas.text
