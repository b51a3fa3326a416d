"""Slots, the explainer, the API and CalDAV's free-busy say the same of every minute."""

from __future__ import annotations

import base64
import os
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from urllib.parse import urlencode

import pytest
from werkzeug.test import Client as Caller

from bridge import serve
from bridge.ical.text import parse
from bridge.service import availability, client_booking, people
from bridge.store import calendars
from bridge.web import make_app
from bridge.web.security import limiter
from radicale_plugin.front import make_dav_app
from tests.booking.conftest import Studio, at
from tests.slots import setups
from tests.web.browser import Browser

#: Three days of minutes, twice: more than 8,000 instants.
FIRST, DAYS = "2027-03-27", 3
MINUTES = DAYS * 1440
#: ``INSTANTS=5000`` before a release.
INSTANTS = int(os.environ.get("INSTANTS", "60"))

FREE_BUSY = (
    '<C:free-busy-query xmlns:C="urn:ietf:params:xml:ns:caldav">'
    '<C:time-range start="{:%Y%m%dT%H%M%SZ}" end="{:%Y%m%dT%H%M%SZ}"/></C:free-busy-query>'
)


def calendar_of(seed: int) -> Iterator[str]:
    """Events around a day on which Berlin changes its clocks, as in the oracle's set-ups."""
    dice = Random(seed)
    while True:
        setup, events = setups.studio(dice)
        if (setup.axis.zone, str(setup.axis.seen[0].date())) == ("Europe/Berlin", "2027-03-24"):
            yield from (text for text, _ in events)


@pytest.mark.parametrize("seed", [1, 2])
def test_every_answer_is_the_same(studio: Studio, seed: int) -> None:
    mirror = studio.mirror()
    texts = calendar_of(seed)
    for number in range(12):
        text = next(texts).replace("\r\nUID:", f"\r\nUID:{number}-")
        studio.put(text, calendar=mirror if number % 2 else None)
    start, end = at("00:00", FIRST), at("00:00", FIRST) + 60 * MINUTES
    minutes = range(start, end, 60)

    told = free_busy(studio, start, end)
    busy = {minute for minute in minutes if any(a <= minute < b for a, b in told)}
    assert 60 < len(busy) < MINUTES - 60

    event = studio.event(length=1, dates=[], blocks=[])
    slots = client_booking.slots(studio.bridge, event, studio.anna, start, end)
    assert [slot.starts for slot in slots] == list(minutes)
    assert {slot.starts for slot in slots if not slot.free} == busy

    room = room_over_the_api(studio, start, end)
    assert {minute for minute in minutes if not any(a <= minute < b for a, b in room)} == busy

    with studio.bridge.db.reading() as tx:
        for minute in Random(seed).sample(minutes, 300):
            answer = availability.explain(tx, studio.bridge, studio.anna, minute, minute + 60)
            assert answer.free == (minute not in busy) == (not answer.reasons)


