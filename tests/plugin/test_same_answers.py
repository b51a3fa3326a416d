"""The fast answers and Radicale's own, over the same store: whatever is asked, both say the same.

Compared as parsed, in no order. Objects come from a generator, requests from a list of what clients ask.
"""

from __future__ import annotations

import random
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.plugin.conftest import DAV, Client, Studio, event

BOOKINGS = "/anna@studio.example/bookings/"
NAMES = ["plain", "c@lon:comma, quote'star*", "Zoë", "50%25", "a&b<c>"]


def generated(seed: int) -> str:
    """One object: plain, all-day, floating, endless, with overrides, alarms, or oddly written."""
    dice = random.Random(seed)
    start = f"202606{dice.randint(1, 28):02}T{dice.randint(0, 23):02}0000"
    uid, summary = f"{seed}@x", dice.choice(["Portraits", "A & B <x>", "Zoë's", "a\\, b\\; c", "x" * 120])
    lines = dice.sample(["TRANSP:TRANSPARENT", "STATUS:TENTATIVE", "LOCATION:Here", "X-ODD;A=b:c"], 2)
    if dice.random() < 0.4:
        lines += [
            "BEGIN:VALARM",
            "ACTION:DISPLAY",
            "TRIGGER:-PT5M",
            "DURATION:PT1M",
            "REPEAT:1",
            "END:VALARM",
        ]
    text = event(uid, *lines, summary=summary, start=start)
    match dice.randrange(8):
        case 0:
            text = text.replace(f";TZID=Europe/Berlin:{start}", f";VALUE=DATE:{start[:8]}").replace(
                "PT1H", "P2D"
            )
        case 1:
            text = text.replace(";TZID=Europe/Berlin", "")
        case 2:
            rule = dice.choice(["FREQ=WEEKLY;COUNT=9", "FREQ=DAILY", "FREQ=MONTHLY;UNTIL=20270101T000000Z"])
            text = text.replace("SUMMARY", f"RRULE:{rule}\r\nEXDATE;TZID=Europe/Berlin:{start}\r\nSUMMARY")
        case 3:
            moved = event(uid, f"RECURRENCE-ID;TZID=Europe/Berlin:{start}", start="20260620T170000")
            override = moved[moved.index("BEGIN:VEVENT") : moved.index("END:VCALENDAR")]
            text = text.replace("SUMMARY", "RRULE:FREQ=WEEKLY\r\nSUMMARY", 1)
            text = text.replace("END:VCALENDAR", override + "END:VCALENDAR")
        case 4:
            text = text.replace("\r\n", "\n")
        case 5:
            text = text.replace(
                "BEGIN:VEVENT", "BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT", 1
            )
    return text


@pytest.fixture
def filled(studio: Studio) -> Studio:
    for number in range(40):
        name = NAMES[number] if number < len(NAMES) else f"{number}.ics"
        studio.book(name, generated(number))
    studio.anna("DELETE", f"{BOOKINGS}39.ics.ics")
    return studio


def parsed(body: bytes) -> Any:
    """A multistatus as ``{href: (status, {status: {property: value}})}``, with its sync token."""
    root = ET.fromstring(body)
    if root.tag != DAV + "multistatus":
        return _canonical(root)
    told = {}
    for response in root.iter(DAV + "response"):
        properties: dict[str, dict[str, Any]] = {}
        for propstat in response.findall(DAV + "propstat"):
            status = propstat.findtext(DAV + "status") or ""
            for prop in propstat.find(DAV + "prop") or ():
                properties.setdefault(status[9:12], {})[prop.tag] = _canonical(prop)
        told[response.findtext(DAV + "href")] = ((response.findtext(DAV + "status") or "")[9:12], properties)
    return told, root.findtext(DAV + "sync-token")


def _canonical(element: ET.Element) -> Any:
    children = sorted((_canonical(child) for child in element), key=repr)
    return element.tag, sorted(element.attrib.items()), (element.text or "") if not children else "", children


NS = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:CS="http://calendarserver.org/ns/" xmlns:I="http://apple.com/ns/ical/"'
RANGE = 'start="20260605T000000Z" end="20260616T000000Z"'
OF_OBJECTS = (
    "<D:getetag/><D:getcontenttype/><D:resourcetype/><D:getlastmodified/><D:getcontentlength/><D:nonsense/>"
    "<D:owner/><D:current-user-principal/><D:current-user-privilege-set/>"
)
OF_CALENDARS = OF_OBJECTS.replace("<D:getcontentlength/>", "") + (
    "<D:sync-token/><CS:getctag/><D:displayname/><I:calendar-color/><C:supported-calendar-component-set/>"
    "<C:max-resource-size/><D:principal-collection-set/><X:mine xmlns:X='urn:x'/>"
)


