"""Single events at Google: what travels, what is left alone, what is refused, and in which words."""

from __future__ import annotations

import json

import pytest

from bridge.errors import (
    CursorLost,
    NotPermitted,
    ObjectRefused,
    RetryLater,
    SignInNeeded,
)
from bridge.ical.facts import facts, stamps
from bridge.ical.fields import changed
from bridge.ical.marker import mark, marker
from bridge.providers import patience
from tests.contracts.google_stand import GoogleStand
from tests.contracts.samples import ALL_DAY, AWKWARD, event
from tests.providers.google.place import Place
from tests.servers import fault

ALARM = ("BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT15M", "DESCRIPTION:Reminder", "END:VALARM")


# --- identity ----------------------------------------------------------------------------------------


def test_our_uid_and_marker_come_back(place: Place):
    place.create("shoot", mark(event("shoot_7@picsello.com"), "here", "shoot_7@picsello.com#1"))
    text = place.read().text or ""
    assert facts(text).uid == "shoot_7@picsello.com"
    found = marker(text)
    assert found is not None
    assert (found.installation, found.key) == ("here", "shoot_7@picsello.com#1")


def test_a_copy_made_at_google_is_a_foreign_event(place: Place):
    entry = place.create("shoot", mark(event("shoot_7"), "here", "shoot_7#1"))
    copied = {
        k: v for k, v in place.master().items() if k in ("start", "end", "summary", "extendedProperties")
    }
    stored = place.far.google.calendars[place.calendar].insert(copied)
    (copy,) = place.provider.fetch(place.calendar, [stored["id"]])
    assert copy.href != entry.href
    assert facts(copy.text or "").uid == stored["iCalUID"]
    assert marker(copy.text or "") is None


def test_ids_are_what_google_takes(place: Place):
    made = {place.provider.new_href(place.calendar, key) for key in ("a", "a", "b", "ü" * 300, "")}
    assert len(made) == 4
    assert all(5 <= len(id_) <= 1024 and set(id_) <= set("0123456789abcdefghijklmnopqrstuv") for id_ in made)


# --- what travels ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("LOCATION:Altes Rathaus\\, Leipzig", "DESCRIPTION:Zeile 1\\nZeile 2\\; <b>fett</b>"),
        ("STATUS:TENTATIVE", "TRANSP:TRANSPARENT", "CLASS:PRIVATE"),
        ("URL:https://example.com/galerie?id=7",),
        ALARM,
        ("ATTENDEE;CN=Bert;PARTSTAT=ACCEPTED:mailto:bert@example.com",),
        ("ATTENDEE;CN=Saal;CUTYPE=RESOURCE;ROLE=OPT-PARTICIPANT;PARTSTAT=DECLINED:mailto:saal@example.com",),
    ],
)
def test_what_google_can_hold_is_unchanged(place: Place, lines: tuple[str, ...]):
    sent = event("x", "Lunch", *lines)
    differing = changed(sent, place.create("x", sent).text or "")
    assert {group for _, group in differing} <= {"guests"}  # Google adds the organizer
    assert bool(differing) is any(line.startswith("ATTENDEE") for line in lines)


def test_a_day_stays_a_day_and_may_become_a_time_and_a_day_again(place: Place):
    entry = place.create("day", ALL_DAY)
    assert place.master()["end"] == {"date": "2026-01-07"}
    timed = ALL_DAY.replace(";VALUE=DATE:20260105", ":20260105T090000Z").replace(
        ";VALUE=DATE:20260107", ":20260105T100000Z"
    )
    entry = place.update(entry, timed)
    assert not changed(timed, entry.text or "")
    assert not changed(ALL_DAY, place.update(entry, ALL_DAY).text or "")


def test_a_time_without_zone_is_by_the_calendars_clock(place: Place):
    floating = event("x").replace("090000Z", "090000").replace("100000Z", "100000")
    place.create("x", floating)
    assert place.master()["start"] == {"dateTime": "2026-01-05T09:00:00+01:00", "timeZone": "Europe/Berlin"}


def test_equal_events_give_equal_bytes(place: Place):
    place.create("x", AWKWARD)
    assert place.read() == place.read()


# --- what is left alone ------------------------------------------------------------------------------