def test_at_any_instant_every_answer_over_http_is_the_same(studio: Studio) -> None:
    """The booking page's slots, the explainer's page, the API and CalDAV, each asked as it is asked."""
    mirror, dice = studio.mirror(), Random(11)
    texts = calendar_of(3)
    for number in range(24):
        text = next(texts).replace("\r\nUID:", f"\r\nUID:{number}-")
        studio.put(text, calendar=mirror if number % 2 else None)
    studio.open(closed=[["2027-03-29", "2027-03-29"]], private_before=600, private_after=1200)
    event = studio.event("Minutes", length=1, dates=[], blocks=[], before=5, after=10)
    with studio.bridge.db.reading() as tx:
        names = [calendar.name for calendar in calendars.of_user(tx, studio.anna.id)]
    people.set_user(studio.bridge, studio.anna.email, password="a good password")
    app = make_app(studio.bridge)
    limiter.enabled = False  # so many questions from one address
    browser, phone = Browser(app).sign_in(studio.anna.email), caldav(studio)
    # clustered where events begin and end, and anywhere
    edges = [
        minute
        for told in free_busy(studio, at("00:00", FIRST), at("00:00", FIRST) + 60 * MINUTES, phone)
        for minute in told
    ]
    seen: Counter[tuple[bool, bool]] = Counter()
    try:
        for number in range(INSTANTS):
            minute = at("00:00", FIRST) + 60 * dice.randrange(MINUTES)
            if number % 2:
                minute = dice.choice(edges) // 60 * 60 + 60 * dice.randint(-25, 25)
            query = {"from": iso(minute), "to": iso(minute + 60)}
            page = browser.open(f"/calendar/why?{urlencode(query)}")
            whys = {item.get("data-why") for item in page.document.xpath("//li[@data-why]")}
            told = browser.client.get("/api/v1/availability", query_string=query).get_json()
            (slot,) = browser.client.get(f"/book/anna/{event.slug}/slots", query_string=query).get_json() or [
                {"free": False}
            ]
            busy = any(asked(phone, studio, name, minute, minute + 60) for name in names)
            assert told["free"] == ("Not free" not in page.text) == (not told["reasons"]), minute
            assert {reason["why"] for reason in told["reasons"]} == whys, minute
            assert ("busy" in whys) == busy, minute
            by_page = browser.client.get("/calendar/why", query_string={**query, "event": str(event.id)})
            assert slot["free"] == ("Not free" not in by_page.text), minute
            assert told["free"] or not slot["free"], minute  # a session's own buffers only take away
            seen[slot["free"], busy] += 1
    finally:
        limiter.enabled = True
    assert all(seen[kind] > INSTANTS // 20 for kind in ((True, False), (False, True), (False, False))), seen


def caldav(studio: Studio) -> tuple[Caller, str]:
    """A CalDAV client, and how it signs in."""
    device = people.add_device(studio.bridge, studio.anna.email, "Phone")
    login = base64.b64encode(f"{device.username}:{device.password}".encode()).decode()
    return Caller(serve.Origin({"/dav": make_dav_app(studio.bridge)}, serve.not_found)), login


def asked(
    phone: tuple[Caller, str], studio: Studio, calendar: str, start: int, end: int
) -> list[tuple[int, int]]:
    """What one calendar says is busy."""
    caller, login = phone
    answer = caller.open(
        f"/dav/{studio.anna.email}/{calendar}/",
        base_url="http://localhost/",
        method="REPORT",
        data=FREE_BUSY.format(datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)),
        headers={"Authorization": f"Basic {login}", "Depth": "1", "Content-Type": "application/xml"},
    )
    assert answer.status_code == 200, answer.text
    (told,) = parse(answer.text).components("VFREEBUSY")
    found = [line.value.split("/") for line in told.lines("FREEBUSY")]
    return [(seconds(starts), seconds(ends)) for starts, ends in found]


def free_busy(
    studio: Studio, start: int, end: int, phone: tuple[Caller, str] | None = None
) -> list[tuple[int, int]]:
    """The periods that CalDAV tells of all her calendars."""
    with studio.bridge.db.reading() as tx:
        names = [calendar.name for calendar in calendars.of_user(tx, studio.anna.id)]
    phone = phone or caldav(studio)
    return [period for name in names for period in asked(phone, studio, name, start, end)]


def room_over_the_api(studio: Studio, start: int, end: int) -> list[tuple[int, int]]:
    people.set_user(studio.bridge, studio.anna.email, password="a good password")
    browser = Browser(make_app(studio.bridge)).sign_in(studio.anna.email)
    query = {"from": iso(start), "to": iso(end), "duration": "1"}
    answer = browser.client.get("/api/v1/availability", query_string=query)
    return [
        (
            int(datetime.fromisoformat(one["start"]).timestamp()),
            int(datetime.fromisoformat(one["end"]).timestamp()),
        )
        for one in answer.get_json()["room"]
    ]


def seconds(utc: str) -> int:
    return int(datetime.strptime(utc, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp())


def iso(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat()
