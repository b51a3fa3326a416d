"""The first link is looked at before anything is written: what matches, what is new, what is doubtful."""

from __future__ import annotations

from tests.sync.conftest import Story, private_event


def plan(story: Story, *roles: str) -> list[str]:
    chosen = story.call("account", "select", story.account, *roles, "--json")
    assert chosen.code == 0, chosen
    return list(chosen.json["plan"])


def test_the_same_title_at_the_same_time_is_named_and_never_merged(story: Story) -> None:
    story.book("Smith  wedding", "2027-05-08T14:30")
    story.book("Smith wedding", "2027-05-09T14:30")
    by_hand = private_event("by-hand@phone").replace("20270301T120000Z", "20270508T123000Z")
    by_hand = by_hand.replace("20270301T130000Z", "20270508T133000Z").replace("Dentist", "SMITH WEDDING")
    story.work.put("by-hand.ics", by_hand)
    etag = story.work.etag("by-hand.ics")
    for roles in (("--write", story.work.path), ("--write", story.work.path, "--read", story.work.path)):
        doubtful = [line for line in plan(story, *roles) if "already as an event of its own" in line]
        assert len(doubtful) == 1
        assert "2027-05-08 at 14:30" in doubtful[0]
    assert len(story.work.texts()) == 1

    assert story.call("sync", "--confirm").code == 0
    assert len(story.work.texts()) == 3
    assert story.work.etag("by-hand.ics") == etag
    story.rest()


def test_what_is_there_already_under_the_same_identity_is_one_event(story: Story) -> None:
    """The account was removed with its events kept; now it is linked again."""
    uid = story.book("Smith wedding")
    story.select("--write", story.work.path)
    story.sync()
    assert story.call("account", "remove", story.account, "--pushed", "keep").code == 0
    words = ("account", "add", "anna@studio.example", "caldav", "--url", story.server.url)
    added = story.call(
        *words, "--username", story.server.user, "--password-stdin", "--json", stdin=story.server.password
    )
    story.account = str(added.json["account"])
    lines = plan(story, "--write", story.work.path)
    assert [line for line in lines if "one and the same event" in line] == lines
    assert story.call("sync", "--confirm").code == 0
    assert len(story.work.texts()) == 1
    assert story.work.by_uid(uid) is not None
    story.rest()


def test_a_plan_that_waits_is_summed_up_and_listed(story: Story) -> None:
    story.book("Smith wedding")
    story.private.put("d.ics", private_event("dentist@home"))
    plan(story, "--write", story.work.path, "--read", story.private.path)
    shown = story.call("sync")
    assert shown.code == 1
    assert "Work: 1 to bring there" in shown.out
    assert "Private: 1 to bring here" in shown.out
    assert "Add “Dentist” here." in shown.out
    rows = {row["calendar"]: row for row in story.try_sync().json["links"] if row["link"]}
    assert rows["Private"]["plan"] == ["Add “Dentist” here."]
