"""Picsello's calendar link as the source: flaws mended, habits understood, edits kept or refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.config import Settings
from bridge.errors import BridgeError
from bridge.ical.added import note
from bridge.ical.facts import facts
from bridge.service import client_writes, people, sources
from bridge.store import calendars, notices, objects
from bridge.store import people as people_rows
from bridge.store.objects import StoredObject
from bridge.sync.report import Report
from bridge.wiring import Bridge
from tests.servers.feed import Published, Publisher
from tests.servers.kept import kept
from tests.sources.conftest import ANNA, uid
from tests.sources.test_reading import line

ZONE = "America/New_York"


class Clock:
    """Time that the test moves."""

    def __init__(self) -> None:
        self.at = datetime(2027, 5, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


def event(shoot: int, starts: datetime, title: str = "Mary Jane Wedding - Engagement", **lines: str) -> str:
    """As Picsello publishes it (3.1 of the notes): sorted, LF, no DTSTAMP, TZID without definition."""
    local = f"{starts:%Y%m%dT%H%M%S}"
    ends = f"{starts + timedelta(hours=1):%Y%m%dT%H%M%S}"
    said = {
        "ATTENDEE": "anna@studio.example",
        "DTEND;TZID=America/New_York": ends,
        "DTSTART;TZID=America/New_York": local,
        "LOCATION": "1 Main St",
        "ORGANIZER": "anna@studio.example",
        "SUMMARY": title,
        "UID": uid(shoot),
        "URL": f"https://app.picsello.com/jobs/{shoot}",
        **lines,
    }
    body = "".join(f"{name}:{value}\n" for name, value in sorted(said.items()) if value)
    return f"BEGIN:VEVENT\n{body}END:VEVENT\n"


def whole(*events: str) -> str:
    return (
        "BEGIN:VCALENDAR\nCALSCALE:GREGORIAN\nVERSION:2.0\nPRODID:-//Elixir ICalendar//EN\n"
        + "".join(events)
        + "END:VCALENDAR\n"
    )


@dataclass
class Desk:
    """Anna's bridge over her feed."""

    bridge: Bridge
    site: Publisher
    feed: Published
    clock: Clock = field(default_factory=Clock)

    def publish(self, *events: str) -> None:
        self.feed.serve(200, whole(*events), Content_Type="text/plain")

    def choose(self, **options: str) -> sources.Chosen:
        url = f"{self.site.url}calendar.ics"
        return sources.set_(self.bridge, ANNA, "feed", url=url, options=options)

    def sync(self, *, confirm: bool = False) -> Report:
        with self.bridge.db.reading() as tx:
            user = people_rows.user_by_email(tx, ANNA)
        link = sources.of_user(self.bridge, user.id)
        assert link is not None
        return self.bridge.engine().run(link.id, by_hand=True, confirm=confirm)

    def bookings(self) -> dict[str, StoredObject]:
        with self.bridge.db.reading() as tx:
            calendar = calendars.bookings(tx, people_rows.user_by_email(tx, ANNA).id)
            return {row.uid: row for row in objects.all_objects(tx, calendar.id)}

    def put(self, shoot: int, text: str) -> None:
        """As a calendar app saves it."""
        with self.bridge.db.writing() as tx:
            user = people_rows.user_by_email(tx, ANNA)
            stored = self.bookings()[uid(shoot)]
            calendar = calendars.bookings(tx, user.id)
            client_writes.put(tx, user, calendar, stored.href, text, actor="device:1", now=self.clock.now())

    def told(self, kind: str) -> list[str]:
        with self.bridge.db.reading() as tx:
            user = people_rows.user_by_email(tx, ANNA)
            return [one.message for one in notices.standing(tx, user.id) if one.kind == kind]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Publisher() as site:
        clock = Clock()
        settings = Settings(data=tmp_path / "data", allow_hosts=frozenset({site.host_and_port}))
        bridge = Bridge.open(settings, clock)
        people.add_user(bridge, ANNA, time_zone=ZONE)
        yield Desk(bridge, site, site.publish("calendar"), clock)
        bridge.db.close()


SOON, LATER = datetime(2027, 5, 1, 10), datetime(2027, 5, 8, 10)


def test_a_feed_with_all_its_flaws_becomes_whole_bookings(desk: Desk) -> None:
    desk.publish(
        event(1, SOON, "Smith, Jane; 30 - Engagement", DESCRIPTION="Bring\\, the veil"),
        event(2, LATER, LOCATION="nil", **{"DTEND;TZID=America/New_York": ""}),
    )
    desk.choose()
    report = desk.sync()
    assert (report.errors, report.pulled) == ([], 2)
    first, second = (desk.bookings()[uid(shoot)] for shoot in (1, 2))
    assert (first.kind, first.status) == ("booking", "CONFIRMED")
    assert facts(first.text).summary == "Smith, Jane; 30 - Engagement"
    assert line(first.text, "SUMMARY") == "Smith\\, Jane\\; 30 - Engagement"
    assert line(first.text, "DTSTART") == "20270501T100000"
    assert "TZID:America/New_York" in first.text
    assert line(first.text, "DTSTAMP")
    assert first.text.count("\n") == first.text.count("\r\n")
    assert facts(second.text).location == ""
    assert line(second.text, "DTEND") == "20270508T101500"
    assert desk.sync().pulled == 0


