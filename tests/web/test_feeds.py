"""1-way links: what a subscriber reads, when it is told that nothing changed, and who may read at all."""

from __future__ import annotations

from typing import Any

import icalendar
import vobject
from flask import Flask

from bridge.service import bookings, feeds
from bridge.store.people import UserRow
from bridge.wiring import Bridge
from tests.web import studio
from tests.web.browser import Browser
from tests.web.conftest import ANNA, BERT, Clock
from tests.web.studio import event


def path(feed: feeds.Feed) -> str:
    return "/" + feed.url.split("/", 3)[3]


def read(app: Flask, feed: feeds.Feed, **headers: str) -> Any:
    return app.test_client().get(path(feed), headers={"User-Agent": "Google-Calendar-Importer", **headers})


def parsed(app: Flask, feed: feeds.Feed) -> dict[str, Any]:
    """The events by UID, by a strict parser that is not ours."""
    answer = read(app, feed)
    assert answer.status_code == 200
    calendar = icalendar.Calendar.from_ical(answer.data, multiple=True)
    assert len(calendar) == 1
    events = {str(one["UID"]): one for one in calendar[0].walk("VEVENT")}
    assert not any(one.errors for one in calendar[0].walk())
    return events


def test_from_the_page_to_the_subscriber(
    app: Flask, at_annas: Browser, bridge: Bridge, anna: UserRow
) -> None:
    studio.book(
        bridge,
        anna,
        event(
            "w", "Wedding\\, big", "DTSTART;TZID=Europe/Berlin:20261125T140000|DURATION:PT2H", "LOCATION:Mill"
        ),
    )
    at_annas.open("/calendar/settings").follow("Make a link")
    at_annas.press("Make the link", name="Second shooter", detail="full")
    (feed,) = feeds.list_(bridge, ANNA)
    assert feed.url in at_annas.text
    assert "Nobody has read it yet" in at_annas.text
    answer = read(app, feed)
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer.data.endswith(b"END:VCALENDAR\r\n")
    assert b"\n" not in answer.data.replace(b"\r\n", b"")
    for line in ("NAME:Second shooter", "REFRESH-INTERVAL;VALUE=DURATION:PT1H", "COLOR:steelblue"):
        assert line.encode() in answer.data
    wedding = parsed(app, feed)["w"]
    assert (str(wedding["SUMMARY"]), str(wedding["LOCATION"])) == ("Wedding, big", "Mill")
    assert wedding["DTSTART"].dt.isoformat() == "2026-11-25T14:00:00+01:00"
    assert "Last read just now by Google-Calendar-Importer" in at_annas.open("/calendar/feeds").text


def test_an_empty_calendar_is_a_valid_feed(app: Flask, bridge: Bridge, anna: UserRow) -> None:
    feed = feeds.add(bridge, ANNA, "x")
    assert parsed(app, feed) == {}
    assert b"BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin" in read(app, feed).data  # RFC 5545 3.4: one component


def test_busy_only_tells_when_and_nothing_else(app: Flask, bridge: Bridge, anna: UserRow) -> None:
    alarm = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT15M\r\nDESCRIPTION:Alarm of Smith\r\nEND:VALARM"
    secret = (
        "LOCATION:Smith's home",
        "DESCRIPTION:Call Smith\\n on " + "5" * 90,
        "ATTENDEE:mailto:smith@x.example",
        alarm,
    )
    when = "DTSTART:20261125T140000Z|DTEND:20261125T150000Z"
    studio.book(bridge, anna, event("w", "Smith", when, "RRULE:FREQ=DAILY;COUNT=2", *secret))
    studio.book(bridge, anna, event("t", "Smith's birthday", when, "TRANSP:TRANSPARENT"))
    feed = feeds.add(bridge, ANNA, "x", feeds.Shows("busy"))
    assert "smith" not in read(app, feed).text.lower()
    events = parsed(app, feed)
    assert list(events) == ["w"]
    assert str(events["w"]["SUMMARY"]) == "Busy"
    assert events["w"]["RRULE"]["COUNT"] == [2]


def test_sessions_stay_for_a_year_and_cancelled_ones_are_marked(
    app: Flask, bridge: Bridge, anna: UserRow
) -> None:
    studio.book(bridge, anna, event("old", "Old", "DTSTART:20251020T140000Z|DURATION:PT1H"))
    studio.book(bridge, anna, event("past", "Past", "DTSTART:20251125T140000Z|DURATION:PT1H"))
    studio.book(bridge, anna, event("off", "Off", "DTSTART:20261125T140000Z|DURATION:PT1H"))
    with bridge.db.writing() as tx:
        bookings.cancel(tx, anna, "off", bridge.clock.now())
    events = parsed(app, feeds.add(bridge, ANNA, "x"))
    assert set(events) == {"past", "off"}
    assert str(events["off"]["STATUS"]) == "CANCELLED"


