"""1-way links, fetched and read as Thunderbird and Google do it: their requests header by header, over a
socket, what they keep between two fetches, and what they then show.

Thunderbird: its ICS provider (``CalICSProvider``, ``CalICSCalendar``) asks by HEAD when a calendar is added,
then by GET; later only for what is new, by the ETag it was given, or by a date where there is none. Its
parser is ical.js. Google (by public reports): ``Google-Calendar-Importer`` asks for ``robots.txt`` first,
takes gzip, keeps no cookie, and leaves cancelled events out.
"""

from __future__ import annotations

import gzip
import http.client
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import icalendar
import pytest
from flask import Flask

from bridge.service import bookings, feeds
from bridge.store.people import UserRow
from bridge.wiring import Bridge
from tests.servers import icaljs
from tests.web import studio
from tests.web.browser import Browser
from tests.web.chromium import served
from tests.web.conftest import ANNA, Clock
from tests.web.studio import event

THUNDERBIRD = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.4.0",
    "Accept": "text/calendar,text/plain;q=0.8,*/*;q=0.5",
    "Accept-Language": "de,en-US;q=0.7,en;q=0.3",
    "Accept-Encoding": "gzip, deflate",
    "Connection": "keep-alive",
}
GOOGLE = {
    "User-Agent": "Google-Calendar-Importer",
    "Accept": "*/*",
    "Accept-Encoding": "gzip,deflate,br",
    "Connection": "keep-alive",
}


