"""The whole journey with Outlook, by command: sign in on its own page, choose, sync both ways, lose the
consent, sign in again, say goodbye. The sign-in is a real implementation's, the calendars our stand-in's."""

from __future__ import annotations

import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.installation import EMAIL, Installation
from tests.servers.emulate import Emulate, emulate
from tests.servers.process import free_port
from tests.standins.microsoft import Graph
from tests.standins.microsoft_mailbox import Json, Stored

MAILBOX = "anna@outlook.com"


@dataclass
class Studio(Installation):
    """An installation that is registered at Microsoft."""

    settings: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | self.settings

    def consent(self, there: Emulate, *words: str) -> Any:
        """A command that waits for somebody to sign in on the provider's page; they do."""
        command = self.command(*words, "--json")
        with subprocess.Popen(
            command, env=self.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as waiting:
            assert waiting.stdout is not None
            assert waiting.stderr is not None
            address = next(line.strip() for line in waiting.stderr if line.startswith("http"))
            with urllib.request.urlopen(there.consent(address, MAILBOX)) as page:
                assert "Connected" in page.read().decode()
            assert waiting.wait(30) == 0
            return waiting.stdout.read()


@dataclass
class Story:
    studio: Studio
    graph: Graph
    there: Emulate
    calendar: str
    account: int = 0

    def connect(self) -> None:
        self.studio.consent(self.there, "account", "add", EMAIL, "microsoft")
        (row,) = self.studio.json("account", "list", EMAIL)
        self.account = row["account"]

    def sync(self) -> Any:
        (link,) = [row for row in self.studio.json("sync", EMAIL)["links"] if row["calendar"] == "Arbeit"]
        return link

    def shown(self) -> list[Stored]:
        found = self.graph.mailbox.events.values()
        return [one for one in found if one.calendar == self.calendar and not one.gone]


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Emulate]:
    back = f"http://127.0.0.1:{port}/oauth/microsoft/callback"
    folder = tmp_path_factory.mktemp("emulate")
    with emulate(folder, "microsoft", users=(MAILBOX,), redirect_uri=back) as running:
        yield running


@pytest.fixture
def story(tmp_path: Path, there: Emulate, port: int) -> Iterator[Story]:
    with Graph() as graph:
        settings = {
            "PICSELLO_BRIDGE_MICROSOFT_CLIENT_ID": there.client_id,
            "PICSELLO_BRIDGE_MICROSOFT_CLIENT_SECRET": there.client_secret,
            "PICSELLO_BRIDGE_MICROSOFT_ISSUER": there.issuer.replace("127.0.0.1", "localhost")
            + "/common/v2.0",
            "PICSELLO_BRIDGE_MICROSOFT_API_URL": graph.api_url,
        }
        studio = Studio(tmp_path / "data", port=port, settings=settings)
        studio.run("user", "add", EMAIL, "--time-zone", "Europe/Berlin")
        calendar = graph.mailbox.add_calendar("Arbeit")
        graph.mailbox.add_calendar("Feiertage", can_edit=False)
        with studio.serving():
            yield Story(studio, graph, there, calendar)
        assert graph.violations == []
        assert graph.mailbox.mails == []


def soon(days: int, hour: int = 9) -> Json:
    day = (datetime.now(UTC) + timedelta(days=days)).date()
    zone = "W. Europe Standard Time"
    return {
        "start": {"dateTime": f"{day}T{hour:02}:00:00", "timeZone": zone},
        "end": {"dateTime": f"{day}T{hour + 1:02}:00:00", "timeZone": zone},
    }


def test_from_the_address_to_goodbye(story: Story):
    studio, mailbox = story.studio, story.graph.mailbox
    story.connect()
    listed = studio.json("account", "calendars", str(story.account))
    assert [(row["name"], row["color"], row["writable"]) for row in listed] == [
        ("Arbeit", "#1d9bf6", True),
        ("Feiertage", "#1d9bf6", False),
    ]
    uid = studio.book("Wedding", soon(7)["start"]["dateTime"], place="Old town hall")
    foreign = mailbox.add(story.calendar, {**soon(8), "subject": "Dentist"})
    words = ["--read", story.calendar, "--write", story.calendar, "--yes"]
    studio.run("account", "select", str(story.account), *words)
    assert story.sync()["errors"] == []

    (booking,) = [one for one in story.shown() if one is not foreign]
    assert (booking.fields["subject"], booking.fields["location"]) == (
        "Wedding",
        {"displayName": "Old town hall"},
    )
    assert booking.fields["start"] == soon(7)["start"]
    assert story.sync()["pulled"] == 0  # the delta's echo of what we wrote
    quiet = story.sync()
    assert (quiet["requests"], quiet["pulled"], quiet["pushed"]) == (1, 0, 0)

    mailbox.change(booking, soon(7, hour=15))
    mailbox.change(foreign, {"subject": "Dentist again"})
    moved = story.sync()
    assert (moved["pulled"], moved["pushed"], moved["errors"]) == (2, 0, [])
    (row,) = [row for row in studio.json("booking", "list", EMAIL) if row["uid"] == uid]
    assert row["start"].startswith(soon(7, hour=15)["start"]["dateTime"][:16])

    mailbox.remove(booking)
    assert story.sync()["errors"] == []
    (restored,) = [one for one in story.shown() if one is not foreign]  # policy: restore
    assert restored.fields["subject"] == "Wedding"

    story.graph.revoked = True
    refused = studio.try_("sync", EMAIL)
    assert refused.code == 1
    assert "Sign in again" in refused.out + refused.err
    story.graph.revoked = False
    studio.consent(story.there, "account", "sign-in", str(story.account))
    assert len(studio.json("account", "list", EMAIL)) == 1
    studio.book("Portrait", soon(9)["start"]["dateTime"])
    assert story.sync()["errors"] == []
    assert sorted(one.fields["subject"] for one in story.shown()) == ["Dentist again", "Portrait", "Wedding"]


@pytest.mark.parametrize(
    ("pushed", "left"),
    [
        ("keep", ["Dentist", "Next week", "Past"]),
        ("remove-future", ["Dentist", "Past"]),
        ("remove-all", ["Dentist"]),
    ],
)
def test_a_goodbye_leaves_exactly_what_it_says(story: Story, pushed: str, left: list[str]):
    story.connect()
    story.studio.book("Next week", soon(7)["start"]["dateTime"])
    story.studio.book("Past", soon(-7)["start"]["dateTime"])
    story.graph.mailbox.add(story.calendar, {**soon(8), "subject": "Dentist"})
    story.studio.run("account", "select", str(story.account), "--write", story.calendar, "--yes")
    story.sync()
    story.studio.run("account", "remove", str(story.account), "--pushed", pushed)
    assert sorted(one.fields["subject"] for one in story.shown()) == left
    assert story.studio.json("account", "list", EMAIL) == []
