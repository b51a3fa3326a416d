"""Berta holds a valid device and tries everything on what is Anna's; a stranger holds none."""

from __future__ import annotations

import itertools

import pytest

from tests.plugin.conftest import Answer, Client, Studio, event

ANNA = "/anna@studio.example/"
PATHS = {
    "principal": ANNA,
    "bookings": ANNA + "bookings/",
    "a booking": ANNA + "bookings/b1.ics",
    "a mirror": ANNA + "family/",
    "an editable mirror": ANNA + "shared/",
    "an object of it": ANNA + "shared/x.ics",
}
NOWHERE = {name: path.replace("anna@", "nobody@") for name, path in PATHS.items()}
PROPFIND = '<D:propfind xmlns:D="DAV:"><D:prop><D:displayname/><D:getetag/></D:prop></D:propfind>'
PROPPATCH = (
    '<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><D:displayname>Hers</D:displayname></D:prop></D:set>'
    "</D:propertyupdate>"
)
QUERY = (
    '<C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">'
    '<D:prop><C:calendar-data/></D:prop><C:filter><C:comp-filter name="VCALENDAR"/></C:filter>'
    "</C:calendar-query>"
)
FREE_BUSY = (
    '<C:free-busy-query xmlns:C="urn:ietf:params:xml:ns:caldav">'
    '<C:time-range start="20260101T000000Z" end="20270101T000000Z"/></C:free-busy-query>'
)
REQUESTS: dict[str, tuple[str, str, dict[str, str]]] = {
    "GET": ("GET", "", {}),
    "HEAD": ("HEAD", "", {}),
    "PROPFIND 0": ("PROPFIND", PROPFIND, {"Depth": "0"}),
    "PROPFIND 1": ("PROPFIND", PROPFIND, {"Depth": "1"}),
    "PROPPATCH": ("PROPPATCH", PROPPATCH, {}),
    "query": ("REPORT", QUERY, {"Depth": "1"}),
    "free-busy": ("REPORT", FREE_BUSY, {"Depth": "1"}),
    "sync": ("REPORT", '<D:sync-collection xmlns:D="DAV:"><D:sync-token/><D:prop/></D:sync-collection>', {}),
    "PUT": ("PUT", event("hers"), {"Content_Type": "text/calendar"}),
    "PUT on a guessed version": ("PUT", event("b1"), {"Content_Type": "text/calendar", "If_Match": "*"}),
    "DELETE": ("DELETE", "", {}),
    "MOVE": ("MOVE", "", {"Destination": "/dav/berta@elsewhere.example/bookings/stolen.ics"}),
    "MKCALENDAR": ("MKCALENDAR", "", {}),
    "MKCOL": ("MKCOL", "", {}),
    "POST": ("POST", "", {}),
}


@pytest.fixture
def furnished(studio: Studio) -> Studio:
    studio.book("b1", event("b1", summary="Secret wedding"))
    studio.imported(studio.mirror("family", editable=False), "y.ics", event("y", summary="Secret doctor"))
    studio.imported(studio.mirror("shared", editable=True), "x.ics", event("x", summary="Secret date"))
    return studio


def told(answer: Answer) -> tuple[object, ...]:
    """What an answer gives away."""
    return answer.status, answer.body, answer.etag


def test_another_tenant_reads_and_changes_nothing_and_cannot_tell_what_exists(furnished: Studio) -> None:
    before = furnished.anna.sync(ANNA + "bookings/").body, furnished.anna.sync(ANNA + "shared/").body

    for kind, (method, body, headers) in itertools.product(PATHS, REQUESTS.values()):
        real = furnished.berta(method, PATHS[kind], body, **headers)
        imagined = furnished.berta(method, NOWHERE[kind], body, **headers)
        assert real.status in (403, 405), (method, kind, real.status)
        assert b"Secret" not in real.body
        assert told(real) == told(imagined), (method, kind)

    assert (
        furnished.anna.sync(ANNA + "bookings/").body,
        furnished.anna.sync(ANNA + "shared/").body,
    ) == before
    assert furnished.berta.sync("/berta@elsewhere.example/bookings/").statuses() == {}
    assert furnished.woken == []


def test_a_stranger_is_asked_to_sign_in_everywhere(furnished: Studio) -> None:
    stranger = Client(furnished.app)
    for kind, (method, body, headers) in itertools.product(["root", *PATHS], REQUESTS.values()):
        answer = stranger(method, PATHS.get(kind, "/"), body, **headers)
        if method != "POST":
            assert answer.status == 401, (method, kind, answer.status)
            assert answer.headers["WWW-Authenticate"].startswith("Basic ")
        assert b"Secret" not in answer.body


def test_an_event_is_not_smuggled_into_anothers_calendar(furnished: Studio) -> None:
    own = "/berta@elsewhere.example/bookings/"
    furnished.berta.put(own + "mine.ics", event("mine"))
    for path in PATHS.values():
        assert furnished.berta("MOVE", own + "mine.ics", Destination="/dav" + path).status == 403
    assert furnished.berta.multiget(own, "../../anna@studio.example/bookings/b1.ics").texts() == {}
    assert furnished.berta.multiget("/", "anna@studio.example/bookings/b1.ics").status in (403, 207)


def test_the_root_shows_a_user_to_themselves_only(furnished: Studio) -> None:
    answer = furnished.berta.props("/", "D:resourcetype", depth="1")
    assert b"berta" in answer.body
    assert b"anna" not in answer.body


def test_the_same_uid_in_two_studios_is_two_events(furnished: Studio) -> None:
    assert (
        furnished.berta.put("/berta@elsewhere.example/bookings/b1.ics", event("b1", summary="Hers")).status
        == 201
    )
    assert b"Secret wedding" in furnished.anna("GET", ANNA + "bookings/b1.ics").body
