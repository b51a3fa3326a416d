"""Passes over Outlook that break off in the middle of a series: nothing is lost, nothing is there twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bridge.config import Settings
from bridge.ical.facts import facts
from bridge.service import people, roles
from bridge.store import accounts, links, objects
from bridge.store import people as rows
from bridge.sync.engine import Engine
from bridge.wiring import Bridge
from tests.contracts.microsoft_stand import MicrosoftStand
from tests.contracts.samples import SERIES
from tests.providers.microsoft_bed import Bed
from tests.servers import fault
from tests.servers.fault import FaultProxy
from tests.standins.microsoft import Graph

ANNA = "anna@studio.example"


@pytest.fixture
def bed() -> Iterator[Bed]:
    with Graph() as graph, FaultProxy(graph.url) as faults:
        stand = MicrosoftStand(graph, faults)
        made, hands = stand.make_calendar("arbeit", title="Arbeit", color="#1d9bf6")
        yield Bed(stand, made, hands)
        assert graph.violations == []


@pytest.fixture
def anna(tmp_path: Path, bed: Bed, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bridge]:
    bridge = Bridge.open(Settings(data=tmp_path))
    monkeypatch.setattr(Bridge, "connect", lambda _self, _account: bed.provider())
    people.add_user(bridge, ANNA, time_zone="Europe/Berlin")
    yield bridge
    bridge.db.close()


def connect(bridge: Bridge, bed: Bed) -> int:
    with bridge.db.writing() as tx:
        user = rows.user_by_email(tx, ANNA)
        account = accounts.create(tx, user.id, "microsoft", label="Outlook", now=bridge.clock.now())
    roles.select(bridge, account, edit=[bed.calendar], write=bed.calendar, yes=True)
    return account


def sync(bridge: Bridge, account: int) -> None:
    engine = Engine(bridge.db, bridge.clock, bridge.connect, bridge.installation, threads=False)
    engine.run_account(account, confirm=True)


def mirrored(bridge: Bridge, account: int) -> list[tuple[str, str]]:
    """UID and title of what the mirror shows."""
    with bridge.db.reading() as tx:
        (link,) = links.of_account(tx, account)
        assert link.mirror_id is not None
        found = [facts(stored.text) for stored in objects.all_objects(tx, link.mirror_id)]
    return [(known.uid, known.summary) for known in found]


def retitle(bridge: Bridge, account: int, old: str, new: str) -> None:
    """As a phone would."""
    with bridge.db.writing() as tx:
        (link,) = links.of_account(tx, account)
        (stored,) = objects.all_objects(tx, link.mirror_id)
        text = stored.text.replace(f"SUMMARY:{old}\r\n", f"SUMMARY:{new}\r\n")
        zone = ZoneInfo("Europe/Berlin")
        now = bridge.clock.now()
        objects.put(tx, link.mirror_id, stored.href, text, kind="foreign", actor="phone", now=now, zone=zone)


@pytest.mark.parametrize(
    ("method", "path", "trouble"),
    [
        ("POST", "", fault.lose_answer),
        ("POST", "", fault.lose_request),
        ("DELETE", r"\.20260113", fault.lose_answer),
        ("PATCH", r"\.20260120", fault.lose_request),
        ("PATCH", "events/[^.]*$", fault.lose_answer),
        ("PATCH", "events/[^.]*$", fault.answer(503)),
    ],
)
def test_an_edit_here_survives_a_deletion_there_and_a_broken_write(
    anna: Bridge, bed: Bed, method: str, path: str, trouble: fault.Fault
):
    bed.hands.put("series", SERIES)
    account = connect(anna, bed)
    sync(anna, account)
    retitle(anna, account, "Team", "Crew")
    bed.mailbox.remove(bed.stored())
    bed.stand.faults.fault(method, trouble, path=path)
    for _ in range(3):
        sync(anna, account)
    assert mirrored(anna, account) == [("series", "Crew")]
    assert bed.stored().fields["subject"] == "Crew"
    assert (len(bed.stored().exceptions), len(bed.stored().cancelled)) == (1, 1)
