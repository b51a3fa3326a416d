"""The whole journey with Outlook: sign in on its own page, choose, sync both ways, lose the consent, sign in
again, say goodbye. The sign-in is ``emulate``'s, the calendars are our stand-in's, held to the contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.consenting import Consenting
from tests.journeys.installation import EMAIL
from tests.servers.emulate import Emulate, emulate
from tests.standins.microsoft import Graph
from tests.standins.microsoft_mailbox import Json, Stored

MAILBOX = "anna@outlook.com"


@dataclass
class Story:
    studio: Consenting
    graph: Graph
    there: Emulate
    calendar: str
    account: int = 0

    def connect(self) -> None:
        added, _ = self.studio.consent(self.there, "account", "add", EMAIL, "microsoft", as_=MAILBOX)
        self.account = added["account"]

    def sync(self) -> Any:
        (link,) = [row for row in self.studio.json("sync", EMAIL)["links"] if row["calendar"] == "Arbeit"]
        return link

    def shown(self) -> list[Stored]:
        found = self.graph.mailbox.events.values()
        return [one for one in found if one.calendar == self.calendar and not one.gone]


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    with telling(tmp_path, {}) as told:
        yield told


@contextmanager
def telling(tmp_path: Path, further: Mapping[str, str]) -> Iterator[Story]:
    """The story's people and places, with further settings."""
    with Graph() as graph:
        settings = {"CLIENT_ID": "client", "CLIENT_SECRET": "secret", "API_URL": graph.api_url}
        studio = Consenting.of_anna_with(
            tmp_path / "data",
            {f"PICSELLO_BRIDGE_MICROSOFT_{name}": value for name, value in settings.items()} | further,
        )
        calendar = graph.mailbox.add_calendar("Arbeit")
        graph.mailbox.add_calendar("Feiertage", can_edit=False)
        back = f"{studio.origin}/oauth/microsoft/callback"
        with emulate(tmp_path / "emulate", "microsoft", users=(MAILBOX,), redirect_uri=back) as there:
            studio.settings["PICSELLO_BRIDGE_MICROSOFT_ISSUER"] = f"{there.issuer}/common/v2.0"
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

    before = studio.secret(story.account)["access_token"]
    story.graph.expired.add(before)
    assert story.sync()["errors"] == []
    assert studio.secret(story.account)["access_token"] != before

    story.graph.revoked = True
    refused = studio.try_("sync", EMAIL)
    assert refused.code == 1
    assert "Sign in again" in refused.out + refused.err
    story.graph.revoked = False
    studio.consent(story.there, "account", "sign-in", str(story.account), as_=MAILBOX)
    assert len(studio.json("account", "list", EMAIL)) == 1
    studio.book("Portrait", soon(9)["start"]["dateTime"])
    assert story.sync()["errors"] == []
    assert sorted(one.fields["subject"] for one in story.shown()) == ["Dentist again", "Portrait", "Wedding"]


def test_a_goodbye_leaves_exactly_what_it_says(story: Story):
    story.studio.book("Next week", soon(7)["start"]["dateTime"])
    story.studio.book("Past", soon(-7)["start"]["dateTime"])
    left = {
        "keep": ["Dentist", "Next week", "Past"],
        "remove-future": ["Dentist", "Past"],
        "remove-all": ["Dentist"],
    }
    for pushed, subjects in left.items():
        story.calendar = story.graph.mailbox.add_calendar(pushed)
        story.graph.mailbox.add(story.calendar, {**soon(8), "subject": "Dentist"})
        story.connect()
        story.studio.run("account", "select", str(story.account), "--write", story.calendar, "--yes")
        story.studio.run("sync", EMAIL)
        assert len(story.shown()) == 3
        story.studio.run("account", "remove", str(story.account), "--pushed", pushed)
        assert sorted(one.fields["subject"] for one in story.shown()) == subjects
        assert story.studio.json("account", "list", EMAIL) == []
