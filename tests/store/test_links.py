"""Who may run a pass: one at a time, a dead holder overtaken in 10 s, a late one kept from writing."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from bridge.errors import NotFound
from bridge.store import accounts, links, objects, turns
from tests.store.studio import NOW, Studio, event


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def acquire(studio: Studio, link_id: int, holder: str, after: float = 0) -> int | None:
    with studio.db.writing() as tx:
        return links.acquire(tx, link_id, holder, NOW + seconds(after))


def test_only_one_runs_a_link(studio: Studio) -> None:
    link_id = studio.link()
    fence = acquire(studio, link_id, "one")
    assert fence is not None
    assert acquire(studio, link_id, "two", after=5) is None
    with studio.db.writing() as tx:
        assert links.renew(tx, link_id, fence, NOW + seconds(5))
    assert acquire(studio, link_id, "two", after=14.9) is None, "renewed at 5 s, so until 15 s"
    with studio.db.writing() as tx:
        links.release(tx, link_id, fence)
    assert acquire(studio, link_id, "two", after=6) == fence + 1


def test_a_dead_holder_is_overtaken_after_ten_seconds(studio: Studio) -> None:
    link_id = studio.link()
    fence = acquire(studio, link_id, "dead")
    assert acquire(studio, link_id, "next", after=9.9) is None
    assert acquire(studio, link_id, "next", after=10) == (fence or 0) + 1


def test_one_that_wakes_up_late_cannot_write(studio: Studio) -> None:
    link_id = studio.link()
    asleep = acquire(studio, link_id, "asleep")
    awake = acquire(studio, link_id, "awake", after=11)
    assert asleep is not None
    assert awake is not None
    with studio.db.writing() as tx:
        assert not links.still_mine(tx, link_id, asleep)
        assert not links.renew(tx, link_id, asleep, NOW + seconds(12))
        links.release(tx, link_id, asleep)
        assert links.still_mine(tx, link_id, awake)
    assert acquire(studio, link_id, "third", after=12) is None, (
        "the late one must not release another's lease"
    )


def test_a_lease_made_by_a_clock_that_was_wrong_does_not_block_for_an_hour(studio: Studio) -> None:
    link_id = studio.link()
    assert acquire(studio, link_id, "an hour ahead", after=3600) is not None
    assert acquire(studio, link_id, "right again") is not None


def test_a_race_for_the_lease_has_one_winner(studio: Studio) -> None:
    link_id = studio.link()
    start, won = threading.Barrier(4), []

    def race(name: str) -> None:
        start.wait()
        if acquire(studio, link_id, name) is not None:
            won.append(name)

    racers = [threading.Thread(target=race, args=(f"r{number}",)) for number in range(4)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert len(won) == 1


def test_nobody_takes_over_between_the_check_and_the_commit(studio: Studio) -> None:
    """The fence is checked inside the transaction that writes, and holds until its end."""
    link_id = studio.link()
    fence = acquire(studio, link_id, "slow")
    assert fence is not None
    order: list[str] = []

    def take_over() -> None:
        assert acquire(studio, link_id, "next", after=60) == fence + 1
        order.append("taken over")

    other = threading.Thread(target=take_over)
    with studio.db.writing() as tx:
        assert links.still_mine(tx, link_id, fence)
        other.start()
        other.join(0.3)
        objects.put(tx, studio.bookings, "a.ics", event("a"), actor="pass:1", now=NOW, link_id=link_id)
        order.append("written")
    other.join(10)
    assert order == ["written", "taken over"]


def test_a_pass_and_a_client_that_write_at_once_do_not_lock_each_other_up(studio: Studio) -> None:
    """The pass holds its fence and wants the calendar; the client holds that and makes the link due."""
    link_id = studio.link(writes=True)
    fence = acquire(studio, link_id, "pass")
    assert fence is not None

    def client() -> None:
        for number in range(30):
            studio.put("client.ics", event("client", f"Edit {number}"))

    other = threading.Thread(target=client)
    other.start()
    for number in range(30):
        with studio.db.writing() as tx:
            assert links.still_mine(tx, link_id, fence)
            text = event("remote", f"Edit {number}")
            objects.put(tx, studio.bookings, "remote.ics", text, actor="pass:1", now=NOW, link_id=link_id)
            links.set_(tx, link_id, bookings_seq=number)
    other.join(30)
    assert studio.calendar().seq == 60


def test_being_due_earlier_wins(studio: Studio) -> None:
    link_id = studio.link(reads=True)
    for offset in (10, 5, 20):
        with studio.db.writing() as tx:
            links.make_due(tx, link_id, NOW + seconds(offset))
    assert studio.due(link_id) == NOW + seconds(5)


def test_a_link_at_work_or_with_an_account_that_waits_is_not_offered(studio: Studio) -> None:
    busy = studio.link("/busy/", reads=True, due_at=NOW)
    backing_off = studio.link("/backing-off/", reads=True, due_at=NOW)
    signed_out = studio.link("/signed-out/", reads=True, due_at=NOW)
    acquire(studio, busy, "somebody")
    with studio.db.writing() as tx:
        for link_id, state in ((backing_off, "retrying"), (signed_out, "needs-sign-in")):
            row = links.get(tx, link_id)
            next_try = NOW + seconds(60) if state == "retrying" else None
            accounts.set_state(tx, row.account_id, state, "why", now=NOW, failures=2, next_try=next_try)
    with studio.db.reading() as tx:
        assert turns.due(tx, NOW) == []
        assert turns.due(tx, NOW + seconds(60)) == [busy, backing_off]


def test_the_links_of_one_account_are_run_one_after_the_other(studio: Studio) -> None:
    """A provider counts an account's requests together, whichever calendar they are about."""
    first = studio.link("/first/", reads=True, due_at=NOW)
    with studio.db.writing() as tx:
        account_id = links.get(tx, first).account_id
        second = links.create(
            tx, account_id, "/second/", name="second", color=None, writable=True, now=studio.now
        )
        links.set_(tx, second, reads=True, due_at=NOW)
    stranger = studio.link("/stranger/", reads=True, due_at=NOW)
    fence = acquire(studio, first, "one")
    assert fence is not None
    assert acquire(studio, second, "two", after=5) is None
    assert acquire(studio, stranger, "two", after=5) is not None
    with studio.db.reading() as tx:
        assert turns.due(tx, NOW + seconds(5)) == []
        assert turns.due(tx, NOW + seconds(10)) == [first], "its holder died; still one after the other"
    assert acquire(studio, second, "one", after=5) is not None, "whoever disconnects holds them all"
    with studio.db.writing() as tx:
        links.release(tx, first, fence)
    assert acquire(studio, second, "two", after=9) is None
    assert acquire(studio, second, "two", after=16) is not None