@dataclass
class Answer:
    """``body`` as it is meant, ``coding`` as it came."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes
    coding: str


@dataclass
class Subscriber:
    """A program at the address that a link was given as; it keeps what it was told of the last version."""

    base: str
    headers: dict[str, str]
    known: http.client.HTTPMessage = field(default_factory=http.client.HTTPMessage)

    def ask(self, method: str, path: str, **more: str) -> Answer:
        connection = http.client.HTTPConnection(urlsplit(self.base).netloc, timeout=30)
        connection.request(method, path, headers={**self.headers, **more})
        answer = connection.getresponse()
        body, coding = answer.read(), answer.getheader("Content-Encoding", "")
        connection.close()
        assert answer.getheader("Set-Cookie") is None, "no cookie is kept, and none is needed"
        return Answer(answer.status, answer.msg, gzip.decompress(body) if coding else body, coding)

    def refresh(self, path: str) -> Answer:
        """Only what is new: by the tag, or else by the date, of the last answer."""
        condition = {}
        if tag := self.known.get("ETag"):
            condition = {"If-None-Match": tag}
        elif date := self.known.get("Last-Modified"):
            condition = {"If-Modified-Since": date}
        answer = self.ask("GET", path, **condition)
        if answer.status == 200:
            self.known = answer.headers
        return answer


@pytest.fixture
def base(app: Flask) -> Iterator[str]:
    with served(app) as address:
        yield address


@pytest.fixture
def path(bridge: Bridge, anna: UserRow) -> str:
    """A link to a studio with one of each kind."""
    for one in (
        event(
            "w",
            "Hochzeit Müller\\, groß",
            "DTSTART;TZID=Europe/Berlin:20261125T140000|DURATION:PT2H",
            "LOCATION:Alte Mühle\\, Saal 2",
            "DESCRIPTION:" + "Ringlicht mitnehmen. " * 6 + "\\nZweite Zeile",
        ),
        event(
            "m",
            "Mini sessions",
            "DTSTART;TZID=America/New_York:20261031T180000|DURATION:PT1H",
            "RRULE:FREQ=DAILY;COUNT=3",
        ),
        event("d", "Fair", "DTSTART;VALUE=DATE:20261127|DTEND;VALUE=DATE:20261129"),
        event("t", "Lead", "DTSTART:20261201T090000Z|DTEND:20261201T094500Z", "STATUS:TENTATIVE"),
        event("c", "Off", "DTSTART:20261202T090000Z|DURATION:PT45M"),
    ):
        studio.book(bridge, anna, one)
    with bridge.db.writing() as tx:
        bookings.cancel(tx, anna, "c", bridge.clock.now())
    return urlsplit(feeds.add(bridge, ANNA, "Studio Anna").url).path


def test_thunderbird_adds_it_shows_it_and_asks_only_for_what_is_new(
    bridge: Bridge, anna: UserRow, base: str, path: str
) -> None:
    program = Subscriber(base, THUNDERBIRD)
    head = program.ask("HEAD", path)  # is this a calendar, and may we go on?
    assert (head.status, head.body) == (200, b"")
    assert "text/calendar" in head.headers["Content-Type"]

    first = program.refresh(path)
    assert (first.status, first.coding) == (200, "gzip")
    shown = icaljs.read(first.body)
    assert shown["name"] == "Studio Anna"
    events: dict[str, dict[str, Any]] = {one["uid"]: one for one in shown["events"]}
    assert {uid: (one["title"], one["start"], one["end"], one["status"]) for uid, one in events.items()} == {
        "w": ("Hochzeit Müller, groß", "2026-11-25T13:00:00.000Z", "2026-11-25T15:00:00.000Z", None),
        "m": ("Mini sessions", "2026-10-31T22:00:00.000Z", "2026-10-31T23:00:00.000Z", None),
        "d": ("Fair", "2026-11-27", "2026-11-29", None),
        "t": ("Lead", "2026-12-01T09:00:00.000Z", "2026-12-01T09:45:00.000Z", "TENTATIVE"),
        "c": ("Off", "2026-12-02T09:00:00.000Z", "2026-12-02T09:45:00.000Z", "CANCELLED"),
    }
    assert events["w"]["place"] == "Alte Mühle, Saal 2"
    assert events["w"]["notes"].endswith("mitnehmen. \nZweite Zeile")
    # over the night that New York's clocks go back: six in the evening stays six in the evening
    assert events["m"]["starts"] == [
        "2026-10-31T22:00:00.000Z",
        "2026-11-01T23:00:00.000Z",
        "2026-11-02T23:00:00.000Z",
    ]

    again = program.refresh(path)
    assert (again.status, again.body) == (304, b"")
    with bridge.db.writing() as tx:
        bookings.move(tx, anna, "w", "2026-11-25T16:00", None, bridge.clock.now())
    moved = {one["uid"]: one for one in icaljs.read(program.refresh(path).body)["events"]}
    assert moved["w"]["start"] == "2026-11-25T15:00:00.000Z"
    assert program.refresh(path).status == 304


def test_google_is_let_in_shows_it_and_asks_again(
    bridge: Bridge, anna: UserRow, base: str, path: str, clock: Clock
) -> None:
    program = Subscriber(base, GOOGLE)
    robots = program.ask("GET", "/robots.txt")
    assert robots.status == 404, "no robots.txt: it may fetch what it was given"
    first = program.refresh(path)
    assert (first.status, first.coding) == (200, "gzip")
    assert "Accept-Encoding" in first.headers["Vary"]
    calendar = icalendar.Calendar.from_ical(first.body)
    assert (calendar["X-WR-CALNAME"], calendar["X-WR-TIMEZONE"]) == ("Studio Anna", "Europe/Berlin")
    shown = {str(one["UID"]): one for one in calendar.walk("VEVENT") if one.get("STATUS") != "CANCELLED"}
    assert shown.keys() == {"w", "m", "d", "t"}
    assert shown["w"]["DTSTART"].dt.isoformat() == "2026-11-25T14:00:00+01:00"
    assert {str(zone["TZID"]) for zone in calendar.walk("VTIMEZONE")} >= {"Europe/Berlin", "America/New_York"}

    # it does not always say what it has, and then gets all of it, the same to the byte
    assert program.ask("GET", path).body == first.body
    assert program.refresh(path).status == 304
    clock.pass_(hours=1)
    with bridge.db.writing() as tx:
        bookings.cancel(tx, anna, "w", bridge.clock.now())
    later = icalendar.Calendar.from_ical(program.refresh(path).body)
    (gone,) = [one for one in later.walk("VEVENT") if str(one["UID"]) == "w"]
    assert gone["STATUS"] == "CANCELLED", "told, so that it leaves; not missing, which says nothing"


def test_a_tag_is_good_in_every_coding(base: str, path: str) -> None:
    """A proxy may unpack what it passes on: a strong tag and a weak one may mean the same version (RFC 9110
    13.1.2)."""
    packed = Subscriber(base, THUNDERBIRD)
    plain = Subscriber(base, {**THUNDERBIRD, "Accept-Encoding": "identity"})
    assert packed.refresh(path).body == plain.refresh(path).body
    packed.known, plain.known = plain.known, packed.known
    assert [one.refresh(path).status for one in (packed, plain)] == [304, 304]
    tag = plain.known["ETag"]
    assert plain.ask("GET", path, **{"If-None-Match": f'"other", {tag}'}).status == 304
    assert plain.ask("GET", path, **{"If-None-Match": "*"}).status == 304
    assert plain.ask("GET", path, **{"If-None-Match": '"other"'}).status == 200


def test_a_date_alone_never_hides_a_change(bridge: Bridge, anna: UserRow, base: str, path: str) -> None:
    """We give no date, since two changes may share a second; who sends one of their own gets the calendar."""
    program = Subscriber(base, THUNDERBIRD)
    assert "Last-Modified" not in program.refresh(path).headers
    tomorrow = {"If-Modified-Since": "Tue, 24 Nov 2026 00:00:00 GMT"}
    assert program.ask("GET", path, **tomorrow).status == 200
    studio.book(bridge, anna, event("n", "New", "DTSTART:20261203T090000Z|DURATION:PT1H"))
    both = {"If-None-Match": program.known["ETag"], **tomorrow}
    assert program.ask("GET", path, **both).status == 200, "the tag counts alone (RFC 9110 13.1.3)"


def test_webcal_addresses_are_the_same_link_over_https(
    at_annas: Browser, bridge: Bridge, base: str, path: str
) -> None:
    bridge.settings = replace(bridge.settings, public_url="https://bridge.example")
    at_annas.open("/calendar/feeds")
    addresses = [str(a.get("href")) for a in at_annas.document.iter("a")]
    (apple,) = [one for one in addresses if one.startswith("webcal://")]
    (google,) = [one for one in addresses if one.startswith("https://calendar.google.com/")]
    (told,) = parse_qs(urlsplit(google).query)["cid"]
    (feed,) = feeds.list_(bridge, ANNA)
    assert {one.replace("webcal://", "https://") for one in (apple, told)} == {feed.url}
    assert Subscriber(base, GOOGLE).ask("GET", urlsplit(told).path).status == 200


def test_a_link_taken_back_is_no_calendar_to_either(bridge: Bridge, base: str, path: str) -> None:
    programs = [Subscriber(base, headers) for headers in (THUNDERBIRD, GOOGLE)]
    for program in programs:
        program.refresh(path)
    feeds.revoke(bridge, ANNA, "Studio Anna")
    for program in programs:
        gone = program.refresh(path)
        assert gone.status == 404
        assert b"<" not in gone.body, "plain words: an HTML page might be read as an empty calendar"
        assert program.ask("HEAD", path).status == 404
