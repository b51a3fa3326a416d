"""The provider contract over stock Radicale, which rewrites what it stores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from tests.contracts.caldav_stand import CalDAVStand
from tests.contracts.provider_contract import ProviderContract
from tests.servers.fault import FaultProxy
from tests.servers.radicale import radicale


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CalDAVStand]:
    folder = tmp_path_factory.mktemp("radicale")

    def fill(calendar: str, texts: Mapping[str, str]) -> None:
        place = folder / "collections" / "collection-root" / calendar.strip("/")
        for name, text in texts.items():
            (place / name).write_bytes(text.encode())

    shown = folder / "collections" / "collection-root" / "anna" / "nur-lesen"
    shown.mkdir(parents=True)
    (shown / ".Radicale.props").write_text('{"tag": "VCALENDAR"}')
    with radicale(folder, read_only=("nur-lesen",)) as server, FaultProxy(server.url) as faults:
        yield CalDAVStand(server, faults, fill, read_only="/anna/nur-lesen/", many=1000)


class TestRadicale(ProviderContract):
    """Every test of the contract."""
