"""Objects are kept byte for byte, changed in one place, and every change leaves its traces together."""

from __future__ import annotations

import hashlib

import pytest

from bridge.errors import Invalid, NotFound
from bridge.store import calendars, objects, passes
from tests.store.studio import NOW, Studio, event


def test_what_was_put_comes_back_byte_for_byte_under_the_etag_of_its_bytes(studio: Studio) -> None:
    text = event(
        "shoot-1", "Hochzeit Ökull \\, Größe 👰", ":20260511T080000Z", "X-ODD:  two blanks; raw, comma"
    )
    stored = studio.put("shoot-1.ics", text)
    found = studio.get("shoot-1.ics")
    assert found is not None
    assert found.text == text
    assert found.etag == stored.etag == hashlib.sha256(text.encode()).hexdigest()[:32]
    assert (found.uid, found.kind, found.component, found.seq) == ("shoot-1", "block", "VEVENT", stored.seq)
    assert stored.created
    assert stored.before is None


def test_the_same_bytes_again_change_nothing(studio: Studio) -> None:
    first = studio.put("a.ics", event())
    before = studio.calendar()
    again = studio.put("a.ics", event())
    assert (again.etag, again.seq, again.changed, again.created) == (first.etag, first.seq, False, False)
    assert studio.calendar() == before


def test_another_byte_is_another_etag_and_the_old_text_is_told(studio: Studio) -> None:
    first = studio.put("a.ics", event(title="Shoot"))
    second = studio.put("a.ics", event(title="Shoot "))
    assert second.etag != first.etag
    assert second.before == event(title="Shoot")
    assert (second.id, second.seq, second.created) == (first.id, first.seq + 1, False)


def test_one_uid_has_one_address_in_a_calendar(studio: Studio) -> None:
    studio.put("a.ics", event("shoot-1"))
    before = studio.calendar()
    with pytest.raises(Invalid, match=r"a\.ics") as refused:
        studio.put("b.ics", event("shoot-1"))
    assert refused.value.precondition == "no-uid-conflict"
    assert studio.get("b.ics") is None
    assert studio.calendar() == before, "a refused write leaves no trace"


def test_an_address_keeps_its_uid(studio: Studio) -> None:
    studio.put("a.ics", event("shoot-1"))
    with pytest.raises(Invalid) as refused:
        studio.put("a.ics", event("shoot-2"))
    assert refused.value.precondition == "no-uid-conflict"


def test_the_same_uid_may_be_in_two_calendars(studio: Studio) -> None:
    family = studio.mirror()
    studio.put("a.ics", event("shoot-1"))
    assert studio.put("a.ics", event("shoot-1"), family).created
    found = studio.get("a.ics", family)
    assert found is not None
    assert found.kind == "foreign"


def test_text_that_has_no_bytes_is_refused(studio: Studio) -> None:
    for broken in ("\ud800", "\0"):
        with pytest.raises(Invalid) as refused:
            studio.put("a.ics", event(title=f"half a letter {broken}"))
        assert refused.value.precondition == "valid-calendar-data"


def test_an_event_without_uid_is_refused(studio: Studio) -> None:
    with pytest.raises(Invalid) as refused:
        studio.put("a.ics", event().replace("UID:shoot-1\r\n", ""))
    assert refused.value.precondition == "valid-calendar-object-resource"


def test_a_calendar_that_does_not_exist_takes_nothing(studio: Studio) -> None:
    with pytest.raises(NotFound):
        studio.put("a.ics", event(), calendar=999)


def test_a_deleted_object_is_gone_and_told_to_the_deleter(studio: Studio) -> None:
    studio.put("a.ics", event())
    assert studio.delete("a.ics").text == event()
    assert studio.get("a.ics") is None
    with pytest.raises(NotFound):
        studio.delete("a.ics")


def test_a_deleted_address_and_uid_can_be_used_again(studio: Studio) -> None:
    studio.put("a.ics", event("shoot-1"))
    studio.delete("a.ics")
    assert studio.put("b.ics", event("shoot-1")).created
    assert studio.put("a.ics", event("shoot-2")).created


