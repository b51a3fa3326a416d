"""The merge: an edit reaches the other side and touches nothing else there."""

from __future__ import annotations

import pytest

from bridge.ical.fields import changed, groups
from bridge.ical.merge import Merged, Prefer, arrived, first_merge, merge
from bridge.ical.text import parse
from tests.ical.situations import (
    BOOKKEEPING,
    NAMES,
    line_diff,
    rewritten_by_a_server,
    situation,
    touched,
    with_block,
    with_line,
    with_part,
    without,
    without_blocks,
    without_part,
)

ALARM = "BEGIN:VALARM\nACTION:AUDIO\nTRIGGER:-PT7M\nX-TONE:beep\nEND:VALARM"
#: One edit of each group, and the names of the lines that it may touch on the other side.
EDITS = {
    "title": ("SUMMARY:Moved\\, retitled", {"SUMMARY"}),
    "place": ("LOCATION:Elsewhere\\, 2nd floor", {"LOCATION"}),
    "notes": ("DESCRIPTION:" + "Long new notes. " * 5 + "\r\n   and a fold", {"DESCRIPTION"}),
    "status": ("STATUS:X-HELD", {"STATUS"}),
    "busy": ("TRANSP:X-AWAY", {"TRANSP"}),
    "x:X-NEW": ('X-NEW;X-P="a,b":1,2;3', {"X-NEW"}),
    "x:COLOR": ("COLOR:red", {"COLOR"}),
    "alarms": (ALARM, {"BEGIN", "END", "ACTION", "TRIGGER", "X-TONE"}),
    "guests": ('ORGANIZER;CN="New, Org":mailto:new@example.org', {"ORGANIZER"}),
}
STAMP = "LAST-MODIFIED:20300101T000000Z"


def edited(text: str, group: str) -> str:
    line = EDITS[group][0]
    return with_line(with_block(text, line) if line == ALARM else with_line(text, line), STAMP)


def mirrored(merged: Merged) -> Merged:
    swapped = tuple(
        type(found)(found.key, found.name, found.theirs_text, found.ours_text) for found in merged.conflicts
    )
    return Merged(merged.remote, merged.hub, swapped)


OTHER: dict[Prefer, Prefer] = {"ours": "theirs", "theirs": "ours", "ask": "ask"}


def merged(base_hub: str, hub: str, base_remote: str, remote: str, prefer: Prefer = "ours") -> Merged:
    """Merge, and check what must hold for every merge."""
    result = merge(base_hub, hub, base_remote, remote, prefer)
    back = merge(base_remote, remote, base_hub, hub, OTHER[prefer])
    assert mirrored(back) == result, "swapping the sides mirrors the result"
    again = merge(result.hub, result.hub, result.remote, result.remote, prefer)
    assert again == Merged(result.hub, result.remote, ())
    for before, after in ((hub, result.hub), (remote, result.remote)):
        if not changed(before, after):
            assert before == after, "without a change of meaning no byte changes"
    return result


@pytest.mark.parametrize("name", NAMES)
def test_nothing_changed_is_byte_for_byte_the_same(name: str) -> None:
    hub = situation(name)
    remote = rewritten_by_a_server(hub)
    assert merged(hub, hub, remote, remote) == Merged(hub, remote, ())
    # not even where a server stamps its copy anew
    stamped = with_line(remote, STAMP)
    assert merged(hub, hub, remote, stamped) == Merged(hub, stamped, ())


@pytest.mark.parametrize("group", EDITS)
@pytest.mark.parametrize("name", NAMES)
def test_an_edit_of_one_group_touches_its_lines_and_the_bookkeeping_alone(name: str, group: str) -> None:
    hub = situation(name)
    remote = rewritten_by_a_server(hub)
    result = merged(hub, edited(hub, group), remote, remote)
    assert result.hub == edited(hub, group)
    assert touched(remote, result.remote) <= EDITS[group][1] | BOOKKEEPING
    key = next(iter(changed(hub, edited(hub, group))))
    assert changed(remote, result.remote) == {key}
    assert groups(result.remote).get(key) == groups(result.hub).get(key)
    # and the other way round, into the text with the odd spelling
    back = merged(hub, hub, remote, edited(remote, group))
    assert touched(hub, back.hub) <= EDITS[group][1] | BOOKKEEPING
    assert changed(hub, back.hub) == {key}


