"""Text fidelity across the whole way: what a provider gave is what a client gets, and an edit moves its
lines alone."""

from __future__ import annotations

import difflib

import pytest

from tests.journeys.installation import EMAIL, Installation
from tests.journeys.phones import uid_of
from tests.servers.dav import Outside, Server

BOOKKEEPING = ("DTSTAMP", "LAST-MODIFIED", "SEQUENCE", "CREATED", "X-PICSELLO-BRIDGE", " ")

APPLE = """BEGIN:VCALENDAR
CALSCALE:GREGORIAN
PRODID:-//Apple Inc.//macOS 15.0//EN
VERSION:2.0
BEGIN:VEVENT
UID:apple-1
DTSTAMP:20261101T080000Z
SUMMARY:Portraits
LOCATION:Studio Nord\\nHauptstr. 1\\, Berlin
X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-ADDRESS="Hauptstr. 1, Berlin";X-APPLE
 -RADIUS=70.5;X-TITLE="Studio Nord":geo:52.499,13.355
DTSTART;TZID=Europe/Berlin:20261210T090000
DTEND;TZID=Europe/Berlin:20261210T100000
ATTENDEE;CN="Lee, Kim";PARTSTAT=ACCEPTED:mailto:kim@example.com
BEGIN:VALARM
X-WR-ALARMUID:5D2F
UID:5D2F
TRIGGER:-PT30M
ACTION:DISPLAY
DESCRIPTION:Reminder
END:VALARM
END:VEVENT
END:VCALENDAR
"""
GOOGLE = """BEGIN:VCALENDAR
PRODID:-//Google Inc//Google Calendar 70.9054//EN
VERSION:2.0
BEGIN:VEVENT
DTSTART;TZID=America/New_York:20261201T100000
DTEND;TZID=America/New_York:20261201T110000
RRULE:FREQ=WEEKLY;BYDAY=TU;COUNT=6
EXDATE;TZID=America/New_York:20261208T100000
EXDATE;TZID=America/New_York:20261215T100000
DTSTAMP:20261101T080000Z
UID:google-1@google.com
DESCRIPTION:<b>Call</b>\\; see <a href="https://example.com/?a=1&amp;b=2">notes</a>
SUMMARY:Weekly call
X-GOOGLE-CONFERENCE:https://meet.example.com/abc-defg-hij
END:VEVENT
END:VCALENDAR
"""
OUTLOOK = """BEGIN:VCALENDAR
PRODID:-//Microsoft Corporation//Outlook 16.0 MIMEDIR//EN
VERSION:2.0
BEGIN:VTIMEZONE
TZID:W. Europe Standard Time
BEGIN:STANDARD
DTSTART:16011028T030000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010325T020000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
UID:outlook-1
DTSTAMP:20261101T080000Z
DTSTART;TZID="W. Europe Standard Time":20261211T140000
DTEND;TZID="W. Europe Standard Time":20261211T150000
SUMMARY:Review
X-ALT-DESC;FMTTYPE=text/html:<html><body>One, two; three</body></html>
X-MICROSOFT-CDO-BUSYSTATUS:BUSY
X-MICROSOFT-DISALLOW-COUNTER:FALSE
END:VEVENT
END:VCALENDAR
"""
STYLES = {
    name: text.replace("\n", "\r\n")
    for name, text in {"apple": APPLE, "google": GOOGLE, "outlook": OUTLOOK}.items()
}


@pytest.fixture(params=sorted(STYLES))
def style(request: pytest.FixtureRequest) -> str:
    return STYLES[request.param]


def own_server(installation: Installation, origin: str) -> Server:
    """Our own server as plain HTTP sees it."""
    device = installation.json("device", "add", EMAIL, "probe")
    return Server(f"{origin}/", device["username"], device["password"], f"/dav/{EMAIL}/")


def named(outside: Outside, uid: str) -> str:
    return next(name for name, text in outside.texts().items() if uid_of(text) == uid)


def lines_that_differ(before: str, after: str) -> list[str]:
    return [line[2:] for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line[0] in "+-"]


def test_a_mirror_returns_exactly_what_the_provider_gave(
    anna: Installation, provider: Server, style: str
) -> None:
    private = provider.make_calendar("private", title="Private")
    private.put("one.ics", style)
    anna.select(anna.connect(provider), read=(private,))
    anna.sync()
    with anna.serving() as origin:
        mirror = own_server(anna, origin).calendar(f"/dav/{EMAIL}/private/")
        served = mirror.get(named(mirror, uid_of(style)))
    assert served == private.get("one.ics")


def test_an_edit_at_either_side_changes_its_lines_and_bookkeeping_alone(
    anna: Installation, provider: Server, style: str
) -> None:
    work = provider.make_calendar("work", title="Work")
    anna.select(anna.connect(provider), write=work)
    uid = uid_of(style)
    with anna.serving() as origin:
        bookings = own_server(anna, origin).calendar(f"/dav/{EMAIL}/bookings/")
        etag = bookings.put("mine.ics", style)
        assert bookings.get("mine.ics") == style  # GET returns exactly what PUT sent ...
        assert bookings.etag("mine.ics") == etag  # ... under the ETag that PUT returned
        anna.sync()
        there = work.get(work.name_of(uid)) or ""

        # a new place here changes one property there
        before_this = "BEGIN:VALARM" if "BEGIN:VALARM" in style else "END:VEVENT"
        placed = style.replace(before_this, f"URL:https://example.com/x\r\n{before_this}", 1)
        bookings.put("mine.ics", placed, bookings.etag("mine.ics"))
        anna.sync()
        after = work.get(work.name_of(uid)) or ""
        differing = [line for line in lines_that_differ(there, after) if not line.startswith(BOOKKEEPING)]
        assert differing == ["URL:https://example.com/x"]

        # a new title there changes one property here
        name = work.name_of(uid)
        title = next(line for line in after.splitlines() if line.startswith("SUMMARY"))
        work.put(name, after.replace(title, "SUMMARY:Renamed over there"), work.etag(name))
        before = bookings.get("mine.ics") or ""
        anna.sync()
        here = bookings.get("mine.ics") or ""
        differing = [line for line in lines_that_differ(before, here) if not line.startswith(BOOKKEEPING)]
        assert sorted(differing) == sorted([title, "SUMMARY:Renamed over there"])
