"""Where we take hold of Radicale: checked at start, and left alone when it has another shape."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from radicale.app import Application

from radicale_plugin import seam
from radicale_plugin.front import make_dav_app
from tests.plugin.conftest import Client, Studio, event

BOOKINGS = "/anna@studio.example/bookings/"


def test_this_radicale_fits() -> None:
    assert seam.misfits() == []


def test_another_shape_is_noticed() -> None:
    class Next(Application):
        def do_REPORT(self, environ: Any, request: Any) -> Any: ...  # type: ignore[override]

    class Smaller:
        pass

    assert seam.misfits(Next) == ["do_REPORT"]
    assert "_handle_request" in seam.misfits(Smaller)


def test_plain_radicale_then_serves_the_same_calendars(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(seam, "misfits", lambda: ["do_REPORT"])
    with caplog.at_level(logging.WARNING):
        app = make_dav_app(studio.bridge)
    assert "do_REPORT" in caplog.text

    client = Client(app, studio.anna.login, studio.anna.password)
    assert client.put(BOOKINGS + "it.ics", event("it")).status == 201
    assert studio.anna("GET", BOOKINGS + "it.ics").body.decode() == event("it")
    assert client.sync(BOOKINGS).statuses() == studio.anna.sync(BOOKINGS).statuses() == {"it.ics": 200}
    assert client("DELETE", BOOKINGS + "it.ics").status in (200, 204)
