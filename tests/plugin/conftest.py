"""A whole CalDAV application over a fresh store, called as WSGI: no sockets, nothing mocked below it."""

from __future__ import annotations

import base64
import io
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit
from wsgiref.types import WSGIApplication
from wsgiref.validate import validator

import pytest

from bridge.config import Settings
from bridge.service import people
from bridge.store import calendars, objects
from bridge.store.people import user_by_email
from bridge.wiring import Bridge
from radicale_plugin.app import BridgeApplication
from radicale_plugin.front import Front, configuration, make_dav_app
from radicale_plugin.runtime import Runtime

ICS = Path(__file__).parent / "ics"
START = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)

DAV, CALDAV = "{DAV:}", "{urn:ietf:params:xml:ns:caldav}"


class ManualClock:
    """Moves when a test says so."""

    def __init__(self) -> None:
        self.moment = START

    def now(self) -> datetime:
        return self.moment

    def pass_(self, **amount: float) -> None:
        self.moment += timedelta(**amount)


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def etag(self) -> str | None:
        return self.headers.get("ETag")

    @property
    def xml(self) -> ET.Element:
        return ET.fromstring(self.body)

    @property
    def precondition(self) -> str | None:
        """The local name of the element in DAV:error."""
        if not self.body.startswith(b"<?xml"):
            return None
        root = self.xml
        return root[0].tag.partition("}")[2] if root.tag == DAV + "error" else None

    def texts(self) -> dict[str, str]:
        """calendar-data by href's last segment."""
        return {
            (r.findtext(DAV + "href") or "").rpartition("/")[2]: data.text or ""
            for r in self.xml.iter(DAV + "response")
            for data in r.iter(CALDAV + "calendar-data")
        }

    def statuses(self) -> dict[str, int]:
        """Status by href's last segment: the response's own, else its first propstat's."""
        return {
            (r.findtext(DAV + "href") or "").rpartition("/")[2]: int(
                next(r.iter(DAV + "status")).text.split()[1]
            )
            for r in self.xml.iter(DAV + "response")
        }