def test_a_hidden_booking_exists_for_the_engine_alone(studio: Studio) -> None:
    studio.put("a.ics", event(), kind="booking")
    hidden = studio.put("a.ics", event(), hidden=True)
    assert hidden.changed
    assert studio.get("a.ics") is None
    kept = studio.get("a.ics", with_hidden=True)
    assert kept is not None
    assert (kept.text, kept.kind) == (event(), "booking")
    with studio.db.reading() as tx:
        assert objects.listing(tx, studio.bookings) == []
        assert objects.by_uid(tx, studio.bookings, "shoot-1") is None
        assert objects.get_many(tx, studio.bookings, ["a.ics"]) == {}
        assert list(objects.all_objects(tx, studio.bookings)) == []
        assert objects.in_range(tx, studio.bookings, None, None) == []
        assert [each.href for each in objects.listing(tx, studio.bookings, with_hidden=True)] == ["a.ics"]
    assert studio.put("a.ics", event(), hidden=False).changed
    assert studio.get("a.ics") is not None


def test_many_are_found_at_once_by_href_or_uid(studio: Studio) -> None:
    with studio.db.writing() as tx:
        for number in range(1200):
            text = event(f"u{number}")
            objects.put(tx, studio.bookings, f"{number}.ics", text, actor="command", now=NOW, journal=False)
    with studio.db.reading() as tx:
        hrefs = [f"{number}.ics" for number in range(1100)]
        assert set(objects.get_many(tx, studio.bookings, [*hrefs, "missing.ics"])) == set(hrefs)
        assert objects.by_uids(tx, studio.bookings, ["u7", "u1199", "nobody"]).keys() == {"u7", "u1199"}
        assert len(objects.listing(tx, studio.bookings)) == 1200
        streamed = objects.all_objects(tx, studio.bookings)
        assert [stored.href for stored in streamed] == [f"{number}.ics" for number in range(1200)]


@pytest.mark.parametrize(
    "href", ["a b.ics", "%40.ics", "x:y,z'*.ics", "ä☃👰.ics", "A.ics", "a.ICS", "a.ics "]
)
def test_addresses_are_kept_as_they_are(studio: Studio, href: str) -> None:
    studio.put("a.ics", event("other"))
    studio.put(href, event("shoot-1"))
    found = studio.get(href)
    assert found is not None
    assert (found.href, found.uid) == (href, "shoot-1")


def test_a_rename_keeps_the_bytes_and_buries_the_old_address(studio: Studio) -> None:
    first = studio.put("a.ics", event())
    before = studio.calendar()
    with studio.db.writing() as tx:
        moved = objects.move(tx, studio.bookings, "a.ics", "b.ics", actor="device:1", now=NOW)
    assert (moved.etag, moved.id) == (first.etag, first.id)
    assert studio.get("a.ics") is None
    with studio.db.reading() as tx:
        delta = objects.changed_since(tx, studio.bookings, before.seq)
        assert objects.in_range(tx, studio.bookings, None, None)[0].href == "b.ics"
    assert [each.href for each in delta.deleted] == ["a.ics"]
    assert [each.href for each in delta.changed] == ["b.ics"]


def test_a_move_replaces_what_was_at_the_target(studio: Studio) -> None:
    studio.put("a.ics", event("shoot-1"))
    studio.put("b.ics", event("shoot-2"))
    with studio.db.writing() as tx:
        objects.move(tx, studio.bookings, "a.ics", "b.ics", actor="device:1", now=NOW)
    found = studio.get("b.ics")
    assert found is not None
    assert found.uid == "shoot-1"
    assert studio.get("a.ics") is None


def test_a_move_to_another_calendar_is_a_deletion_here_and_an_event_there(studio: Studio) -> None:
    family = studio.mirror(editable=True)
    studio.put("a.ics", event())
    with studio.db.writing() as tx:
        moved = objects.move(
            tx,
            studio.bookings,
            "a.ics",
            "b.ics",
            to_calendar_id=family,
            kind="foreign",
            actor="device:1",
            now=NOW,
        )
    assert moved.created
    found = studio.get("b.ics", family)
    assert found is not None
    assert (found.text, found.kind) == (event(), "foreign")
    assert studio.get("a.ics") is None