def propfind(props: str, depth: str) -> tuple[str, str, str]:
    return "PROPFIND", f"<D:propfind {NS}><D:prop>{props}</D:prop></D:propfind>", depth


def query(rules: str, data: str = "<C:calendar-data/>") -> tuple[str, str, str]:
    inner = f'<C:comp-filter name="VEVENT">{rules}</C:comp-filter>'
    outer = f'<C:comp-filter name="VCALENDAR">{inner}</C:comp-filter>'
    body = f"<D:prop><D:getetag/>{data}</D:prop><C:filter>{outer}</C:filter>"
    return "REPORT", f"<C:calendar-query {NS}>{body}</C:calendar-query>", "1"


def by_property(name: str, match: str) -> str:
    return f'<C:prop-filter name="{name}">{match}</C:prop-filter>'


REQUESTS = {
    "poll": propfind("<CS:getctag/><D:sync-token/><D:resourcetype/>", "0"),
    "calendar": propfind(OF_CALENDARS, "0"),
    "etags": propfind("<D:getetag/>", "1"),
    "everything of all": propfind(OF_OBJECTS, "1"),
    "first sync": (
        "REPORT",
        f"<D:sync-collection {NS}><D:sync-token/><D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop>"
        "</D:sync-collection>",
        "0",
    ),
    "all events": query(""),
    "no data": query("", ""),
    "a while": query(f"<C:time-range {RANGE}/>"),
    "from then on": query('<C:time-range start="20260615T120000Z"/>'),
    "until then": query('<C:time-range end="20260603T120000Z"/>'),
    "beyond the horizon": query('<C:time-range start="20400101T000000Z" end="20400201T000000Z"/>'),
    "expanded": query(f"<C:time-range {RANGE}/>", f"<C:calendar-data><C:expand {RANGE}/></C:calendar-data>"),
    "expanded, all": query("", f"<C:calendar-data><C:expand {RANGE}/></C:calendar-data>"),
    "by UID": query(by_property("UID", '<C:text-match collation="i;octet">7@x</C:text-match>')),
    "by part of a UID": query(by_property("UID", "<C:text-match>@X</C:text-match>")),
    "by no UID": query(by_property("UID", "<C:text-match>nowhere</C:text-match>")),
    "by title": query(by_property("SUMMARY", "<C:text-match>portraits</C:text-match>")),
    "not of that title": query(
        by_property("SUMMARY", '<C:text-match negate-condition="yes">portraits</C:text-match>')
    ),
    "with an alarm": query('<C:comp-filter name="VALARM"/>'),
    "without a place": query(by_property("LOCATION", "<C:is-not-defined/>")),
    "place and time": query(f"<C:time-range {RANGE}/>" + by_property("LOCATION", "")),
    "multiget": (
        "REPORT",
        f"<C:calendar-multiget {NS}><D:prop><D:getetag/><C:calendar-data/></D:prop>"
        + "".join(
            f"<D:href>/dav/anna%40studio.example/bookings/{name}</D:href>"
            for name in (
                "7.ics.ics",
                "8.ics.ics",
                "plain.ics",
                "none.ics",
                "Zo%C3%AB.ics",
                "c%40lon:comma,%20quote'star*.ics",
            )
        )
        + "</C:calendar-multiget>",
        "1",
    ),
}


@pytest.mark.parametrize("asked", REQUESTS)
def test_both_say_the_same(filled: Studio, slow: Client, asked: str) -> None:
    method, body, depth = REQUESTS[asked]
    mine = filled.anna(method, BOOKINGS, body, Depth=depth)
    theirs = slow(method, BOOKINGS, body, Depth=depth)

    assert (mine.status, parsed(mine.body)) == (theirs.status, parsed(theirs.body))


@pytest.mark.parametrize("path", ["/", "/anna@studio.example/"])
@pytest.mark.parametrize("depth", ["0", "1"])
def test_both_say_the_same_of_the_root_and_the_home(
    filled: Studio, slow: Client, path: str, depth: str
) -> None:
    filled.mirror("family", editable=False)
    props = OF_CALENDARS.replace("<D:current-user-privilege-set/>", "")  # Radicale makes no calendars here
    if path != "/":  # from the root, Radicale takes the root for the home
        props += "<C:calendar-home-set/><D:principal-URL/>"
    method, body, _ = propfind(props, depth)

    told = parsed(filled.anna(method, path, body, Depth=depth).body)

    assert told == parsed(slow(method, path, body, Depth=depth).body)


