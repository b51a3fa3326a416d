"""What looks like a catastrophe over there is none here: the plan is shown, and waits (R-GUARD)."""

from __future__ import annotations

import gzip
import shutil

import pytest

from tests.servers.fault import FaultProxy, with_body
from tests.sync.conftest import ANNA, Story, private_event


@pytest.fixture
def blocked(story: Story) -> list[str]:
    """Twelve days off that Anna made here and that are in *Work* too; their UIDs."""
    story.select("--write", story.work.path)
    uids = [f"off-{number:02}" for number in range(12)]
    for day, uid in enumerate(uids):
        story.add_here(uid, private_event(uid, f"Day off {day:02}", day))
    story.sync()
    return uids


def delete_there(story: Story, uids: list[str]) -> None:
    names = {story.work.name_of(uid) for uid in uids}
    for name in names:
        story.work.delete(name)


def test_five_deletions_are_life(story: Story, blocked: list[str]) -> None:
    delete_there(story, blocked[:5])
    (row,) = story.sync()
    assert row["deleted"] == 5
    assert len(story.seen_here()) == 7


def test_six_of_twelve_wait_with_their_plan_until_confirmed(story: Story, blocked: list[str]) -> None:
    delete_there(story, blocked[:6])
    row = story.held()
    assert "6 of 12 events disappeared" in row["held"][0]
    assert len([line for line in row["plan"] if line.startswith("Delete “Day off")]) == 6
    assert row["pulled"] == row["pushed"] == 0
    assert len(story.seen_here()) == 12
    assert story.held()["held"] == row["held"]  # it goes on waiting
    shown = story.call("sync")
    assert "Delete “Day off 00” here." in shown.out
    assert "sync --confirm" in shown.err

    (done,) = story.sync("--confirm")
    assert done["deleted"] == 6
    assert len(story.seen_here()) == 6
    story.rest()


def test_a_plan_that_waits_goes_on_by_itself_once_the_events_are_back(
    story: Story, blocked: list[str]
) -> None:
    names = {uid: story.work.name_of(uid) for uid in blocked[:6]}
    texts = {uid: story.work.get(name) or "" for uid, name in names.items()}
    delete_there(story, blocked[:6])
    story.held()
    for uid, text in texts.items():
        story.work.put(names[uid], text)
    story.sync()
    assert len(story.seen_here()) == 12
    story.rest()


def test_an_emptied_calendar_deletes_nothing(story: Story, blocked: list[str]) -> None:
    delete_there(story, blocked)
    story.look_at_everything()
    assert "suddenly empty" in story.held()["held"][0]
    assert len(story.seen_here()) == 12


def test_bookings_are_put_back_and_need_no_guard(story: Story) -> None:
    story.select("--write", story.work.path)
    uids = [story.book(f"Shoot {hour}", f"2027-05-08T{hour:02}:00") for hour in range(8, 16)]
    story.sync()
    delete_there(story, uids)
    story.sync()
    assert len(story.work.texts()) == 8
    assert {kind for kind, _ in story.notices()} == {"booking-restored"}


def test_another_server_behind_the_same_address_deletes_nothing(story: Story, blocked: list[str]) -> None:
    """Moved, restored from an old copy, somebody else's: a calendar is there, and none of ours in it."""
    shutil.rmtree(story.home / "work")
    other = story.server.make_calendar("work", title="Work")
    other.put("theirs.ics", private_event("theirs@elsewhere"))
    row = story.held()
    assert "12 of 12 events disappeared" in row["held"][0]
    assert len(story.seen_here()) == 12
    assert list(other.texts()) == ["theirs.ics"]


def test_a_calendar_that_is_no_longer_in_the_account_is_gone_and_not_emptied(
    story: Story, blocked: list[str]
) -> None:
    """Another account's home, a calendar that was removed: its address answers nothing."""
    story.work.drop()
    for _ in range(2):
        gone = story.try_sync()
        assert gone.code == 1
        (row,) = [row for row in gone.json["links"] if row["link"]]
        assert row["errors"] and row["deleted"] == 0
    assert len(story.seen_here()) == 12


@pytest.mark.parametrize("what", ["cut off", "well-formed and too short"])
def test_half_a_listing_deletes_nothing(story: Story, blocked: list[str], what: str) -> None:
    def shortened(body: bytes) -> bytes:
        if what == "cut off":
            return body[: len(body) // 2]
        head, first, rest = gzip.decompress(body).partition(b"<response>")
        kept = b"</response>".join(rest.split(b"</response>")[:2])
        return gzip.compress(head + first + kept + b"</response></multistatus>")

    with FaultProxy(story.server.url) as proxy:
        through_proxy(story, proxy)
        story.look_at_everything()
        for method in ("REPORT", "PROPFIND"):
            proxy.fault(method, with_body(shortened), path="/work/", times=9)
        answer = story.try_sync()
        assert answer.code == 1
        (row,) = [row for row in answer.json["links"] if row["link"]]
        assert row["errors" if what == "cut off" else "held"]
        assert len(story.seen_here()) == 12
        proxy.heal()
        story.sync()
        assert len(story.seen_here()) == 12


def through_proxy(story: Story, proxy: FaultProxy) -> None:
    """The account's address leads through the proxy from now on."""
    from bridge.store import accounts

    bridge = story.bridge()
    allowed = f"{story.server.host_and_port},{proxy.host_and_port}"
    story.allow(allowed)
    with bridge.db.writing() as tx:
        account = accounts.get(tx, int(story.account))
        url = account.url.replace(story.server.host_and_port, proxy.host_and_port)
        accounts.set_(tx, account.id, url=url)


@pytest.mark.parametrize(("policy", "status"), [("hide", "confirmed"), ("cancel", "cancelled")])
def test_a_booking_deleted_there_follows_its_owners_wish(story: Story, policy: str, status: str) -> None:
    assert story.call("user", "set", ANNA, "--on-delete", policy).code == 0
    story.select("--write", story.work.path)
    uid = story.book("Smith wedding")
    story.sync()
    delete_there(story, [uid])
    story.sync()
    assert story.work.by_uid(uid) is None
    assert story.booking(uid)["status"] == status
    assert (uid in story.seen_here()) is (policy == "hide")
    story.rest()
    story.look_at_everything()
    story.rest()
    assert story.work.by_uid(uid) is None


@pytest.mark.parametrize(("policy", "there"), [("restore", True), ("hide", True), ("cancel", False)])
def test_a_booking_deleted_on_the_phone_follows_its_owners_wish(
    story: Story, policy: str, there: bool
) -> None:
    assert story.call("user", "set", ANNA, "--on-delete", policy).code == 0
    story.select("--write", story.work.path)
    uid = story.book("Smith wedding")
    story.sync()
    story.delete_here(uid)
    story.settle()
    assert (uid in story.seen_here()) is (policy == "restore")
    assert (story.work.by_uid(uid) is not None) is there
    assert story.booking(uid)["status"] == ("cancelled" if policy == "cancel" else "confirmed")