@pytest.mark.parametrize("name", NAMES)
def test_moving_an_event_touches_its_times_alone(name: str) -> None:
    hub = situation(name)
    remote = rewritten_by_a_server(hub)
    moved = with_line(without(hub, "DTEND"), "DTSTART:20300101T100000Z")
    moved = with_line(without(without(moved, "DUE"), "DURATION"), "DURATION:PT45M")
    result = merged(hub, moved, remote, remote)
    assert touched(remote, result.remote) <= {"DTSTART", "DTEND", "DUE", "DURATION"}
    assert groups(result.remote).keys() == groups(moved).keys()
    assert {key: value for key, value in groups(result.remote).items() if key[1] == "when"} == {
        key: value for key, value in groups(moved).items() if key[1] == "when"
    }


def test_an_edit_on_each_side_reaches_the_other() -> None:
    hub = situation("apple-structured-location-with-geo-uri")
    remote = rewritten_by_a_server(hub)
    moved = with_line(hub, "DTSTART;TZID=Europe/Berlin:20240518T133000")
    retitled = with_line(remote, "SUMMARY:Wedding (2 photographers)")
    result = merged(hub, moved, remote, retitled)
    assert result.conflicts == ()
    assert touched(moved, result.hub) <= {"SUMMARY"} | BOOKKEEPING
    assert touched(retitled, result.remote) <= {"DTSTART"} | BOOKKEEPING
    assert groups(result.hub) == groups(result.remote)


def test_the_same_change_on_both_sides_is_no_conflict() -> None:
    hub = situation("utc-times")
    remote = rewritten_by_a_server(hub)
    ours, theirs = with_line(hub, "SUMMARY:a\\, b"), with_line(remote, "SUMMARY;LANGUAGE=en:a, b")
    assert merged(hub, ours, remote, theirs, "theirs") == Merged(ours, theirs, ())


@pytest.mark.parametrize(("prefer", "title"), [("ours", "A"), ("theirs", "B")])
def test_the_policy_decides_a_conflict_and_the_rest_is_merged(prefer: Prefer, title: str) -> None:
    hub = situation("outlook-windows-zone-and-raw-comma-in-alt-desc")
    remote = rewritten_by_a_server(hub)
    ours = with_line(with_line(hub, "SUMMARY:A"), "LOCATION:Here")
    theirs = with_line(with_line(remote, "SUMMARY:B"), "STATUS:TENTATIVE")
    result = merged(hub, ours, remote, theirs, prefer)
    [conflict] = result.conflicts
    assert (conflict.key, conflict.name) == ((None, "title"), "title")
    assert (conflict.ours_text, conflict.theirs_text) == ("A", "B")
    for text in (result.hub, result.remote):
        said = groups(text)
        assert said[None, "title"] == (("SUMMARY", (), title),)
        assert said[None, "place"] == (("LOCATION", (), "Here"),)
        assert said[None, "status"] == (("STATUS", (), "TENTATIVE"),)
    assert "X-ALT-DESC;FMTTYPE=text/html:<html><body>Bring; the lenses, <b>please" in result.hub


def test_ask_leaves_both_sides_of_a_conflict_alone_and_merges_the_rest() -> None:
    hub = situation("utc-times")
    ours = with_line(with_line(hub, "SUMMARY:A"), "LOCATION:Here")
    theirs = with_line(with_line(hub, "SUMMARY:B"), "DESCRIPTION:New")
    result = merged(hub, ours, hub, theirs, "ask")
    assert [conflict.key for conflict in result.conflicts] == [(None, "title")]
    assert touched(ours, result.hub) == {"DESCRIPTION"}
    assert touched(theirs, result.remote) == {"LOCATION"}


