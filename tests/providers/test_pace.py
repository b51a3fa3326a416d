"""Requests to providers that want them far apart."""

from __future__ import annotations

import time
from itertools import count

import pytest

from bridge.providers import pace
from bridge.providers.pace import Pace
from tests.providers.conftest import Connect
from tests.servers import fault
from tests.servers.fault import FaultProxy

_users = count()


@pytest.fixture
def user() -> str:
    return f"anna-{next(_users)}"


def test_the_second_request_waits_and_somebody_elses_does_not(user: str):
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        time.sleep(seconds)

    start = time.monotonic()
    assert Pace(pace.every(1.0), "caldav.gmx.net", user, pause).wait() == 0
    assert Pace(pace.every(1.0), "caldav.gmx.net", user + "-other", pause).wait() == 0
    assert Pace(pace.every(1.0), "caldav.web.de", user, pause).wait() == 0
    assert pauses == []
    assert Pace(pace.every(1.0), "caldav.gmx.net", user, pause).wait() > 0
    assert 0.9 < time.monotonic() - start < 4


@pytest.mark.parametrize(
    ("url", "waits"),
    [
        ("https://caldav.gmx.net/begenda/dav/a/", True),
        ("https://caldav.icloud.com/", False),
        ("https://caldav.gmx.net.evil.example/", False),
    ],
)
def test_the_table_says_who_wants_it(url: str, waits: bool, user: str):
    waited: list[float] = []

    def pause(seconds: float) -> None:
        waited.append(seconds)
        time.sleep(seconds)

    for _ in range(2):
        Pace.of(url, user, pause).wait()
    assert sum(waited) == pytest.approx(2.0 if waits else 0.0, abs=0.5)


def test_a_provider_keeps_to_it_with_every_request(
    server: FaultProxy, connected: Connect, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pace, "_table", lambda: {"127.0.0.1": pace.every(1.0)})
    server.fault("PROPFIND", fault.answer(404), times=9)
    provider = connected()
    start = time.monotonic()
    for _ in range(2):
        with pytest.raises(Exception, match="no longer exists"):
            provider.calendars()
    assert len(server.log) == 2
    assert time.monotonic() - start > 0.9


def test_an_accounts_requests_to_google_are_counted_by_the_minute(user: str, monkeypatch: pytest.MonkeyPatch):
    """600 in a minute; what the second calendar of the account asks counts with the first one's."""
    now = [1_800_000_000.0]
    waited: list[float] = []

    def pause(seconds: float) -> None:
        waited.append(seconds)
        now[0] += seconds

    for clock in ("bridge.providers.pace.time", "time.time"):
        monkeypatch.setattr(clock, lambda: now[0])
    place = f"https://{user}.example/"
    calendars = [Pace.of_kind("google", place, user, pause) for _ in range(2)]
    for number in range(600):
        calendars[number % 2].wait()
    assert waited == []
    Pace.of_kind("google", place, user + "-other", pause).wait()
    assert waited == []
    calendars[0].wait()
    assert 55 < sum(waited) <= 61
    Pace.of_kind("microsoft", f"https://graph.{user}.example/", user, pause).wait()
    assert sum(waited) <= 61
