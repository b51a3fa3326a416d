"""Passes between the bookings and a Google calendar that go wrong half-way: answers lost, cursors lost, ids
that are never free again. What only one side knows of an event survives them all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.config import Settings
from bridge.service import accounts as account_service
from bridge.service import people
from bridge.store import accounts, calendars, objects
from bridge.store import people as people_rows
from bridge.wiring import Bridge
from tests.contracts.google_stand import GoogleStand
from tests.contracts.samples import SERIES, event
from tests.servers import fault
from tests.servers.fault import FaultProxy
from tests.servers.google_client import discovery_document
from tests.standins.google import GoogleStandIn
from tests.standins.google_hands import Hands
from tests.store.studio import forget_changes

ANNA = "anna@studio.example"
#: What Google has no place for.
RICH = event(
    "shoot",
    "Hochzeit",
    "LOCATION:Altes Rathaus",
    'X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-TITLE="Altes Rathaus":geo:51.3,12.3',
    "CATEGORIES:Hochzeit",
    "PRIORITY:3",
)


@dataclass
class Story:
    """Anna's bridge, and the Google calendar that her bookings go to."""

    bridge: Bridge
    stand: GoogleStand
    calendar: str
    hands: Hands
    account: int

    def book(self, text: str, kind: str = "booking") -> None:
        with self.bridge.db.writing() as tx:
            mine = calendars.bookings(tx, people_rows.user_by_email(tx, ANNA).id)
            now = self.bridge.clock.now()
            objects.put(tx, mine.id, "shoot.ics", text, kind=kind, actor="command", now=now)

    def remove(self) -> None:
        with self.bridge.db.writing() as tx:
            mine = calendars.bookings(tx, people_rows.user_by_email(tx, ANNA).id)
            objects.delete(tx, mine.id, "shoot.ics", actor="device:1", now=self.bridge.clock.now())

    def sync(self) -> list[str]:
        """One pass; what went wrong."""
        (report,) = self.bridge.engine().run_account(self.account, confirm=True)
        return report.errors

    def here(self) -> str:
        with self.bridge.db.reading() as tx:
            mine = calendars.bookings(tx, people_rows.user_by_email(tx, ANNA).id)
            (stored,) = objects.all_objects(tx, mine.id)
        return stored.text

    def there(self) -> list[dict[str, Any]]:
        """The events and series at Google that are not deleted."""
        stored = self.stand.google.calendars[self.calendar].events.values()
        return [e for e in stored if e["status"] != "cancelled" and "recurringEventId" not in e]


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    with GoogleStandIn(discovery_document()) as google, FaultProxy(google.url) as faults:
        stand = GoogleStand(google, faults)
        calendar, _ = stand.make_calendar("work", title="Arbeit", color="#000000")
        settings = Settings(
            data=tmp_path / "data",
            google_client_id="client",
            google_client_secret="secret",
            google_issuer=google.url,
            google_api_url=faults.url,
        )
        bridge = Bridge.open(settings)
        user = people.add_user(bridge, ANNA, time_zone="Europe/Berlin")
        with bridge.db.writing() as tx:
            number = accounts.create(tx, user.id, "google", label="Google", now=bridge.clock.now())
            accounts.set_(tx, number, secret=bridge.vault.seal(stand.secret(), accounts.bind(number)))
        account_service.select(bridge, number, read=[], edit=[], write=calendar, yes=True)
        yield Story(bridge, stand, calendar, stand.hands[calendar], number)
        bridge.db.close()
        assert google.violations == []


@pytest.mark.parametrize("lost", [fault.lose_answer, fault.lose_request])
def test_a_create_whose_answer_is_lost_is_neither_doubled_nor_harmed(story: Story, lost: fault.Fault):
    story.book(RICH)
    story.stand.faults.fault("POST", lost)
    story.sync()
    assert story.sync() == []
    assert [e["summary"] for e in story.there()] == ["Hochzeit"]
    assert story.here() == RICH


@pytest.mark.parametrize("lost", [fault.lose_answer, fault.lose_request])
def test_an_update_whose_answer_is_lost_leaves_what_only_we_know(story: Story, lost: fault.Fault):
    story.book(RICH)
    story.sync()
    renamed = RICH.replace("SUMMARY:Hochzeit", "SUMMARY:Hochzeit Müller").replace(
        "DTSTAMP:2026", "DTSTAMP:2027"
    )
    story.book(renamed)
    story.stand.faults.fault("PATCH", lost)
    story.sync()
    assert story.sync() == []
    assert [e["summary"] for e in story.there()] == ["Hochzeit Müller"]
    assert story.here() == renamed


