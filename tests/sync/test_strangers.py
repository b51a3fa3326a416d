"""Whose is it? Our own objects in other calendars, copies of them, the old subscription, odd time zones."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection

from bridge.store import objects
from tests.sync.conftest import Story, private_event, title


@pytest.fixture
def both(story: Story) -> Story:
    """Bookings go to *Work*; both calendars are read."""
    story.select("--write", story.work.path, "--read", story.work.path, "--read", story.private.path)
    return story


def mirrored(story: Story) -> dict[str, str]:
    """UID to title of everything in the mirrors."""
    from bridge.store import calendars, people

    with story.bridge().db.reading() as tx:
        user = people.user_by_email(tx, "anna@studio.example")
        mirrors = [row for row in calendars.of_user(tx, user.id) if row.kind == "mirror"]
        return {row.uid: title(row.text) for mirror in mirrors for row in objects.all_objects(tx, mirror.id)}


def test_our_own_object_in_another_calendar_is_no_foreign_event(both: Story) -> None:
    """A mirror of a mirror: some program copies Work to Private."""
    uid = both.book("Smith wedding")
    both.sync()
    both.private.put("copied.ics", both.work.by_uid(uid) or "")
    both.sync()
    assert mirrored(both) == {}
    both.rest()
    assert both.private.by_uid(uid) is not None  # not ours to remove


def test_our_object_is_known_even_when_the_booking_is_long_gone(both: Story) -> None:
    uid = both.book("Smith wedding")
    both.add_here("block", private_event("block", "Holiday"))
    both.sync()
    both.private.put("copied.ics", both.work.by_uid("block") or "")
    both.delete_here("block")
    both.settle()
    assert both.work.by_uid("block") is None
    both.look_at_everything()
    both.sync()
    assert mirrored(both) == {}
    assert both.work.by_uid(uid) is not None


@pytest.mark.parametrize("where", ["work", "private"])
def test_a_copy_of_a_marked_object_is_a_new_foreign_event(both: Story, where: str) -> None:
    """“Duplicate” in a calendar app copies our marker along (R-COPY)."""
    uid = both.book("Smith wedding")
    both.sync()
    copy = (both.work.by_uid(uid) or "").replace(f"UID:{uid}", "UID:copy@phone").replace("Smith", "Second")
    getattr(both, where).put("copy.ics", copy)
    both.sync()
    assert mirrored(both) == {"copy@phone": "Second wedding"}
    both.edit_there("copy@phone", lambda text: text.replace("Second", "Third"), getattr(both, where))
    both.sync()
    assert mirrored(both) == {"copy@phone": "Third wedding"}
    assert both.booking(uid)["title"] == "Smith wedding"
    both.rest()


def test_the_old_subscription_is_warned_about_and_its_bookings_are_shown_once(both: Story) -> None:
    """Nothing else shows them, so the mirror does."""
    both.private.put("s5.ics", private_event("shoot_5@picsello.com", "Newborn: Lee"))
    both.private.put("s6.ics", private_event("shoot_6@picsello.com", "Newborn: Kim"))
    both.sync()
    assert sorted(mirrored(both).values()) == ["Newborn: Kim", "Newborn: Lee"]
    ((kind, message),) = both.notices()
    assert kind == "old-subscription"
    assert "old calendar subscription" in message
    both.rest()


def test_a_booking_that_is_here_already_is_not_shown_again_from_the_old_subscription(both: Story) -> None:
    both.add_here("shoot_5@picsello.com", private_event("shoot_5@picsello.com", "Newborn: Lee"))
    both.sync()
    both.private.put("s5.ics", private_event("shoot_5@picsello.com", "Newborn: Lee"))
    both.sync()
    assert mirrored(both) == {}
    assert [kind for kind, _ in both.notices()] == ["old-subscription"]
    both.rest()


ZONED = (
    "DTSTART;TZID=Customized Time Zone 7:20270508T100000\r\nDTEND;TZID=Customized Time Zone 7:20270508T110000"
)


def test_a_zone_that_nobody_knows_is_mirrored_and_said(both: Story) -> None:
    text = private_event("odd@exchange", "Odd meeting")
    text = text.replace("DTSTART:20270301T120000Z\r\nDTEND:20270301T130000Z", ZONED)
    both.private.put("odd.ics", text)
    both.sync()
    assert mirrored(both) == {"odd@exchange": "Odd meeting"}
    ((kind, message),) = both.notices()
    assert kind == "unknown-zone"
    assert "Customized Time Zone 7" in message
    assert "Europe/Berlin" in message
    both.rest()


def test_a_strange_name_that_the_object_defines_needs_no_words(both: Story) -> None:
    rules = (
        "BEGIN:VTIMEZONE\r\nTZID:Customized Time Zone 7\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\n"
        "TZOFFSETFROM:+0530\r\nTZOFFSETTO:+0530\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT"
    )
    text = private_event("odd@exchange", "Odd meeting").replace("BEGIN:VEVENT", rules)
    text = text.replace("DTSTART:20270301T120000Z\r\nDTEND:20270301T130000Z", ZONED)
    both.private.put("odd.ics", text)
    both.sync()
    assert mirrored(both) == {"odd@exchange": "Odd meeting"}
    assert both.notices() == []


def test_two_that_say_they_are_the_same_take_no_other_with_them(both: Story) -> None:
    """A program has copied a file on the server. What came with it is not to wait."""
    for number in range(12):
        both.private.put(f"event-{number}.ics", private_event(f"event-{number}", f"Event {number}"))
    folder = next(path.parent for path in both.home.rglob("event-0.ics"))
    (folder / "twin.ics").write_bytes((folder / "event-0.ics").read_bytes().replace(b"Event 0", b"Twin"))
    answer = both.try_sync()
    assert "A second event with the identity event-0 is left out." in str(answer.json)
    found = mirrored(both)
    assert found.pop("event-0") in ("Event 0", "Twin")
    assert found == {f"event-{number}": f"Event {number}" for number in range(1, 12)}


def test_an_event_that_somebody_else_brought_in_meanwhile_is_looked_at_again(
    both: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between our look and our write; the others of its portion are written one by one."""
    both.private.put("one.ics", private_event("one", "One"))
    both.private.put("two.ics", private_event("two", "Two"))
    put_new = objects.put_new

    def after_somebody_else(tx: Connection, calendar_id: int, texts: dict[str, str], **how: Any) -> Any:
        monkeypatch.setattr(objects, "put_new", put_new)
        href, text = next(iter(texts.items()))
        objects.put(tx, calendar_id, href, text, actor="device:1", now=how["now"], kind="foreign")
        return put_new(tx, calendar_id, texts, **how)

    monkeypatch.setattr(objects, "put_new", after_somebody_else)
    both.sync()
    assert objects.put_new is put_new
    assert mirrored(both) == {"one": "One", "two": "Two"}
    both.rest()
