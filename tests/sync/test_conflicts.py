"""Both sides changed the same thing: who wins, and how the loser comes back."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from tests.sync.conftest import ANNA, Story, private_event, title


@pytest.fixture
def crossed(story: Story) -> str:
    """A booking in *Work* that is about to be retitled on both sides; its UID."""
    story.select("--write", story.work.path)
    uid = story.book("Smith wedding")
    story.sync()
    return uid


def cross(story: Story, uid: str) -> None:
    story.retitle_here(uid, "Smith here")
    story.retitle_there(uid, "Smith there")


def titles(story: Story, uid: str) -> tuple[str, str]:
    return story.booking(uid)["title"], story.title_there(uid)


def test_a_booking_keeps_our_title_and_the_other_is_one_command_away(story: Story, crossed: str) -> None:
    cross(story, crossed)
    (row,) = story.sync()
    assert row["conflicts"] == 1
    assert titles(story, crossed) == ("Smith here", "Smith here")
    (conflict,) = story.json("conflicts", ANNA)
    assert (conflict["uid"], conflict["field"], conflict["winner"]) == (crossed, "title", "ours")
    assert (conflict["ours"], conflict["theirs"]) == ("Smith here", "Smith there")

    assert story.call("resolve", str(conflict["id"]), "theirs").code == 0
    story.sync()
    assert titles(story, crossed) == ("Smith there", "Smith there")
    assert story.json("conflicts", ANNA) == []
    story.rest()


def test_an_account_may_prefer_the_other_side(story: Story, crossed: str) -> None:
    assert story.call("account", "set", story.account, "--conflict", "theirs").code == 0
    cross(story, crossed)
    story.sync()
    assert titles(story, crossed) == ("Smith there", "Smith there")
    (conflict,) = story.json("conflicts", ANNA)
    assert story.call("resolve", str(conflict["id"]), "ours").code == 0
    story.sync()
    assert titles(story, crossed) == ("Smith here", "Smith here")
    story.rest()


@pytest.mark.parametrize(("choice", "wanted"), [("ours", "Smith here"), ("theirs", "Smith there")])
def test_who_wants_to_be_asked_is_asked_and_nothing_changes_before(
    story: Story, crossed: str, choice: str, wanted: str
) -> None:
    assert story.call("account", "set", story.account, "--conflict", "ask").code == 0
    cross(story, crossed)
    story.edit_there(crossed, lambda text: text.replace("END:VEVENT", "LOCATION:Town hall\r\nEND:VEVENT"))
    story.sync()
    assert titles(story, crossed) == ("Smith here", "Smith there")
    assert story.booking(crossed)["place"] == "Town hall"  # what only one side changed has travelled
    story.rest()
    (conflict,) = story.json("conflicts", ANNA)
    assert conflict["winner"] == "ask"

    assert story.call("resolve", str(conflict["id"]), choice).code == 0
    story.sync()
    assert titles(story, crossed) == (wanted, wanted)
    story.rest()


def test_a_foreign_event_keeps_its_owners_title_unless_resolved(story: Story) -> None:
    story.private.put("d.ics", private_event("dentist@home"))
    story.select("--edit", story.private.path)
    story.sync()
    story.retitle_here("dentist@home", "Dentist here", mirror=True)
    story.retitle_there("dentist@home", "Dentist there", story.private)
    story.sync()
    assert story.title_there("dentist@home", story.private) == "Dentist there"
    (conflict,) = story.json("conflicts", ANNA)
    assert conflict["winner"] == "theirs"
    assert story.call("resolve", str(conflict["id"]), "ours").code == 0
    story.sync()
    assert story.title_there("dentist@home", story.private) == "Dentist here"
    story.rest()


def test_what_is_resolved_or_unknown_is_refused_in_a_sentence(story: Story, crossed: str) -> None:
    cross(story, crossed)
    story.sync()
    (conflict,) = story.json("conflicts", ANNA)
    number = str(conflict["id"])
    assert story.call("resolve", number, "ours").code == 0
    assert "already" in story.call("resolve", number, "theirs").refusal
    assert "no conflict" in story.call("resolve", "4711", "ours").refusal


def test_a_newer_conflict_takes_the_place_of_an_older_one_whose_values_are_kept(
    story: Story, crossed: str, tmp_path: Path
) -> None:
    """Found by the simulation: the write that went over a value got no answer, the event was deleted over
    there, and the conflict, the last to know the value, was written over by the next one."""
    cross(story, crossed)
    story.sync()
    (older,) = story.json("conflicts", ANNA)
    story.retitle_here(crossed, "Smith & Jones here")
    story.retitle_there(crossed, "Smith & Jones there")
    story.sync()
    (newer,) = story.json("conflicts", ANNA)
    assert (newer["ours"], newer["theirs"]) == ("Smith & Jones here", "Smith & Jones there")

    assert "changed this again since" in story.call("resolve", str(older["id"]), "theirs").refusal
    assert titles(story, crossed) == ("Smith & Jones here", "Smith & Jones here")
    assert story.call("user", "export", ANNA, str(tmp_path / "own.zip")).code == 0
    with zipfile.ZipFile(tmp_path / "own.zip") as archive:
        kept = json.loads(archive.read("data.json"))["conflict"]
    assert [title(row["theirs"]) for row in kept] == ["Smith there", "Smith & Jones there"]