def test_conflicting_times_are_shown_as_people_write_them() -> None:
    hub = situation("series-with-override-and-exdates-on-one-line")
    ours = with_line(hub, "DTSTART;TZID=Europe/Berlin:20240506T173000")
    theirs = with_line(without(hub, "DTEND"), "DTSTART;VALUE=DATE:20240506")
    [conflict] = merged(hub, ours, hub, theirs).conflicts
    assert conflict.name == "time"
    assert conflict.ours_text == "2024-05-06 17:30 to 19:00 (Europe/Berlin), repeating except 2"
    assert conflict.theirs_text == "2024-05-06 to 2024-05-07, repeating except 2"


def test_conflicting_reminders_and_guests_are_shown_as_people_write_them() -> None:
    hub = situation("utc-times")
    ours = with_block(with_line(hub, "ATTENDEE:mailto:a@example.org"), ALARM)
    theirs = with_block(with_line(hub, "ATTENDEE:mailto:b@example.org"), ALARM.replace("-PT7M", "-P1D"))
    shown = {
        found.name: (found.ours_text, found.theirs_text) for found in merged(hub, ours, hub, theirs).conflicts
    }
    assert shown == {
        "reminders": ("7 minutes before", "1 day before"),
        "guests": ("a@example.org", "b@example.org"),
    }


# --- deleting a group, alarms, order -----------------------------------------------------------------


def test_a_property_taken_away_is_taken_away_on_the_other_side_too() -> None:
    hub = situation("apple-structured-location-with-geo-uri")
    remote = rewritten_by_a_server(hub)
    nowhere = without(without(hub, "LOCATION"), "X-APPLE-STRUCTURED-LOCATION")
    result = merged(hub, nowhere, remote, remote)
    assert touched(remote, result.remote) == {"LOCATION", "X-APPLE-STRUCTURED-LOCATION"}
    assert line_diff(remote, result.remote)[1] == []
    assert "geo:52.499,13.355" in result.remote, "the place of the reminder is another matter"


def test_a_new_place_does_not_keep_the_old_pin_on_the_map() -> None:
    """A provider that knows no X-APPLE-STRUCTURED-LOCATION moves the event elsewhere."""
    hub = situation("apple-structured-location-with-geo-uri")
    remote = without(hub, "X-APPLE-STRUCTURED-LOCATION")
    result = merged(hub, hub, remote, with_line(remote, "LOCATION:Zoo"))
    event = next(parse(result.hub).components("VEVENT"))
    assert (event.value("LOCATION"), event.first("X-APPLE-STRUCTURED-LOCATION")) == ("Zoo", None)


def test_one_reminder_changed_leaves_the_others_bytes_alone() -> None:
    hub = situation("apple-structured-location-with-geo-uri")
    remote = rewritten_by_a_server(hub)
    ours = hub.replace("TRIGGER:-PT30M", "TRIGGER:-PT45M")
    result = merged(hub, ours, remote, remote)
    none_left = "ACTION:NONE"
    gone, came = line_diff(remote, result.remote)
    assert not any(none_left in line for line in gone + came)
    assert "TRIGGER:-PT45M\r\n" in came
    assert groups(result.remote) == groups(result.hub)


def test_a_dismissed_reminder_is_not_carried_over() -> None:
    hub = situation("thunderbird-snoozed-reminder-and-generation")
    dismissed = hub.replace("ACKNOWLEDGED:20240602", "ACKNOWLEDGED:20240603").replace(
        "GENERATION:4", "GENERATION:5"
    )
    assert merged(hub, dismissed, hub, hub) == Merged(dismissed, hub, ())


def test_a_snoozed_reminders_shadow_stays_on_its_device() -> None:
    hub = situation("snoozed-alarm-of-rfc-9074")
    plain = without_blocks(hub, "VALARM")
    other = with_block(plain, ALARM)
    result = merged(plain, other, hub, hub)
    assert "RELATED-TO;RELTYPE=SNOOZE:alarm-a" in result.remote
    assert result.remote.count("BEGIN:VALARM") == 2, "the shadow, and the new reminder in place of the old"


