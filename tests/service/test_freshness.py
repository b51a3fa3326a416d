"""The last look before a slot is sold, while somebody else is looking."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.config import Settings
from bridge.service import freshness, people
from bridge.store import links
from bridge.wiring import Bridge
from tests.web import studio


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[Bridge]:
    opened = Bridge.open(Settings(data=tmp_path))
    yield opened
    opened.db.close()


def test_whoever_books_waits_for_a_pass_that_runs_in_another_process(bridge: Bridge) -> None:
    """It has not been in touch for an hour, and nobody but the other process may look."""
    anna = people.add_user(bridge, "anna@studio.example")
    long_ago = bridge.clock.now() - timedelta(hours=1)
    link = studio.link(
        bridge, studio.account(bridge, anna), "Family", reads=True, blocks_slots=True, agreed_at=long_ago
    )
    with bridge.db.writing() as tx:
        fence = links.acquire(tx, link, "another machine/1/1", bridge.clock.now(), 60)
    assert fence is not None
    booking = threading.Thread(target=freshness.read, args=(bridge, anna.id))
    booking.start()
    time.sleep(0.5)
    assert booking.is_alive()
    with bridge.db.writing() as tx:
        links.set_(tx, link, agreed_at=bridge.clock.now())
    booking.join(5)  # its patience is longer
    assert not booking.is_alive()
    with bridge.db.reading() as tx:
        assert links.get(tx, link).fence == fence  # there was no second pass
