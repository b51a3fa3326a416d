"""The provider contract over Google Calendar, by the stand-in that is held to Google's discovery document."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contracts.google_stand import GoogleStand
from tests.contracts.provider_contract import ProviderContract
from tests.servers.fault import FaultProxy
from tests.servers.google_client import discovery_document
from tests.standins.google import GoogleStandIn


@pytest.fixture(scope="module")
def stand() -> Iterator[GoogleStand]:
    with GoogleStandIn(discovery_document()) as google, FaultProxy(google.url) as faults:
        yield GoogleStand(google, faults)


class TestGoogle(ProviderContract):
    """Every test of the contract."""

    @pytest.fixture(autouse=True)
    def within_googles_contract(self, stand: GoogleStand) -> Iterator[None]:
        """What Google's own document does not allow, in a request or an answer, fails the test."""
        stand.google.violations.clear()
        yield
        assert stand.google.violations == []