def test_a_session_that_started_is_history_and_one_that_vanished_before_is_cancelled(desk: Desk) -> None:
    desk.publish(event(1, SOON), event(2, LATER), event(3, LATER))
    desk.choose()
    desk.sync()
    desk.clock.at = datetime(2027, 5, 1, 14, 1, tzinfo=UTC)  # 10:01 in New York
    desk.publish(event(3, LATER))
    desk.sync()
    assert set(desk.bookings()) == {uid(1), uid(3)}
    assert desk.bookings()[uid(1)].status == "CONFIRMED"
    desk.clock.at += timedelta(days=3)  # long after, when everything is listed anew, it is still there
    desk.sync()
    assert set(desk.bookings()) == {uid(1), uid(3)}
    desk.publish(event(2, LATER), event(3, LATER))
    desk.sync()
    assert set(desk.bookings()) == {uid(1), uid(2), uid(3)}


def test_a_change_in_picsello_follows_under_a_higher_sequence(desk: Desk) -> None:
    desk.publish(event(1, LATER))
    desk.choose()
    desk.sync()
    desk.publish(event(1, LATER + timedelta(hours=1)))
    assert desk.sync().pulled == 1
    text = desk.bookings()[uid(1)].text
    assert (line(text, "DTSTART"), line(text, "SEQUENCE")) == ("20270508T110000", "1")


def test_an_edit_stays_as_an_overlay_until_the_feed_agrees(desk: Desk) -> None:
    desk.publish(event(1, LATER))
    desk.choose()
    desk.sync()
    moved = desk.bookings()[uid(1)].text.replace("20270508T1", "20270509T1")
    desk.put(1, moved)
    desk.sync()
    text = desk.bookings()[uid(1)].text
    assert line(text, "DTSTART") == "20270509T100000"
    assert "(time)" in (note(text) or "")
    assert "Change it there too" in line(text, "DESCRIPTION")
    assert desk.told("source-note")
    assert desk.sync().pulled == 0
    # another field changes in Picsello: both hold
    desk.publish(event(1, LATER, LOCATION="Town hall"))
    desk.sync()
    text = desk.bookings()[uid(1)].text
    assert (facts(text).location, line(text, "DTSTART")) == ("Town hall", "20270509T100000")
    assert "(time)" in (note(text) or "")
    desk.publish(event(1, LATER + timedelta(days=1), LOCATION="Town hall"))
    desk.sync()
    text = desk.bookings()[uid(1)].text
    assert note(text) is None
    assert line(text, "DESCRIPTION") == ""
    assert line(text, "DTSTART") == "20270509T100000"
    assert desk.told("source-note") == []


def test_an_edit_is_refused_by_choice_and_listed(desk: Desk) -> None:
    desk.publish(event(1, LATER))
    desk.choose(edits="refuse")
    desk.sync()
    before = desk.bookings()[uid(1)].text
    with pytest.raises(client_writes.SourceRefuses, match="changed in Picsello") as refused:
        desk.put(1, before.replace("20270508T1", "20270509T1"))
    with desk.bridge.db.writing() as tx:
        user = people_rows.user_by_email(tx, ANNA)
        client_writes.note_refusal(tx, user, refused.value, desk.clock.now())
    assert desk.told("source-refused")
    alarm = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT15M\r\nDESCRIPTION:x\r\nEND:VALARM\r\n"
    desk.put(1, before.replace("END:VEVENT", alarm + "END:VEVENT"))
    desk.sync()
    assert "BEGIN:VALARM" in desk.bookings()[uid(1)].text


def test_many_that_vanish_at_once_wait_for_a_word(desk: Desk) -> None:
    desk.publish(*(event(number, LATER) for number in range(1, 9)))
    desk.choose()
    desk.sync()
    desk.publish()
    assert desk.sync().held
    assert len(desk.bookings()) == 8
    desk.publish(*(event(number, LATER) for number in range(1, 9)))
    assert not desk.sync().held


def test_the_address_is_a_secret(desk: Desk) -> None:
    desk.publish(event(1, LATER))
    desk.choose()
    assert ANNA.encode() in kept(desk.bridge.db)
    assert b"calendar.ics" not in kept(desk.bridge.db)


GOOD = whole(event(1, SOON), event(2, LATER), event(3, LATER))
HTML = "<!doctype html><html><p>Sign in</p></html>"