@dataclass
class Client:
    """A calendar app: speaks HTTP to a WSGI application, as one device or as nobody."""

    app: WSGIApplication
    login: str | None = None
    password: str = ""
    address: str = "203.0.113.7"
    prefix: str = "/dav"
    defaults: dict[str, str] = field(default_factory=dict)

    def __call__(
        self,
        method: str,
        path: str,
        body: bytes | str = b"",
        *,
        environ: dict[str, object] | None = None,
        **headers: str,
    ) -> Answer:
        """``headers`` by name with underscores (``If_Match``); ``environ`` overrides what a server sets."""
        data = body.encode() if isinstance(body, str) else body
        # as a server hands it over: percent-decoded bytes, spelled in Latin-1
        raw = unquote_to_bytes(urlsplit(self.prefix + path).path).decode("latin-1")
        given: dict[str, object] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": self.prefix,
            "PATH_INFO": raw[len(self.prefix) :],
            "QUERY_STRING": urlsplit(path).query,
            "SERVER_NAME": "bridge.example",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "bridge.example",
            "REMOTE_ADDR": self.address,
            "CONTENT_LENGTH": str(len(data)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(data),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in (self.defaults | headers).items():
            key = name.upper().replace("-", "_")
            given[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
        if self.login is not None:
            said = base64.b64encode(f"{self.login}:{self.password}".encode()).decode()
            given.setdefault("HTTP_AUTHORIZATION", f"Basic {said}")
        given.update(environ or {})
        given = {name: value for name, value in given.items() if value is not None}
        seen: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, response: list[tuple[str, str]], exc_info: object = None) -> object:
            seen.append((status, response))
            return lambda _: None

        result = self.app(given, start_response)
        try:
            content = b"".join(result)
        finally:
            if hasattr(result, "close"):
                result.close()
        (status, response) = seen[-1]
        return Answer(int(status.split()[0]), dict(response), content)

    def put(self, path: str, text: bytes | str, **headers: str) -> Answer:
        headers.setdefault("Content_Type", "text/calendar; charset=utf-8")
        return self("PUT", path, text, **headers)

    def multiget(self, calendar: str, *names: str) -> Answer:
        hrefs = "".join(f"<D:href>{self.prefix}{calendar}{name}</D:href>" for name in names)
        return self(
            "REPORT",
            calendar,
            '<C:calendar-multiget xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop><D:getetag/>'
            f"<C:calendar-data/></D:prop>{hrefs}</C:calendar-multiget>",
        )

    def query(self, calendar: str, rules: str = "", data: str = "<C:calendar-data/>") -> Answer:
        return self(
            "REPORT",
            calendar,
            '<C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop><D:getetag/>'
            f'{data}</D:prop><C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">{rules}'
            "</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>",
            Depth="1",
        )

    def sync(self, calendar: str, token: str = "") -> Answer:
        return self(
            "REPORT",
            calendar,
            f'<D:sync-collection xmlns:D="DAV:"><D:sync-token>{token}</D:sync-token>'
            "<D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop></D:sync-collection>",
        )

    def props(self, path: str, *names: str, depth: str = "0") -> Answer:
        wanted = "".join(f"<{name}/>" for name in names)
        return self(
            "PROPFIND",
            path,
            '<D:propfind xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" '
            'xmlns:CS="http://calendarserver.org/ns/" xmlns:I="http://apple.com/ns/ical/">'
            f"<D:prop>{wanted}</D:prop></D:propfind>",
            Depth=depth,
        )


@dataclass
class Studio:
    """Two users with a device each, Anna and Berta, a mirror of Anna's, and what was told to the worker."""

    bridge: Bridge
    clock: ManualClock
    app: WSGIApplication
    anna: Client
    berta: Client
    woken: list[int]

    def book(self, uid: str, text: str, email: str = "anna@studio.example") -> str:
        """A booking as the source would write it; returns its name in the calendar."""
        name = f"{uid}.ics"
        with self.bridge.db.writing() as tx:
            user = user_by_email(tx, email)
            objects.put(
                tx,
                calendars.bookings(tx, user.id).id,
                name,
                text,
                kind="booking",
                actor="command",
                now=self.clock.now(),
            )
        return name

    def mirror(self, name: str, *, editable: bool, email: str = "anna@studio.example") -> int:
        with self.bridge.db.writing() as tx:
            user = user_by_email(tx, email)
            return calendars.create(
                tx,
                user.id,
                name,
                kind="mirror",
                title=f"{name} at home",
                editable=editable,
                now=self.clock.now(),
            )

    def imported(self, calendar_id: int, href: str, text: str) -> None:
        """An object as a pass would write it."""
        with self.bridge.db.writing() as tx:
            objects.put(tx, calendar_id, href, text, kind="foreign", actor="pass:1", now=self.clock.now())


@dataclass
class Prepared:
    """A data folder with both users in it, made once and copied for every test; their device passwords."""

    folder: Path
    passwords: dict[str, str]


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    folder = tmp_path_factory.mktemp("prepared") / "data"
    bridge = Bridge.open(Settings.load(str(folder), None, {}), ManualClock())
    passwords = {}
    for email in ("anna@studio.example", "berta@elsewhere.example"):
        people.add_user(bridge, email, time_zone="Europe/Berlin")
        passwords[email] = people.add_device(bridge, email, "Phone").password
    bridge.db.close()
    return Prepared(folder, passwords)


@pytest.fixture
def studio(prepared: Prepared, tmp_path: Path) -> Iterator[Studio]:
    with opened(prepared, tmp_path) as studio:
        yield studio


class Slow(BridgeApplication):
    """Radicale's handlers alone."""

    def _at_once(self, environ: Any) -> None:
        return None


@pytest.fixture
def slow(studio: Studio) -> Client:
    """Anna's device at a server without our fast answers, over the same store."""
    runtime = Runtime(studio.bridge)
    application: WSGIApplication = Front(Slow(configuration(runtime)), runtime)
    return Client(application, studio.anna.login, studio.anna.password)


@contextmanager
def opened(prepared: Prepared, where: Path) -> Iterator[Studio]:
    """A studio of its own, in a copy of the prepared folder."""
    folder = shutil.copytree(prepared.folder, where / "data")
    clock = ManualClock()
    bridge = Bridge.open(Settings.load(str(folder), None, {}), clock)
    woken: list[int] = []
    app = make_dav_app(bridge, woken.append)
    anna, berta = (Client(app, email, password) for email, password in prepared.passwords.items())
    yield Studio(bridge, clock, app, anna, berta, woken)
    bridge.db.close()


def event(uid: str, *lines: str, summary: str = "Portraits", start: str = "20260610T100000") -> str:
    """A small event in Berlin's time, CRLF as it should be."""
    return "\r\n".join(
        (
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//a test//EN",
            "BEGIN:VEVENT",
            f"UID:{uid}",
            "DTSTAMP:20260601T080000Z",
            f"DTSTART;TZID=Europe/Berlin:{start}",
            "DURATION:PT1H",
            f"SUMMARY:{summary}",
            *lines,
            "END:VEVENT",
            "END:VCALENDAR",
            "",
        )
    )


def validated(app: WSGIApplication) -> WSGIApplication:
    """The application under PEP 3333's own checker."""
    return validator(app)  # type: ignore[return-value]