def test_a_new_property_stands_behind_its_neighbour_and_before_the_reminders() -> None:
    hub = situation("davx5-duration-instead-of-end")
    ours = hub.replace("STATUS:TENTATIVE\r\n", "STATUS:TENTATIVE\r\nX-JOB:17\r\n")
    remote = rewritten_by_a_server(hub)
    lines = merged(hub, ours, remote, remote).remote.split("\r\n")
    assert lines[lines.index("X-JOB:17") - 1] == "STATUS:TENTATIVE"
    alien = situation("snoozed-alarm-of-rfc-9074")
    lonely = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nX-ONLY:1\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    there = without_blocks(lonely, "VALARM")
    result = merged(there, lonely.replace("X-ONLY:1", "X-NEW:2\r\nX-ONLY:1"), alien, alien)
    lines = result.remote.split("\r\n")
    assert lines[lines.index("X-NEW:2") + 1] == "BEGIN:VALARM"


def test_line_ends_follow_the_receiver() -> None:
    crlf = situation("apple-structured-location-with-geo-uri")
    bare = situation("line-feeds-only")
    into_bare = merged(crlf, edited(edited(crlf, "notes"), "alarms"), bare, bare).remote
    assert "\r" not in into_bare
    into_crlf = merged(bare, edited(edited(bare, "x:X-NEW"), "alarms"), crlf, crlf).remote
    assert into_crlf.count("\n") == into_crlf.count("\r\n")


def test_stamps_and_sequence_come_along() -> None:
    hub = with_line(situation("utc-times"), "SEQUENCE:7")
    remote = with_line(situation("utc-times"), "SEQUENCE:3")
    ours = with_line(with_line(with_line(hub, "SUMMARY:New"), STAMP), "DTSTAMP:20300101T000000Z")
    result = merged(hub, ours, remote, remote)
    event = next(parse(result.remote).components("VEVENT"))
    assert event.value("LAST-MODIFIED") == event.value("DTSTAMP") == "20300101T000000Z"
    assert event.value("SEQUENCE") == "7"
    back = merged(hub, hub, remote, with_line(remote, "SUMMARY:New"))
    assert next(parse(back.hub).components("VEVENT")).value("SEQUENCE") == "7", "never counted down"


def test_our_marker_stays_on_its_side() -> None:
    hub = situation("series-with-override-and-exdates-on-one-line")
    remote = with_line(with_line(hub, "X-PICSELLO-BRIDGE:here;1"), "X-PICSELLO-BRIDGE:here;1", part=1)
    theirs = with_line(with_line(remote, "SUMMARY:New"), "SUMMARY:New too", part=1)
    result = merged(hub, hub, remote, theirs)
    assert "X-PICSELLO" not in result.hub
    assert result.remote == theirs
    added = merged(without_part(hub, 1), without_part(hub, 1), without_part(remote, 1), remote)
    assert "X-PICSELLO" not in added.hub


# --- series ---------------------------------------------------------------------------------------------

SERIES = "series-with-override-and-exdates-on-one-line"
NEW_OVERRIDE = """BEGIN:VEVENT
UID:series-1
RECURRENCE-ID;TZID=Europe/Berlin:20240603T180000
DTSTAMP:20240501T070000Z
DTSTART;TZID=Europe/Berlin:{start}T{hour}0000
DTEND;TZID=Europe/Berlin:{start}T{end}0000
SUMMARY:{title}
X-ODD;P=1:a,b;c
BEGIN:VALARM
ACTION:DISPLAY
TRIGGER:-PT5M
END:VALARM
END:VEVENT"""


def override(start: str = "20240603", hour: int = 18, title: str = "Class") -> str:
    return NEW_OVERRIDE.format(start=start, hour=hour, end=hour + 1, title=title)


def test_a_new_override_travels_whole() -> None:
    hub = situation(SERIES)
    remote = rewritten_by_a_server(hub)
    result = merged(hub, with_part(hub, override("20240604")), remote, remote)
    assert line_diff(remote, result.remote) == (
        [],
        [row + "\r\n" for row in override("20240604").split("\n")],
    )


def test_an_override_taken_back_goes_on_the_other_side() -> None:
    hub = situation(SERIES)
    remote = rewritten_by_a_server(hub)
    result = merged(hub, without_part(hub, 1), remote, remote)
    assert result.remote == without_part(remote, 1)


