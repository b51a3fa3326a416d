"""``user set --on-move approve``: a booking changed outside waits for the photographer's word."""

from __future__ import annotations

import pytest

from tests.sync.conftest import ANNA, Story


@pytest.fixture
def asked(story: Story) -> str:
    """A booking in *Work* of somebody who wants to be asked; its UID."""
    story.select("--write", story.work.path)
    uid = story.book("Smith wedding")
    story.sync()
    assert story.call("user", "set", ANNA, "--on-move", "approve").code == 0
    return uid


def move_there(story: Story, uid: str) -> None:
    story.edit_there(
        uid, lambda text: text.replace("20270508T14", "20270508T10").replace("20270508T15", "20270508T11")
    )


def starts(story: Story, uid: str) -> tuple[str, bool]:
    """The start here, and whether it is ten o'clock there."""
    return story.booking(uid)["start"][:16], "20270508T1030" in (story.work.by_uid(uid) or "")


def test_a_move_at_the_provider_goes_back_and_waits(story: Story, asked: str) -> None:
    move_there(story, asked)
    story.sync()
    assert starts(story, asked) == ("2027-05-08T14:30", False)
    (row,) = story.json("approvals", ANNA)
    assert (row["uid"], row["fields"]) == (asked, ["time"])
    assert [kind for kind, _ in story.notices()] == ["approval"]
    story.rest()


def test_approved_it_has_moved_everywhere(story: Story, asked: str) -> None:
    move_there(story, asked)
    story.sync()
    (row,) = story.json("approvals", ANNA)
    assert story.call("approve", str(row["id"])).code == 0
    story.sync()
    assert starts(story, asked) == ("2027-05-08T10:30", True)
    assert story.json("approvals", ANNA) == []
    assert story.notices() == []
    assert "already" in story.call("approve", str(row["id"])).refusal
    story.rest()


def test_declined_it_stays_and_the_provider_keeps_the_old_time(story: Story, asked: str) -> None:
    move_there(story, asked)
    story.sync()
    (row,) = story.json("approvals", ANNA)
    assert story.call("decline", str(row["id"])).code == 0
    story.sync()
    assert starts(story, asked) == ("2027-05-08T14:30", False)
    assert story.json("approvals", ANNA) == []
    assert "already" in story.call("decline", str(row["id"])).refusal


def test_what_changed_here_meanwhile_is_kept_when_the_move_is_approved(story: Story, asked: str) -> None:
    move_there(story, asked)
    story.sync()
    (row,) = story.json("approvals", ANNA)
    assert story.call("user", "set", ANNA, "--on-move", "apply").code == 0
    story.retitle_here(asked, "Smith & Jones")
    assert story.call("approve", str(row["id"])).code == 0
    story.sync()
    assert starts(story, asked) == ("2027-05-08T10:30", True)
    assert story.title_there(asked) == "Smith & Jones"


def test_a_newer_change_takes_the_older_ones_place(story: Story, asked: str) -> None:
    move_there(story, asked)
    story.sync()
    (older,) = story.json("approvals", ANNA)
    story.retitle_here(asked, "Smith & Jones")  # on the phone: waits as well
    (newer,) = story.json("approvals", ANNA)
    assert newer["fields"] == ["title"]
    assert "newer" in story.call("approve", str(older["id"])).refusal
    assert story.booking(asked)["title"] == "Smith wedding"


def test_a_reminder_is_everybodys_own_affair(story: Story, asked: str) -> None:
    alarm = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:Go\r\nTRIGGER:-PT1H\r\nEND:VALARM\r\nEND:VEVENT"
    story.edit_there(asked, lambda text: text.replace("END:VEVENT", alarm))
    story.sync()
    assert story.json("approvals", ANNA) == []
    assert "TRIGGER:-PT1H" in story.seen_here()[asked]
    story.rest()


def test_both_kinds_of_change_at_once_are_told_apart(story: Story, asked: str) -> None:
    """A move there, a reminder there, and another place here: one waits, two travel."""
    alarm = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:Go\r\nTRIGGER:-PT1H\r\nEND:VALARM\r\nEND:VEVENT"
    move_there(story, asked)
    story.edit_there(asked, lambda text: text.replace("END:VEVENT", alarm))
    assert story.call("user", "set", ANNA, "--on-move", "apply").code == 0
    story.edit_here(asked, lambda text: text.replace("END:VEVENT", "LOCATION:Town hall\r\nEND:VEVENT"))
    assert story.call("user", "set", ANNA, "--on-move", "approve").code == 0
    story.sync()
    assert starts(story, asked) == ("2027-05-08T14:30", False)
    assert "TRIGGER:-PT1H" in story.seen_here()[asked]
    assert "LOCATION:Town hall" in (story.work.by_uid(asked) or "")
    (row,) = story.json("approvals", ANNA)
    assert row["fields"] == ["time"]
    story.settle()


def test_a_cancelled_booking_is_not_changed_by_a_late_approval(story: Story, asked: str) -> None:
    move_there(story, asked)
    story.sync()
    (row,) = story.json("approvals", ANNA)
    assert story.call("booking", "cancel", ANNA, asked).code == 0
    assert "cancelled" in story.call("approve", str(row["id"])).refusal


def test_a_server_that_changes_it_again_and_again_is_left_alone(story: Story, asked: str) -> None:
    """Three times it is put back without anybody's edit here; then it waits, and an answer lets it go on."""
    for _ in range(3):
        move_there(story, asked)
        story.sync()
        assert starts(story, asked) == ("2027-05-08T14:30", False)
    move_there(story, asked)
    stopped = story.try_sync()
    assert stopped.code == 1
    (row,) = [row for row in stopped.json["links"] if row["link"]]
    assert "left alone" in row["errors"][0]
    assert starts(story, asked) == ("2027-05-08T14:30", True)
    other = story.book("Portrait: Maya", "2027-05-09T10:00")
    story.try_sync()
    assert story.work.by_uid(other) is not None

    (waiting,) = story.json("approvals", ANNA)
    assert story.call("decline", str(waiting["id"])).code == 0
    story.sync()
    assert starts(story, asked) == ("2027-05-08T14:30", False)
    story.rest()
