"""The provider contract over houses that cannot be run at home: Radicale with iCloud's, GMX's and Yahoo's
known habits (``tests/servers/houses.py``). What a habit cannot show is on the live checklist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from bridge.errors import ObjectRefused
from bridge.ports import Provider
from tests.contracts.caldav_stand import CalDAVStand
from tests.contracts.provider_contract import ProviderContract
from tests.contracts.samples import calendar as vcalendar
from tests.contracts.samples import event
from tests.contracts.stand import Calendar
from tests.servers import fault, houses
from tests.servers.fault import Fault, FaultProxy
from tests.servers.radicale import radicale


@contextmanager
def _house(folder: Path, habits: Sequence[Fault]) -> Iterator[CalDAVStand]:
    def fill(calendar: str, texts: Mapping[str, str]) -> None:
        place = folder / "collections" / "collection-root" / calendar.strip("/")
        for name, text in texts.items():
            (place / name).write_bytes(text.encode())

    with radicale(folder) as server, FaultProxy(server.url, habits=habits) as faults:
        yield CalDAVStand(server, faults, fill, many=120)


@pytest.fixture(scope="module")
def icloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CalDAVStand]:
    with _house(tmp_path_factory.mktemp("icloud"), houses.ICLOUD) as stand:
        yield stand


@pytest.fixture(scope="module")
def gmx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CalDAVStand]:
    with _house(tmp_path_factory.mktemp("gmx"), houses.GMX) as stand:
        yield stand


@pytest.fixture(scope="module")
def yahoo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CalDAVStand]:
    with _house(tmp_path_factory.mktemp("yahoo"), houses.YAHOO) as stand:
        yield stand


class TaglessContract(ProviderContract):
    """Where the answer to a PUT names no version that could be used."""

    def test_what_is_written_meanwhile_is_not_taken_for_ours(
        self, stand: CalDAVStand, provider: Provider, calendar: str, somebody: Calendar
    ):
        """What is read back may be somebody's by then: it comes with its text, which the engine compares."""

        def theirs() -> None:
            somebody.put(next(iter(somebody.list())), event("shoot_4", "Theirs"))

        stand.faults.fault("PUT", fault.meanwhile(theirs))
        entry = provider.put(calendar, provider.new_href(calendar, "shoot_4"), event("shoot_4", "Ours"), None)
        assert "SUMMARY:Theirs" in (entry.text or "")


class TestICloud(TaglessContract):
    """Every test of the contract, and what only iCloud does."""

    @pytest.fixture
    def stand(self, icloud: CalDAVStand) -> CalDAVStand:
        return icloud

    def test_an_event_without_an_end_is_refused_alone(self, provider: Provider, calendar: str):
        endless = vcalendar(
            "BEGIN:VEVENT", "UID:e", "DTSTAMP:20260101T000000Z", "DTSTART:20260105T090000Z", "END:VEVENT"
        )
        with pytest.raises(ObjectRefused):
            provider.put(calendar, provider.new_href(calendar, "e"), endless, None)
        provider.put(calendar, provider.new_href(calendar, "good"), event("good"), None)


class TestGMX(TaglessContract):
    """Every test of the contract; its slowness is ``pace``'s business."""

    @pytest.fixture
    def stand(self, gmx: CalDAVStand) -> CalDAVStand:
        return gmx

    def test_a_weak_tag_is_never_sent_back(
        self, stand: CalDAVStand, provider: Provider, calendar: str, somebody: Calendar
    ):
        href = provider.new_href(calendar, "a")
        tag = provider.put(calendar, href, event("a"), None).tag
        provider.put(calendar, href, event("a", "Dinner"), tag)
        assert not any("W/" in seen.headers.get("If-Match", "") for seen in stand.faults.log)
        assert len(somebody.list()) == 1


class TestYahoo(ProviderContract):
    """Every test of the contract: it never asks for a sign-in, so it is given one unasked."""

    @pytest.fixture
    def stand(self, yahoo: CalDAVStand) -> CalDAVStand:
        return yahoo
