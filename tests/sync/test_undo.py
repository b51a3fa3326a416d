"""``undo PASS``: what a pass did is taken back on both sides, where nobody has edited since."""

from __future__ import annotations

import pytest

from tests.sync.conftest import ANNA, Story, private_event, title


@pytest.fixture
def booked(story: Story) -> str:
    """A booking that is in *Work* too; its UID."""
    story.select("--write", story.work.path)
    uid = story.book("Smith wedding")
    story.sync()
    return uid


def undo(story: Story, number: int | None = None) -> dict[str, object]:
    value = story.json("undo", str(number or story.last_pass()))
    assert isinstance(value, dict)
    return value


def test_an_edit_that_came_from_there_is_taken_back_and_does_not_come_again(
    story: Story, booked: str
) -> None:
    story.retitle_there(booked, "Wrong title")
    story.sync()
    assert story.booking(booked)["title"] == "Wrong title"
    done = undo(story)
    assert (done["uids"], done["left"]) == ([booked], [])
    assert story.booking(booked)["title"] == "Smith wedding"
    story.settle()
    assert story.booking(booked)["title"] == story.title_there(booked) == "Smith wedding"


def test_an_edit_that_went_there_is_taken_back(story: Story, booked: str) -> None:
    story.retitle_here(booked, "Wrong title")
    story.sync()
    undo(story)
    assert story.title_there(booked) == "Smith wedding"
    story.settle()
    assert story.booking(booked)["title"] == story.title_there(booked) == "Smith wedding"


def test_a_merge_is_taken_back_on_both_sides(story: Story, booked: str) -> None:
    story.retitle_here(booked, "Smith & Jones")
    story.edit_there(booked, lambda text: text.replace("END:VEVENT", "LOCATION:Town hall\r\nEND:VEVENT"))
    (row,) = story.sync()
    assert row["merged"] == 1
    undo(story)
    assert (story.booking(booked)["title"], story.booking(booked)["place"]) == ("Smith & Jones", "")
    there = story.work.by_uid(booked) or ""
    assert title(there) == "Smith wedding"
    assert "LOCATION:Town hall" in there


def test_what_was_deleted_there_by_mistake_is_back_on_both_sides(story: Story, booked: str) -> None:
    story.add_here("block", private_event("block", "Holiday"))
    story.sync()
    story.work.delete(story.work.name_of("block"))
    story.sync()
    assert "block" not in story.seen_here()
    undo(story)
    assert "block" in story.seen_here()
    story.settle()
    assert story.title_there("block") == "Holiday"


def test_what_was_deleted_here_by_mistake_is_back_on_both_sides(story: Story, booked: str) -> None:
    story.add_here("block", private_event("block", "Holiday"))
    story.sync()
    story.delete_here("block")
    story.sync()
    assert story.work.by_uid("block") is None
    undo(story)
    assert title(story.seen_here()["block"]) == story.title_there("block") == "Holiday"
    story.rest()


def test_bookings_sent_to_the_wrong_calendar_are_taken_back_and_kept_here(story: Story) -> None:
    story.select("--write", story.work.path)
    uids = {story.book("Smith wedding"), story.book("Portrait: Maya", "2027-05-09T10:00")}
    story.sync()
    first = story.last_pass()
    assert len(story.work.texts()) == 2
    assert set(undo(story, first)["uids"]) == uids
    assert story.work.texts() == {}
    story.rest()
    assert {row["uid"] for row in story.json("booking", "list", ANNA)} == uids
    assert story.work.texts() == {}

    undo(story)  # an undo is a pass, so it can be undone
    assert len(story.work.texts()) == 2
    story.rest()


def test_an_imported_event_is_hidden_here_and_never_deleted_there(story: Story) -> None:
    story.private.put("d.ics", private_event("dentist@home"))
    story.select("--edit", story.private.path)
    story.sync()
    assert "dentist@home" in story.seen_here(mirror=True)
    undo(story)
    assert story.seen_here(mirror=True) == {}
    story.rest()
    assert story.private.by_uid("dentist@home") is not None
    undo(story)
    assert "dentist@home" in story.seen_here(mirror=True)


def test_what_somebody_edited_since_stays_and_is_named(story: Story, booked: str) -> None:
    other = story.book("Portrait: Maya", "2027-05-09T10:00")
    third = story.book("Family Lee", "2027-05-10T10:00")
    story.sync()
    for uid in (booked, other, third):
        story.retitle_there(uid, "Wrong")
    story.sync()
    number = story.last_pass()
    story.retitle_here(booked, "Right after all")
    done = undo(story, number)
    assert set(done["uids"]) == {other, third}
    (sentence,) = done["left"]
    assert "changed here since" in sentence
    assert story.booking(booked)["title"] == "Right after all"
    assert story.booking(other)["title"] == "Portrait: Maya"


def test_what_somebody_edited_there_since_stays_and_is_named(story: Story, booked: str) -> None:
    story.retitle_here(booked, "Smith & Jones")
    story.sync()
    story.retitle_there(booked, "Smith & Miller")
    done = undo(story)
    assert done["uids"] == []
    (sentence,) = done["left"]
    assert "changed in Work since" in sentence
    assert story.title_there(booked) == "Smith & Miller"


def test_an_undo_without_the_provider_changes_nothing_and_says_why(
    story: Story, booked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    story.retitle_here(booked, "Smith & Jones")
    story.sync()
    number = story.last_pass()
    monkeypatch.setenv("PICSELLO_BRIDGE_ALLOW_HOSTS", "elsewhere.example")
    assert story.call("undo", str(number)).refusal
    monkeypatch.setenv("PICSELLO_BRIDGE_ALLOW_HOSTS", story.server.host_and_port)
    assert undo(story, number)["uids"] == [booked]


def test_a_pass_is_undone_once_and_unknown_ones_are_refused(story: Story, booked: str) -> None:
    number = story.last_pass()
    undo(story, number)
    assert "already" in story.call("undo", str(number)).refusal
    assert "no pass" in story.call("undo", "4711").refusal