def test_zones_with_the_same_name_and_other_rules_stay_apart(
    app: Flask, bridge: Bridge, anna: UserRow
) -> None:
    def own(offset: str) -> str:
        return (
            "BEGIN:VTIMEZONE\r\nTZID:Studio\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\n"
            f"TZOFFSETFROM:{offset}\r\nTZOFFSETTO:{offset}\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
        )

    for uid, offset in (("a", "+0300"), ("b", "+0500"), ("c", "+0300")):
        text = event(uid, uid, "DTSTART;TZID=Studio:20261125T140000|DURATION:PT1H")
        studio.book(bridge, anna, text.replace("BEGIN:VEVENT", own(offset) + "BEGIN:VEVENT", 1))
    events = parsed(app, feeds.add(bridge, ANNA, "x"))
    offsets = {uid: one["DTSTART"].dt.utcoffset().total_seconds() / 3600 for uid, one in events.items()}
    assert offsets == {"a": 3, "b": 5, "c": 3}


def test_who_has_the_newest_version_gets_no_text(
    app: Flask, bridge: Bridge, anna: UserRow, clock: Clock
) -> None:
    feed = feeds.add(bridge, ANNA, "x")
    etag = read(app, feed).headers["ETag"]
    same = read(app, feed, **{"If-None-Match": etag})
    assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", etag)
    studio.book(bridge, anna, event("w", "Wedding", "DTSTART:20261125T140000Z|DURATION:PT1H"))
    assert read(app, feed, **{"If-None-Match": etag}).status_code == 200
    etag = read(app, feed).headers["ETag"]
    clock.pass_(days=1)
    assert read(app, feed, **{"If-None-Match": etag}).status_code == 200, "old sessions leave with time"


def test_a_link_that_was_taken_back_or_renewed_shows_nothing(
    app: Flask, at_annas: Browser, bridge: Bridge
) -> None:
    feed = feeds.add(bridge, ANNA, "Second shooter")
    at_annas.open("/calendar/feeds").press("Give it a new address: Second shooter")
    gone = read(app, feed)
    assert (gone.status_code, gone.mimetype) == (404, "text/plain")
    (renewed,) = feeds.list_(bridge, ANNA)
    assert read(app, renewed).status_code == 200
    at_annas.press("Remove Second shooter")
    assert read(app, renewed).status_code == 404
    assert "None yet." in at_annas.open("/calendar/feeds").text


def test_nobody_renews_or_removes_another_users_link(
    at_annas: Browser, bridge: Bridge, bert: UserRow
) -> None:
    feed = feeds.add(bridge, BERT, "x")
    for what in ("renew", "remove"):
        assert at_annas.send(f"/calendar/feeds/{feed.row.id}/{what}").status == 404
    assert feeds.list_(bridge, BERT)[0].url == feed.url


def test_a_name_is_needed_and_used_once(at_annas: Browser) -> None:
    at_annas.open("/calendar/feeds").press("Make the link", name="")
    assert "give the link a name" in at_annas.beside("name")
    at_annas.press("Make the link", name="x").press("Make the link", name="x")
    assert "already" in at_annas.beside("name")


def test_each_calendar_gets_the_address_in_its_own_form(at_annas: Browser, bridge: Bridge) -> None:
    feed = feeds.add(bridge, ANNA, "My phone")
    at_annas.open("/calendar/feeds")
    addresses = [a.get("href") for a in at_annas.document.iter("a")]
    webcal = feed.url.replace("http://", "webcal://")
    assert webcal in addresses
    assert any(
        a.startswith("https://calendar.google.com/calendar/render?cid=webcal%3A%2F%2F") for a in addresses
    )
    assert any(
        a.startswith("https://outlook.live.com/calendar/0/addfromweb?url=http%3A%2F%2F") for a in addresses
    )


