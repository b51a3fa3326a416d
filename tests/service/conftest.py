"""Anna's installation, and a stock Radicale as her provider."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.config import Settings
from bridge.service import accounts, people
from bridge.store import calendars, objects
from bridge.store import people as people_rows
from bridge.wiring import Bridge
from tests.servers.dav import Outside, Server
from tests.servers.radicale import radicale

ANNA = "anna@studio.example"
TODAY = datetime(2027, 3, 1, 12, tzinfo=UTC)


def event(uid: str, title: str, starts: datetime) -> str:
    """An hour on the calendar."""
    ends = starts + timedelta(hours=1)
    lines = (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Studio//EN",
        "BEGIN:VEVENT",
        f"UID:{uid}",
        "DTSTAMP:20260101T000000Z",
        f"DTSTART:{starts.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        f"DTEND:{ends.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        f"SUMMARY:{title}",
        "END:VEVENT",
        "END:VCALENDAR",
    )
    return "".join(f"{line}\r\n" for line in lines)


@dataclass
class Annas:
    """What Anna has: her bridge, and her provider with *Work*, *Private* and the read-only *Team*."""

    bridge: Bridge
    server: Server
    work: Outside = field(init=False)
    private: Outside = field(init=False)
    team: Outside = field(init=False)

    def __post_init__(self) -> None:
        self.work = self.server.make_calendar("work", title="Work")
        self.private = self.server.make_calendar("private", title="Private")
        self.team = self.server.calendar(f"{self.server.home}team/")

    def connect(self, email: str = ANNA) -> int:
        """Her account at the provider; returns its number."""
        return accounts.add(
            self.bridge,
            email,
            "caldav",
            url=self.server.url,
            username=self.server.user,
            secret=self.server.password,
        ).account_id

    def book(self, uid: str, days_from_now: int, title: str = "Shoot") -> None:
        """A booking in her bookings calendar."""
        now = self.bridge.clock.now()
        text = event(uid, title, now + timedelta(days=days_from_now))
        with self.bridge.db.writing() as tx:
            user = people_rows.user_by_email(tx, ANNA)
            calendar = calendars.bookings(tx, user.id)
            objects.put(tx, calendar.id, f"{uid}.ics", text, kind="booking", actor="command", now=now)

    def mirrors(self) -> dict[str, calendars.CalendarRow]:
        """Her mirrors by name."""
        with self.bridge.db.reading() as tx:
            user = people_rows.user_by_email(tx, ANNA)
            return {row.name: row for row in calendars.of_user(tx, user.id) if row.kind == "mirror"}

    def mirrored(self, name: str) -> set[str]:
        """The UIDs in one mirror."""
        with self.bridge.db.reading() as tx:
            return {row.uid for row in objects.all_objects(tx, self.mirrors()[name].id)}

    def roles(self, account_id: int) -> dict[str, str]:
        """Calendar name to the roles it has, as ``rew``."""
        shown = accounts.calendars_of(self.bridge, account_id)
        return {one.name: "r" * one.reads + "e" * one.edits + "w" * one.writes for one in shown}


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Server]]:
    """A running Radicale, and the folder it keeps its calendars in."""
    folder = tmp_path_factory.mktemp("provider")
    with radicale(folder, read_only=("team",)) as server:
        yield folder / "collections" / "collection-root", server


@pytest.fixture
def annas(tmp_path: Path, provider: tuple[Path, Server]) -> Iterator[Annas]:
    folder, server = provider
    shutil.rmtree(folder / server.user, ignore_errors=True)
    (folder / server.user / "team").mkdir(parents=True)
    props = '{"tag": "VCALENDAR", "D:displayname": "Team"}'
    (folder / server.user / "team" / ".Radicale.props").write_text(props)
    bridge = Bridge.open(Settings(data=tmp_path / "data", allow_hosts=frozenset({server.host_and_port})))
    people.add_user(bridge, ANNA, time_zone="Europe/Berlin")
    people.add_user(bridge, "berta@studio.example", time_zone="Europe/Berlin")
    yield Annas(bridge, server)
    bridge.db.close()
