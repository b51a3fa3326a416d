"""What a client hears with its token: every change once, no deletion missed, no foreign token believed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.errors import Invalid
from bridge.store import changes, installation, objects
from tests.store.studio import NOW, Studio, event, forget_changes


def since(studio: Studio, seq: int) -> tuple[list[str], list[str]]:
    with studio.db.reading() as tx:
        delta = objects.changed_since(tx, studio.bookings, seq)
    return [each.href for each in delta.changed], [each.href for each in delta.deleted]


def parsed(studio: Studio, token: str) -> int:
    return objects.parse_token(token, studio.calendar())


def test_a_delta_names_what_changed_and_what_went(studio: Studio) -> None:
    studio.put("a.ics", event("a"))
    studio.put("b.ics", event("b"))
    start = studio.calendar()
    studio.put("b.ics", event("b", "Moved"))
    studio.put("c.ics", event("c"))
    studio.delete("a.ics")
    assert since(studio, parsed(studio, objects.token(start))) == (["b.ics", "c.ics"], ["a.ics"])
    assert since(studio, studio.calendar().seq) == ([], [])


def test_deleted_and_made_again_is_one_change(studio: Studio) -> None:
    studio.put("a.ics", event("a"))
    start = studio.calendar().seq
    studio.delete("a.ics")
    studio.put("a.ics", event("a2"))
    assert since(studio, start) == (["a.ics"], [])


def test_changed_then_deleted_is_one_deletion(studio: Studio) -> None:
    studio.put("a.ics", event("a"))
    start = studio.calendar().seq
    studio.put("a.ics", event("a", "Moved"))
    studio.delete("a.ics")
    assert since(studio, start) == ([], ["a.ics"])


def test_a_hidden_booking_is_a_deletion_and_comes_back_as_a_change(studio: Studio) -> None:
    studio.put("a.ics", event("a"), kind="booking")
    start = studio.calendar().seq
    studio.put("a.ics", event("a"), hidden=True)
    assert since(studio, start) == ([], ["a.ics"])
    hidden = studio.calendar().seq
    studio.put("a.ics", event("a"), hidden=False)
    assert since(studio, hidden) == (["a.ics"], [])


def test_every_change_says_who_made_it(studio: Studio) -> None:
    studio.put("a.ics", event("a"))
    with studio.db.reading() as tx:
        (change,) = objects.changed_since(tx, studio.bookings, 0).changed
    assert change == changes.Change("a.ics", "a", 1, "device:1")


@pytest.mark.parametrize(
    "token",
    [
        "",
        "http://radicale.org/ns/sync/abc",
        changes.PREFIX,
        changes.PREFIX + "1:1:1",
        changes.PREFIX + "1:1:1:-1",
        changes.PREFIX + "1:1:1:1:1",
        changes.PREFIX + "1:1:1:٣",
        changes.PREFIX + "1:1:1:" + "9" * 400,
        changes.PREFIX + "1:1:1:1e3",
    ],
)
def test_what_is_no_token_of_ours_is_refused(studio: Studio, token: str) -> None:
    with pytest.raises(Invalid) as refused:
        parsed(studio, token)
    assert refused.value.precondition == "valid-sync-token"


def test_a_token_from_the_future_another_calendar_or_another_installation_is_refused(studio: Studio) -> None:
    studio.put("a.ics", event("a"))
    family = studio.mirror()
    row = studio.calendar()
    assert parsed(studio, objects.token(row)) == 1
    head, _, _ = objects.token(row).rpartition(":")
    generation = objects.token(row).replace(f":{row.generation}:", f":{row.generation - 1}:")
    for token in (f"{head}:2", objects.token(studio.calendar(family)), generation):
        with pytest.raises(Invalid):
            parsed(studio, token)


def test_after_a_restore_no_old_token_is_believed(studio: Studio) -> None:
    old = objects.token(studio.calendar())
    with studio.db.writing() as tx:
        installation.start_generation(tx)
    with pytest.raises(Invalid):
        parsed(studio, old)
    assert parsed(studio, objects.token(studio.calendar())) == 0


def test_pruning_refuses_the_tokens_whose_tombstones_went(studio: Studio) -> None:
    studio.put("a.ics", event("a"))
    oldest = studio.calendar()
    studio.delete("a.ics")
    studio.put("b.ics", event("b"))
    pruned_to = studio.calendar()
    studio.now += timedelta(days=100)
    studio.put("c.ics", event("c"))
    studio.delete("b.ics")
    with studio.db.writing() as tx:
        assert forget_changes(tx, studio.now - timedelta(days=90)) == 3
    with pytest.raises(Invalid):
        parsed(studio, objects.token(oldest))
    with pytest.raises(Invalid):
        since(studio, oldest.seq)
    assert since(studio, parsed(studio, objects.token(pruned_to))) == (["c.ics"], ["b.ics"])
    with studio.db.writing() as tx:
        assert forget_changes(tx, studio.now - timedelta(days=90)) == 0


def test_tombstones_are_never_younger_than_the_oldest_token_that_is_accepted(studio: Studio) -> None:
    """Property changes move the seq without a row: pruning must not be led astray by the gaps."""
    with studio.db.writing() as tx:
        objects.set_props(tx, studio.bookings, {"D:displayname": "x"}, NOW)
    token = objects.token(studio.calendar())
    studio.put("a.ics", event("a"))
    with studio.db.writing() as tx:
        forget_changes(tx, NOW - timedelta(days=1))
    assert since(studio, parsed(studio, token)) == (["a.ics"], [])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from("pdhm"), st.integers(0, 3)), max_size=20), data=st.data())
def test_a_client_that_follows_tokens_ends_with_what_is_there(
    studio: Studio, steps: list[tuple[str, int]], data: st.DataObject
) -> None:
    """Whatever happens, and however seldom it looks: its copy and ours are the same in the end."""
    with studio.db.writing() as tx:
        for stored in list(objects.all_objects(tx, studio.bookings, with_hidden=True)):
            objects.delete(tx, studio.bookings, stored.href, actor="command", now=NOW)
    seq = studio.calendar().seq
    copy: dict[str, str] = {}
    for number, (step, which) in enumerate(steps):
        href = f"{which}.ics"
        there = studio.get(href, with_hidden=True)
        if step in "ph":
            uid = there.uid if there else f"u{number}"
            studio.put(href, event(uid, f"Step {number}"), hidden=step == "h")
        elif there and step == "d":
            studio.delete(href)
        elif there:
            with studio.db.writing() as tx:
                objects.move(tx, studio.bookings, href, f"{(which + 1) % 4}.ics", actor="device:1", now=NOW)
        if data.draw(st.booleans(), label="look"):
            seq = look(studio, seq, copy)
    look(studio, seq, copy)
    with studio.db.reading() as tx:
        assert copy == {each.href: each.etag for each in objects.listing(tx, studio.bookings)}


def look(studio: Studio, seq: int, copy: dict[str, str]) -> int:
    with studio.db.reading() as tx:
        delta = objects.changed_since(tx, studio.bookings, seq)
        fetched = objects.get_many(tx, studio.bookings, [each.href for each in delta.changed])
        assert fetched.keys() == {each.href for each in delta.changed}
        copy.update((href, stored.etag) for href, stored in fetched.items())
        for each in delta.deleted:
            copy.pop(each.href, None)
    return studio.calendar().seq
