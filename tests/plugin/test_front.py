"""What the front keeps from Radicale: tricks, hostile bodies, headers of strangers."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from bridge.errors import StoreError
from bridge.store.db import Database
from radicale_plugin.front import make_dav_app
from tests.plugin.conftest import Client, Studio, event

HOME = "/anna@studio.example/"
BOOKINGS = HOME + "bookings/"


@pytest.mark.parametrize(
    "path",
    [
        "/anna@studio.example/../berta@elsewhere.example/bookings/",
        "/anna@studio.example/%2e%2e/berta@elsewhere.example/bookings/",
        "/anna@studio.example/bookings/%2e%2e%2fbookings/x.ics",
        "/anna@studio.example/bookings/./x.ics",
        "/anna@studio.example/bookings/x%00.ics",
        "/anna@studio.example/bookings/x%0d%0aSet-Cookie:%20a=b",
        "/anna@studio.example/bookings/%c0%ae%c0%ae/x.ics",  # overlong UTF-8 for ..
        "/anna@studio.example/bookings/%ff.ics",
        "/anna@studio.example/bookings/%ed%a0%80.ics",  # half a surrogate pair
        "/anna@studio.example/bookings/" + "x" * 3000,
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PROPFIND"])
def test_a_path_that_plays_tricks_is_refused(studio: Studio, path: str, method: str) -> None:
    assert studio.anna(method, path, environ={"CONTENT_LENGTH": "0"}).status == 400


@pytest.mark.parametrize(
    "path", ["/.web", "/.web/", "/.mobileconfig", "/.token/v1/x/", "/.sharing/v1/all", "/.well-known/caldav"]
)
def test_radicales_own_pages_are_not_here(studio: Studio, path: str) -> None:
    assert studio.anna("GET", path).status == 404
    assert studio.anna("POST", path).status == 404


def test_a_browser_at_the_address_is_told_what_it_is(studio: Studio) -> None:
    for path in ("/", HOME):
        answer = studio.anna("GET", path)
        assert answer.status == 200
        assert b"calendar apps" in answer.body


def test_a_chunked_put_is_read_to_its_end(studio: Studio) -> None:
    """As a server hands over a chunked body: no length, an end that is an end."""
    answer = studio.anna(
        "PUT",
        BOOKINGS + "c.ics",
        environ={
            "CONTENT_LENGTH": None,
            "wsgi.input": io.BytesIO(event("c").encode()),
            "wsgi.input_terminated": True,
            "CONTENT_TYPE": "text/calendar",
        },
    )
    assert answer.status == 201
    assert studio.anna("GET", BOOKINGS + "c.ics").body == event("c").encode()


@pytest.mark.parametrize(
    ("environ", "status"),
    [
        ({"CONTENT_LENGTH": "999"}, 400),  # claims more than it sends
        ({"CONTENT_LENGTH": "-1"}, 400),
        ({"CONTENT_LENGTH": "ten"}, 400),
        ({"CONTENT_LENGTH": "\u0664"}, 400),
        ({"CONTENT_LENGTH": "9" * 400}, 413),
        ({"CONTENT_LENGTH": None, "HTTP_TRANSFER_ENCODING": "chunked"}, 411),
        ({"CONTENT_LENGTH": None}, 403),  # an empty body is no calendar
        ({"CONTENT_LENGTH": "40"}, 403),  # only what was announced is read
    ],
)
def test_a_lying_length(studio: Studio, environ: dict[str, object], status: int) -> None:
    answer = studio.anna.__call__(
        "PUT", BOOKINGS + "l.ics", event("l"), environ={"CONTENT_TYPE": "text/calendar", **environ}
    )
    assert answer.status == status
    assert studio.anna("GET", BOOKINGS + "l.ics").status == 404


def test_an_endless_chunked_body_is_cut_off(studio: Studio) -> None:
    class Endless:
        given = 0

        def read(self, size: int) -> bytes:
            part = min(size, 65_536)
            self.given += part
            return b"x" * part

    stream = Endless()
    answer = studio.anna(
        "PUT",
        BOOKINGS + "e.ics",
        environ={"CONTENT_LENGTH": None, "wsgi.input": stream, "wsgi.input_terminated": True},
    )
    assert (answer.status, answer.precondition) == (413, "max-resource-size")
    assert stream.given <= 2 * studio.bridge.settings.max_resource_bytes


def test_headers_of_strangers_change_no_address(studio: Studio) -> None:
    studio.anna.put(BOOKINGS + "it.ics", event("it"))
    lies = {
        "X_Script_Name": "/evil",
        "X_Forwarded_Host": "evil.example",
        "X_Forwarded_For": "1.2.3.4",
        "X_Forwarded_Proto": "https",
        "X_Remote_User": "berta@elsewhere.example",
        "X_Remote_Addr": "1.2.3.4",
        "Forwarded": "for=1.2.3.4",
    }
    answer = studio.anna.__call__("PROPFIND", BOOKINGS, Depth="1", **lies)
    assert answer.status == 207
    assert b"evil" not in answer.body
    assert b"/dav/anna%40studio.example/bookings/it.ics" in answer.body
    assert Client(studio.app)("PROPFIND", HOME, **lies).status == 401


BOMB = '<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
NAMESPACES = 'xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:D="DAV:"'


def query(rules: str) -> str:
    asked = f"<D:prop><D:getetag/></D:prop><C:filter>{rules}</C:filter>"
    return f"<C:calendar-query {NAMESPACES}>{asked}</C:calendar-query>"


def events(rules: str) -> str:
    return query(
        '<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">'
        f"{rules}</C:comp-filter></C:comp-filter>"
    )


def multiget(href: str) -> str:
    return f"<C:calendar-multiget {NAMESPACES}><D:prop/>{href}</C:calendar-multiget>"


@pytest.mark.parametrize(
    "body",
    [
        "no xml",
        "<unclosed>",
        "<propfind/>",
        '<D:propfind xmlns:D="DAV:"/>',
        '<D:propfind xmlns:D="DAV:"><prop/></D:propfind>',
        BOMB + '<D:propfind xmlns:D="DAV:"><D:prop>&b;</D:prop></D:propfind>',
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
        '<D:propfind xmlns:D="DAV:"><D:prop>&e;</D:prop></D:propfind>',
        '<D:propfind xmlns:D="DAV:">' + "<D:prop>" * 5000 + "</D:prop>" * 5000 + "</D:propfind>",
        b"\xff\xfe\x00",
        '<?xml version="1.0" encoding="klingon"?><D:propfind xmlns:D="DAV:"/>',
    ],
)
@pytest.mark.parametrize("method", ["PROPFIND", "REPORT", "PROPPATCH"])
def test_hostile_xml_is_a_bad_request(studio: Studio, body: str | bytes, method: str) -> None:
    assert studio.anna(method, BOOKINGS, body).status == 400


@pytest.mark.parametrize(
    "body",
    [
        query(""),
        events("<C:time-range/>"),
        events('<C:time-range start="20261301T000000Z"/>'),
        events('<C:time-range start="tomorrow"/>'),
        events('<C:time-range start="20260102T000000Z" end="20260101T000000Z"/>'),
        f"<C:free-busy-query {NAMESPACES}/>",
        multiget("<D:href/>"),
    ],
)
def test_a_report_that_makes_no_sense_is_a_bad_request(studio: Studio, body: str) -> None:
    assert studio.anna("REPORT", BOOKINGS, body).status == 400


@pytest.mark.parametrize(
    ("rules", "element"),
    [
        (
            '<C:prop-filter name="UID"><C:text-match collation="i;klingon">x</C:text-match></C:prop-filter>',
            "supported-collation",
        ),
        ('<C:sort-by-mood xmlns:C="urn:ietf:params:xml:ns:caldav"/>', "supported-filter"),
    ],
)
def test_a_filter_we_do_not_know_is_named(studio: Studio, rules: str, element: str) -> None:
    studio.anna.put(BOOKINGS + "it.ics", event("it"))
    answer = studio.anna.query(BOOKINGS, rules)
    assert (answer.status, answer.precondition) == (403, element)


def test_too_many_or_too_long_properties_are_refused(studio: Studio) -> None:
    def proppatch(props: str) -> int:
        change = f"<D:set><D:prop>{props}</D:prop></D:set>"
        body = f'<D:propertyupdate xmlns:D="DAV:" xmlns:X="urn:x">{change}</D:propertyupdate>'
        return studio.anna("PROPPATCH", BOOKINGS, body).status

    assert proppatch("".join(f"<X:p{n}>v</X:p{n}>" for n in range(200))) == 400
    assert proppatch(f"<D:displayname>{'x' * 50_000}</D:displayname>") == 400
    assert proppatch("<X:p>v</X:p>") == 207


METHODS = [
    "GET",
    "HEAD",
    "PUT",
    "DELETE",
    "MOVE",
    "PROPFIND",
    "PROPPATCH",
    "REPORT",
    "OPTIONS",
    "POST",
    "MKCOL",
]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from(METHODS),
    path=st.one_of(
        st.sampled_from(["/", HOME, BOOKINGS, BOOKINGS + "it.ics"]),
        st.binary(max_size=30).map(lambda raw: BOOKINGS + "".join(f"%{byte:02x}" for byte in raw)),
    ),
    body=st.one_of(
        st.binary(max_size=200), st.sampled_from([event("it"), event("z").replace("VEVENT", "VTODO")])
    ),
    headers=st.fixed_dictionaries(
        {},
        optional={
            "Depth": st.text(max_size=5),
            "If_Match": st.text(st.characters(codec="latin-1"), max_size=12),
            "If_None_Match": st.text(st.characters(codec="latin-1"), max_size=12),
            "Destination": st.text(st.characters(codec="latin-1"), max_size=30),
            "Overwrite": st.text(max_size=3),
            "Content_Type": st.text(st.characters(codec="latin-1"), max_size=30),
        },
    ),
)
def test_no_request_is_answered_with_a_server_error(
    studio: Studio, method: str, path: str, body: bytes | str, headers: dict[str, str]
) -> None:
    assert studio.anna(method, path, body, **headers).status < 500


@pytest.mark.parametrize("after", range(5))
@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE", "PROPFIND", "PROPPATCH", "REPORT", "MKCALENDAR"])
def test_while_the_database_is_away_a_client_is_asked_to_try_again(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, method: str, after: int
) -> None:
    """Whenever in a request it goes away, also before a device is known to the process."""
    path = BOOKINGS if method in ("PROPFIND", "PROPPATCH", "REPORT") else BOOKINGS + "a.ics"
    bodies = {
        "PUT": event("a", "Moved"),
        "PROPPATCH": '<propertyupdate xmlns="DAV:"><set><prop><displayname>X</displayname></prop></set>'
        "</propertyupdate>",
        "REPORT": '<sync-collection xmlns="DAV:"><sync-token/><sync-level>1</sync-level><prop/>'
        "</sync-collection>",
    }
    assert studio.anna.put(BOOKINGS + "a.ics", event("a")).status == 201
    stranger = Client(make_dav_app(studio.bridge), studio.anna.login, studio.anna.password)
    left = itertools.count(after, -1)

    def failing(whole: Callable[[Database], AbstractContextManager[Connection]]) -> Any:
        @contextmanager
        def transaction(db: Database) -> Iterator[Connection]:
            if next(left) <= 0:
                raise StoreError("The PostgreSQL database cannot be reached.")
            with whole(db) as tx:
                yield tx

        return transaction

    with monkeypatch.context() as patch:
        for name in ("reading", "writing"):
            patch.setattr(Database, name, failing(getattr(Database, name)))
        answer = stranger(method, path, bodies.get(method, ""))
    if next(left) < 0:  # else it had all it needed
        assert (answer.status, answer.headers["Retry-After"]) == (503, "30")
        assert studio.anna("GET", BOOKINGS + "a.ics").body.decode() == event("a")
