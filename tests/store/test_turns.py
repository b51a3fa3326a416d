"""Whose turn it is: changes before routine, studio by studio, each link to one worker."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, insert, text

from bridge.store import accounts, links, turns
from bridge.store.db import Database
from bridge.store.links import LONGEST_LEASE
from bridge.store.tables import link
from tests.store.studio import NOW, Studio, event


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def due_of(studio: Studio, after: float = 0, limit: int = 50) -> list[int]:
    with studio.db.reading() as tx:
        return turns.due(tx, NOW + seconds(after), limit)


def test_what_is_due_is_offered_longest_waiting_first(studio: Studio) -> None:
    late = studio.link("/late/", reads=True, due_at=NOW - seconds(20))
    later = studio.link("/later/", writes=True)
    first = studio.link("/first/", reads=True, due_at=NOW - seconds(60))
    studio.link("/no-role/", due_at=NOW - seconds(60))
    studio.link("/never/", reads=True)
    with studio.db.writing() as tx:
        links.make_due(tx, later, NOW + seconds(1))
    assert due_of(studio) == [first, late]
    assert due_of(studio, limit=1) == [first]
    assert due_of(studio, after=1) == [first, late, later]


def test_a_studio_with_fifty_calendars_never_starves_another(studio: Studio, db: Database) -> None:
    many = [studio.link(f"/{n}/", reads=True, due_at=NOW - seconds(100 - n)) for n in range(50)]
    berta, carla = (Studio.opened(db, f"{name}@studio.example") for name in ("berta", "carla"))
    one = berta.link("/one/", reads=True, due_at=NOW - seconds(2))
    two = [carla.link(f"/{n}/", reads=True, due_at=NOW - seconds(1)) for n in range(2)]
    assert due_of(studio, limit=5) == [many[0], one, two[0], many[1], two[1]]
    assert due_of(studio, limit=60) == [many[0], one, two[0], many[1], two[1], *many[2:]]


def test_a_change_made_here_goes_before_everybodys_routine(studio: Studio, db: Database) -> None:
    for number in range(10):
        Studio.opened(db, f"u{number}@studio.example").link(reads=True, due_at=NOW - seconds(600))
    mine = studio.link(writes=True, due_at=NOW + seconds(300))
    studio.put("a.ics", event("a"))
    assert due_of(studio, after=1, limit=3)[0] == mine
    with studio.db.writing() as tx:
        assert turns.take(tx, [mine], NOW + seconds(1), NOW + seconds(21)) == [mine]
    assert mine not in due_of(studio, after=2)
    assert due_of(studio, after=21)[-1] == mine, "it is no longer urgent, only due"


def test_a_change_to_a_link_that_is_due_already_makes_it_urgent(studio: Studio, db: Database) -> None:
    Studio.opened(db, "other@studio.example").link(reads=True, due_at=NOW - seconds(600))
    mine = studio.link(writes=True, due_at=NOW - seconds(1))
    assert due_of(studio)[-1] == mine
    studio.put("a.ics", event("a"))
    assert due_of(studio, after=1)[0] == mine


def test_of_an_account_one_link_is_offered_at_a_time(studio: Studio) -> None:
    first = studio.link("/first/", reads=True, due_at=NOW)
    with studio.db.writing() as tx:
        account_id = links.get(tx, first).account_id
        second = links.create(tx, account_id, "/2/", name="2", color=None, writable=True, now=NOW)
        links.set_(tx, second, reads=True, due_at=NOW)
    assert due_of(studio) == [first]
    with studio.db.writing() as tx:
        turns.take(tx, [first], NOW, NOW + seconds(20))
    assert due_of(studio) == [second]


def test_many_workers_that_look_at_once_take_each_link_once(studio: Studio) -> None:
    wanted = [studio.link(f"/{n}/", reads=True, due_at=NOW) for n in range(40)]

    def look(_: int) -> list[int]:
        with studio.db.reading() as tx:
            found = turns.due(tx, NOW, 25)
        with studio.db.writing() as tx:
            return turns.take(tx, found, NOW, NOW + seconds(20))

    with ThreadPoolExecutor(4) as pool:
        taken = list(itertools.chain.from_iterable(pool.map(look, range(12))))
    assert sorted(taken) == wanted


def test_what_was_taken_and_lost_is_due_again(studio: Studio) -> None:
    link_id = studio.link(reads=True, due_at=NOW)
    until = NOW + seconds(20)
    with studio.db.writing() as tx:
        turns.take(tx, [link_id], NOW, until)
        assert turns.ours(tx, link_id, until, NOW + seconds(5))
    assert due_of(studio, after=19) == []
    assert due_of(studio, after=20) == [link_id]
    with studio.db.writing() as tx:
        turns.take(tx, [link_id], until, until + seconds(20))
        assert not turns.ours(tx, link_id, until, until + seconds(1)), "the older job is void"
        assert turns.ours(tx, link_id, until + seconds(20), until + seconds(1))
        links.remove(tx, link_id)
        assert not turns.ours(tx, link_id, until, NOW)


def active_at(tx: Connection, link_id: int) -> datetime | None:
    turn = turns.ours(tx, link_id, NOW, NOW + seconds(1000))
    assert turn is not None and turn.provider == "caldav"
    return turn.active_at


def test_a_pass_that_is_done_rests_unless_something_happened_meanwhile(studio: Studio) -> None:
    link_id = studio.link(writes=True, due_at=NOW)
    until, much_later = NOW + seconds(20), NOW + seconds(300)
    with studio.db.writing() as tx:
        turns.take(tx, [link_id], NOW, until)
        turns.rest(tx, link_id, until, much_later, active=NOW)
        assert active_at(tx, link_id) == NOW
    assert studio.due(link_id) == much_later
    with studio.db.writing() as tx:
        links.set_(tx, link_id, due_at=NOW)
        turns.take(tx, [link_id], NOW, until)
    studio.put("a.ics", event("a"))
    with studio.db.writing() as tx:
        turns.rest(tx, link_id, until, much_later, active=None)
        assert active_at(tx, link_id) == NOW, "a pass with nothing to do changes nothing"
    assert studio.due(link_id) == studio.now


def test_what_cannot_run_is_put_off_and_not_looked_at_every_time(studio: Studio) -> None:
    backs_off = studio.link("/backing-off/", reads=True, due_at=NOW)
    signed_out = studio.link("/signed-out/", reads=True, due_at=NOW)
    well = studio.link("/well/", reads=True, due_at=NOW)
    with studio.db.writing() as tx:
        accounts.set_state(tx, 1, "retrying", "why", now=NOW, failures=1, next_try=NOW + seconds(60))
        accounts.set_state(tx, 2, "needs-sign-in", "why", now=NOW)
        assert turns.put_off(tx, NOW) == 2
        assert turns.put_off(tx, NOW) == 0
    assert studio.due(backs_off) == NOW + seconds(60)
    assert studio.due(signed_out) == NOW + turns.WAITING
    assert studio.due(well) == NOW


@pytest.mark.parametrize("db", ["postgresql"], indirect=True)  # SQLite lets one write at a time
def test_putting_off_waits_for_nobody(studio: Studio) -> None:
    """Two workers that look at once, each holding what the other is about to change: a deadlock."""
    held, free = (studio.link(f"/{n}/", reads=True, due_at=NOW) for n in range(2))
    with studio.db.writing() as tx:
        accounts.set_state(tx, 1, "needs-sign-in", "why", now=NOW)
        accounts.set_state(tx, 2, "needs-sign-in", "why", now=NOW)
    with studio.db.writing() as another:
        links.set_(another, held, urgent=True)
        with studio.db.writing() as tx:
            tx.execute(text("SET LOCAL lock_timeout = '1s'"))
            assert turns.put_off(tx, NOW) == 1
    assert (studio.due(held), studio.due(free)) == (NOW, NOW + turns.WAITING)


def test_looking_costs_what_is_due_not_what_there_is(studio: Studio) -> None:
    """The plan of both questions begins at an index over what is due."""
    row = {"account_id": 1, "name": "", "created": NOW, "reads": True, "due_at": NOW + seconds(60)}
    studio.link()
    with studio.db.writing() as tx:
        tx.execute(insert(link), [{**row, "remote_id": f"/{number}/"} for number in range(3000)])
        tx.execute(text("ANALYZE"))
    with studio.db.reading() as tx:
        plan = []
        for question in (turns._URGENT, turns._ROUTINE):
            asked = question.statement.params(now=NOW, longest=NOW + LONGEST_LEASE, limit=50)  # type: ignore[union-attr]
            sql = str(asked.compile(tx, compile_kwargs={"literal_binds": True}))
            explain = "EXPLAIN QUERY PLAN" if studio.db.on_sqlite else "EXPLAIN"
            plan.append(" ".join(str(line) for line in tx.execute(text(f"{explain} {sql}"))))
    assert "ix_link_urgent" in plan[0]
    assert "ix_link_due_at" in plan[1]
