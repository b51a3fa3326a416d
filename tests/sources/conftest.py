"""A PostgreSQL for the module's tests, a Picsello in it (of both generations), and Anna's bridge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bridge.config import Settings
from bridge.ical.facts import Facts, facts
from bridge.service import people, sources
from bridge.store import calendars, objects
from bridge.store import people as people_rows
from bridge.store.objects import StoredObject
from bridge.sync.report import Report
from bridge.wiring import Bridge
from tests.servers.postgres import Cluster
from tests.sources.picsello import Picsello

ANNA = "anna@studio.example"


#: For what one generation alone has: slots as rows, and job_statuses to be rebuilt, came with the second.
FIRST = pytest.mark.parametrize("picsello", [1], indirect=True, ids=["first generation"])
SECOND = pytest.mark.parametrize("picsello", [2], indirect=True, ids=["second generation"])


@pytest.fixture(params=[1, 2], ids=["first generation", "second generation"])
def picsello(request: pytest.FixtureRequest, cluster: Cluster) -> Iterator[Picsello]:
    name = cluster.create()
    made = Picsello.made(cluster.url(name), request.param)
    yield made
    made.connection.close()
    cluster.drop(name)


@dataclass
class Desk:
    """Anna's bridge over her Picsello."""

    bridge: Bridge
    picsello: Picsello
    url: str
    organization: int

    def choose(self, kind: str = "picsello", **options: Any) -> sources.Chosen:
        return sources.set_(self.bridge, ANNA, kind, url=self.url, options=options)

    def sync(self, **how: Any) -> Report:
        """One pass of the source."""
        with self.bridge.db.reading() as tx:
            user = people_rows.user_by_email(tx, ANNA)
        link = sources.of_user(self.bridge, user.id)
        assert link is not None
        return self.bridge.engine().run(link.id, by_hand=True, **how)

    def bookings(self, *, hidden: bool = False) -> dict[str, StoredObject]:
        with self.bridge.db.reading() as tx:
            user = people_rows.user_by_email(tx, ANNA)
            calendar = calendars.bookings(tx, user.id)
            return {row.uid: row for row in objects.all_objects(tx, calendar.id, with_hidden=hidden)}

    def booking(self, shoot: int) -> StoredObject:
        return self.bookings()[uid(shoot)]

    def facts(self, shoot: int) -> Facts:
        return facts(self.booking(shoot).text)

    def edit(self, shoot: int, text: str) -> None:
        """As a calendar app saves it."""
        with self.bridge.db.writing() as tx:
            user = people_rows.user_by_email(tx, ANNA)
            calendar = calendars.bookings(tx, user.id)
            stored = objects.by_uid(tx, calendar.id, uid(shoot), with_hidden=True)
            assert stored is not None
            objects.put(tx, calendar.id, stored.href, text, actor="device:1", now=self.bridge.clock.now())


def uid(shoot: int) -> str:
    return f"shoot_{shoot}@picsello.com"


@pytest.fixture
def desk(tmp_path: Path, cluster: Cluster, picsello: Picsello) -> Iterator[Desk]:
    organization = picsello.studio(ANNA)
    bridge = Bridge.open(Settings(data=tmp_path / "data"))
    people.add_user(bridge, ANNA, time_zone="America/New_York")
    url = f"postgresql://postgres@/{picsello.connection.info.dbname}?host={cluster.folder}"
    yield Desk(bridge, picsello, url, organization)
    bridge.db.close()
