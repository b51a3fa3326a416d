"""From one source to another: the same bookings, the same UIDs, nothing doubled at any provider."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from bridge.config import Settings
from bridge.service import accounts, client_writes, people, sources
from bridge.store import accounts as account_rows
from bridge.store import calendars, links, notices, objects
from bridge.store import people as people_rows
from bridge.wiring import Bridge
from tests.servers.dav import Outside
from tests.servers.feed import Publisher
from tests.servers.postgres import Cluster
from tests.servers.radicale import radicale
from tests.sources.conftest import ANNA, uid
from tests.sources.picsello import Picsello
from tests.sources.test_feed import event, whole
from tests.sources.test_reading import line

POLICIES = [("restore", 1, False), ("hide", 0, False), ("cancel", 0, True)]


class House:
    """Anna's bridge, a provider, a feed, and a Picsello."""

    def __init__(
        self,
        bridge: Bridge,
        work: Outside,
        private: Outside,
        site: Publisher,
        picsello: Picsello,
        database: str,
    ):
        self.bridge, self.work, self.private, self.site = bridge, work, private, site
        self.picsello, self.database = picsello, database

    def choose(self, kind: str) -> None:
        url = {"picsello": self.database, "feed": f"{self.site.url}calendar.ics", "studio": None}[kind]
        sources.set_(self.bridge, ANNA, kind, url=url)

    def sync(self) -> None:
        """All of Anna's passes, until nothing moves."""
        with self.bridge.db.reading() as tx:
            user = people_rows.user_by_email(tx, ANNA)
            ids = [row.id for row in account_rows.of_user(tx, user.id)]
        for _ in range(3):
            for account in ids:
                for report in self.bridge.engine().run_account(account):
                    assert (report.errors, report.held) == ([], [])

    def bookings(self) -> dict[str, str]:
        with self.bridge.db.reading() as tx:
            calendar = calendars.bookings(tx, people_rows.user_by_email(tx, ANNA).id)
            return {row.uid: row.text for row in objects.all_objects(tx, calendar.id)}

    def mirrored(self) -> set[str]:
        with self.bridge.db.reading() as tx:
            user = people_rows.user_by_email(tx, ANNA)
            mirrors = [link.mirror_id for link in links.of_user(tx, user.id) if link.mirror_id is not None]
            return {row.uid for mirror in mirrors for row in objects.all_objects(tx, mirror)}

    def notices(self) -> set[str]:
        with self.bridge.db.reading() as tx:
            user = people_rows.user_by_email(tx, ANNA)
            return {row.kind for row in notices.standing(tx, user.id)}


@pytest.fixture
def house(tmp_path: Path, cluster: Cluster) -> Iterator[House]:
    name = cluster.create()
    with radicale(tmp_path / "provider") as server, Publisher() as site:
        picsello = Picsello.made(cluster.url(name), 1)
        work = server.make_calendar("work", title="Work")
        private = server.make_calendar("private", title="Private")
        allowed = frozenset({server.host_and_port, site.host_and_port})
        bridge = Bridge.open(Settings(data=tmp_path / "data", allow_hosts=allowed))
        people.add_user(bridge, ANNA, time_zone="America/New_York")
        account = accounts.add(
            bridge, ANNA, "caldav", url=server.url, username=server.user, secret=server.password
        )
        remote = {one.name: one.id for one in account.calendars}
        accounts.select(bridge, account.account_id, read=[remote["Private"]], write=remote["Work"], yes=True)
        database = f"postgresql://postgres@/{name}?host={cluster.folder}"
        yield House(bridge, work, private, site, picsello, database)
        picsello.connection.close()
        bridge.db.close()


def test_feed_to_picsello_to_studio_and_back_keeps_everything(house: House) -> None:
    studio = house.picsello.studio(ANNA)
    shoots = [
        house.picsello.shoot(house.picsello.job(studio, paid=True), datetime(2030, 5, day, 14))
        for day in (1, 2)
    ]
    feed = house.site.publish("calendar")
    feed.serve(200, whole(*(event(shoot, datetime(2030, 5, day, 10)) for day, shoot in enumerate(shoots, 1))))
    house.choose("feed")
    house.sync()
    there = house.work.list()
    assert set(house.bookings()) == {uid(shoot) for shoot in shoots}
    assert len(there) == 2

    house.choose("picsello")
    house.sync()
    assert set(house.bookings()) == {uid(shoot) for shoot in shoots}
    assert set(house.work.list()) == set(there)
    assert line(house.bookings()[uid(shoots[0])], "URL").endswith("/jobs/1")

    house.choose("studio")
    house.sync()
    assert set(house.bookings()) == {uid(shoot) for shoot in shoots}
    assert set(house.work.list()) == set(there)

    # edited here meanwhile, and moved in Picsello: back there, Picsello's values hold
    house.picsello.set("shoots", shoots[0], starts_at=datetime(2030, 6, 1, 14))
    house.choose("picsello")
    house.sync()
    assert set(house.work.list()) == set(there)
    assert line(house.bookings()[uid(shoots[0])], "DTSTART") == "20300601T100000"
    name = house.work.name_of(uid(shoots[0]))
    assert line(house.work.get(name) or "", "DTSTART") == "20300601T100000"

    house.choose("feed")
    house.sync()
    assert set(house.work.list()) == set(there)


