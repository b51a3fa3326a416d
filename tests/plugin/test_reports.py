"""Reports: by time, by property, expanded, free-busy, changes since a token."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from bridge.ical.text import parse
from radicale_plugin import report
from tests.plugin.conftest import DAV, ICS, Studio, event

BOOKINGS = "/anna@studio.example/bookings/"


def between(start: str, end: str) -> str:
    return f'<C:time-range start="{start}" end="{end}"/>'


@pytest.fixture
def full(studio: Studio) -> Studio:
    """Samples of every style, a weekly series without end, and an all-day event."""
    for name in ("apple", "google", "outlook", "refused-by-vobject", "lf-only"):
        assert studio.anna.put(f"{BOOKINGS}{name}.ics", (ICS / f"{name}.ics").read_bytes()).status == 201
    weekly = event("weekly", "RRULE:FREQ=WEEKLY", summary="Yoga", start="20260105T200000")
    assert studio.anna.put(BOOKINGS + "weekly.ics", weekly).status == 201
    return studio


def prop(name: str, rules: str) -> str:
    return f'<C:prop-filter name="{name}">{rules}</C:prop-filter>'


def holds(text: str, **options: str) -> str:
    attributes = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in options.items())
    return f"<C:text-match{attributes}>{text}</C:text-match>"


def names(root: ET.Element) -> set[str]:
    return {(href.text or "").rpartition("/")[2].removesuffix(".ics") for href in root.iter(f"{DAV}href")}


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("20260612T140000Z", "20260612T160000Z", {"apple"}),
        ("20260612T160000Z", "20260612T170000Z", set()),  # its end is exclusive
        ("20260603T150000Z", "20260603T151500Z", {"google"}),  # 09:00 in Denver
        ("20260610T150000Z", "20260610T160000Z", set()),  # EXDATE
        ("20260617T200000Z", "20260617T210000Z", {"google"}),  # the override's new time
        ("20260617T150000Z", "20260617T160000Z", set()),  # and not its old one
        ("20260615T063000Z", "20260615T070000Z", {"outlook"}),  # a Windows time zone
        ("20260618T103000Z", "20260618T110000Z", {"refused-by-vobject"}),  # RDATE with a period
        (
            "20260619T220000Z",
            "20260619T230000Z",
            {"lf-only"},
        ),  # an all-day event begins at midnight in Berlin
        ("20260620T220000Z", "20260620T230000Z", set()),
        ("20301230T190000Z", "20301230T193000Z", {"weekly"}),
        ("20350101T000000Z", "20350108T000000Z", {"weekly"}),  # beyond any index of occurrences
    ],
)
def test_events_are_found_by_when_they_happen(full: Studio, start: str, end: str, expected: set[str]) -> None:
    answer = full.anna.query(BOOKINGS, between(start, end))
    assert answer.status == 207
    assert names(answer.xml) == expected


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (prop("UID", holds("weekly", collation="i;octet")), {"weekly"}),
        (prop("SUMMARY", holds("HALLE 3")), {"outlook"}),
        (prop("SUMMARY", holds("halle 3", collation="i;octet")), set()),
        (prop("SUMMARY", holds("MÜLLER", collation="i;unicode-casemap")), {"apple"}),
        (prop("RRULE", ""), {"google", "weekly"}),
        (prop("LOCATION", "<C:is-not-defined/>"), {"google", "refused-by-vobject", "lf-only", "weekly"}),
        (
            prop("ATTENDEE", f'<C:param-filter name="PARTSTAT">{holds("needs-action")}</C:param-filter>'),
            {"apple"},
        ),
        ('<C:comp-filter name="VALARM"/>', {"apple", "outlook"}),
        (between("20260601T000000Z", "20260701T000000Z") + prop("RRULE", ""), {"google", "weekly"}),
        (prop("STATUS", holds("CONFIRMED", negate_condition="yes")), {"google"}),  # a tentative override
    ],
)
def test_events_are_found_by_what_they_hold(full: Studio, rules: str, expected: set[str]) -> None:
    assert names(full.anna.query(BOOKINGS, rules).xml) == expected


def test_two_users_may_mean_different_zones_by_one_name(studio: Studio) -> None:
    def shifted(uid: str, offset: str) -> str:
        zone = (
            "BEGIN:VTIMEZONE\r\nTZID:Studio Time\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\n"
            f"TZOFFSETFROM:{offset}\r\nTZOFFSETTO:{offset}\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
        )
        return (
            event(uid).replace("BEGIN:VEVENT", zone + "BEGIN:VEVENT").replace("Europe/Berlin", "Studio Time")
        )

    theirs = "/berta@elsewhere.example/bookings/"
    studio.anna.put(BOOKINGS + "a.ics", shifted("a", "+0530"))
    studio.berta.put(theirs + "b.ics", shifted("b", "-0800"))

    assert names(studio.anna.query(BOOKINGS, between("20260610T043000Z", "20260610T044500Z")).xml) == {"a"}
    assert names(studio.berta.query(theirs, between("20260610T180000Z", "20260610T181500Z")).xml) == {"b"}
    assert names(studio.berta.query(theirs, between("20260610T043000Z", "20260610T044500Z")).xml) == set()


def test_a_series_is_expanded_in_the_window_and_objects_of_every_style_with_it(full: Studio) -> None:
    window = 'start="20260601T000000Z" end="20260630T000000Z"'
    answer = full.anna.query(
        BOOKINGS, f"<C:time-range {window}/>", f"<C:calendar-data><C:expand {window}/></C:calendar-data>"
    )

    assert answer.status == 207
    texts = answer.texts()
    assert set(texts) == {
        "apple.ics",
        "google.ics",
        "outlook.ics",
        "refused-by-vobject.ics",
        "lf-only.ics",
        "weekly.ics",
    }

    def instances(name: str) -> list[tuple[str | None, ...]]:
        tree = parse(texts[name])
        assert not list(tree.components("VTIMEZONE"))
        return [
            tuple(instance.value(prop) for prop in ("RECURRENCE-ID", "DTSTART", "DTEND", "SUMMARY", "RRULE"))
            for instance in tree.components("VEVENT")
        ]

    call, moved = "Weekly call with second shooter", "Weekly call (moved)"
    assert instances("google.ics") == [
        ("20260603T150000Z", "20260603T150000Z", "20260603T160000Z", call, None),
        ("20260617T150000Z", "20260617T200000Z", "20260617T210000Z", moved, None),
    ]
    assert [instance[1] for instance in instances("weekly.ics")] == [
        f"202606{day}T180000Z" for day in ("01", "08", "15", "22", "29")
    ]
    assert instances("lf-only.ics") == [(None, "20260620", "20260621", "All day, bare LF", None)]
    assert [instance[1:3] for instance in instances("refused-by-vobject.ics")] == [
        ("20260611T100000Z", "20260611T110000Z"),
        ("20260618T100000Z", "20260618T120000Z"),
        ("20260625T100000Z", "20260625T103000Z"),
    ]


def test_an_expansion_without_bounds_is_refused_not_carried_out(
    full: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "MOST", 20)
    window = 'start="20260601T000000Z" end="20290630T000000Z"'

    answer = full.anna.query(
        BOOKINGS, f"<C:time-range {window}/>", f"<C:calendar-data><C:expand {window}/></C:calendar-data>"
    )

    assert (answer.status, answer.precondition) == (403, "number-of-matches-within-limits")


def test_free_busy_tells_when_and_nothing_else(full: Studio) -> None:
    full.anna.put(BOOKINGS + "free.ics", event("free", "TRANSP:TRANSPARENT", start="20260612T110000"))
    full.anna.put(BOOKINGS + "off.ics", event("off", "STATUS:CANCELLED", start="20260612T120000"))
    full.anna.put(BOOKINGS + "near.ics", event("near", start="20260612T173000"))

    answer = full.anna(
        "REPORT",
        BOOKINGS,
        '<C:free-busy-query xmlns:C="urn:ietf:params:xml:ns:caldav">'
        + between("20260612T000000Z", "20260618T000000Z")
        + "</C:free-busy-query>",
        Depth="1",
    )

    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    [found] = parse(answer.body.decode()).components("VFREEBUSY")
    assert [(line.param("FBTYPE"), line.value) for line in found.lines("FREEBUSY")] == [
        ("BUSY", "20260612T140000Z/20260612T163000Z"),  # two that overlap
        ("BUSY", "20260615T063000Z/20260615T100000Z"),
        ("BUSY", "20260615T180000Z/20260615T190000Z"),
        ("BUSY-TENTATIVE", "20260617T200000Z/20260617T210000Z"),  # the override's own status
    ]
    assert b"Vorgespr" not in answer.body


def test_changes_since_a_token(studio: Studio) -> None:
    studio.anna.put(BOOKINGS + "kept.ics", event("kept"))
    studio.anna.put(BOOKINGS + "gone.ics", event("gone"))
    first = studio.anna.sync(BOOKINGS)
    assert first.statuses() == {"kept.ics": 200, "gone.ics": 200}
    token = first.xml.findtext(f"{DAV}sync-token") or ""
    assert studio.anna.props(BOOKINGS, "D:sync-token").xml.findtext(f".//{DAV}sync-token") == token

    nothing = studio.anna.sync(BOOKINGS, token)
    assert (nothing.statuses(), nothing.xml.findtext(f"{DAV}sync-token")) == ({}, token)

    studio.anna("DELETE", BOOKINGS + "gone.ics")
    studio.anna.put(BOOKINGS + "new.ics", event("new"))
    studio.anna.put(BOOKINGS + "brief.ics", event("brief"))
    studio.anna("DELETE", BOOKINGS + "brief.ics")
    assert studio.anna.sync(BOOKINGS, token).statuses() == {"gone.ics": 404, "new.ics": 200, "brief.ics": 404}
    assert studio.anna.sync(BOOKINGS).statuses() == {"kept.ics": 200, "new.ics": 200}


def test_a_token_that_is_not_ours_is_refused_by_name(studio: Studio) -> None:
    studio.mirror("other", editable=False)
    ours = studio.anna.sync(BOOKINGS).xml.findtext(f"{DAV}sync-token") or ""
    others = studio.anna.sync("/anna@studio.example/other/").xml.findtext(f"{DAV}sync-token") or ""
    for token in ("nonsense", "http://radicale.org/ns/sync/abc", others, ours.rpartition(":")[0] + ":999"):
        answer = studio.anna.sync(BOOKINGS, token)
        assert (answer.status, answer.precondition) == (403, "valid-sync-token")


def test_the_whole_calendar_in_one_text(full: Studio) -> None:
    answer = full.anna("GET", BOOKINGS)

    assert answer.status == 200
    tree = parse(answer.body.decode())
    assert {one.value("UID") for one in tree.components("VEVENT")} >= {"weekly", "lf-only", "odd-but-legal"}
    zones = [zone.value("TZID") for zone in tree.components("VTIMEZONE")]
    assert sorted(zones) == ["America/Denver", "Europe/Berlin", "W. Europe Standard Time"]
    assert answer.body.count(b"\r\n") == answer.body.count(b"\n")


def test_a_multiget_says_what_is_missing_and_what_is_not_here(full: Studio) -> None:
    answer = full.anna.multiget(
        BOOKINGS, "apple.ics", "missing.ics", "../../berta@elsewhere.example/bookings/x.ics"
    )
    statuses = answer.statuses()
    assert statuses["apple.ics"] == 200
    assert statuses["missing.ics"] == 404
    assert statuses.get("x.ics", 404) == 404


def test_ten_thousand_hrefs_are_answered(studio: Studio) -> None:
    studio.anna.put(BOOKINGS + "it.ics", event("it"))
    answer = studio.anna.multiget(BOOKINGS, "it.ics", *(f"no{n}.ics" for n in range(10_000)))
    assert answer.status == 207
    assert list(answer.statuses().values()).count(404) == 10_000