def test_an_override_named_in_utc_there_and_in_local_time_here_is_one() -> None:
    hub = situation("override-named-in-utc")
    remote = with_line(hub, "RECURRENCE-ID;TZID=Europe/Berlin:20240513T180000", part=1)
    result = merged(hub, with_line(hub, "SUMMARY:New", part=1), remote, remote)
    assert touched(remote, result.remote) == {"SUMMARY"}


def test_each_side_edits_another_field_of_the_same_instance_for_the_first_time() -> None:
    """Both made an override of the same date: one moved it, one retitled it. No conflict."""
    hub = situation(SERIES)
    remote = rewritten_by_a_server(hub)
    plain = override().replace("X-ODD;P=1:a,b;c\n", "")
    plain = plain[: plain.index("BEGIN:VALARM")] + "END:VEVENT"
    ours = with_part(
        hub, plain.replace("DTSTART;TZID=Europe/Berlin:20240603", "DTSTART;TZID=Europe/Berlin:20240602")
    )
    theirs = with_part(remote, plain.replace("SUMMARY:Class", "SUMMARY:Guest teacher"))
    result = merged(hub, ours, remote, theirs)
    assert result.conflicts == ()
    said = groups(result.hub)
    assert said == groups(result.remote)
    assert said["20240603T160000Z", "title"] == (("SUMMARY", (), "Guest teacher"),)
    assert said["20240603T160000Z", "when"] == (
        "20240602T180000@Europe/Berlin",
        "20240603T190000@Europe/Berlin",
        (),
    )


def test_each_side_edits_another_instance() -> None:
    hub = situation(SERIES)
    ours = with_part(hub, override("20240605"))
    theirs = with_line(hub, "SUMMARY:Class moved", part=1)
    result = merged(hub, ours, hub, theirs)
    assert result.conflicts == ()
    assert groups(result.hub) == groups(result.remote)


@pytest.mark.parametrize("prefer", ["ours", "theirs", "ask"])
def test_an_instance_deleted_here_and_edited_there_stays(prefer: Prefer) -> None:
    hub = situation(SERIES)
    remote = rewritten_by_a_server(hub)
    deleted = without_part(hub, 1).replace("20240520T180000,", "20240513T180000,20240520T180000,")
    theirs = with_line(remote, "SUMMARY:Edited meanwhile", part=1)
    result = merged(hub, deleted, remote, theirs, prefer)
    assert result.conflicts == ()
    for text in (result.hub, result.remote):
        assert groups(text)["20240513T160000Z", "title"] == (("SUMMARY", (), "Edited meanwhile"),)
        assert "EXDATE;TZID=Europe/Berlin:20240520T180000,20240527T180000\r\n" in text


def test_an_instance_excluded_here_and_overridden_there_stays() -> None:
    hub = situation(SERIES)
    excluded = hub.replace("EXDATE;", "EXDATE;TZID=Europe/Berlin:20240603T180000\r\nEXDATE;")
    result = merged(hub, excluded, hub, with_part(hub, override(title="Edited")))
    assert "20240603T180000\r\nEXDATE" not in result.hub
    assert groups(result.hub) == groups(result.remote)
    assert ("20240603T160000Z", "title") in groups(result.hub)


def test_a_writer_that_excludes_what_it_overrides_is_left_alone() -> None:
    odd = situation(SERIES).replace("20240520T180000,", "20240513T180000,20240520T180000,")
    result = merged(odd, with_line(odd, "SUMMARY:New"), odd, odd)
    assert touched(odd, result.remote) == {"SUMMARY"}


def test_an_override_that_the_server_never_kept_is_not_deleted_here() -> None:
    hub = situation(SERIES)
    stripped = without_part(hub, 1)
    retitled = with_line(stripped, "SUMMARY:New")
    result = merged(hub, hub, stripped, retitled)
    assert touched(hub, result.hub) == {"SUMMARY"}
    assert result.remote == retitled, "nor sent to it again unless somebody edits it"


def test_an_empty_calendar_deletes_nothing() -> None:
    hub = situation("utc-times")
    result = merged(hub, hub, hub, without_part(hub, 0))
    assert result.hub == hub
    assert groups(result.remote) == groups(hub)


