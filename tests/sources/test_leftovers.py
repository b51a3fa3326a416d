"""What Picsello's retired sync left in a calendar: found, matched, shown, and cleared away on request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from bridge.config import Settings
from bridge.errors import NotFound
from bridge.service import accounts, leftovers, people, sources
from bridge.wiring import Bridge
from tests.servers.dav import Outside
from tests.servers.postgres import Cluster
from tests.servers.radicale import radicale
from tests.sources.conftest import ANNA, uid
from tests.sources.picsello import Picsello
from tests.sources.test_moving_in import House

ALARM = ["BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT2H", "DESCRIPTION:Pack the flash", "END:VALARM"]


def left_behind(
    name: str, title: str, start: str, *more: str, sign: str = "Bring a veil\\n[From Picsello]"
) -> str:
    """As the old sync wrote it: the shoot's name, the notes, and its mark on a line of its own."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Retired Relay//EN",
        "BEGIN:VEVENT",
        f"UID:{name}@relay.example",
        "DTSTAMP:20260101T000000Z",
        f"DTSTART:{start}",
        "DURATION:PT1H",
        f"SUMMARY:{title}",
        f"DESCRIPTION:{sign}",
        *more,
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
    return "\r\n".join(lines)


@dataclass(frozen=True)
class MovedIn:
    """Anna's house after moving in, with the shoot that has a copy, and the calendar where the copies are."""

    house: House
    shoot: int
    account: int
    remote: str

    def write_there(self) -> None:
        """From now on bookings are written to that calendar too."""
        accounts.select(self.house.bridge, self.account, read=[self.remote], write=self.remote, yes=True)


@pytest.fixture
def moved_in(tmp_path: Path, cluster: Cluster) -> Iterator[MovedIn]:
    """Anna reads and writes one calendar, where copies of long ago lie; her shoot is in Picsello."""
    name = cluster.create()
    with radicale(tmp_path / "provider") as server:
        picsello = Picsello.made(cluster.url(name), 1)
        studio = picsello.studio(ANNA)
        shoot = picsello.shoot(picsello.job(studio, paid=True), datetime(2030, 5, 1, 14))
        work: Outside = server.make_calendar("work", title="Work")
        work.put("a.ics", left_behind("a", "ENGAGEMENT", "20300501T140000Z", *ALARM))
        work.put("b.ics", left_behind("b", "Engagement", "20300502T140000Z"))
        work.put("c.ics", left_behind("c", "Lunch", "20300503T100000Z", sign="Not [From Picsello] at all"))
        bridge = Bridge.open(Settings(data=tmp_path / "data", allow_hosts=frozenset({server.host_and_port})))
        people.add_user(bridge, ANNA, time_zone="America/New_York")
        account = accounts.add(
            bridge, ANNA, "caldav", url=server.url, username=server.user, secret=server.password
        )
        remote = next(one.id for one in account.calendars if one.name == "Work")
        accounts.select(bridge, account.account_id, read=[remote], yes=True)
        database = f"postgresql://postgres@/{name}?host={cluster.folder}"
        sources.set_(bridge, ANNA, "picsello", url=database)
        house = House(bridge, work, work, None, picsello, database)  # type: ignore[arg-type]
        house.sync()
        yield MovedIn(house, shoot, account.account_id, remote)
        picsello.connection.close()
        bridge.db.close()


def test_copies_are_found_by_their_line_and_matched_by_time_and_title(moved_in: MovedIn) -> None:
    house, shoot = moved_in.house, moved_in.shoot
    found = leftovers.of_user(house.bridge, ANNA)
    assert [(one.title, one.booking, one.adoptable) for one in found] == [
        ("ENGAGEMENT", uid(shoot), False),
        ("Engagement", None, False),
    ]
    assert f"{found[0].start:%Y-%m-%d %H:%M}" == "2030-05-01 10:00"
    assert len(house.work.list()) == 3  # shown, and nothing done


def test_a_copy_is_adopted_once_its_booking_is_there(moved_in: MovedIn) -> None:
    house, shoot = moved_in.house, moved_in.shoot
    early = leftovers.adopt(house.bridge, ANNA)
    assert early.gone == 0
    assert "is not in “Work” yet" in early.left[0]
    moved_in.write_there()
    house.sync()
    done = leftovers.adopt(house.bridge, ANNA)
    assert (done.gone, list(done.left)) == (1, [])
    house.sync()
    there = [house.work.get(name) or "" for name in house.work.list()]
    assert sum("UID:a@relay.example" in text for text in there) == 0
    booking = next(text for text in there if uid(shoot) in text.replace("\r\n ", ""))
    assert "TRIGGER:-PT2H" in booking  # the reminder that somebody had set on the copy
    assert [one.title for one in leftovers.of_user(house.bridge, ANNA)] == ["Engagement"]


def test_copies_are_removed_by_name_or_all_and_others_stay(moved_in: MovedIn) -> None:
    house = moved_in.house
    with pytest.raises(NotFound, match="no entry 99999"):
        leftovers.remove(house.bridge, ANNA, [99999])
    second = leftovers.of_user(house.bridge, ANNA)[1]
    assert leftovers.remove(house.bridge, ANNA, [second.id]).gone == 1
    assert leftovers.remove(house.bridge, ANNA).gone == 1
    house.sync()
    there = [house.work.get(name) or "" for name in house.work.list()]
    assert [text.count("Lunch") for text in there] == [1]
    assert leftovers.of_user(house.bridge, ANNA) == []


def test_a_copy_that_changed_meanwhile_stays(moved_in: MovedIn) -> None:
    house = moved_in.house
    house.work.put("b.ics", left_behind("b", "Engagement", "20300502T150000Z"))
    done = leftovers.remove(house.bridge, ANNA)
    assert done.gone == 1
    assert "was changed there in the meantime" in done.left[0]
    assert len(house.work.list()) == 2
