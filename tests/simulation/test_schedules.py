"""Three thousand schedules in every test run, and for ever the seeds that once failed. On PostgreSQL fewer,
in which connections to it break, too (``make simulate DATABASE=postgresql`` plays as many as you like)."""

from __future__ import annotations

import os

import pytest

from tests.servers import everywhere
from tests.servers.postgres import Cluster
from tests.simulation.many import stores_in
from tests.simulation.profiles import PLAIN, PROFILES
from tests.simulation.run import run
from tests.simulation.schedule import play

SCHEDULES = 40 if everywhere.ASKED else 3000

#: Seeds that once broke an invariant, with what went wrong.
ONCE_FAILED = {
    141: "a write that was carried out and might not be read back counted as refused",
    809: "a lost create, renamed over there before we looked",
    3197: "an event stood twice over there, the one that we knew went, and with it ours",
    200047: "a rename that a lying token told in halves",
    7103436: "a booking was to be put back, was refused once, and the pass broke off",
    8033635: "a place lost a conflict, the answer got lost, the event went, the next conflict took its row",
    2005219: "an event came, was read by a pass that died, and went, in no delta",
    2000512: "a lost create, deleted there, under a name that is never free again",
}
#: Likewise, from the time when all far sides were plain.
ONCE_FAILED_AMONG_PLAIN = {
    3: "a lost create, deleted over there before we looked",
    59: "a server whose token lies hid a deletion",
    98: "a booking cancelled while its create was on its way",
    123: "an edit on top of a write whose answer was lost",
    145: "a second write in flight forgot what the first had done",
    1083: "a rewriting server made a lost create look edited",
    1187: "an edit that its own maker deleted again",
    100746: "an edit between our write and our reading of it, on a server that names no version",
}


@pytest.mark.parametrize("seed", sorted(ONCE_FAILED))
def test_a_seed_that_once_failed(seed: int) -> None:
    assert play(seed).violations == []


@pytest.mark.parametrize("seed", sorted(ONCE_FAILED_AMONG_PLAIN))
def test_a_seed_that_once_failed_among_plain_servers(seed: int) -> None:
    assert play(seed, among=PLAIN).violations == []


def test_new_schedules_break_nothing() -> None:
    summary = run(SCHEDULES, 1_000_000, os.cpu_count() or 1)
    assert (summary["failing_seeds"], summary["violations"]) == ([], {})
    assert summary["crashes"] >= SCHEDULES  # type: ignore[operator]
    assert summary["faulty_requests"] >= 0.1 * summary["requests"]  # type: ignore[operator]
    seldom = {p.name: summary["schedules_per_profile"].get(p.name, 0) for p in PROFILES}  # type: ignore[attr-defined]
    assert min(seldom.values()) >= SCHEDULES / 20, seldom


def test_the_same_seed_gives_the_same_trace() -> None:
    first, second = play(17), play(17)
    assert first.trace == second.trace
    assert first.faulty > 0


def test_the_same_seed_gives_the_same_trace_on_the_other_database(cluster: Cluster) -> None:
    with stores_in(None):
        on_sqlite = play(17)
    with stores_in(cluster):
        on_postgresql, losing, again = play(17), play(17, losing=True), play(17, losing=True)
    assert on_sqlite.trace == on_postgresql.trace
    assert losing.trace == again.trace != on_sqlite.trace
    assert losing.lost > 0
    assert on_sqlite.violations == on_postgresql.violations == losing.violations == []