#: Answers after a good one: (status, body, headers, bookings that must still be there).
AWKWARD: dict[str, tuple[int, str, dict[str, str], set[int]]] = {
    "html after a bad token": (200, HTML, {"Content_Type": "text/html"}, {1, 2, 3}),
    "a redirect to the home page": (302, "", {"Location": "/home"}, {1, 2, 3}),
    "not found": (404, HTML, {}, {1, 2, 3}),
    "gone": (410, "", {}, {1, 2, 3}),
    "not acceptable": (406, "", {}, {1, 2, 3}),
    "forbidden": (403, "", {}, {1, 2, 3}),
    "server error (a shoot without duration)": (500, HTML, {}, {1, 2, 3}),
    "too many requests": (429, "", {"Retry_After": "60"}, {1, 2, 3}),
    "bad gateway": (502, HTML, {}, {1, 2, 3}),
    "empty body": (200, "", {}, {1, 2, 3}),
    "blank body": (200, "\n\n", {}, {1, 2, 3}),
    "cut off in the middle": (200, GOOD[: len(GOOD) // 2], {}, {1, 2, 3}),
    "cut off before the last line": (200, GOOD.removesuffix("END:VCALENDAR\n"), {}, {1, 2, 3}),
    "a JSON error": (200, '{"error": "down"}', {"Content_Type": "application/json"}, {1, 2, 3}),
    "the same again, CRLF": (200, GOOD.replace("\n", "\r\n"), {}, {1, 2, 3}),
    "with a byte order mark": (200, "\ufeff" + GOOD, {}, {1, 2, 3}),
    "every session twice (two proposals)": (
        200,
        whole(*[event(n, t) for n, t in ((1, SOON), (2, LATER), (3, LATER))] * 2),
        {},
        {1, 2, 3},
    ),
    "one twice, with two titles": (
        200,
        whole(event(1, SOON), event(2, LATER, "A"), event(2, LATER, "B"), event(3, LATER)),
        {},
        {1, 2, 3},
    ),
    "one without a start": (
        200,
        whole(event(1, SOON), event(2, LATER, **{"DTSTART;TZID=America/New_York": ""}), event(3, LATER)),
        {},
        {1, 2, 3},
    ),
    "one with a start that is no time": (
        200,
        whole(
            event(1, SOON), event(2, LATER, **{"DTSTART;TZID=America/New_York": "tomorrow"}), event(3, LATER)
        ),
        {},
        {1, 2, 3},
    ),
    "one without a UID beside them": (
        200,
        whole(event(1, SOON), event(2, LATER), event(3, LATER), event(4, LATER, UID="")),
        {},
        {1, 2, 3},
    ),
    "an unknown zone": (
        200,
        whole(event(1, SOON), event(2, LATER).replace("America/New_York", "Mars/Olympus"), event(3, LATER)),
        {},
        {1, 2, 3},
    ),
    "in UTC": (
        200,
        whole(event(1, SOON), event(2, LATER).replace(";TZID=America/New_York", ""), event(3, LATER)),
        {},
        {1, 2, 3},
    ),
    "ends before it starts": (
        200,
        whole(
            event(1, SOON),
            event(2, LATER, **{"DTEND;TZID=America/New_York": "20200101T000000"}),
            event(3, LATER),
        ),
        {},
        {1, 2, 3},
    ),
    "a title of nothing": (200, whole(event(1, SOON), event(2, LATER, ""), event(3, LATER)), {}, {1, 2, 3}),
    "a very long unfolded line": (
        200,
        whole(event(1, SOON), event(2, LATER, DESCRIPTION="x" * 20_000), event(3, LATER)),
        {},
        {1, 2, 3},
    ),
    "a backslash at the end of a title": (
        200,
        whole(event(1, SOON), event(2, LATER, "Jane \\"), event(3, LATER)),
        {},
        {1, 2, 3},
    ),
    "the session that starts in this minute is gone": (
        200,
        whole(event(2, LATER), event(3, LATER)),
        {},
        {1, 2, 3},
    ),
    "one is really gone": (200, whole(event(1, SOON), event(3, LATER)), {}, {1, 3}),
    "one is marked cancelled": (
        200,
        whole(event(1, SOON), event(2, LATER, STATUS="CANCELLED"), event(3, LATER)),
        {},
        {1, 3},
    ),
}


@pytest.mark.parametrize("situation", AWKWARD)
def test_an_awkward_feed_deletes_nothing_that_it_should_not(desk: Desk, situation: str) -> None:
    status, body, headers, left = AWKWARD[situation]
    desk.feed.serve(200, GOOD, Content_Type="text/plain")
    desk.choose()
    desk.sync()
    desk.clock.at = datetime(2027, 5, 1, 14, tzinfo=UTC)  # session 1 begins now
    desk.site.publish("home").serve(200, HTML, Content_Type="text/html")
    desk.feed.serve(status, body, **headers)
    report = desk.sync()
    assert all(isinstance(sentence, str) and "Traceback" not in sentence for sentence in report.errors)
    assert set(desk.bookings()) & {uid(n) for n in (1, 2, 3)} == {uid(shoot) for shoot in left}
    desk.feed.serve(200, whole(event(2, LATER), event(3, LATER)), Content_Type="text/plain")
    assert desk.sync().errors == []
    assert {uid(1), uid(2), uid(3)} <= set(desk.bookings())


def test_an_address_that_is_no_feed_is_refused_before_anything_is_saved(desk: Desk) -> None:
    desk.feed.serve(200, HTML, Content_Type="text/html")
    with pytest.raises(BridgeError, match="web page"):
        desk.choose()
    with desk.bridge.db.reading() as tx:
        assert people_rows.user_by_email(tx, ANNA).source == "studio"
