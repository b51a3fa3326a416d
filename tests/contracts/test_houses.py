"""The provider contract over houses that cannot be run at home: Radicale with iCloud's, GMX's and Yahoo's
known habits (``tests/servers/houses.py``). What a habit cannot show is on the live checklist."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from bridge.errors import Blocked, ObjectRefused, UnknownOutcome
from bridge.ports import MakesCalendars, Provider
from bridge.providers import sign_in
from tests.contracts.caldav_stand import CalDAVStand
from tests.contracts.provider_contract import ProviderContract
from tests.contracts.reading_contract import read
from tests.contracts.samples import calendar as vcalendar
from tests.contracts.samples import event
from tests.contracts.stand import Calendar
from tests.servers import fault, houses
from tests.servers.dav import Outside, Server
from tests.servers.fault import Fault, FaultProxy
from tests.servers.radicale import radicale, seed
from tests.servers.world import Certificates, world

STRANGER = "p43-caldav.icloud.com.example.net"


@contextmanager
def _house(folder: Path, habits: Sequence[Fault]) -> Iterator[CalDAVStand]:
    with radicale(folder, hurried=True) as server, FaultProxy(server.url, habits=habits) as faults:
        yield CalDAVStand(server, faults, partial(seed, folder, server), many=120)


class AsShown(Outside):
    """What somebody sees at iCloud."""

    def get(self, name: str) -> str | None:
        text = super().get(name)
        return None if text is None else houses.as_icloud_shows(text)


class ICloudStand(CalDAVStand):
    """By iCloud's own names, which nobody allowed: one host to begin at, and one with the calendars; and
    ``strangers``, a host that only looks like a third."""

    def __init__(self, folder: Path, server: Server, faults: FaultProxy, strangers: FaultProxy):
        self.strangers = strangers
        fill = partial(seed, folder, server)
        super().__init__(server, faults, fill, many=120, kind="icloud", address="")
        self.signing_in = list(faults.log)

    def make_calendar(self, name: str, *, title: str, color: str) -> tuple[str, Calendar]:
        made = self.server.make_calendar(name, title=title.replace("&", "&amp;"), color=color)
        return made.path, AsShown(self.server, made.path)


@pytest.fixture(scope="class")
def icloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ICloudStand]:
    folder = tmp_path_factory.mktemp("icloud")
    certificates = Certificates(folder, houses.START, houses.PARTITION, STRANGER)
    with (
        radicale(folder, hurried=True) as server,
        FaultProxy(server.url, habits=houses.ICLOUD, tls=certificates.server) as faults,
        FaultProxy(server.url, habits=houses.ICLOUD, tls=certificates.server) as strangers,
        world(
            {houses.START: faults.port, houses.PARTITION: faults.port, STRANGER: strangers.port},
            certificates.client,
        ),
    ):
        yield ICloudStand(folder, server, faults, strangers)


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
    def stand(self, icloud: ICloudStand) -> ICloudStand:
        return icloud

    def test_signing_in_begins_at_one_host_and_goes_on_at_another(
        self, stand: ICloudStand, provider: Provider, calendar: str
    ):
        hosts = [seen.headers["Host"] for seen in stand.signing_in]
        assert hosts[0] == houses.START
        assert hosts[-1] == houses.PARTITION
        provider.put(calendar, provider.new_href(calendar, "a"), event("a"), None)
        read(provider, calendar)
        assert {seen.headers["Host"] for seen in stand.faults.log} == {houses.PARTITION}
        assert all(seen.headers["Authorization"].startswith("Basic ") for seen in stand.faults.log)

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    def test_the_password_goes_along_to_another_partition_and_nowhere_else(
        self, stand: ICloudStand, calendar: str, status: int
    ):
        """A host that only looks like one of Apple's is asked nothing with it."""
        for host, welcome in ((houses.START, True), (STRANGER, False)):
            provider = stand.provider()
            to = {"Location": f"https://{host}{calendar}"}
            stand.faults.fault("REPORT", fault.answer(status, headers=to), times=9)
            stand.strangers.heal()
            if welcome:
                stand.faults.heal()
                stand.faults.fault("REPORT", fault.answer(status, headers=to))
                assert provider.changes(calendar, None).complete
                assert stand.faults.log[-1].headers["Host"] == host
                assert "Authorization" in stand.faults.log[-1].headers
            else:
                with pytest.raises(Blocked, match="do not send your password"):
                    provider.changes(calendar, None)
                assert stand.strangers.log
                assert not any("Authorization" in seen.headers for seen in stand.strangers.log)
            provider.close()

    def test_a_home_that_is_named_elsewhere_is_not_followed(self, stand: ICloudStand, calendar: str):
        elsewhere = fault.with_body(lambda body: body.replace(houses.PARTITION.encode(), STRANGER.encode()))
        stand.strangers.heal()
        stand.faults.fault("PROPFIND", elsewhere, times=9)
        with pytest.raises(Blocked, match="give https://"):
            sign_in("icloud", "", stand.server.user, stand.server.password)
        assert stand.strangers.log == []

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

    def test_a_calendar_is_made_where_the_house_names_it(self, stand: CalDAVStand, provider: Provider):
        assert isinstance(provider, MakesCalendars)
        made = provider.make_calendar("Picsello Nord")
        assert made.id.strip("/").rpartition("/")[2].isdigit()
        with pytest.raises(UnknownOutcome):  # two of that name: which is ours?
            provider.make_calendar("Picsello Nord")
