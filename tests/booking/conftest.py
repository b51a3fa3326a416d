"""A studio that takes bookings: a real bridge on SQLite or PostgreSQL, a clock that stands still."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bridge.config import Settings
from bridge.service import booking_events, booking_plans, client_booking, people
from bridge.service.client_sessions import Session
from bridge.service.clients import Client
from bridge.store import accounts, calendars, links, objects
from bridge.store import booking_events as rows
from bridge.store import people as people_rows
from bridge.store.booking_events import EventRow
from bridge.store.db import Database
from bridge.store.people import UserRow
from bridge.wiring import Bridge
from tests.cli.conftest import call, data

#: Fixtures of the command line, used here too.
__all__ = ["call", "data"]

#: A Sunday; noon in Berlin is eleven in UTC.
NOON = datetime(2026, 11, 22, 11, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
DAY = "2026-12-05"
MARY = Client("Mary Jane", "mary@client.example", "+1 555 0100", "America/Denver")


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.moment = NOON

    def now(self) -> datetime:
        return self.moment

    def pass_(self, **amount: float) -> None:
        self.moment += timedelta(**amount)


def at(wall: str, day: str = DAY) -> int:
    """Seconds since 1970 of a time in Berlin."""
    return int(datetime.fromisoformat(f"{day}T{wall}").replace(tzinfo=BERLIN).timestamp())


def ics(uid: str, *lines: str) -> str:
    """An event of these lines."""
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:test", "BEGIN:VEVENT", f"UID:{uid}"]
    tail = ["DTSTAMP:20260101T000000Z", "END:VEVENT", "END:VCALENDAR", ""]
    return "\r\n".join([*head, *lines, *tail])


@dataclass
class Studio:
    """Anna's, in Berlin."""

    bridge: Bridge
    clock: Clock
    anna: UserRow

    def event(self, title: str = "Spring minis", **how: Any) -> EventRow:
        """A booking page: sessions of an hour from nine to one."""
        plan = {"length": 60, "dates": [DAY], "blocks": ["09:00-13:00"]} | how
        with self.bridge.db.writing() as tx:
            return booking_events.add(tx, self.anna, booking_plans.Plan(title, **plan), self.clock.now())

    def put(self, text: str, *, calendar: int | None = None, kind: str | None = "block") -> None:
        """An object in the bookings, or in a mirror."""
        with self.bridge.db.writing() as tx:
            where = calendars.bookings(tx, self.anna.id).id if calendar is None else calendar
            uid = next(line[4:] for line in text.splitlines() if line.startswith("UID:"))
            kind = kind if calendar is None else None
            objects.put(tx, where, f"{uid}.ics", text, actor="test", now=self.clock.now(), kind=kind)

    def mirror(self, name: str = "Family", **values: Any) -> int:
        """A linked calendar that closes slots, read just now; returns its mirror's id."""
        now = self.clock.now()
        with self.bridge.db.writing() as tx:
            account = accounts.create(
                tx, self.anna.id, "icloud", label="Apple iCloud", username="anna@me.example", now=now
            )
            link = links.create(tx, account, f"/{name}/", name=name, color=None, writable=True, now=now)
            mirror = calendars.create(
                tx, self.anna.id, f"mirror-{link}", kind="mirror", title=name, now=now, editable=False
            )
            how = {"reads": True, "released": True, "state": "healthy", "agreed_at": now, "mirror_id": mirror}
            links.set_(tx, link, **(how | values))
        return mirror

    def open(self, **values: Any) -> None:
        """Change what holds for all her availability."""
        with self.bridge.db.writing() as tx:
            rows.set_opening(tx, self.anna.id, **values)

    def free(self, event: EventRow, day: str = DAY) -> list[str]:
        """Where free slots begin, in Berlin."""
        found = client_booking.slots(
            self.bridge, event, self.anna, at("00:00", day), at("00:00", day) + 86_400
        )
        return [f"{datetime.fromtimestamp(slot.starts, BERLIN):%H:%M}" for slot in found if slot.free]

    def book(self, event: EventRow, wall: str = "09:00", client: Client = MARY) -> Session:
        return client_booking.take(self.bridge, event, self.anna, at(wall), client)

    def texts(self) -> list[str]:
        """What is in the bookings calendar."""
        with self.bridge.db.reading() as tx:
            calendar = calendars.bookings(tx, self.anna.id)
            return [stored.text for stored in objects.all_objects(tx, calendar.id)]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database file, made once."""
    path = tmp_path_factory.mktemp("template") / "bridge.sqlite"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    database.close()
    return path


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database_url() -> str:
    """Where the data is; tests of PostgreSQL say otherwise."""
    return ""


@pytest.fixture
def settings(tmp_path: Path, template: Path, database_url: str) -> Settings:
    if not database_url:
        shutil.copy(template, tmp_path / "bridge.sqlite")
    return Settings(data=tmp_path, database_url=database_url, allow_hosts=frozenset({"127.0.0.1"}))


@pytest.fixture
def bridge(settings: Settings, clock: Clock) -> Iterator[Bridge]:
    opened = Bridge.open(settings, clock)
    yield opened
    opened.db.close()


@pytest.fixture
def studio(bridge: Bridge, clock: Clock) -> Studio:
    people.add_user(bridge, "anna@studio.example", time_zone="Europe/Berlin", studio="anna")
    with bridge.db.reading() as tx:
        return Studio(bridge, clock, people_rows.user_by_email(tx, "anna@studio.example"))
