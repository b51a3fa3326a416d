"""python-caldav, an independent client, over real sockets against the mounted application."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from wsgiref.simple_server import WSGIRequestHandler, make_server

import caldav
import pytest
from caldav.lib import error

from bridge.serve import Origin, not_found, redirect
from tests.plugin.conftest import Studio, event


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing on standard error."""


@pytest.fixture
def origin(studio: Studio) -> Iterator[str]:
    """The application as the server mounts it; its address."""
    application = Origin({"/dav": studio.app, "/.well-known/caldav": redirect("/dav/")}, not_found)
    with make_server("127.0.0.1", 0, application, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_python_caldav_finds_lists_writes_and_syncs(studio: Studio, origin: str) -> None:
    studio.imported(studio.mirror("family", editable=False), "d.ics", event("d", summary="Doctor"))
    with caldav.DAVClient(
        url=f"{origin}/.well-known/caldav", username=studio.anna.login, password=studio.anna.password
    ) as client:
        found = {calendar.get_display_name(): calendar for calendar in client.principal().calendars()}
        assert set(found) == {"Bookings", "family at home"}
        bookings, family = found["Bookings"], found["family at home"]

        studio.book("b1", event("b1"))
        [booking] = bookings.events()
        assert "Portraits" in booking.data
        changes = bookings.get_objects_by_sync_token()

        booking.data = event("b1", summary="Moved", start="20260611T150000")
        booking.save()
        assert b"SUMMARY:Moved" in studio.anna("GET", "/anna@studio.example/bookings/b1.ics").body
        bookings.save_event(event("own", summary="Dentist", start="20260612T090000"))
        changed = bookings.get_objects_by_sync_token(sync_token=changes.sync_token, load_objects=True)
        assert {one.icalendar_component["UID"] for one in changed} == {"b1", "own"}

        [hit] = bookings.search(start=_at(12), end=_at(13), event=True)
        assert hit.icalendar_component["SUMMARY"] == "Dentist"
        hit.delete()
        assert len(bookings.events()) == 1

        [doctor] = family.events()
        doctor.data = event("d", summary="Hacked")
        with pytest.raises(error.DAVError):
            doctor.save()


def _at(day: int) -> object:
    from datetime import UTC, datetime

    return datetime(2026, 6, day, tzinfo=UTC)
