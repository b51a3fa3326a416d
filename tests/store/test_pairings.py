"""The engine's memory: two bases, the write in flight, and what is wrong with an object."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError

from bridge.store import pairings
from tests.store.studio import Studio, event

OURS, THEIRS = event("a", "Ours"), event("a", "Theirs")


@pytest.fixture
def link_id(studio: Studio) -> int:
    return studio.link(writes=True)


@pytest.fixture
def pairing_id(studio: Studio, link_id: int) -> int:
    with studio.db.writing() as tx:
        return pairings.upsert(tx, link_id, studio.bookings, "a", "/anna/a.ics")


def full(studio: Studio, pairing_id: int) -> pairings.PairingRow:
    with studio.db.reading() as tx:
        return pairings.get_full(tx, [pairing_id])[pairing_id]


def test_a_new_pairing_has_agreed_on_nothing(studio: Studio, pairing_id: int) -> None:
    row = full(studio, pairing_id)
    assert not row.agreed
    assert (row.base_hub, row.base_tag, row.flight, row.problem, row.generation) == (
        None,
        None,
        None,
        None,
        1,
    )


def test_settling_keeps_each_side_in_its_own_form(studio: Studio, link_id: int, pairing_id: int) -> None:
    with studio.db.writing() as tx:
        pairings.set_flight(tx, pairing_id, "put", hub=OURS, etag="e1", text=THEIRS, expect=None)
        pairings.set_problem(tx, pairing_id, "It was busy.", "retry", tag=None, etag="e1")
        pairings.settle(tx, pairing_id, hub=OURS, etag="e1", remote=THEIRS, tag='"t1"')
    row = full(studio, pairing_id)
    assert (row.base_hub, row.base_etag, row.base_remote, row.base_tag) == (OURS, "e1", THEIRS, '"t1"')
    assert (row.flight, row.flight_text, row.flight_hub, row.flight_etag) == (None, None, None, None)
    assert (row.problem, row.problem_kind, row.tries) == (None, None, 0)
    with studio.db.reading() as tx:
        assert pairings.unsettled(tx, link_id) == []


def test_equal_bases_are_kept_once_and_read_twice(studio: Studio, pairing_id: int) -> None:
    with studio.db.writing() as tx:
        pairings.settle(tx, pairing_id, hub=OURS, etag="e1", remote=OURS, tag='"t1"')
        pairings.set_flight(tx, pairing_id, "put", hub=THEIRS, etag="e2", text=THEIRS, expect='"t1"')
    row = full(studio, pairing_id)
    assert row.base_hub == row.base_remote == OURS
    assert row.flight_hub == row.flight_text == THEIRS


def test_a_flight_is_remembered_until_its_outcome_is_known(
    studio: Studio, link_id: int, pairing_id: int
) -> None:
    with studio.db.writing() as tx:
        pairings.settle(tx, pairing_id, hub=OURS, etag="e1", remote=OURS, tag='"t1"')
        pairings.set_flight(tx, pairing_id, "delete", expect='"t1"')
    with studio.db.reading() as tx:
        (found,) = pairings.unsettled(tx, link_id)
    assert (found.flight, found.flight_expect, found.base_tag) == ("delete", '"t1"', '"t1"')
    row = full(studio, pairing_id)
    assert (row.flight_hub, row.flight_text) == (None, None)
    with studio.db.writing() as tx:
        pairings.clear_flight(tx, pairing_id)
        assert pairings.unsettled(tx, link_id) == []


def test_what_was_not_sent_is_looked_at_again_and_told_to_nobody(
    studio: Studio, link_id: int, pairing_id: int
) -> None:
    with studio.db.writing() as tx:
        pairings.set_flight(tx, pairing_id, "put", hub=OURS, etag="e1", text=OURS)
        pairings.to_look_again(tx, pairing_id)
        (found,) = pairings.unsettled(tx, link_id)
        assert (found.id, found.flight, found.tries) == (pairing_id, None, 0)
        assert pairings.problems(tx, link_id) == []
        pairings.settle(tx, pairing_id, hub=OURS, etag="e1", remote=OURS, tag='"t1"')
        assert pairings.unsettled(tx, link_id) == []


def test_tries_are_counted_until_it_works(studio: Studio, link_id: int, pairing_id: int) -> None:
    with studio.db.writing() as tx:
        for kind in ("retry", "give up"):
            pairings.set_problem(tx, pairing_id, "No.", kind, tag='"t1"', etag="e1")
    row = full(studio, pairing_id)
    assert (row.tries, row.problem_kind, row.problem_tag, row.problem_etag) == (2, "give up", '"t1"', "e1")
    with studio.db.writing() as tx:
        assert pairings.unsettled(tx, link_id) == [], "given up: only a user asks for it again"
        assert [each.id for each in pairings.unsettled(tx, link_id, given_up=True)] == [pairing_id]
        pairings.set_problem(tx, pairing_id, "Busy.", "retry", tag=None, etag=None)
        assert [each.id for each in pairings.unsettled(tx, link_id)] == [pairing_id]
        pairings.clear_problem(tx, pairing_id)
        assert pairings.unsettled(tx, link_id, given_up=True) == []
    assert full(studio, pairing_id).tries == 0


def test_an_object_keeps_its_pairing_when_its_remote_address_changes(
    studio: Studio, link_id: int, pairing_id: int
) -> None:
    with studio.db.writing() as tx:
        pairings.settle(tx, pairing_id, hub=OURS, etag="e1", remote=OURS, tag='"t1"')
        moved = pairings.upsert(tx, link_id, studio.bookings, "a", "/anna/b.ics", generation=2)
    assert moved == pairing_id
    with studio.db.reading() as tx:
        assert pairings.by_href(tx, link_id, "/anna/a.ics") is None
        found = pairings.by_href(tx, link_id, "/anna/b.ics")
        assert found == pairings.by_uid(tx, link_id, studio.bookings, "a")
    assert found is not None
    assert (found.generation, found.base_remote) == (2, OURS)


def test_one_remote_object_belongs_to_one_of_ours(studio: Studio, link_id: int, pairing_id: int) -> None:
    with studio.db.writing() as tx, pytest.raises(IntegrityError), tx.begin_nested():
        pairings.upsert(tx, link_id, studio.bookings, "b", "/anna/a.ics")


def test_thousands_are_listed_without_their_texts(studio: Studio, link_id: int) -> None:
    family = studio.mirror()
    with studio.db.writing() as tx:
        for number in range(1100):
            pairings.upsert(tx, link_id, family, f"u{number}", f"/anna/{number}.ics", base_tag=f"t{number}")
    with studio.db.reading() as tx:
        index = pairings.bases_index(tx, link_id)
        assert {each.href: each.base_tag for each in index} == {
            f"/anna/{n}.ics": f"t{n}" for n in range(1100)
        }
        by_href = pairings.by_hrefs(tx, link_id, [f"/anna/{number}.ics" for number in range(700)])
        assert {each.uid for each in by_href} == {f"u{number}" for number in range(700)}
        by_uid = pairings.by_uids(tx, link_id, family, ["u3", "u1099", "nobody"])
        assert {each.href for each in by_uid} == {"/anna/3.ics", "/anna/1099.ics"}
        assert len(pairings.get_full(tx, [each.id for each in index])) == 1100
        assert pairings.count(tx, link_id) == pairings.count(tx, link_id, family) == 1100
        assert pairings.count(tx, link_id, studio.bookings) == 0


def test_a_forgotten_pairing_is_gone(studio: Studio, link_id: int, pairing_id: int) -> None:
    with studio.db.writing() as tx:
        pairings.forget(tx, pairing_id)
        assert pairings.bases_index(tx, link_id) == []
