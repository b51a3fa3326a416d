"""Our provider before the stand-in that is held to Google's discovery document."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bridge.ports import Provider
from tests.contracts.google_stand import GoogleStand
from tests.providers.google.place import Place
from tests.servers.fault import FaultProxy
from tests.servers.google_client import discovery_document
from tests.standins.google import GoogleStandIn


@pytest.fixture(scope="session")
def google() -> Iterator[GoogleStand]:
    with GoogleStandIn(discovery_document()) as standin, FaultProxy(standin.url) as faults:
        yield GoogleStand(standin, faults)


@pytest.fixture
def stand(google: GoogleStand) -> Iterator[GoogleStand]:
    """What Google's document does not allow, in a request or an answer, fails the test."""
    google.google.violations.clear()
    google.google.mails.clear()
    google.google.page = 2500
    yield google
    assert google.google.violations == []


@pytest.fixture
def provider(stand: GoogleStand) -> Iterator[Provider]:
    provider = stand.provider()
    yield provider
    provider.close()


@pytest.fixture
def place(stand: GoogleStand, provider: Provider) -> Place:
    """A new, empty calendar."""
    return Place(stand, provider)
