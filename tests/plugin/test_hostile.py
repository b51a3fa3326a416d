"""Requests meant to hurt: each is answered by a 4xx (or, where it is merely large, in full) within bounds of
time and memory. The bounds are of processor time, wide enough for a slow machine; what they guard against is
growth without end."""

from __future__ import annotations

import io
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.plugin.conftest import Client, Studio, event

BOOKINGS = "/anna@studio.example/bookings/"
NS = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'


@contextmanager
def within(seconds: float, megabytes: float | None = None) -> Iterator[None]:
    """Processor time of this thread, and memory on top of what is there."""
    if megabytes is not None:
        tracemalloc.start()
    begun = time.thread_time()
    try:
        yield
        spent = time.thread_time() - begun
        if megabytes is not None:
            assert tracemalloc.get_traced_memory()[1] < megabytes * 1e6
        assert spent < seconds
    finally:
        if megabytes is not None:
            tracemalloc.stop()


def report(client: Client, body: str | bytes) -> int:
    return client("REPORT", BOOKINGS, body, Depth="1").status


def query(rules: str) -> str:
    return (
        f"<C:calendar-query {NS}><D:prop><D:getetag/></D:prop><C:filter>{rules}</C:filter></C:calendar-query>"
    )


def test_ten_megabytes_of_description(studio: Studio) -> None:
    with within(20, 120):
        status = studio.anna.put(BOOKINGS + "big.ics", event("big", "DESCRIPTION:" + "x" * 10_000_000)).status
    assert status == 403
    with within(20, 120):
        status = studio.anna.put(BOOKINGS + "big.ics", b"x" * 14_000_000).status
    assert status == 413


def test_ten_megabytes_of_lines(studio: Studio) -> None:
    """Under the limit of bytes, but each line would cost time."""
    for lines, status in ((40_000, 201), (1_300_000, 403)):
        with within(30):
            assert studio.anna.put(BOOKINGS + "big.ics", event("big", *["X-A:b"] * lines)).status == status


def test_ten_thousand_hrefs_are_answered_one_by_one(studio: Studio) -> None:
    studio.anna.put(BOOKINGS + "7.ics", event("7"))
    with within(20, 60):
        answer = studio.anna.multiget(BOOKINGS, *(f"{number}.ics" for number in range(10_000)))
    statuses = answer.statuses()
    assert (answer.status, len(statuses), statuses["7.ics"]) == (207, 10_000, 200)


@pytest.mark.parametrize(
    "body",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
        + "".join(f'<!ENTITY {name} "{f"&{chr(ord(name) - 1)};" * 10}">' for name in "bcdefghi")
        + f"]><D:propfind {NS}><D:prop>&i;</D:prop></D:propfind>",
        f'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><D:propfind {NS}>&e;</D:propfind>',
        f'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><D:sync-collection {NS}/>',
        f"<D:sync-collection {NS}>" + "<D:prop>" * 100_000,
        query('<C:comp-filter name="VCALENDAR">' * 50 + "</C:comp-filter>" * 50),
        "<" + "a:" * 100_000,
        f"<D:propfind {NS}>" + "<D:prop/>" * 300_000 + "</D:propfind>",
        f"<D:propfind {NS} {''.join(f' a{n}=' + chr(34) + chr(34) for n in range(50_000))}/>",
    ],
    ids=["bomb", "entity", "dtd", "deep", "deep filter", "name", "many", "attributes"],
)
@pytest.mark.parametrize("method", ["PROPFIND", "REPORT"])
def test_xml_that_explodes_nests_or_fetches(studio: Studio, method: str, body: str) -> None:
    with within(15):
        assert studio.anna(method, BOOKINGS, body).status == 400


@pytest.mark.parametrize(
    "rules",
    [
        '<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">'
        + '<C:prop-filter name="SUMMARY"><C:text-match>x</C:text-match></C:prop-filter>' * 2000
        + "</C:comp-filter></C:comp-filter>",
        '<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">'
        + f'<C:prop-filter name="SUMMARY"><C:text-match>{"x" * 1_000_000}</C:text-match></C:prop-filter>'
        + "</C:comp-filter></C:comp-filter>",
    ],
    ids=["many rules", "a long match"],
)
def test_filters_that_are_much_work(studio: Studio, rules: str) -> None:
    for number in range(50):
        studio.anna.put(f"{BOOKINGS}{number}.ics", event(f"{number}@x", summary="x"))
    with within(20):
        assert report(studio.anna, query(rules)) in (207, 400, 403)