def test_a_link_shows_only_its_window(
    app: Flask, at_annas: Browser, bridge: Bridge, anna: UserRow, clock: Clock
) -> None:
    for uid, day in (
        ("long-ago", "20260915"),
        ("lately", "20261101"),
        ("soon", "20261215"),
        ("later", "20270401"),
    ):
        studio.book(bridge, anna, event(uid, uid, f"DTSTART:{day}T140000Z|DURATION:PT1H"))
    weekly = event("weekly", "weekly", "DTSTART:20260701T140000Z|DURATION:PT1H", "RRULE:FREQ=WEEKLY")
    studio.book(bridge, anna, weekly)
    at_annas.open("/calendar/feeds").press("Make the link", name="x", past="1", ahead="3")
    assert "from a month back, three months ahead" in at_annas.text
    (feed,) = feeds.list_(bridge, ANNA)
    assert parsed(app, feed).keys() == {"lately", "soon", "weekly"}
    before = read(app, feed).headers["ETag"]
    at_annas.press("Save: x", past="3", ahead="all")
    assert "“x” is changed." in at_annas.text
    assert parsed(app, feed).keys() == {"long-ago", "lately", "soon", "later", "weekly"}
    assert read(app, feed).headers["ETag"] != before
    clock.pass_(days=60)
    assert "long-ago" not in parsed(app, feed), "it leaves with time"


def test_a_window_that_is_not_offered_is_refused(at_annas: Browser, bridge: Bridge) -> None:
    at_annas.open("/calendar/feeds")
    token = at_annas.token()
    sent = {"name": "x", "detail": "full", "past": "999", "ahead": "all", "csrf_token": token}
    assert at_annas.client.post("/calendar/feeds", data=sent).status_code == 422
    assert feeds.list_(bridge, ANNA) == []


def test_a_feed_of_everything_there_is_passes_two_validators(
    app: Flask, bridge: Bridge, anna: UserRow
) -> None:
    """icalendar's strict parser, and vobject's ``validate``, which knows what RFC 5545 requires of each
    component; and the rules of its content lines (3.1)."""
    samples = (
        ("plain", "DTSTART:20261125T140000Z|DTEND:20261125T150000Z", "DESCRIPTION:" + "Größe, " * 5),
        ("zoned", "DTSTART;TZID=Europe/Berlin:20261126T140000|DURATION:PT2H", "LOCATION:Old Mill\\, Room 2"),
        ("dates", "DTSTART;VALUE=DATE:20261127|DTEND;VALUE=DATE:20261129", "TRANSP:TRANSPARENT"),
        (
            "weekly",
            "DTSTART;TZID=America/New_York:20261101T180000|DURATION:PT1H",
            "RRULE:FREQ=WEEKLY;COUNT=9",
        ),
        ("lead", "DTSTART:20261201T090000|DURATION:PT45M", "STATUS:TENTATIVE"),
        ("off", "DTSTART:20261202T090000Z|DURATION:PT45M", "STATUS:CANCELLED"),
    )
    for uid, when, more in samples:
        studio.book(bridge, anna, event(uid, f"“{uid}”; a\\, b", when, more))
    for shows in (feeds.Shows(), feeds.Shows("busy")):
        feed = feeds.add(bridge, ANNA, f"Second shooter, {shows.detail}", shows)
        told = {uid for uid, _, _ in samples} - ({"dates"} if shows.detail == "busy" else set())  # it is free
        assert parsed(app, feed).keys() == told
        text = read(app, feed).data.decode()
        (calendar,) = vobject.readComponents(text)
        assert calendar.validate(raiseException=True)
        assert len(calendar.vevent_list) == len(told)
        lines = text.split("\r\n")
        assert lines.pop() == ""
        assert all(len(line.encode()) <= 75 and "\n" not in line for line in lines)
        assert {line for line in lines if line.startswith("BEGIN:VCALENDAR")} == {"BEGIN:VCALENDAR"}


def test_what_is_kept_of_a_feed_never_outlives_a_change(
    app: Flask, bridge: Bridge, anna: UserRow, clock: Clock
) -> None:
    feed = feeds.add(bridge, ANNA, "x")
    studio.book(bridge, anna, event("a", "First", "DTSTART:20261125T140000Z|DURATION:PT1H"))
    assert [parsed(app, feed).keys() for _ in range(2)] == [{"a"}, {"a"}]
    studio.book(bridge, anna, event("a", "Second", "DTSTART:20261125T140000Z|DURATION:PT1H"))
    assert str(parsed(app, feed)["a"]["SUMMARY"]) == "Second"
    feeds.change(bridge, ANNA, "x", feeds.Shows("busy"))
    assert "Second" not in read(app, feed).data.decode()
    renewed = feeds.rotate(bridge, ANNA, "x")
    assert read(app, feed).status_code == 404
    assert parsed(app, renewed).keys() == {"a"}
    clock.pass_(days=400)
    assert parsed(app, renewed) == {}
