"""Homes that are several, and homes that move."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.errors import CalendarGone
from bridge.providers import connect, sign_in
from bridge.providers.caldav import client, discovery
from tests.providers.answers import IS_CALENDAR, found, multistatus
from tests.servers import fault
from tests.servers.fault import FaultProxy

WORK = "/17/calendars/work/"


def home(*places: str) -> fault.Fault:
    hrefs = "".join(f"<d:href>{place}</d:href>" for place in places)
    return multistatus(found("/", f"<c:calendar-home-set>{hrefs}</c:calendar-home-set>"))


def test_every_home_of_a_user_is_listed(server: FaultProxy):
    server.fault("PROPFIND", home("/anna/", "/shared/", "https://elsewhere.example/"))
    server.fault("PROPFIND", multistatus(found("/anna/own/", IS_CALENDAR)), path="^/anna/$")
    server.fault("PROPFIND", multistatus(found("/shared/team/", IS_CALENDAR)), path="^/shared/$")
    server.fault("REPORT", fault.answer(400), times=2)
    signed = sign_in("caldav", server.url, "anna", "geheim", {server.host_and_port})
    assert signed.home_url == server.url + "anna/"
    assert [calendar.id for calendar in signed.calendars] == ["/anna/own/", "/shared/team/"]
    assert signed.profile["others"] == [server.url + "shared/"]


def test_a_shared_home_that_is_gone_takes_nothing_along(server: FaultProxy):
    server.fault("PROPFIND", home("/anna/", "/shared/"))
    server.fault("PROPFIND", multistatus(found("/anna/own/", IS_CALENDAR)), path="^/anna/$")
    server.fault("PROPFIND", fault.answer(404), path="^/shared/$")
    server.fault("REPORT", fault.answer(400), times=2)
    signed = sign_in("caldav", server.url, "anna", "geheim", {server.host_and_port})
    assert [calendar.id for calendar in signed.calendars] == ["/anna/own/"]


@pytest.fixture
def partition() -> Iterator[FaultProxy]:
    with FaultProxy("http://127.0.0.1:1/") as proxy:
        yield proxy


@pytest.fixture
def one_house(server: FaultProxy, partition: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """iCloud's hosts are one house; so are these two."""
    for module in (client, discovery):
        monkeypatch.setattr(module, "same_house", lambda _first, _second: True)


def provider(server: FaultProxy, partition: FaultProxy, learnt: list[Any]) -> Any:
    """Signed in when the home was on a partition that has since been given up: ``server`` is both the
    place to start from and that partition."""
    account = SimpleNamespace(provider="icloud", url=server.url + "17/calendars/", username="anna")
    allowed = {server.host_and_port, partition.host_and_port}
    profile = {"start": server.url, "auth": "basic"}
    return connect(account, "geheim", allow_hosts=allowed, profile=profile, learnt=learnt.append)


@pytest.mark.parametrize("status", [404, 403])
def test_a_home_that_moved_to_another_partition_is_found_again(
    server: FaultProxy, partition: FaultProxy, one_house: None, status: int
):
    server.fault("REPORT", fault.answer(status), times=2)
    server.fault("PROPFIND", fault.answer(404), path="17/calendars", times=2)
    server.fault("PROPFIND", home(partition.url + "17/calendars/"))
    partition.fault("REPORT", multistatus(token="7"))
    learnt: list[Any] = []
    changes = provider(server, partition, learnt).changes(WORK, None)
    assert changes.complete
    assert learnt[0]["home"] == partition.url + "17/calendars/"
    assert [seen.path for seen in partition.log] == [WORK]


def test_a_calendar_that_is_really_gone_is_said_so(
    server: FaultProxy, partition: FaultProxy, one_house: None
):
    server.fault("REPORT", fault.answer(404), times=2)
    server.fault("PROPFIND", home(server.url + "17/calendars/"), times=9)
    learnt: list[Any] = []
    with pytest.raises(CalendarGone):
        provider(server, partition, learnt).changes(WORK, None)
    assert learnt == []