def test_both_say_the_same_of_what_has_changed(filled: Studio, slow: Client) -> None:
    token = filled.anna.sync(BOOKINGS).xml.findtext(DAV + "sync-token") or ""
    filled.anna.put(BOOKINGS + "new.ics", event("new"))
    filled.anna.put(BOOKINGS + "brief.ics", event("brief"))
    filled.anna("DELETE", BOOKINGS + "brief.ics")
    filled.book("20.ics", generated(20).replace("SUMMARY:", "SUMMARY:New "))
    filled.anna("MOVE", BOOKINGS + "new.ics", Destination="/dav" + BOOKINGS + "moved.ics")

    assert parsed(filled.anna.sync(BOOKINGS, token).body) == parsed(slow.sync(BOOKINGS, token).body)
    assert filled.anna.sync(BOOKINGS, "urn:nonsense").precondition == "valid-sync-token"
    assert slow.sync(BOOKINGS, "urn:nonsense").precondition == "valid-sync-token"


def test_both_say_the_same_of_free_and_busy(studio: Studio, slow: Client) -> None:
    """In minutes: Radicale names each occurrence, and the free ones too, we what they cover together. All-day
    and floating events are left out, since Radicale reads them in UTC."""
    series = "RRULE:FREQ=DAILY;COUNT=4\r\nEXDATE;TZID=Europe/Berlin:20260611T100000"
    for uid, lines in enumerate(("X:", "TRANSP:TRANSPARENT", "STATUS:TENTATIVE", "STATUS:CANCELLED", series)):
        hour = 10 if uid == 4 else 9 + uid
        studio.book(str(uid), event(str(uid), lines, start=f"20260610T{hour:02}0000"))
    studio.book("overlap", event("overlap", start="20260610T093000"))
    query = f'<C:free-busy-query {NS}><C:time-range start="20260610T073000Z" end="20260613T000000Z"/>'

    begun = _minute("20260610T073000Z")

    def minutes(client: Client) -> dict[str, set[int]]:
        answer = client("REPORT", BOOKINGS, query + "</C:free-busy-query>", Depth="1")
        found: dict[str, set[int]] = {}
        for line in answer.body.decode().replace("\r\n ", "").splitlines():
            name, _, value = line.partition(":")
            if name.startswith("FREEBUSY"):
                kind = name.partition("FBTYPE=")[2] or "BUSY"
                for period in value.split(","):
                    first, after = (_minute(at) for at in period.split("/"))
                    found.setdefault(kind, set()).update(range(max(first, begun), after))
        return found

    told = minutes(studio.anna)
    theirs = minutes(slow)
    assert told == {kind: theirs[kind] for kind in ("BUSY", "BUSY-TENTATIVE")}
    assert {kind: len(covered) for kind, covered in told.items()} == {"BUSY": 150, "BUSY-TENTATIVE": 60}


def _minute(at: str) -> int:
    return int(datetime.strptime(at, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()) // 60


def test_both_give_the_same_texts(filled: Studio, slow: Client) -> None:
    for path in (BOOKINGS, BOOKINGS + "7.ics.ics", BOOKINGS + "a&b<c>.ics".replace("<", "%3C")):
        mine, theirs = filled.anna("GET", path), slow("GET", path)
        assert (mine.status, mine.body) == (theirs.status, theirs.body)
        assert mine.headers == theirs.headers or mine.status != 200


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 40), st.integers(1, 30))
def test_a_series_or_event_expands_alike_read_by_text_or_by_tree(seed: int, day: int, length: int) -> None:
    """The short way for single events gives what the long way gives, to the byte."""
    from datetime import UTC, datetime, timedelta
    from zoneinfo import ZoneInfo

    from bridge.ical.occurrences import enclosing
    from bridge.store.shown import Shown
    from radicale_plugin.report import Expansion

    zone = ZoneInfo("Europe/Berlin")
    text = generated(seed)
    starts, ends, recurring = enclosing(text, zone)
    stored = Shown(1, "x", "x", "VEVENT", recurring, starts, ends, text)
    first = datetime(2026, 5, 25, tzinfo=UTC) + timedelta(days=day)
    window = int(first.timestamp()), int((first + timedelta(days=length)).timestamp())

    assert Expansion(*window).of(stored, zone) == Expansion(*window).of(stored, zone, indexed=False)