@pytest.mark.parametrize(
    "rule",
    [
        "RRULE:FREQ=SECONDLY;COUNT=1000000000",
        "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "RRULE:FREQ=DAILY;UNTIL=99991231T000000Z",
    ],
)
def test_a_billion_instances(studio: Studio, rule: str) -> None:
    everything = 'start="00010101T000000Z" end="99991231T000000Z"'
    with within(40):
        put = studio.anna.put(BOOKINGS + "series.ics", event("series", rule)).status
        assert put in (201, 403)
        plain = (
            '<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">{}</C:comp-filter></C:comp-filter>'
        )
        asked = plain.format(f"<C:time-range {everything}/>")
        assert report(studio.anna, query(asked)) == 207
        expand = f"<C:calendar-data><C:expand {everything}/></C:calendar-data>"
        assert report(studio.anna, query(asked).replace("<D:getetag/>", expand)) in (207, 403)
        assert (
            report(studio.anna, f"<C:free-busy-query {NS}><C:time-range {everything}/></C:free-busy-query>")
            == 200
        )


def test_a_query_of_one_object_that_radicale_cannot_read(studio: Studio) -> None:
    studio.anna.put(BOOKINGS + "1.ics", event("1", "CREATED:x"))
    rule = '<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:param-filter name="X"/>'
    body = query(rule + "</C:comp-filter></C:comp-filter>")
    assert studio.anna("REPORT", BOOKINGS + "1.ics", body, Depth="0").status == 400


def test_a_length_that_lies(studio: Studio) -> None:
    text = event("it").encode()
    for length in (str(len(text) + 1), "-1", "1e3", "1" * 400, "0x10", "٣", " 5"):
        answer = studio.anna(
            "PUT", BOOKINGS + "it.ics", text, environ={"CONTENT_LENGTH": length}, Content_Type="text/calendar"
        )
        assert answer.status in (400, 413), length
    cut = studio.anna(
        "PUT", BOOKINGS + "it.ics", text, environ={"CONTENT_LENGTH": "40"}, Content_Type="text/calendar"
    )
    assert cut.status == 403  # an event that breaks off is none
    assert studio.anna("GET", BOOKINGS + "it.ics").status == 404


def test_a_body_that_comes_byte_by_byte(studio: Studio) -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(1 if size else 0)

    text = event("it").encode()
    answer = studio.anna(
        "PUT", BOOKINGS + "it.ics", text, environ={"wsgi.input": Slow(text)}, Content_Type="text/calendar"
    )
    assert answer.status == 201
    assert studio.anna("GET", BOOKINGS + "it.ics").body == text


@pytest.mark.parametrize(
    "path",
    [
        BOOKINGS + "../../berta@elsewhere.example/bookings/",
        BOOKINGS + "%2e%2e/x.ics",
        BOOKINGS + "%2e/x.ics",
        BOOKINGS + "a%00b.ics",
        BOOKINGS + "a%0d%0aSet-Cookie:x=1.ics",
        BOOKINGS + "%c0%ae%c0%ae/x.ics",
        BOOKINGS + "%ff.ics",
        BOOKINGS + "%e2%80%8b%e2%80%ae.ics",
        BOOKINGS + "x" * 3000,
        "/" * 3000,
    ],
)
@pytest.mark.parametrize(
    "method", ["GET", "PUT", "DELETE", "PROPFIND", "REPORT", "PROPPATCH", "MOVE", "MKCALENDAR"]
)
def test_paths_that_play_tricks(studio: Studio, method: str, path: str) -> None:
    answer = studio.anna(
        method, path, event("it"), Content_Type="text/calendar", Destination="/dav" + BOOKINGS + "b.ics"
    )
    assert 400 <= answer.status < 500
    assert not any("\r" in value or "\n" in value for value in answer.headers.values())


