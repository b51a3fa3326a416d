"""Studios with booking pages, and those whose bookings come from Picsello."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from flask import Flask

from bridge.service import (
    booking_events,
    booking_plans,
    client_booking,
    receipts,
    sources,
)
from bridge.service.clients import Client
from bridge.store import places
from bridge.store.people import UserRow
from bridge.wiring import Bridge
from tests.servers.feed import Publisher
from tests.servers.postgres import postgres
from tests.sources.picsello import Picsello
from tests.web import studio
from tests.web.conftest import ANNA
from tests.web.furnish.everyday import family_events, sessions
from tests.web.studio import event

if TYPE_CHECKING:
    from tests.web.grounds import Grounds

#: A Saturday on which a booking page offers sessions.
SATURDAY = date(2026, 12, 5)


def shop(_grounds: Grounds, bridge: Bridge, anna: UserRow, _app: Flask) -> dict[str, str]:
    """Two booking pages, one of them put aside, with a session of each kind; and the address book."""
    now = bridge.clock.now()
    family = studio.link(bridge, studio.account(bridge, anna), "Family", "#d9480f", reads=True, agreed_at=now)
    sessions(bridge, anna)
    family_events(bridge, family)
    with bridge.db.writing() as tx:
        garden = places.create(tx, anna.id, name="Botanic garden", address="Garden Row 4", light=True)
        places.create(tx, anna.id, name="The old mill", address="Mill Lane 3")
        plan = booking_plans.Plan(
            "Spring minis",
            60,
            gap=15,
            dates=[SATURDAY.isoformat()],
            blocks=["09:00-13:00", "14:00-18:00"],
            breaks=["11:30-12:00"],
            place_id=garden,
            description="Forty-five minutes among the early flowers, ten pictures to choose from.",
            hold=20,
        )
        page = booking_events.add(tx, anna, plan, now)
        plan = booking_plans.Plan("Autumn portraits", 45, dates=["2026-12-12"], blocks=["10:00-12:00"])
        aside = booking_events.add(tx, anna, plan, now)
        booking_events.set_status(tx, aside.id, "disabled")
    client = Client("Mary Jane", "mary@client.example", "+1 555 0100", "America/Denver")
    held = client_booking.take(bridge, page, anna, on_saturday(9), client)
    booked = client_booking.take(bridge, page, anna, on_saturday(10, 15), replace(client, name="Lena Berg"))
    booked = client_booking.confirm(bridge, booked.row.id)
    kept = Client("Jo Miller", "", "")
    client_booking.take(bridge, page, anna, on_saturday(15, 15), kept, owner=True)
    return {
        "page": str(page.id),
        "aside": str(aside.id),
        "held": receipts.token(bridge, held),
        "receipt": receipts.token(bridge, booked),
        "session": str(booked.row.id),
    }


def on_saturday(hour: int, minute: int = 0) -> int:
    """Of a wall clock in Berlin, in winter."""
    return int(datetime(2026, 12, 5, hour - 1, minute, tzinfo=UTC).timestamp())


def linked(grounds: Grounds, bridge: Bridge, anna: UserRow, _app: Flask) -> dict[str, str]:
    site = grounds.keep(Publisher())
    text = event("shoot-1", "Smith wedding", "DTSTART:20261125T130000Z|DURATION:PT2H")
    site.publish("calendar").serve(200, text)
    sources.set_(bridge, ANNA, "feed", url=f"{site.url}calendar.ics", options={"edits": "refuse"})
    read_source(bridge, anna)
    return {}


def read_source(bridge: Bridge, anna: UserRow) -> None:
    source = sources.of_user(bridge, anna.id)
    assert source is not None
    bridge.engine().run(source.id, by_hand=True)


def picsello(grounds: Grounds, bridge: Bridge, anna: UserRow, _app: Flask) -> dict[str, str]:
    cluster = grounds.keep(postgres())
    name = cluster.create()
    there = Picsello.made(cluster.url(name), 2)
    organization = there.studio(ANNA, zone="Europe/Berlin")
    there.shoot(there.job(organization, client="Mary Jane"), datetime(2026, 11, 25, 13))
    number = there.booking_event(organization)
    there.set(
        "booking_events", number, organization_id=organization, package_template_id=None, duration_minutes=45
    )
    status = {"10": "booked", "11": "break", "15": "hidden"}
    slots = [
        {"slot_start": f"{at}:00:00", "slot_end": f"{at}:45:00", "status": status.get(at, "open")}
        for at in ("09", "10", "11", "12", "15")
    ]
    there.day(number, SATURDAY, slots)
    there.connection.close()
    account, agreed = studio.account(bridge, anna), bridge.clock.now()
    family = studio.link(bridge, account, "Family", "#d9480f", reads=True, agreed_at=agreed)
    lunch = event("lunch", "Lunch", "DTSTART;TZID=Europe/Berlin:20261205T121500|DURATION:PT1H")
    studio.mirrored(bridge, family, lunch)
    database = f"postgresql://postgres@/{name}?host={cluster.folder}"
    sources.set_(bridge, ANNA, "picsello", url=database, options={"contact": True})
    read_source(bridge, anna)
    return {"number": str(number)}