def test_an_edit_made_right_after_a_lost_answer_comes_home(story: Story):
    story.book(RICH)
    story.sync()
    story.book(RICH.replace("SUMMARY:Hochzeit", "SUMMARY:Hochzeit Müller"))
    story.stand.faults.fault("PATCH", fault.lose_answer)
    story.stand.faults.fault("GET", fault.answer(503), times=9)
    story.sync()
    story.stand.faults.heal()
    (there,) = story.there()
    story.hands.edit(there["id"], description="Ring nicht vergessen")
    assert story.sync() == []
    assert "SUMMARY:Hochzeit Müller" in story.here()
    assert "DESCRIPTION:Ring nicht vergessen" in story.here()
    (there,) = story.there()
    assert (there["summary"], there["description"]) == ("Hochzeit Müller", "Ring nicht vergessen")


def test_a_booking_moved_at_google_keeps_what_only_we_know(story: Story):
    story.book(RICH)
    story.sync()
    (there,) = story.there()
    later = {"start": {"dateTime": "2026-01-05T12:00:00Z"}, "end": {"dateTime": "2026-01-05T13:00:00Z"}}
    story.hands.edit(there["id"], **later)
    assert story.sync() == []
    for line in ("X-APPLE-STRUCTURED-LOCATION", "CATEGORIES:Hochzeit", "PRIORITY:3"):
        assert line in story.here()
    assert "T090000Z" not in story.here()


def test_a_booking_deleted_at_google_is_put_back_under_a_new_id(story: Story):
    story.book(RICH)
    story.sync()
    (first,) = story.there()
    story.hands.delete(first["id"])
    assert story.sync() == []
    (second,) = story.there()
    assert second["id"] != first["id"]
    assert story.here() == RICH
    assert story.sync() == []
    assert len(story.there()) == 1


@pytest.mark.parametrize("lost", [fault.lose_answer, fault.lose_request])
def test_a_block_made_again_long_after_it_was_deleted_gets_a_new_id(story: Story, lost: fault.Fault):
    """Its first id is never free again, also when our own log no longer tells of the deletion: a create whose
    request was lost must not look as if it had arrived, and somebody had deleted the block over there."""
    story.book(RICH, kind="block")
    story.sync()
    (first,) = story.there()
    story.remove()
    assert story.sync() == []
    assert story.there() == []
    with story.bridge.db.writing() as tx:
        forget_changes(tx, story.bridge.clock.now() + timedelta(days=1))
    story.book(RICH, kind="block")
    story.stand.faults.fault("POST", lost)
    story.sync()
    assert story.sync() == []
    (second,) = story.there()
    assert second["id"] != first["id"]
    assert story.here() == RICH


def test_a_lost_token_deletes_and_doubles_nothing(story: Story):
    story.book(RICH)
    story.sync()
    story.stand.google.calendars[story.calendar].generation += 1
    assert story.sync() == []
    assert len(story.there()) == 1
    assert story.here() == RICH


def test_a_series_that_breaks_off_half_way_is_completed_and_not_harmed(story: Story):
    series = SERIES.replace("UID:series", "UID:shoot")
    story.book(series, kind="block")
    story.stand.faults.fault("PATCH", fault.answer(503))
    story.sync()
    assert story.sync() == []
    assert story.here() == series
    (there,) = story.there()
    dates = story.stand.google.calendars[story.calendar].instances(there["id"], None)
    assert [date.get("summary") for date in dates] == ["Team", "Team (moved)", "Team", "Team", "Team"]


@pytest.mark.parametrize("refusals", [2, 4])  # each is confirmed at once: one refused write, or two
def test_a_series_that_may_not_be_written_half_way_leaves_no_part_of_it(story: Story, refusals: int):
    """A 403 between its requests, then all is well again: after one the same pass writes it anew; after two
    it waits for its user, and nothing of it is left at Google meanwhile."""
    series = SERIES.replace("UID:series", "UID:shoot")
    story.book(series, kind="block")
    refused = fault.answer(403, b'{"error":{"code":403,"errors":[{"reason":"requiredAccessLevel"}]}}')
    story.stand.faults.fault("PATCH", refused, times=refusals)
    assert len(story.sync()) == (refusals == 4)
    assert len(story.there()) == (refusals == 2)
    assert story.sync() == []
    assert story.here() == series
    (there,) = story.there()
    dates = story.stand.google.calendars[story.calendar].instances(there["id"], None)
    assert [date.get("summary") for date in dates] == ["Team", "Team (moved)", "Team", "Team", "Team"]


def test_a_pass_without_news_costs_one_request(story: Story):
    story.book(RICH)
    story.sync()
    story.sync()
    (report,) = story.bridge.engine().run_account(story.account)
    assert (report.requests, report.pulled, report.pushed) == (1, 0, 0)
