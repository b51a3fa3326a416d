"""Promises that take more than the source alone: an hour of outage, and the right page behind a booking."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.config import Settings
from bridge.service import accounts, people, sources
from bridge.store import accounts as account_rows
from bridge.store import calendars, links, objects
from bridge.store import people as people_rows
from bridge.web import make_app
from bridge.wiring import Bridge
from tests.servers.dav import Outside
from tests.servers.fault import FaultProxy, lose_request
from tests.servers.postgres import Cluster
from tests.servers.radicale import radicale
from tests.sources.conftest import ANNA, Desk, uid
from tests.sources.picsello import Picsello
from tests.sources.test_reading import line
from tests.web.browser import Browser

METHODS = ("OPTIONS", "PROPFIND", "REPORT", "GET", "PUT", "DELETE")


class Clock:
    """Moves when the test says so."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 22, 9, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment


class Outage:
    """Anna's bridge between her Picsello and a provider that can be cut off."""

    def __init__(self, bridge: Bridge, clock: Clock, proxy: FaultProxy, work: Outside, picsello: Picsello):
        self.bridge, self.clock, self.proxy = bridge, clock, proxy
        self.work, self.picsello = work, picsello

    def look(self) -> list[str]:
        """What the worker does: every link that is due, once. Returns what went wrong."""
        with self.bridge.db.reading() as tx:
            mine = links.of_user(tx, people_rows.user_by_email(tx, ANNA).id)
        engine = self.bridge.engine()
        return [sentence for link in mine for sentence in engine.run(link.id).errors]

    def states(self) -> set[str]:
        with self.bridge.db.reading() as tx:
            user = people_rows.user_by_email(tx, ANNA)
            return {row.state for row in account_rows.of_user(tx, user.id)}


@pytest.fixture
def outage(tmp_path: Path, cluster: Cluster) -> Iterator[Outage]:
    name = cluster.create()
    with radicale(tmp_path / "provider") as server, FaultProxy(server.url) as proxy:
        work = server.make_calendar("work", title="Work")
        clock = Clock()
        allowed = frozenset({proxy.host_and_port})
        bridge = Bridge.open(Settings(data=tmp_path / "data", allow_hosts=allowed), clock)
        people.add_user(bridge, ANNA, time_zone="America/New_York")
        account = accounts.add(
            bridge, ANNA, "caldav", url=proxy.url, username=server.user, secret=server.password
        )
        remote = next(one.id for one in account.calendars if one.name == "Work")
        accounts.select(bridge, account.account_id, write=remote, yes=True)
        picsello = Picsello.made(cluster.url(name), 2)
        yield Outage(bridge, clock, proxy, work, picsello)
        picsello.connection.close()
        bridge.db.close()


def test_an_hour_without_the_provider_and_the_backlog_drains_at_once(
    outage: Outage, cluster: Cluster
) -> None:
    studio = outage.picsello.studio(ANNA)
    job = outage.picsello.job(studio, paid=True)
    shoots = [outage.picsello.shoot(job, datetime(2027, 5, day, 14)) for day in range(1, 9)]
    database = f"postgresql://postgres@/{outage.picsello.connection.info.dbname}?host={cluster.folder}"
    sources.set_(outage.bridge, ANNA, "picsello", url=database)
    for _ in range(2):
        assert outage.look() == []
    assert len(outage.work.list()) == len(shoots)

    for method in METHODS:
        outage.proxy.fault(method, lose_request, times=10_000)
    made = []
    for minute in range(0, 60, 5):
        outage.clock.moment += timedelta(minutes=5)
        if minute < 40:  # meanwhile the studio goes on working
            day = minute // 5
            outage.picsello.set("shoots", shoots[day], address=f"Town hall, room {day}")
            made.append(outage.picsello.shoot(job, datetime(2027, 6, day + 1, 14)))
        assert outage.look() != []
    assert "retrying" in outage.states()
    with outage.bridge.db.reading() as tx:
        calendar = calendars.bookings(tx, people_rows.user_by_email(tx, ANNA).id)
        assert len(objects.listing(tx, calendar.id)) == 16  # bookings are served all the time

    outage.proxy.heal()
    for _ in range(2):
        assert outage.look() == []
    assert outage.states() == {"healthy"}
    there = {name: outage.work.get(name) or "" for name in outage.work.list()}
    assert len(there) == 16
    for day, shoot in enumerate(shoots):
        assert line(outage.work.by_uid(uid(shoot)) or "", "LOCATION") == f"Town hall\\, room {day}"
    assert all(outage.work.by_uid(uid(shoot)) for shoot in made)


def test_a_booking_leads_to_its_lead_or_job_and_names_the_client(desk: Desk) -> None:
    lead = desk.picsello.shoot(desk.picsello.job(desk.organization), datetime(2027, 5, 1, 14))
    job = desk.picsello.job(desk.organization, client="Berta & Co", paid=True, phone="555-0199")
    paid = desk.picsello.shoot(job, datetime(2027, 5, 2, 14))
    desk.choose(contact=True, app_url="https://studio.example")
    desk.sync()
    people.set_user(desk.bridge, ANNA, password="a good password")
    browser = Browser(make_app(desk.bridge)).sign_in(ANNA)
    for shoot, kind, client in ((lead, "leads", "Mary Jane"), (paid, "jobs", "Berta & Co")):
        page = browser.open(f"/calendar/events/{desk.booking(shoot).id}")
        number = desk.picsello.row("shoots", shoot)["job_id"]
        assert page.document.xpath("//a[contains(., 'Open its page')]/@href") == [
            f"https://studio.example/{kind}/{number}"
        ]
        assert f"Client: {client}" in page.text
        assert "divorce" not in page.text
