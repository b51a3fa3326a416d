"""The pages over a real bridge: SQLite in a folder, real keys, real rules; only the clock is a test's own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from flask import Flask

from bridge.config import Settings
from bridge.service import people
from bridge.store.people import UserRow
from bridge.web import make_app
from bridge.wiring import Bridge
from tests.web.browser import Browser

ANNA, BERT = "anna@example.com", "bert@example.com"
#: A Sunday; noon in Berlin is eleven in UTC.
NOON = datetime(2026, 11, 22, 11, 0, tzinfo=UTC)


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.moment = NOON

    def now(self) -> datetime:
        return self.moment

    def pass_(self, **amount: float) -> None:
        self.moment += timedelta(**amount)


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real argon2, but not the tenth of a second that each password is meant to cost."""
    hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(people, "_hasher", lambda: hasher)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path, allow_hosts=frozenset({"127.0.0.1"}))


@pytest.fixture
def bridge(settings: Settings, clock: Clock) -> Iterator[Bridge]:
    opened = Bridge.open(settings, clock)
    yield opened
    opened.db.close()


@pytest.fixture
def anna(bridge: Bridge) -> UserRow:
    return people.add_user(bridge, ANNA, time_zone="Europe/Berlin", password="a good password")


@pytest.fixture
def bert(bridge: Bridge) -> UserRow:
    return people.add_user(bridge, BERT, time_zone="America/Denver", password="a good password")


@pytest.fixture
def app(bridge: Bridge, anna: UserRow, bert: UserRow) -> Flask:
    return make_app(bridge)


@pytest.fixture
def browser(app: Flask) -> Browser:
    """Nobody is signed in."""
    return Browser(app)


@pytest.fixture
def at_annas(app: Flask) -> Browser:
    """Anna is signed in."""
    return Browser(app).sign_in(ANNA)