def test_only_what_changed_is_sent_and_the_rest_stays_googles(place: Place):
    entry = place.create("x", event("x", "Lunch", *ALARM))
    kept = {
        "colorId": "7",
        "guestsCanModify": True,
        "attendees": [{"email": "bert@example.com", "comment": "Komme später", "additionalGuests": 2}],
        "extendedProperties": {"private": {"other-app": "1"}, "shared": {"theirs": "2"}},
    }
    place.hands.edit(entry.href, **kept)
    place.sent.clear()
    entry = place.read()
    place.update(entry, (entry.text or "").replace("Lunch", "Dinner"))
    ((method, body),) = place.bodies()
    assert method == "PATCH"
    assert body.keys() <= {"summary", "extendedProperties"}
    now = place.master()
    assert now["summary"] == "Dinner"
    assert now["extendedProperties"]["private"].items() >= {"other-app": "1"}.items()
    assert {name: now[name] for name in ("colorId", "guestsCanModify", "attendees")} == {
        name: kept[name] for name in ("colorId", "guestsCanModify", "attendees")
    }


def test_what_google_could_not_hold_costs_no_write(place: Place):
    entry = place.create("x", event("x"))
    place.sent.clear()
    assert (
        place.update(entry, event("x", "Lunch", "CATEGORIES:Hochzeit", "X-APPLE-TRAVEL-ADVISORY:1")) == entry
    )
    assert {seen.method for seen in place.sent} == {"GET"}


def test_the_calendars_own_reminders_are_nobodys_edit(place: Place):
    entry = place.create("x", event("x"))
    assert place.master()["reminders"] == {"useDefault": True}
    with_one = place.update(entry, event("x", "Lunch", *ALARM))
    assert place.master()["reminders"] == {
        "useDefault": False,
        "overrides": [{"method": "popup", "minutes": 15}],
    }
    place.update(with_one, event("x"))
    assert place.master()["reminders"] == {"useDefault": False, "overrides": []}


def test_a_cut_list_of_guests_is_never_written_back(place: Place):
    entry = place.create("x", event("x", "Lunch", "ATTENDEE:mailto:bert@example.com"))
    place.hands.edit(entry.href, attendeesOmitted=True)
    entry = place.read()
    place.sent.clear()
    place.update(entry, event("x", "Dinner", "ATTENDEE:mailto:clara@example.com"))
    assert all("attendees" not in body for _, body in place.bodies())


def test_a_guest_is_added_and_the_others_keep_what_google_knows_of_them(place: Place):
    place.hands.put("x", event("x", "Lunch", "ATTENDEE;CN=Bert:mailto:bert@example.com"))
    place.hands.edit("x", attendees=[{"email": "bert@example.com", "displayName": "Bert", "comment": "Gern"}])
    entry = place.read()
    more = (entry.text or "").replace(
        "END:VEVENT", "ATTENDEE;CN=Clara:mailto:clara@example.com\r\nEND:VEVENT"
    )
    place.update(entry, more)
    bert, clara = place.master()["attendees"]
    assert bert["comment"] == "Gern"
    assert clara["email"] == "clara@example.com"


def test_unchanged_since_our_write_it_bears_our_stamps_until_somebody_edits_it(place: Place):
    ours = mark(event("x", "Lunch", "SEQUENCE:3", "X-APPLE-TRAVEL-ADVISORY:1"), "here", "x#1")
    entry = place.create("x", ours)
    assert stamps(entry.text or "") == stamps(ours)
    place.hands.edit(entry.href, description="Neu")
    assert stamps(place.read().text or "") != stamps(ours)


@pytest.mark.parametrize("kind", ["birthday", "focusTime", "fromGmail", "outOfOffice", "workingLocation"])
def test_what_google_makes_by_itself_is_shown_and_never_written(place: Place, kind: str):
    place.hands.put("x", event("x"))
    place.hands.edit("x", eventType=kind)
    entry = place.read()
    place.sent.clear()
    with pytest.raises(ObjectRefused, match="only there"):
        place.update(entry, (entry.text or "").replace("Lunch", "Dinner"))
    assert place.bodies() == []


# --- mail, refusals, pages -----------------------------------------------------------------------------


@pytest.mark.parametrize("mail", [False, True])
def test_guests_are_mailed_only_if_the_account_says_so(stand: GoogleStand, mail: bool):
    place = Place(stand, stand.provider(mail=mail))
    entry = place.create("x", event("x", "Lunch", "ATTENDEE:mailto:bert@example.com"))
    entry = place.update(entry, (entry.text or "").replace("Lunch", "Dinner"))
    place.provider.delete(place.calendar, entry.href, entry.tag)
    assert len(stand.google.mails) == (3 if mail else 0)


def _refusal(status: int, reason: str) -> fault.Fault:
    errors = [{"domain": "usageLimits", "reason": reason, "message": "No."}]
    body = {"error": {"code": status, "message": "No.", "errors": errors}}
    return fault.answer(status, json.dumps(body).encode(), {"Retry-After": "70"})