def test_a_move_onto_a_taken_uid_changes_nothing(studio: Studio) -> None:
    family = studio.mirror(editable=True)
    studio.put("a.ics", event("shoot-1"))
    studio.put("other.ics", event("shoot-1"), family)
    with studio.db.writing() as tx, pytest.raises(Invalid):
        objects.move(tx, studio.bookings, "a.ics", "b.ics", to_calendar_id=family, actor="device:1", now=NOW)
    assert studio.get("a.ics") is not None
    assert studio.get("other.ics", family) is not None


def test_every_change_is_in_the_journal_with_before_and_after(studio: Studio) -> None:
    studio.put("a.ics", event(title="One"))
    studio.put("a.ics", event(title="Two"), loser=event(title="Lost"))
    studio.put("a.ics", event(title="Two"))
    studio.delete("a.ics")
    with studio.db.reading() as tx:
        rows = passes.journal_of(tx, studio.user_id)
    told = [(row.action, row.before, row.after, row.loser) for row in reversed(rows)]
    one, two = event(title="One"), event(title="Two")
    assert told == [
        ("create", None, one, None),
        ("update", one, two, event(title="Lost")),
        ("delete", two, None, None),
    ]
    assert {(row.side, row.actor, row.uid, row.href) for row in rows} == {
        ("hub", "device:1", "shoot-1", "a.ics")
    }


def test_a_failure_takes_everything_back(studio: Studio) -> None:
    before = studio.calendar()
    with pytest.raises(RuntimeError), studio.db.writing() as tx:  # noqa: PT012
        objects.put(tx, studio.bookings, "a.ics", event(), actor="device:1", now=NOW)
        raise RuntimeError("the power went")
    assert studio.get("a.ics") is None
    assert studio.calendar() == before
    with studio.db.reading() as tx:
        assert passes.journal_of(tx, studio.user_id) == []


def test_properties_are_replaced_and_move_the_ctag(studio: Studio) -> None:
    before = studio.calendar()
    props = {"D:displayname": "Meine Termine", "ICAL:calendar-color": "#FF0000FF"}
    with studio.db.writing() as tx:
        assert objects.set_props(tx, studio.bookings, props, NOW) == before.seq + 1
        assert objects.set_props(tx, studio.bookings, props, NOW) == before.seq + 1, (
            "the same again is no change"
        )
    assert studio.calendar().props == props


def test_what_a_client_changes_makes_the_writing_link_due_and_no_other(studio: Studio) -> None:
    family = studio.mirror(editable=True)
    writing = studio.link("/work/", writes=True)
    reading = studio.link("/family/", reads=True, edits=True, mirror_id=family)
    idle = studio.link("/idle/")
    stranger = Studio.opened(studio.db, "ben@other.example").link("/work/", writes=True)
    stored = studio.put("a.ics", event())
    assert stored.due == (writing,)
    assert studio.due(writing) == studio.now
    assert [studio.due(each) for each in (reading, idle, stranger)] == [None, None, None]
    assert studio.put("a.ics", event("shoot-2"), family).due == (reading,)


def test_a_mirror_without_edits_makes_nothing_due(studio: Studio) -> None:
    family = studio.mirror()
    reading = studio.link(reads=True, mirror_id=family)
    studio.put("a.ics", event(), family)
    assert studio.due(reading) is None


def test_a_pass_is_not_woken_by_its_own_write(studio: Studio) -> None:
    writing = studio.link("/work/", writes=True)
    assert studio.put("a.ics", event(), link_id=writing).due == ()
    assert studio.due(writing) is None
    studio.delete("a.ics")
    assert studio.due(writing) == studio.now


def test_a_removed_calendar_takes_its_objects_and_never_lends_its_id(studio: Studio) -> None:
    family = studio.mirror()
    studio.put("a.ics", event(), family)
    old = studio.calendar(family)
    with studio.db.writing() as tx:
        calendars.remove(tx, family)
    again = studio.mirror()
    assert again != family
    with studio.db.reading() as tx:
        assert objects.listing(tx, again) == []
        assert objects.in_range(tx, again, None, None) == []
        with pytest.raises(Invalid):
            objects.parse_token(objects.token(old), calendars.get(tx, again))
