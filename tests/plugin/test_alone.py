"""``python -m radicale --config config/radicale.conf``: the same store behind Radicale's own server."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from bridge.config import Settings
from bridge.service import people
from bridge.store import calendars
from bridge.store.people import user_by_email
from bridge.wiring import Bridge
from tests.plugin.conftest import ICS, event

ROOT = Path(__file__).parents[2]
ANNA = "anna@studio.example"


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[tuple[httpx2.Client, Bridge]]:
    """Radicale on a free port, a client signed in as Anna, and the store beneath."""
    data = tmp_path / "data"
    bridge = Bridge.open(Settings.load(str(data), None, {}))
    people.add_user(bridge, ANNA, time_zone="Europe/Berlin")
    device = people.add_device(bridge, ANNA, "Phone")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "radicale", "--config", str(ROOT / "config" / "radicale.conf")]
    environ = os.environ | {"PICSELLO_BRIDGE_DATA": str(data)}
    server = subprocess.Popen([*command, "--hosts", f"127.0.0.1:{port}"], cwd=ROOT, env=environ)
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", auth=(ANNA, device.password)) as client:
            _wait(client, server)
            yield client, bridge
    finally:
        server.terminate()
        server.wait(10)
        bridge.db.close()


def _wait(client: httpx2.Client, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while server.poll() is None and time.monotonic() < deadline:
        try:
            client.request("OPTIONS", "/")
            return
        except httpx2.TransportError:
            time.sleep(0.1)
    raise AssertionError("Radicale did not start")


def test_it_serves_the_same_calendars_with_the_clients_own_bytes(alone: tuple[httpx2.Client, Bridge]) -> None:
    client, bridge = alone
    home = f"/{ANNA}/"
    typed = {"Content-Type": "text/calendar; charset=utf-8"}

    for style in ("apple.ics", "google.ics", "outlook.ics"):
        sent = (ICS / style).read_bytes()
        put = client.put(home + "bookings/" + style, content=sent, headers=typed)
        got = client.get(home + "bookings/" + style)
        assert (put.status_code, got.content, got.headers["ETag"]) == (201, sent, put.headers["ETag"])

    changed = client.put(home + "bookings/apple.ics", content=(ICS / "apple.ics").read_bytes(), headers=typed)
    assert changed.status_code == 204
    assert client.put(home + "bookings/", content=event("x"), headers=typed).status_code == 403
    assert client.delete(home + "bookings/").status_code == 403
    assert client.request("MKCALENDAR", home + "new/").status_code == 403
    assert client.delete(home + "bookings/google.ics").status_code == 200
    assert client.get(home + "bookings/google.ics").status_code == 404
    assert client.get("/berta@elsewhere.example/bookings/").status_code == 403
    assert client.get("/", auth=("anna@studio.example", "wrong")).status_code == 401

    with bridge.db.writing() as tx:
        user = user_by_email(tx, ANNA)
        calendars.create(
            tx, user.id, "family", kind="mirror", title="Family", editable=False, now=bridge.clock.now()
        )
    refused = client.put(home + "family/x.ics", content=event("x"), headers=typed)
    assert refused.status_code == 403