@pytest.mark.parametrize(
    ("status", "reason", "kind", "words"),
    [
        (403, "rateLimitExceeded", RetryLater, "slow down"),
        (403, "userRateLimitExceeded", RetryLater, "slow down"),
        (403, "quotaExceeded", RetryLater, "slow down"),
        (403, "calendarUsageLimitsExceeded", RetryLater, "slow down"),
        (429, "rateLimitExceeded", RetryLater, "slow down"),
        (500, "backendError", RetryLater, "trouble"),
        (403, "insufficientPermissions", SignInNeeded, "tick all boxes"),
        (403, "accessNotConfigured", NotPermitted, "administrator"),
        (403, "requiredAccessLevel", NotPermitted, "only read"),
        (403, "forbiddenForNonOrganizer", ObjectRefused, "does not let us change"),
        (400, "invalid", ObjectRefused, "does not take"),
    ],
)
def test_a_refusal_is_judged_by_its_reason(place: Place, status: int, reason: str, kind: type, words: str):
    place.far.faults.fault("POST", _refusal(status, reason), times=2)
    with pytest.raises(kind, match=words) as caught:
        place.create("x", event("x"))
    if isinstance(caught.value, RetryLater):
        assert caught.value.after == 70
    assert place.events() == []


@pytest.mark.parametrize(
    ("status", "reason", "waits"),
    [
        (403, "rateLimitExceeded", True),
        (403, "userRateLimitExceeded", True),
        (429, "rateLimitExceeded", True),
        (403, "quotaExceeded", False),
        (403, "dailyLimitExceeded", False),
        (503, "backendError", False),
    ],
)
def test_a_quota_that_is_free_again_in_seconds_is_waited_for(
    place: Place, status: int, reason: str, waits: bool, monkeypatch: pytest.MonkeyPatch
):
    pauses: list[float] = []
    monkeypatch.setattr(patience, "pause", pauses.append)
    errors = [{"domain": "usageLimits", "reason": reason, "message": "No."}]
    body = json.dumps({"error": {"code": status, "message": "No.", "errors": errors}}).encode()
    place.far.faults.fault("POST", fault.answer(status, body), times=2)
    if waits:
        place.create("x", event("x"))
        assert [int(pause) for pause in pauses] == [1, 2]
        assert len(place.events()) == 1
    else:
        with pytest.raises(RetryLater):
            place.create("x", event("x"))
        assert pauses == []
    place.far.faults.heal()


@pytest.mark.parametrize("reason", ["fullSyncRequired", "updatedMinTooLongAgo"])
def test_a_token_that_ran_out_is_said_so(place: Place, reason: str):
    cursor = place.provider.changes(place.calendar, None).cursor
    place.far.faults.fault("GET", _refusal(410, reason))
    with pytest.raises(CursorLost):
        place.provider.changes(place.calendar, cursor)


@pytest.mark.parametrize("status", [400, 410])
def test_a_list_that_breaks_off_is_begun_again_and_is_no_lost_calendar(
    place: Place, stand: GoogleStand, status: int
):
    stand.google.page = 10
    stand.seed(place.calendar, {f"{n}.ics": event(f"many-{n}") for n in range(15)})
    place.far.faults.fault("GET", _refusal(status, "invalid"), path="pageToken")
    with pytest.raises(RetryLater, match="begin again"):
        place.provider.changes(place.calendar, None)
    assert len(place.provider.changes(place.calendar, None).entries) == 15


def test_a_large_calendar_comes_page_by_page(place: Place, stand: GoogleStand):
    stand.google.page = 100
    stand.seed(place.calendar, {f"{n}.ics": event(f"many-{n}") for n in range(250)})
    before = place.provider.requests
    changes = place.provider.changes(place.calendar, None)
    assert len(changes.entries) == 250
    assert place.provider.requests - before == 3
    stand.seed(place.calendar, {f"more-{n}.ics": event(f"more-{n}") for n in range(150)})
    delta = place.provider.changes(place.calendar, changes.cursor)
    assert (len(delta.entries), delta.complete) == (150, False)


def test_many_dates_changed_at_once_are_read_by_one_listing(place: Place, stand: GoogleStand):
    series = event("s").replace("SUMMARY", "RRULE:FREQ=DAILY;COUNT=3\r\nSUMMARY")
    for n in range(30):
        place.hands.put(f"{n}", series.replace("UID:s", f"UID:s{n}"))
    cursor = place.provider.changes(place.calendar, None).cursor
    for n in range(30):
        place.hands.edit(f"{n}", summary="Alle")
    before = place.provider.requests
    delta = place.provider.changes(place.calendar, cursor)
    assert len(delta.entries) == 30
    assert all("SUMMARY:Alle" in (entry.text or "") for entry in delta.entries)
    assert place.provider.requests - before == 2
