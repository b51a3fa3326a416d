"""A studio's server on a loopback port, in this process, and what an app has to be told to sign in."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from wsgiref.types import WSGIApplication

import pytest

from bridge import serve
from bridge.config import Settings
from bridge.service import people
from bridge.store import calendars, objects
from bridge.store.people import user_by_email
from bridge.wiring import Bridge
from radicale_plugin.front import make_dav_app

EMAIL = "anna@studio.example"


@dataclass(frozen=True)
class Studio:
    """Anna's. ``origin`` has no path."""

    bridge: Bridge
    origin: str
    password: str
    app: WSGIApplication

    @property
    def home(self) -> str:
        return f"{self.origin}/dav/{EMAIL}/"

    def book(self, uid: str, text: str, calendar: str = "bookings") -> None:
        """A booking, or a change of it, from elsewhere."""
        with self.bridge.db.writing() as tx:
            row = calendars.of_email(tx, EMAIL, calendar)[0]
            objects.put(
                tx, row.id, f"{uid}.ics", text, kind="booking", actor="command", now=self.bridge.clock.now()
            )

    def gone(self, uid: str) -> None:
        """Off the calendar, from elsewhere."""
        with self.bridge.db.writing() as tx:
            row = calendars.bookings(tx, user_by_email(tx, EMAIL).id)
            objects.delete(tx, row.id, f"{uid}.ics", actor="command", now=self.bridge.clock.now())

    def texts(self, calendar: str = "bookings") -> dict[str, str]:
        """What is in the calendar here, by UID."""
        with self.bridge.db.reading() as tx:
            row = calendars.of_email(tx, EMAIL, calendar)[0]
            return {stored.uid: stored.text for stored in objects.all_objects(tx, row.id)}


@contextlib.contextmanager
def listening(bridge: Bridge, application: WSGIApplication) -> Iterator[str]:
    """The application on a free port, served as ``picsello-bridge dav`` does; its address."""
    listener, stop = serve.Listener("127.0.0.1", 0), threading.Event()
    thread = threading.Thread(target=serve.run, args=(bridge, application, listener, stop))
    thread.start()
    try:
        yield listener.url
    finally:
        stop.set()
        thread.join()


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    bridge = Bridge.open(Settings.load(str(tmp_path / "data"), None, {}))
    people.add_user(bridge, EMAIL, time_zone="Europe/Berlin")
    password = people.add_device(bridge, EMAIL, "App").password
    app = serve.Origin(
        {"/dav": make_dav_app(bridge), "/.well-known/caldav": serve.redirect("/dav/")}, serve.not_found
    )
    with listening(bridge, app) as origin:
        yield Studio(bridge, origin, password, app)
    bridge.db.close()
