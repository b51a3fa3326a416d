"""What a client's PUT and DELETE mean for bookings and blocks."""

from __future__ import annotations

import pytest

from bridge.service import people
from bridge.store import calendars, notices, objects
from bridge.store.objects import StoredObject
from bridge.store.people import user_by_email
from bridge.store.tables import suggestion
from tests.plugin.conftest import Studio, event

ANNA = "anna@studio.example"
BOOKINGS = f"/{ANNA}/bookings/"


def stored(studio: Studio, href: str) -> StoredObject | None:
    with studio.bridge.db.reading() as tx:
        calendar = calendars.bookings(tx, user_by_email(tx, ANNA).id)
        return objects.get(tx, calendar.id, href, with_hidden=True)


def standing_notices(studio: Studio) -> list[tuple[str, str | None]]:
    with studio.bridge.db.reading() as tx:
        return [(n.kind, n.uid) for n in notices.standing(tx, user_by_email(tx, ANNA).id)]


def test_an_event_made_by_a_client_is_a_block_and_its_delete_is_final(studio: Studio) -> None:
    studio.anna.put(BOOKINGS + "own.ics", event("own"))
    assert stored(studio, "own.ics").kind == "block"

    assert studio.anna("DELETE", BOOKINGS + "own.ics").status == 204

    assert stored(studio, "own.ics") is None
    assert standing_notices(studio) == []


def test_a_moved_booking_has_moved_and_stays_a_booking(studio: Studio) -> None:
    name = studio.book("shoot_1@picsello.com", event("shoot_1@picsello.com"))
    moved = event("shoot_1@picsello.com", start="20260611T140000")

    answer = studio.anna.put(BOOKINGS + name, moved)

    assert answer.status == 204
    assert answer.etag
    assert (stored(studio, name).kind, stored(studio, name).text) == ("booking", moved)
    assert len(studio.woken) == 1


def test_a_deleted_booking_comes_back_under_a_new_etag_with_a_notice(studio: Studio) -> None:
    name = studio.book("b1", event("b1"))
    token = studio.anna.sync(BOOKINGS).xml.findtext("{DAV:}sync-token")
    before = studio.anna("GET", BOOKINGS + name)
    studio.clock.pass_(minutes=5)

    assert studio.anna("DELETE", BOOKINGS + name, If_Match=before.etag).status == 204

    after = studio.anna("GET", BOOKINGS + name)
    assert after.status == 200
    assert after.etag != before.etag
    assert b"SUMMARY:Portraits" in after.body
    assert studio.anna.sync(BOOKINGS, token).statuses() == {name: 200}
    assert standing_notices(studio) == [("booking-restored", "b1")]


def test_under_hide_the_booking_leaves_the_calendar_and_nothing_else(studio: Studio) -> None:
    people.set_user(studio.bridge, ANNA, on_delete="hide")
    name = studio.book("b1", event("b1"))
    token = studio.anna.sync(BOOKINGS).xml.findtext("{DAV:}sync-token")

    assert studio.anna("DELETE", BOOKINGS + name).status == 204

    assert studio.anna("GET", BOOKINGS + name).status == 404
    assert studio.anna.sync(BOOKINGS, token).statuses() == {name: 404}
    assert studio.anna.sync(BOOKINGS).statuses() == {}
    assert stored(studio, name).hidden
    assert standing_notices(studio) == []


@pytest.mark.parametrize("href", ["b1.ics", "elsewhere.ics"])
def test_undoing_the_delete_in_the_client_shows_a_hidden_booking_again(studio: Studio, href: str) -> None:
    people.set_user(studio.bridge, ANNA, on_delete="hide")
    name = studio.book("b1", event("b1"))
    studio.anna("DELETE", BOOKINGS + name)

    assert studio.anna.put(BOOKINGS + href, event("b1"), If_None_Match="*").status == 201

    assert studio.anna.sync(BOOKINGS).statuses() == {href: 200}
    assert stored(studio, href).kind == "booking"


def test_under_cancel_the_booking_is_cancelled_and_gone_from_the_phone(studio: Studio) -> None:
    people.set_user(studio.bridge, ANNA, on_delete="cancel")
    name = studio.book("b1", event("b1"))

    assert studio.anna("DELETE", BOOKINGS + name).status == 204
    assert stored(studio, name).status == "CANCELLED"
    assert studio.anna("GET", BOOKINGS + name).status == 404
    assert stored(studio, name).hidden


def test_a_booking_stays_among_the_bookings(studio: Studio) -> None:
    studio.mirror("shared", editable=True)
    name = studio.book("b1", event("b1"))

    answer = studio.anna("MOVE", BOOKINGS + name, Destination=f"/dav/{ANNA}/shared/{name}")

    assert (answer.status, answer.precondition) == (403, "need-privileges")
    assert studio.anna("MOVE", BOOKINGS + name, Destination=f"/dav{BOOKINGS}renamed.ics").status == 201
    assert stored(studio, "renamed.ics").kind == "booking"


def test_under_approve_a_move_is_a_suggestion_and_the_client_learns_the_truth(studio: Studio) -> None:
    people.set_user(studio.bridge, ANNA, on_move="approve")
    name = studio.book("b1", event("b1"))
    before = studio.anna("GET", BOOKINGS + name)
    studio.clock.pass_(minutes=5)

    answer = studio.anna.put(BOOKINGS + name, event("b1", start="20260611T140000"))

    assert (answer.status, answer.etag) == (204, None)
    after = studio.anna("GET", BOOKINGS + name)
    assert b"20260610T100000" in after.body
    assert after.etag != before.etag
    with studio.bridge.db.reading() as tx:
        rows = tx.execute(suggestion.select()).all()
    assert [(row.uid, row.after, row.answer) for row in rows] == [
        ("b1", event("b1", start="20260611T140000"), None)
    ]


def test_under_approve_reminders_are_the_clients_own_affair(studio: Studio) -> None:
    people.set_user(studio.bridge, ANNA, on_move="approve")
    name = studio.book("b1", event("b1"))
    reminded = event(
        "b1", "BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:Soon", "TRIGGER:-PT1H", "END:VALARM"
    )

    assert studio.anna.put(BOOKINGS + name, reminded).etag
    assert studio.anna("GET", BOOKINGS + name).body == reminded.encode()


def test_writes_are_journalled_with_the_device_that_made_them(studio: Studio) -> None:
    studio.anna.put(BOOKINGS + "own.ics", event("own"))

    with studio.bridge.db.reading() as tx:
        calendar = calendars.bookings(tx, user_by_email(tx, ANNA).id)
        change = objects.changed_since(tx, calendar.id, 0).changed[0]
    device = people.list_devices(studio.bridge, ANNA)[0]
    assert change.actor == f"device:{device.id}"
    assert device.last_used == studio.clock.now()