def test_an_account_whose_holder_is_known_to_be_dead_is_free_at_once(studio: Studio) -> None:
    first = studio.link("/first/")
    with studio.db.writing() as tx:
        account_id = links.get(tx, first).account_id
        second = links.create(
            tx, account_id, "/second/", name="second", color=None, writable=True, now=studio.now
        )
    acquire(studio, first, "dead")
    with studio.db.writing() as tx:
        assert links.acquire(tx, second, "two", NOW, dead=lambda holder: holder == "dead") is not None


def test_the_lease_cannot_be_set_by_hand(studio: Studio) -> None:
    link_id = studio.link()
    with studio.db.writing() as tx, pytest.raises(TypeError, match="fence"):
        links.set_(tx, link_id, fence=7)


def test_a_link_that_is_gone(studio: Studio) -> None:
    link_id = studio.link()
    fence = acquire(studio, link_id, "holder")
    assert fence is not None
    with studio.db.writing() as tx:
        links.remove(tx, link_id)
    with studio.db.writing() as tx:
        assert not links.still_mine(tx, link_id, fence)
        assert not links.renew(tx, link_id, fence, NOW)
        with pytest.raises(NotFound):
            links.acquire(tx, link_id, "holder", NOW)
        with pytest.raises(NotFound):
            links.get(tx, link_id)


def test_a_write_during_a_pass_is_carried_by_the_next_one(studio: Studio) -> None:
    """The worker claims the link before the pass, so that what comes meanwhile makes it due again."""
    link_id = studio.link(writes=True, due_at=NOW)
    with studio.db.writing() as tx:
        assert turns.take(tx, [link_id], NOW, NOW + seconds(20)) == [link_id]
        assert turns.take(tx, [link_id], NOW, NOW + seconds(20)) == [], "one worker takes it"
    fence = acquire(studio, link_id, "worker")
    assert fence is not None
    stored = studio.put("a.ics", event("a"))
    assert stored.due == (link_id,)
    with studio.db.writing() as tx:
        links.set_(tx, link_id, state="healthy")
        links.release(tx, link_id, fence)
    with studio.db.reading() as tx:
        assert turns.due(tx, studio.now) == [link_id]
