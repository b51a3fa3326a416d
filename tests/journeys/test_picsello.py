"""Picsello's database, our server, a provider and a phone: one drag, one change, and both at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.journeys.installation import EMAIL, Installation
from tests.journeys.phones import PythonCaldav
from tests.servers.dav import Outside, Server
from tests.servers.postgres import postgres
from tests.servers.radicale import radicale
from tests.sources.conftest import uid
from tests.sources.picsello import Picsello
from tests.sources.test_reading import line

#: Generous: other work may share the machine. A look into Picsello is due every 10 seconds.
PATIENCE = 60.0


@pytest.fixture(params=[2], ids=["second generation"])
def picsello(request: pytest.FixtureRequest) -> Iterator[tuple[Picsello, str]]:
    with postgres() as cluster:
        name = cluster.create()
        made = Picsello.made(cluster.url(name), request.param)
        yield made, f"postgresql://postgres@/{name}?host={cluster.folder}"
        made.connection.close()


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Server]:
    with radicale(tmp_path / "provider") as server:
        yield server


def eventually(what: Callable[[], bool]) -> None:
    """Seconds, not minutes."""
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline, "it did not come through"
        time.sleep(0.5)


def test_a_drag_reaches_picsello_and_the_provider_and_a_change_there_reaches_the_phone(
    tmp_path: Path, picsello: tuple[Picsello, str], provider: Server
) -> None:
    app, url = picsello
    studio = app.studio(EMAIL, "Europe/Berlin")
    shoot = app.shoot(app.job(studio, paid=True), datetime(2027, 5, 1, 8), notes="Bring a veil")
    anna = Installation.of_anna(tmp_path / "data", provider)
    work = provider.make_calendar("work", title="Work")
    assert anna.json("source", "set", EMAIL, "picsello", "--url", url)["source"] == "picsello"
    anna.select(anna.connect(provider), write=work)
    rows = anna.sync()
    assert {row["calendar"]: row["pulled"] for row in rows}["Picsello"] == 1
    assert line(work.by_uid(uid(shoot)) or "", "DTSTART") == "20270501T100000"

    with anna.serving() as origin:
        device = anna.json("device", "add", EMAIL, "phone")
        phone = PythonCaldav(f"{origin}/dav/{EMAIL}/", device["username"], device["password"])
        assert line(phone.objects("bookings")[uid(shoot)], "SUMMARY") == "Mary Jane Wedding - Engagement"

        # a drag on the phone
        phone.edit("bookings", uid(shoot), lambda text: text.replace("20270501T1", "20270502T1"))
        eventually(lambda: app.row("shoots", shoot)["starts_at"] == datetime(2027, 5, 2, 8))
        eventually(lambda: at(work, shoot, "DTSTART") == "20270502T100000")

        # a change in Picsello
        app.set("shoots", shoot, address="Town hall")
        eventually(lambda: line(phone.objects("bookings")[uid(shoot)], "LOCATION") == "Town hall")
        eventually(lambda: at(work, shoot, "LOCATION") == "Town hall")

        # a rename at the provider, and notes in Picsello, at once
        name = work.name_of(uid(shoot))
        work.put(name, (work.get(name) or "").replace("- Engagement", "- Rehearsal"), work.etag(name))
        app.set("shoots", shoot, notes="Bring a hat")
        anna.run("sync")
        eventually(lambda: app.row("shoots", shoot)["name"] == "Rehearsal")
        eventually(lambda: at(work, shoot, "DESCRIPTION") == "Bring a hat")
        text = phone.objects("bookings")[uid(shoot)]
        assert line(text, "SUMMARY") == "Mary Jane Wedding - Rehearsal"
        assert line(text, "DESCRIPTION") == "Bring a hat"

        # archived there, it leaves; nothing was doubled on the way
        assert len(work.list()) == 1
        app.set("jobs", app.row("shoots", shoot)["job_id"], archived_at=app.now)
        eventually(lambda: phone.objects("bookings") == {})
        eventually(lambda: work.list() == {})


def at(calendar: Outside, shoot: int, name: str) -> str:
    return line(calendar.by_uid(uid(shoot)) or "", name)
