"""The provider contract over sabre/dav 1.8.12: ctags alone, and one missing name spoils a multiget."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.contracts.caldav_stand import CalDAVStand
from tests.contracts.provider_contract import ProviderContract
from tests.contracts.samples import event
from tests.servers.fault import FaultProxy
from tests.servers.sabre import sabre, seed


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CalDAVStand]:
    folder = tmp_path_factory.mktemp("sabre")
    with sabre(folder) as server, FaultProxy(server.url) as faults:
        yield CalDAVStand(server, faults, partial(seed, folder))


def test_digest_sign_in_reads_and_writes(tmp_path: Path):
    with sabre(tmp_path, sign_in="digest") as server, FaultProxy(server.url) as faults:
        stand = CalDAVStand(server, faults, partial(seed, tmp_path))
        calendar, somebody = stand.make_calendar("work", title="Work", color="#1d9bf6")
        provider = stand.provider()
        href = provider.new_href(calendar, "a")
        tag = provider.put(calendar, href, event("a"), None).tag
        tag = provider.put(calendar, href, event("a", "Dinner"), tag).tag
        assert [entry.tag for entry in provider.changes(calendar, None).entries] == [tag]
        provider.delete(calendar, href, tag)
        assert somebody.list() == {}
        assert all(seen.headers.get("Authorization", "Digest").startswith("Digest") for seen in faults.log)


class TestSabre(ProviderContract):
    """Every test of the contract."""
