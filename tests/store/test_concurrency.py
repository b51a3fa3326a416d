"""Many at once: no change is lost, nobody sees half of one, and readers never wait."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context

from sqlalchemy import select

from bridge.store import calendars, objects
from bridge.store.db import Database
from bridge.store.tables import change
from tests.store.studio import NOW, Studio, event


def write_many(url: str, calendar: int, name: str, count: int) -> None:
    """In a thread or a process of its own."""
    database = Database(url)
    for number in range(count):
        with database.writing() as tx:
            text = event(f"{name}-{number}")
            objects.put(tx, calendar, f"{name}-{number}.ics", text, actor=f"device:{name}", now=NOW)


def address(studio: Studio) -> str:
    return studio.db.url.render_as_string(hide_password=False)


def assert_nothing_lost(studio: Studio, writes: int) -> None:
    with studio.db.reading() as tx:
        row = calendars.get(tx, studio.bookings)
        seqs = tx.execute(select(change.c.seq).where(change.c.calendar_id == row.id).order_by(change.c.seq))
        assert list(seqs.scalars()) == list(range(1, writes + 1))
        assert row.seq == writes
        assert len(objects.listing(tx, row.id)) == writes


def test_threads_that_write_the_same_calendar_lose_nothing(studio: Studio) -> None:
    threads = [
        threading.Thread(target=write_many, args=(address(studio), studio.bookings, f"t{number}", 25))
        for number in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert_nothing_lost(studio, 100)


def test_processes_that_write_the_same_calendar_lose_nothing(studio: Studio) -> None:
    """Forked while the parent's connections are open: the children must not use them."""
    forked = get_context("fork")
    processes = [
        forked.Process(target=write_many, args=(address(studio), studio.bookings, f"p{number}", 20))
        for number in range(2)
    ]
    for process in processes:
        process.start()
    write_many(address(studio), studio.bookings, "parent", 20)
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert_nothing_lost(studio, 60)


def test_a_reader_sees_token_and_objects_of_one_moment_while_others_write(studio: Studio) -> None:
    writer = threading.Thread(target=write_many, args=(address(studio), studio.bookings, "w", 60))
    writer.start()
    seen = set()
    while writer.is_alive():
        with studio.db.reading() as tx:
            before = calendars.get(tx, studio.bookings)
            listed = objects.listing(tx, studio.bookings)
            delta = objects.changed_since(tx, studio.bookings, 0)
            assert len(listed) == before.seq == len(delta.changed)
            assert calendars.get(tx, studio.bookings) == before
            seen.add(before.seq)
    writer.join()
    assert len(seen) > 1, "it really read while the other wrote"


def test_readers_do_not_wait_for_a_writer(studio: Studio) -> None:
    studio.put("a.ics", event("a"))
    with studio.db.writing() as tx:
        objects.put(tx, studio.bookings, "b.ics", event("b"), actor="device:1", now=NOW)
        with ThreadPoolExecutor(1) as other:
            listed = other.submit(hrefs, studio).result(timeout=5)
        assert listed == ["a.ics"], "what is not committed is not seen"
    assert hrefs(studio) == ["a.ics", "b.ics"]


def hrefs(studio: Studio) -> list[str]:
    with studio.db.reading() as tx:
        return sorted(each.href for each in objects.listing(tx, studio.bookings))


def test_two_moves_in_opposite_directions_do_not_lock_each_other_up(studio: Studio) -> None:
    """Both need both calendars; they take them in the same order."""
    family = studio.mirror(editable=True)
    for number in range(20):
        studio.put(f"{number}.ics", event(f"here-{number}"))
        studio.put(f"{number}.ics", event(f"there-{number}"), family)

    def moving(source: int, target: int) -> Callable[[], None]:
        def move() -> None:
            for number in range(20):
                with studio.db.writing() as tx:
                    objects.move(
                        tx,
                        source,
                        f"{number}.ics",
                        f"moved-{number}.ics",
                        to_calendar_id=target,
                        actor="device:1",
                        now=NOW,
                    )

        return move

    with ThreadPoolExecutor(2) as pool:
        for done in (
            pool.submit(moving(studio.bookings, family)),
            pool.submit(moving(family, studio.bookings)),
        ):
            done.result(timeout=60)
    with studio.db.reading() as tx:
        here = {each.uid for each in objects.listing(tx, studio.bookings)}
        there = {each.uid for each in objects.listing(tx, family)}
    assert here == {f"there-{number}" for number in range(20)}
    assert there == {f"here-{number}" for number in range(20)}


def test_a_writer_that_dies_in_the_middle_leaves_nothing_and_blocks_nobody(studio: Studio) -> None:
    def die() -> None:
        with Database(address(studio)).writing() as tx:
            objects.put(tx, studio.bookings, "half.ics", event("half"), actor="device:1", now=NOW)
            os._exit(9)

    process = get_context("fork").Process(target=die)
    process.start()
    process.join()
    assert process.exitcode == 9
    studio.put("a.ics", event("a"))
    assert hrefs(studio) == ["a.ics"]