def test_nothing_is_at_the_addresses_that_play_tricks(studio: Studio) -> None:
    studio.anna.put(BOOKINGS + "it.ics", event("it"))
    names = ["it.ics", "%00", "a%00b.ics", "%ff.ics", "%c0%ae.ics", "..", "%0d%0a", "x" * 3000]
    found = studio.anna.multiget(BOOKINGS, *names).statuses()
    assert list(found.values()) == [200] + 7 * [404], found


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Depth", "infinity\r\nX: y"),
        ("Depth", "9" * 10_000),
        ("If_Match", '"' * 50_000),
        ("If_None_Match", ", " * 50_000),
        ("Prefer", "return=minimal," * 20_000),
        ("Content_Type", "text/calendar; charset=" + "x" * 50_000),
        ("Content_Type", 'text/calendar; charset="utf-8\r\nX: y"'),
        ("Destination", "http://[" + "x" * 50_000),
        ("Destination", "/dav/..%2f..%2fberta@elsewhere.example/bookings/x.ics"),
        ("Accept_Encoding", "gzip;q=," * 20_000),
        ("User_Agent", "\x00\xff" * 1000),
        ("X_Script_Name", "/elsewhere"),
        ("X_Forwarded_Host", "evil.example\r\nX: y"),
    ],
)
def test_headers_that_play_tricks(studio: Studio, name: str, value: str) -> None:
    for method in ("PUT", "MOVE", "PROPFIND", "GET", "DELETE"):
        headers = {"Content_Type": "text/calendar"} | {name: value}
        with within(10):
            answer = studio.anna(method, BOOKINGS + "it.ics", event("it"), **headers)
        assert answer.status < 500
        assert not any("\r" in said or "\n" in said for said in answer.headers.values())
        assert b"evil.example" not in answer.body


_TAGS = (
    "D:prop D:getetag D:href D:sync-token D:sync-level D:limit D:nresults D:set D:remove C:calendar-timezone "
    "C:filter C:comp-filter C:prop-filter C:param-filter C:text-match C:time-range C:is-not-defined "
    "C:calendar-data C:expand C:limit-recurrence-set C:comp C:timezone C:timezone-id"
)
_ATTRIBUTES = st.dictionaries(
    st.sampled_from(["name", "start", "end", "collation", "negate-condition", "novalue", "version"]),
    st.sampled_from(
        ["VCALENDAR", "VEVENT", "20260601T000000Z", "20260701T000000Z", "yes", "i;octet", "", "é"]
    ),
    max_size=3,
)
_TEXTS = st.sampled_from(
    ["", "x", "1", "urn:x", "/dav/anna%40studio.example/bookings/7.ics", "http://[", "\U0001f4f7", "UTC"]
)


@st.composite
def _elements(draw: st.DrawFn, depth: int = 0) -> str:
    tag, attributes = draw(st.sampled_from(_TAGS.split())), draw(_ATTRIBUTES)
    inner = "".join(draw(st.lists(_elements(depth + 1), max_size=3))) if depth < 5 else ""
    written = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f"<{tag}{written}>{draw(_TEXTS)}{inner}</{tag}>"


_ROOTS = (
    "D:propfind D:propertyupdate D:sync-collection C:calendar-query C:calendar-multiget C:free-busy-query "
    "D:principal-property-search D:principal-search-property-set D:expand-property"
)


@pytest.fixture(scope="module")
def anna(prepared: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    from tests.plugin.conftest import opened

    with opened(prepared, tmp_path_factory.mktemp("hostile")) as studio:
        for number in range(5):
            studio.anna.put(f"{BOOKINGS}{number}.ics", event(f"{number}@x", "RRULE:FREQ=WEEKLY"))
        yield studio.anna


@settings(max_examples=80, deadline=None)
@given(
    root=st.sampled_from(_ROOTS.split()),
    inner=st.lists(_elements(), max_size=4),
    method=st.sampled_from(["PROPFIND", "REPORT", "PROPPATCH"]),
    path=st.sampled_from(["/", "/anna@studio.example/", BOOKINGS, BOOKINGS + "1.ics", BOOKINGS + "none/x"]),
    depth=st.sampled_from(["0", "1", "infinity"]),
)
def test_no_nonsense_is_an_error_of_ours(
    anna: Client, root: str, inner: list[str], method: str, path: str, depth: str
) -> None:
    body = f"<{root} {NS}>{''.join(inner)}</{root}>"
    assert anna(method, path, body, Depth=depth).status < 500


@settings(max_examples=50, deadline=None)
@given(body=st.binary(max_size=300), method=st.sampled_from(["PUT", "REPORT", "PROPFIND", "PROPPATCH"]))
def test_no_bytes_are_an_error_of_ours(anna: Client, body: bytes, method: str) -> None:
    assert anna(method, BOOKINGS + "bytes.ics", body, Content_Type="text/calendar").status < 500