# --- zones ------------------------------------------------------------------------------------------------


def test_a_definition_travels_with_the_times_that_need_it() -> None:
    outlook = situation("outlook-windows-zone-and-raw-comma-in-alt-desc")
    remote = situation("utc-times")
    moved = outlook.replace("20240607T1", "20240608T1")
    result = merged(outlook, moved, remote, remote)
    gone, came = line_diff(remote, result.remote)
    assert [line[:7] for line in gone if not line.startswith("SEQ")] == ["DTSTART", "DTEND:2"]
    assert "TZID:W. Europe Standard Time\r\n" in came
    calendar = parse(result.remote)
    assert [part.name for part in calendar.components()] == ["VTIMEZONE", "VEVENT"]
    assert groups(result.remote)[None, "when"] == groups(moved)[None, "when"]


def test_a_definition_worded_otherwise_does_not_travel() -> None:
    """Apple's and Microsoft's words for the same rules."""
    apple = situation("series-with-override-and-exdates-on-one-line")
    other = situation("outlook-windows-zone-and-raw-comma-in-alt-desc")
    words = parse(other).serialize().split("BEGIN:VTIMEZONE")[1].split("END:VTIMEZONE")[0]
    words = words.replace("W. Europe Standard Time", "Europe/Berlin")
    head, _, tail = apple.partition("BEGIN:VTIMEZONE")
    remote = head + "BEGIN:VTIMEZONE" + words + "END:VTIMEZONE" + tail.partition("END:VTIMEZONE")[2]
    moved = apple.replace("DTSTART;TZID=Europe/Berlin:20240506T18", "DTSTART;TZID=Europe/Berlin:20240506T17")
    assert touched(remote, merged(apple, moved, remote, remote).remote) == {"DTSTART"}


def custom_zone(offset: str) -> str:
    return situation("custom-zone-of-an-old-exchange").replace("+0530", offset)


def test_another_definition_of_the_same_name_replaces_one_that_nothing_uses_any_more() -> None:
    ours = custom_zone("+0530")
    remote = custom_zone("-0800")
    moved = ours.replace("20240720T11", "20240721T11").replace("20240720T12", "20240721T12")
    result = merged(ours, moved, remote, remote)
    assert result.remote == moved


def test_another_definition_of_the_same_name_never_mixes() -> None:
    """The other side still needs its own: an override there, in hours of its own."""
    ours = custom_zone("+0530")
    extra = """BEGIN:VEVENT
UID:custom-1
RECURRENCE-ID:20240727T000000Z
DTSTART;TZID=Customized Time Zone:20240727T110000
SUMMARY:Pacific
END:VEVENT"""
    remote = with_part(custom_zone("-0800"), extra)
    moved = ours.replace("20240720T11", "20240721T11").replace("20240720T12", "20240721T12")
    result = merged(ours, moved, remote, remote)
    said, meant, had = groups(result.remote), groups(moved), groups(remote)
    assert said[None, "when"] == meant[None, "when"]
    assert said["20240727T000000Z", "when"] == had["20240727T000000Z", "when"]
    assert "DTSTART;TZID=/picsello-bridge/1/Customized Time Zone:20240721T110000\r\n" in result.remote
    # once more: the name that is there is used again
    later = moved.replace("20240721T", "20240722T")
    again = merged(moved, later, result.remote, result.remote)
    assert touched(result.remote, again.remote) == {"DTSTART", "DTEND"}


def test_a_windows_zone_under_a_name_of_ours_is_still_that_zone() -> None:
    outlook = situation("outlook-windows-zone-and-raw-comma-in-alt-desc")
    ours = "TZID=/picsello-bridge/1/W. Europe Standard Time"
    renamed = outlook.replace("TZID=W. Europe Standard Time", ours)
    assert changed(outlook, renamed) == frozenset()


