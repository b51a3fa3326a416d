"""Slots, the explainer, the API and CalDAV's free-busy say the same of every minute."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random

import pytest
from werkzeug.test import Client as Caller

from bridge import serve
from bridge.ical.text import parse
from bridge.service import availability, client_booking, people
from bridge.store import calendars
from bridge.web import make_app
from radicale_plugin.front import make_dav_app
from tests.booking.conftest import Studio, at
from tests.slots import setups
from tests.web.browser import Browser

#: Three days of minutes, twice: more than 8,000 instants.
FIRST, DAYS = "2027-03-27", 3
MINUTES = DAYS * 1440

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


def free_busy(studio: Studio, start: int, end: int) -> list[tuple[int, int]]:
    """The periods that CalDAV tells of all her calendars."""
    device = people.add_device(studio.bridge, studio.anna.email, "Phone")
    login = base64.b64encode(f"{device.username}:{device.password}".encode()).decode()
    caller = Caller(serve.Origin({"/dav": make_dav_app(studio.bridge)}, serve.not_found))
    with studio.bridge.db.reading() as tx:
        names = [calendar.name for calendar in calendars.of_user(tx, studio.anna.id)]
    found = []
    for calendar in names:
        answer = caller.open(
            f"/dav/{studio.anna.email}/{calendar}/",
            base_url="http://localhost/",
            method="REPORT",
            data=FREE_BUSY.format(datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)),
            headers={"Authorization": f"Basic {login}", "Depth": "1", "Content-Type": "application/xml"},
        )
        assert answer.status_code == 200, answer.text
        (told,) = parse(answer.text).components("VFREEBUSY")
        for line in told.lines("FREEBUSY"):
            starts, ends = line.value.split("/")
            found.append((seconds(starts), seconds(ends)))
    return found


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
