"""Thousands of events at Google: they come in pages, in memory that hardly grows, and the next pass costs one
request. The pass runs in a process of its own, so that its memory can be told apart. With ten thousand
(``LARGE_IMPORT=10000``) it held 142 MB at most, with two hundred 94 MB.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bridge.config import Settings
from bridge.service import accounts as account_service
from bridge.service import people
from bridge.store import accounts, calendars, objects
from bridge.wiring import Bridge
from tests.contracts.samples import event
from tests.servers.google_client import discovery_document
from tests.standins.google import GoogleStandIn
from tests.standins.google_hands import Hands

ANNA, FEW, PAGE = "anna@studio.example", 200, 1000
MANY = int(os.environ.get("LARGE_IMPORT", "4000"))
#: A pass by the command, and then the most memory that it ever held, in megabytes.
PASS = """
import resource, sys
from bridge.cli import main
code = main(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)
sys.exit(code)
"""


@dataclass
class Installation:
    """Anna's, reading one calendar at Google."""

    google: GoogleStandIn
    settings: Settings
    megabytes: int = 0

    def sync(self) -> dict[str, Any]:
        """One pass, in a process of its own; its row."""
        told = {"CLIENT_ID": "client", "ISSUER": self.google.url, "API_URL": self.google.url}
        environment = {**os.environ, **{f"PICSELLO_BRIDGE_GOOGLE_{name}": url for name, url in told.items()}}
        command = [
            sys.executable,
            "-c",
            PASS,
            "--data",
            str(self.settings.data),
            "sync",
            "--confirm",
            "--json",
        ]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (done.stdout, done.stderr)
        self.megabytes = int(done.stderr.split()[-1])
        (row,) = (row for row in json.loads(done.stdout)["links"] if row["link"] is not None)
        return dict(row)


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[GoogleStandIn]:
    with GoogleStandIn(discovery_document()) as standin:
        # that its answers are Google's is checked where they are few
        monkeypatch.setattr(standin.contract, "answer", lambda *_: [])
        standin.page = PAGE
        yield standin
        assert standin.violations == []


def _reading(google: GoogleStandIn, data: Path, events: int) -> Installation:
    calendar = google.make_calendar(f"{events}@group.calendar.example.com")
    texts = {str(n): event(f"{events}-{n}", f"Lunch {n}", "DESCRIPTION:" + "x" * 300) for n in range(events)}
    Hands(google, calendar).fill(texts)
    settings = Settings(
        data=data, google_client_id="client", google_issuer=google.url, google_api_url=google.url
    )
    bridge = Bridge.open(settings)
    user = people.add_user(bridge, ANNA, time_zone="Europe/Berlin")
    token = {"access_token": "a", "refresh_token": "r", "token_type": "Bearer", "expires_at": 4_102_444_800}
    with bridge.db.writing() as tx:
        account = accounts.create(
            tx, user.id, "google", label="Google", username=ANNA, now=bridge.clock.now()
        )
        accounts.set_(tx, account, secret=bridge.vault.seal(json.dumps(token), accounts.bind(account)))
    account_service.select(bridge, account, read=[calendar.id], yes=True)
    bridge.db.close()
    return Installation(google, settings)


def test_thousands_of_events_come_in_pages_and_little_memory(google: GoogleStandIn, tmp_path: Path):
    few = _reading(google, tmp_path / "few", FEW)
    assert few.sync()["pulled"] == FEW
    many = _reading(google, tmp_path / "many", MANY)
    first = many.sync()
    assert (first["pulled"], first["errors"]) == (MANY, [])
    assert first["requests"] <= 2 + -(-MANY // PAGE), "the pages, and the calendar's own zone"
    assert many.megabytes - few.megabytes < 200
    quiet = many.sync()
    assert (quiet["requests"], quiet["pulled"]) == (1, 0)
    bridge = Bridge.open(many.settings)
    with bridge.db.reading() as tx:
        (mirror,) = [row for row in calendars.of_user(tx, 1) if row.kind == "mirror"]
        assert sum(1 for _ in objects.listing(tx, mirror.id)) == MANY
    bridge.db.close()
    print(f"peak {few.megabytes} MB for {FEW}, {many.megabytes} MB for {MANY}")