def test_an_edit_that_waited_under_the_feed_reaches_picsello_when_it_moves_in(house: House) -> None:
    studio = house.picsello.studio(ANNA)
    shoot = house.picsello.shoot(house.picsello.job(studio, paid=True), datetime(2030, 5, 1, 14))
    house.site.publish("calendar").serve(200, whole(event(shoot, datetime(2030, 5, 1, 10))))
    house.choose("feed")
    house.sync()
    name = house.work.name_of(uid(shoot))
    house.work.put(
        name, (house.work.get(name) or "").replace("20300501T1", "20300503T1"), house.work.etag(name)
    )
    house.sync()
    assert "Change it there too" in line(house.bookings()[uid(shoot)], "DESCRIPTION")
    house.choose("picsello")
    house.sync()
    assert house.picsello.row("shoots", shoot)["starts_at"] == datetime(2030, 5, 3, 14)
    assert house.picsello.row("shoots", shoot)["notes"] is None
    assert line(house.bookings()[uid(shoot)], "DESCRIPTION") == ""


def test_the_old_subscription_brought_into_the_bookings_becomes_the_booking(house: House) -> None:
    """Somebody had imported Picsello's feed into the bookings calendar by hand."""
    studio = house.picsello.studio(ANNA)
    shoot = house.picsello.shoot(house.picsello.job(studio, paid=True), datetime(2030, 5, 1, 14))
    text = whole(event(shoot, datetime(2030, 5, 1, 10))).replace("\n", "\r\n")
    with house.bridge.db.writing() as tx:
        calendar = calendars.bookings(tx, people_rows.user_by_email(tx, ANNA).id)
        now = house.bridge.clock.now()
        objects.put(tx, calendar.id, "imported.ics", text, kind="block", actor="device:1", now=now)
    house.choose("picsello")
    house.sync()
    with house.bridge.db.reading() as tx:
        found = objects.by_uid(tx, calendar.id, uid(shoot))
    assert found is not None
    assert (found.kind, found.href) == ("booking", "imported.ics")
    assert len(house.work.list()) == 1


@pytest.mark.parametrize("kind", ["picsello", "feed"])
def test_the_old_subscription_that_was_shown_steps_back_when_the_bookings_come(
    house: House, kind: str
) -> None:
    """While Anna typed in her bookings here, the subscription in her private calendar was all she saw of
    Picsello. Beside the bookings themselves each shoot would show twice."""
    studio = house.picsello.studio(ANNA)
    shoot = house.picsello.shoot(house.picsello.job(studio, paid=True), datetime(2030, 5, 1, 14))
    house.site.publish("calendar").serve(200, whole(event(shoot, datetime(2030, 5, 1, 10))))
    subscribed = whole(event(shoot, datetime(2030, 5, 1, 10))).replace("\n", "\r\n")
    house.private.put("shoot.ics", subscribed)
    house.private.put("dentist.ics", subscribed.replace(uid(shoot), "dentist@phone"))
    house.sync()
    assert (house.bookings(), house.mirrored()) == ({}, {uid(shoot), "dentist@phone"})
    there = house.private.list()

    house.choose(kind)
    assert house.mirrored() == {"dentist@phone"}
    house.sync()
    assert (set(house.bookings()), house.mirrored()) == ({uid(shoot)}, {"dentist@phone"})
    assert house.private.list() == there
    assert house.notices() == {"old-subscription"}

    house.choose("studio")
    house.sync()
    assert (set(house.bookings()), house.mirrored()) == ({uid(shoot)}, {"dentist@phone"})


@pytest.mark.parametrize(("policy", "left", "archived"), POLICIES)
def test_deleting_at_the_provider_follows_the_policy_down_to_picsello(
    house: House, policy: str, left: int, archived: bool
) -> None:
    studio = house.picsello.studio(ANNA)
    shoot = house.picsello.shoot(house.picsello.job(studio, paid=True), datetime(2030, 5, 1, 14))
    people.set_user(house.bridge, ANNA, on_delete=policy)
    house.choose("picsello")
    house.sync()
    house.work.delete(house.work.name_of(uid(shoot)))
    house.sync()
    assert len(house.work.list()) == left
    job = house.picsello.row("jobs", house.picsello.row("shoots", shoot)["job_id"])
    assert (job["archived_at"] is not None) is archived
    assert len(house.bookings()) == (0 if archived else 1)


@pytest.mark.parametrize(("policy", "left", "archived"), POLICIES)
def test_deleting_on_the_phone_follows_the_policy_down_to_picsello(
    house: House, policy: str, left: int, archived: bool
) -> None:
    studio = house.picsello.studio(ANNA)
    shoot = house.picsello.shoot(house.picsello.job(studio, paid=True), datetime(2030, 5, 1, 14))
    people.set_user(house.bridge, ANNA, on_delete=policy)
    house.choose("picsello")
    house.sync()
    with house.bridge.db.writing() as tx:
        user = people_rows.user_by_email(tx, ANNA)
        calendar = calendars.bookings(tx, user.id)
        found = objects.by_uid(tx, calendar.id, uid(shoot))
        assert found is not None
        now = house.bridge.clock.now()
        client_writes.delete(tx, user, calendar, found.href, actor="device:1", now=now)
    house.sync()
    assert len(house.bookings()) == left
    job = house.picsello.row("jobs", house.picsello.row("shoots", shoot)["job_id"])
    assert (job["archived_at"] is not None) is archived


def test_a_block_made_on_the_phone_goes_to_the_provider_and_never_to_picsello(house: House) -> None:
    house.picsello.studio(ANNA)
    house.choose("picsello")
    house.sync()
    text = whole(event(1, datetime(2030, 5, 1, 10))).replace("shoot_1@picsello.com", "holiday@phone")
    with house.bridge.db.writing() as tx:
        user = people_rows.user_by_email(tx, ANNA)
        calendar = calendars.bookings(tx, user.id)
        now = house.bridge.clock.now()
        client_writes.put(tx, user, calendar, "h.ics", text, actor="device:1", now=now)
    house.sync()
    assert house.work.by_uid("holiday@phone") is not None
    assert house.picsello.connection.execute("SELECT count(*) AS n FROM shoots").fetchone() == {"n": 0}
