"""One of everything that a user can have, Anna's; and whose each row of the database is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, select

from bridge.service import booking_events, booking_plans, client_booking, feeds, people, receipts, tokens
from bridge.service import webhooks as hooks
from bridge.service.clients import Client
from bridge.store import calendars, conflicts, notices, objects, passes, places, suggestions
from bridge.store.people import UserRow
from bridge.store.tables import metadata
from bridge.wiring import Bridge
from tests.web import studio
from tests.web.conftest import NOON

BEFORE = studio.event("w", "Quixotic wedding", "DTSTART:20261125T140000Z|DURATION:PT2H")
LATER = BEFORE.replace("T140000Z", "T160000Z")

#: Rows that belong to nobody in particular.
COMMON = frozenset({"installation", "studio", "attempt", "ended_session"})


@dataclass
class Everything:
    """By the names that routes give their variables: what stands there for Anna's, and for nobody's."""

    mine: dict[str, Any]
    nowhere: dict[str, Any]
    secrets: tuple[str, ...]


def furnish(bridge: Bridge, anna: UserRow) -> Everything:
    """One of everything, with a word in it that only Anna may read."""
    email = anna.email
    studio.book(bridge, anna, BEFORE)
    account = studio.account(
        bridge, anna, "Quixotic cloud", state="needs-sign-in", state_reason="Quixotic why"
    )
    link = studio.link(bridge, account, "Quixotic work", writes=True, released=False, held=["Quixotic plan"])
    read = studio.link(bridge, account, "Quixotic family", reads=True, blocks_slots=False)
    studio.mirrored(
        bridge, read, studio.event("b", "Quixotic doctor", "DTSTART:20261122T130000Z|DURATION:PT1H")
    )
    device = people.add_device(bridge, email, "Quixotic phone")
    feed = feeds.add(bridge, email, "Quixotic link")
    token = tokens.add(bridge, email, "Quixotic token", list(tokens.SCOPES))
    hook = hooks.add(bridge, email, "https://quixotic.example/hook")
    with bridge.db.writing() as tx:
        bookings = calendars.bookings(tx, anna.id)
        found = objects.by_uid(tx, bookings.id, "w")
        assert found is not None
        notice = notices.add(tx, anna.id, "booking-restored", "Quixotic notice", now=NOON, uid="w")
        pass_id = passes.start(tx, link, anna.id, NOON)
        passes.finish(tx, pass_id, outcome="done", counts={}, now=NOON)
        about = {"calendar_id": bookings.id, "uid": "w"}
        suggestion = suggestions.add(
            tx, anna.id, **about, before=BEFORE, after=LATER, actor="device:1", now=NOON
        )
        conflict = conflicts.add(
            tx,
            anna.id,
            **about,
            link_id=link,
            pass_id=pass_id,
            instance=None,
            group="when",
            ours=BEFORE,
            theirs=LATER,
            winner="ask",
            now=NOON,
        )
        plan = booking_plans.Plan("Portraits", 60, dates=["2026-12-05"], blocks=["09:00-12:00"])
        page = booking_events.add(tx, anna, plan, NOON)
        place = places.create(tx, anna.id, name="Quixotic garden", address="Quixotic street 1")
    start = int(datetime(2026, 12, 5, 8, tzinfo=UTC).timestamp())
    client = Client("Quixotic Client", "quixotic@client.example", "+49 30 1234567", "Europe/Berlin")
    session = client_booking.take(bridge, page, anna, start, client)
    mine = {
        "account": account,
        "link": link,
        "event": found.id,
        "uid": "w",
        "device": device.device_id,
        "feed": feed.row.id,
        "token": token.row.id,
        "webhook": hook.row.id,
        "notice": notice,
        "number": pass_id,
        "suggestion": suggestion,
        "conflict": conflict,
        "booking-pages/event": page.id,
        "booking": session.row.id,
        "place": place,
    }
    nowhere = {name: "nowhere" if isinstance(value, str) else 987_654 for name, value in mine.items()}
    secrets = (
        "Quixotic",
        "quixotic",
        device.password,
        token.token,
        hook.secret,
        feed.url.rpartition("/")[2],
        receipts.token(bridge, session),
    )
    return Everything(mine, nowhere, secrets)


def rows(tx: Connection) -> dict[tuple[str, Any], Row[Any]]:
    """The whole database, by table and primary key (by the whole row where there is none)."""
    found = {}
    for table in metadata.sorted_tables:
        keys = [column.name for column in table.primary_key]
        for row in tx.execute(select(table)):
            found[table.name, tuple(getattr(row, key) for key in keys) if keys else tuple(row)] = row
    return found


def owner(everything: dict[tuple[str, Any], Row[Any]], table: Table, row: Row[Any]) -> int | None:
    """Whose a row is, by following what it refers to; None: nobody's in particular."""
    if table.name == "user":
        return int(row.id)
    if "user_id" in table.c:
        return int(row.user_id)
    for column, other in (
        ("calendar_id", "calendar"),
        ("account_id", "account"),
        ("link_id", "link"),
        ("object_id", "object"),
    ):
        if column in table.c:
            return owner(everything, metadata.tables[other], everything[other, (getattr(row, column),)])
    assert table.name in COMMON, f"whose is a row of {table.name}?"
    return None
