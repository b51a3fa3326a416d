"""Two providers and two clients; every story runs with each that it asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.journeys.installation import EMAIL, Installation
from tests.journeys.phones import Phone, PythonCaldav, Vdirsyncer
from tests.servers.dav import Server
from tests.servers.radicale import radicale
from tests.servers.xandikos import xandikos


@pytest.fixture(params=["radicale", "xandikos"])
def provider(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    start = {"radicale": radicale, "xandikos": xandikos}[request.param]
    with start(tmp_path / "provider") as server:
        yield server


@pytest.fixture
def anna(tmp_path: Path, provider: Server) -> Installation:
    return Installation.of_anna(tmp_path / "data", provider)


@pytest.fixture(params=["python-caldav", "vdirsyncer"])
def pick_up(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Installation, str], Phone]:
    """A phone on which the calendar account is being added, with an app password of its own."""

    def add(installation: Installation, origin: str) -> Phone:
        device = installation.json("device", "add", EMAIL, "phone")
        url, user, password = f"{origin}/dav/{EMAIL}/", device["username"], device["password"]
        if request.param == "vdirsyncer":
            return Vdirsyncer(url, user, password, tmp_path / "phone")
        return PythonCaldav(url, user, password)

    return add
