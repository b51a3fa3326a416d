"""A client books, moves and cancels; holds run out; whatever is in the way is told in plain words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.errors import Invalid, NotAllowed, NotFound
from bridge.service import booking_events, booking_plans, bookings, client_booking, client_sessions, receipts
from bridge.service.client_booking import Taken
from bridge.service.clients import Client
from bridge.store import calendars, objects
from tests.booking.conftest import Studio, at, ics


def test_a_booked_session_is_an_ordinary_booking_of_the_studio(studio: Studio) -> None:
    event = studio.event(place="The old mill", description="Bring boots; mud.")
    session = studio.book(event, "10:00")
    assert (session.state, session.starts, session.ends) == ("confirmed", at("10:00"), at("11:00"))
    with studio.bridge.db.reading() as tx:
        (row,) = bookings.list_(tx, studio.anna)
    assert (row["title"], row["place"]) == ("Mary Jane: Spring minis", "The old mill")
    assert (row["kind"], row["status"]) == ("booking", "confirmed")
    assert row["start"] == "2026-12-05T10:00:00+01:00"
    assert "mary@client.example" in studio.texts()[0]
    assert studio.free(event) == ["09:00", "11:00", "12:00"]


def test_d26_a_taken_slot_is_refused_with_the_nearest_free_ones(studio: Studio) -> None:
    event = studio.event()
    studio.book(event, "10:00")
    with pytest.raises(Taken) as refused:
        studio.book(event, "10:00")
    assert [slot.starts for slot in refused.value.nearest] == [at("09:00"), at("11:00"), at("12:00")]
    assert len(studio.texts()) == 1


def test_an_event_that_arrived_meanwhile_closes_the_slot(studio: Studio) -> None:
    event, mirror = studio.event(), studio.mirror()
    assert "10:00" in studio.free(event)
    studio.put(ics("private", "DTSTART:20261205T090000Z", "DURATION:PT1H"), calendar=mirror)
    with pytest.raises(Taken):
        studio.book(event, "10:00")


@pytest.mark.parametrize(
    "wall",
    ["09:30", "08:00", "13:00"],
)
def test_what_is_not_on_offer_cannot_be_booked(studio: Studio, wall: str) -> None:
    with pytest.raises(Invalid):
        studio.book(studio.event(), wall)


def test_d31_nothing_in_the_past_or_too_soon(studio: Studio) -> None:
    event = studio.event(notice=24 * 60)
    studio.clock.moment = studio.clock.moment.fromtimestamp(at("10:30"), studio.clock.moment.tzinfo)
    with pytest.raises(Invalid, match="over"):
        studio.book(event, "10:00")
    with pytest.raises(Invalid, match="soon"):
        studio.book(event, "12:00")


@pytest.mark.parametrize(
    "client",
    [
        Client("", "mary@client.example", "123"),
        Client("Mary", "nobody", "123"),
        Client("Mary", "mary@client.example", ""),
        Client("Mary", "mary@client.example", "call me"),
        Client("Mary" * 100, "mary@client.example", "123"),
        Client("Mary", "mary@client.example\r\nBcc: all@x.example", "123"),
        Client("Mary", "mary@client.example", "123", "Mars/Olympus"),
    ],
)
def test_nonsense_is_refused_with_a_sentence(studio: Studio, client: Client) -> None:
    with pytest.raises(Invalid):
        studio.book(studio.event(), client=client)
    assert studio.texts() == []


def test_line_ends_and_script_stay_text(studio: Studio) -> None:
    studio.book(studio.event(), client=Client("<b>Eve</b>\r\nBEGIN:VALARM", "e@x.example", "+1 2"))
    (text,) = studio.texts()
    assert "\r\nBEGIN:VALARM" not in text
    assert text.count("\nBEGIN:") == text.count("\nEND:") - 1  # the first line has none before it


def test_a_disabled_page_offers_nothing_and_an_archived_one_is_gone(studio: Studio) -> None:
    event = studio.event()
    with studio.bridge.db.writing() as tx:
        booking_events.set_status(tx, event.id, "disabled")
        disabled, _ = booking_events.at(tx, "anna", event.slug)
    assert studio.free(disabled) == []
    with pytest.raises(Invalid):
        studio.book(event)  # the page was open before
    with studio.bridge.db.writing() as tx:
        booking_events.set_status(tx, event.id, "archived")
        with pytest.raises(NotFound):
            booking_events.at(tx, "anna", event.slug)
        with pytest.raises(NotAllowed):
            booking_events.set_status(tx, event.id, "active")


def test_moving_frees_the_old_slot_and_keeps_the_booking(studio: Studio) -> None:
    event = studio.event()
    first = studio.book(event, "09:00")
    moved = client_booking.move(studio.bridge, first.row.id, at("11:00"))
    assert (moved.row.uid, moved.starts) == (first.row.uid, at("11:00"))
    assert studio.free(event) == ["09:00", "10:00", "12:00"]
    assert len(studio.texts()) == 1
    studio.book(event, "12:00")
    with pytest.raises(Taken):
        client_booking.move(studio.bridge, first.row.id, at("12:00"))
    assert client_booking.move(studio.bridge, first.row.id, at("11:00")).starts == at("11:00")


def test_cancelling_frees_the_slot_and_is_final(studio: Studio) -> None:
    event = studio.event()
    session = studio.book(event)
    off = client_booking.cancel(studio.bridge, session.row.id)
    assert off.state == "cancelled" and off.text is not None and "STATUS:CANCELLED" in off.text
    assert len(studio.free(event)) == 4
    assert studio.texts() == []  # no calendar shows it any more
    assert client_booking.cancel(studio.bridge, session.row.id).state == "cancelled"
    with pytest.raises(NotAllowed):
        client_booking.move(studio.bridge, session.row.id, at("11:00"))


def test_the_photographers_own_cancelling_and_moving_is_what_the_client_sees(studio: Studio) -> None:
    session = studio.book(studio.event())
    with studio.bridge.db.writing() as tx:
        bookings.move(tx, studio.anna, session.row.uid, "2026-12-06T15:00", None, studio.clock.now())
        assert client_sessions.find(tx, session.row.id).starts == at("15:00", "2026-12-06")
        bookings.cancel(tx, studio.anna, session.row.uid, studio.clock.now())
        assert client_sessions.find(tx, session.row.id).state == "cancelled"


def test_too_late_to_change_online(studio: Studio) -> None:
    session = studio.book(studio.event(notice=60))
    studio.clock.moment = studio.clock.moment.fromtimestamp(at("08:30"), studio.clock.moment.tzinfo)
    for change in (
        lambda: client_booking.cancel(studio.bridge, session.row.id),
        lambda: client_booking.move(studio.bridge, session.row.id, at("11:00")),
    ):
        with pytest.raises(NotAllowed, match="late"):
            change()


def test_a_hold_is_tentative_closes_the_slot_and_runs_out(studio: Studio) -> None:
    event = studio.event(hold=20)
    held = studio.book(event)
    assert held.state == "held" and "STATUS:TENTATIVE" in studio.texts()[0]
    assert "09:00" not in studio.free(event)
    studio.clock.pass_(minutes=20)
    assert "09:00" in studio.free(event)
    assert studio.texts() == []
    with studio.bridge.db.reading() as tx:
        assert client_sessions.find(tx, held.row.id).state == "expired"
    with pytest.raises(NotAllowed):
        client_booking.confirm(studio.bridge, held.row.id)


def test_a_confirmed_hold_stays(studio: Studio) -> None:
    event = studio.event(hold=20)
    held = studio.book(event)
    assert client_booking.confirm(studio.bridge, held.row.id).state == "confirmed"
    studio.clock.pass_(minutes=21)
    assert client_booking.release_expired(studio.bridge) == 0
    assert "STATUS:CONFIRMED" in studio.texts()[0] and "09:00" not in studio.free(event)


def test_a_cancelled_hold_leaves_nothing(studio: Studio) -> None:
    event = studio.event(hold=20)
    assert client_booking.cancel(studio.bridge, studio.book(event).row.id).state == "cancelled"
    assert studio.texts() == [] and len(studio.free(event)) == 4


def test_most_sessions_a_day(studio: Studio) -> None:
    event = studio.event(per_day=1)
    studio.book(event)
    assert studio.free(event) == []
    with pytest.raises(Taken):
        studio.book(event, "12:00")


def test_links_of_clients_cannot_be_guessed_and_end(studio: Studio) -> None:
    session = studio.book(studio.event())
    token = receipts.token(studio.bridge, session)
    assert receipts.read(studio.bridge, token) == session.row.id
    for forged in ("", "1", token[:-1], token[::-1], "WzEsOTk5OTk5OTk5OV0.AAAA", token + "é"):
        with pytest.raises(NotFound):
            receipts.read(studio.bridge, forged)
    studio.clock.pass_(days=30)
    with pytest.raises(NotFound):
        receipts.read(studio.bridge, token)


def test_a_studio_whose_bookings_live_elsewhere_makes_its_pages_there(studio: Studio) -> None:
    elsewhere = replace(studio.anna, source="picsello")
    with studio.bridge.db.writing() as tx, pytest.raises(NotAllowed):
        booking_events.add(tx, elsewhere, booking_plans.Plan("Minis", 30), studio.clock.now())


def test_each_page_has_an_address_of_its_own(studio: Studio) -> None:
    assert [studio.event(t).slug for t in ("Été à Paris!", "Été à Paris!", "東京")] == [
        "ete-a-paris",
        "ete-a-paris-2",
        "sessions",
    ]


def test_a_hidden_booking_is_still_the_photographers(studio: Studio) -> None:
    event = studio.event()
    session = studio.book(event)
    with studio.bridge.db.writing() as tx:
        calendar = calendars.bookings(tx, studio.anna.id)
        stored = objects.by_uid(tx, calendar.id, session.row.uid)
        assert stored is not None
        objects.put(
            tx, calendar.id, stored.href, stored.text, hidden=True, actor="device:1", now=studio.clock.now()
        )
    assert "09:00" not in studio.free(event)
    assert client_booking.cancel(studio.bridge, session.row.id).state == "cancelled"