def test_a_definition_that_contradicts_its_name_is_not_put_under_our_times() -> None:
    bogus = situation("definition-that-contradicts-its-name")
    right = situation("series-with-override-and-exdates-on-one-line")
    moved = right.replace("DTSTART;TZID=Europe/Berlin:20240506T18", "DTSTART;TZID=Europe/Berlin:20240506T17")
    result = merged(right, moved, bogus, bogus)
    assert "DTSTART;TZID=/picsello-bridge/1/Europe/Berlin:20240506T170000" in result.remote
    assert groups(result.remote)[None, "when"] == groups(moved)[None, "when"]


# --- without a base; after a lost answer --------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_first_meeting_of_two_equal_objects_changes_nothing(name: str) -> None:
    hub = situation(name)
    remote = rewritten_by_a_server(hub)
    assert first_merge(hub, remote, "ours") == Merged(hub, remote, ())


def test_first_meeting_keeps_what_only_one_side_has() -> None:
    hub = with_line(situation("utc-times"), "LOCATION:Here")
    remote = with_block(with_line(situation("utc-times"), "DESCRIPTION:There"), ALARM)
    result = first_merge(hub, remote, "ours")
    assert result.conflicts == ()
    assert groups(result.hub) == groups(result.remote)
    assert {"place", "notes", "alarms"} <= {group for _, group in groups(result.hub)}


@pytest.mark.parametrize("prefer", ["ours", "theirs", "ask"])
def test_first_meeting_asks_the_policy_where_both_say_something(prefer: Prefer) -> None:
    hub = with_line(situation("utc-times"), "SUMMARY:A")
    remote = with_line(with_line(situation("utc-times"), "SUMMARY:B"), "STATUS:TENTATIVE")
    result = first_merge(hub, remote, prefer)
    assert {found.key[1] for found in result.conflicts} == {"title", "status"}
    expected = {"ours": (hub, None), "theirs": (None, remote), "ask": (hub, remote)}[prefer]
    for text, kept in zip((result.hub, result.remote), expected, strict=True):
        assert kept in (None, text)
    if prefer != "ask":
        assert groups(result.hub) == groups(result.remote)


def test_first_meeting_of_two_rhythms_takes_one_sides_overrides() -> None:
    hub = situation(SERIES)
    remote = with_part(
        with_line(without_part(hub, 1), "RRULE:FREQ=DAILY"),
        override("20240604").replace("20240603T18", "20240604T18"),
    )
    for prefer, winner in (("ours", hub), ("theirs", remote)):
        result = first_merge(hub, remote, prefer)  # type: ignore[arg-type]
        assert groups(result.hub) == groups(result.remote)
        assert {key for key, _ in groups(result.hub)} == {key for key, _ in groups(winner)}


def test_a_lost_answer_and_a_server_that_rewrites() -> None:
    base = rewritten_by_a_server(situation("utc-times"))
    sent = with_line(base, "SUMMARY:Sent")
    assert arrived(base, sent, rewritten_by_a_server(with_line(sent, "LOCATION:Edited after")))
    assert not arrived(base, sent, with_line(base, "LOCATION:Edited, never arrived"))


def test_a_lost_answer_and_an_edit_of_the_same_field() -> None:
    base = situation("utc-times")
    sent = with_line(with_line(base, "SUMMARY:Sent"), "SEQUENCE:5")
    assert not arrived(base, sent, with_line(base, "SUMMARY:Theirs")), "in doubt it is a conflict"
    assert arrived(base, sent, with_line(sent, "SUMMARY:Theirs")), "the sequence is ours"


def test_a_lost_answer_with_as_much_for_it_as_against_it() -> None:
    base = situation("utc-times")
    sent = with_line(with_line(base, "SUMMARY:Sent"), "LOCATION:Sent")
    assert not arrived(base, sent, with_line(base, "SUMMARY:Sent"))


def test_a_lost_answer_to_an_override() -> None:
    base = situation(SERIES)
    sent = with_part(base, override())
    assert arrived(base, sent, with_line(sent, "SUMMARY:Other"))
    assert not arrived(base, sent, with_line(base, "SUMMARY:Other"))


def test_a_lost_answer_to_a_create() -> None:
    sent = situation("utc-times")
    assert arrived(None, sent, with_line(sent, "SUMMARY:Edited after"))
    assert not arrived(None, sent, "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")
