"""Statuses, conditions and precondition elements: RFC 4791, 4918, 6578, 9110."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote

import pytest

from tests.plugin.conftest import CALDAV, DAV, Client, Studio, event, validated

HOME = "/anna@studio.example/"
BOOKINGS = HOME + "bookings/"
IT = BOOKINGS + "it.ics"


def test_discovery_leads_from_the_root_to_the_calendars(studio: Studio) -> None:
    principal = studio.anna.props("/", "D:current-user-principal").xml.findtext(
        f".//{DAV}current-user-principal/{DAV}href"
    )
    assert principal == "/dav/anna%40studio.example/"

    home = studio.anna.props(HOME, "C:calendar-home-set").xml.findtext(
        f".//{CALDAV}calendar-home-set/{DAV}href"
    )
    assert home == principal

    studio.mirror("family", editable=False)
    found = studio.anna.props(
        HOME, "D:resourcetype", "D:displayname", "C:supported-calendar-component-set", depth="1"
    )
    calendars = {
        response.findtext(f"{DAV}href"): response.findtext(f".//{DAV}displayname")
        for response in found.xml.iter(f"{DAV}response")
        if response.find(f".//{CALDAV}calendar") is not None
    }
    assert calendars == {
        "/dav/anna%40studio.example/bookings/": "Bookings",
        "/dav/anna%40studio.example/family/": "family at home",
    }
    assert {comp.get("name") for comp in found.xml.iter(f"{CALDAV}comp")} == {"VEVENT"}


def test_privileges_say_what_can_be_written(studio: Studio) -> None:
    studio.mirror("family", editable=False)
    studio.mirror("shared", editable=True)

    def privileges(path: str) -> set[str]:
        found = studio.anna.props(path, "D:current-user-privilege-set").xml
        return {p[0].tag.partition("}")[2] for p in found.iter(f"{DAV}privilege")}

    assert "write-content" in privileges(BOOKINGS)
    assert "write-content" in privileges(HOME + "shared/")
    assert privileges(HOME + "family/") == {"read", "read-free-busy"}
    assert privileges(HOME) == {"read", "bind", "unbind"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If_Match": "{now}"}, 204),
        ({"If_Match": "*"}, 204),
        ({"If_Match": '"old", {now} , "other"'}, 204),
        ({"If_Match": '"old"'}, 412),
        ({"If_Match": "W/{now}"}, 412),
        ({"If_Match": ""}, 412),
        ({"If_None_Match": "*"}, 412),
        ({"If_None_Match": "{now}"}, 412),
        ({"If_None_Match": '"old"'}, 204),
    ],
)
def test_a_put_is_carried_out_only_on_the_version_the_client_means(
    studio: Studio, headers: dict[str, str], status: int
) -> None:
    now = studio.anna.put(IT, event("it")).etag or ""

    answer = studio.anna.put(
        IT,
        event("it", summary="New"),
        **{name: value.replace("{now}", now) for name, value in headers.items()},
    )

    assert answer.status == status
    assert (b"SUMMARY:New" in studio.anna("GET", IT).body) is (status == 204)


def test_conditions_on_what_is_not_there(studio: Studio) -> None:
    assert studio.anna.put(IT, event("it"), If_Match="*").status == 412
    assert studio.anna("DELETE", IT, If_Match='"x"').status == 412
    assert studio.anna("DELETE", IT).status == 404
    assert studio.anna.put(IT, event("it"), If_None_Match="*").status == 201
    assert studio.anna("DELETE", IT, If_Match='"x"').status == 412
    assert studio.anna("DELETE", IT).status == 204
    assert studio.anna("GET", IT).status == 404


@pytest.mark.parametrize(
    ("body", "content_type", "status", "element"),
    [
        ("<html>no calendar</html>", "text/calendar", 403, "valid-calendar-data"),
        ("", "text/calendar", 403, "valid-calendar-data"),
        (event("a"), "text/html", 415, "supported-calendar-data"),
        (event("a"), "text/calendar; charset=klingon", 415, "supported-calendar-data"),
        (event("a"), "text/calendar; charset=hex", 415, "supported-calendar-data"),
        (event("a", summary="Café").encode("latin-1"), "text/calendar", 415, "supported-calendar-data"),
        (event("a").replace("VEVENT", "VTODO"), "text/calendar", 403, "supported-calendar-component"),
        (event("a").replace("UID:a\r\n", ""), "text/calendar", 403, "valid-calendar-object-resource"),
        (event("a", summary="x\0y"), "text/calendar", 403, "valid-calendar-data"),
    ],
)
def test_a_body_that_is_no_event_is_refused_by_name(
    studio: Studio, body: bytes | str, content_type: str, status: int, element: str
) -> None:
    answer = studio.anna.put(IT, body, Content_Type=content_type)

    assert (answer.status, answer.precondition) == (status, element)
    assert studio.anna("GET", IT).status == 404


def test_curl_sends_no_content_type_and_is_understood(studio: Studio) -> None:
    assert studio.anna("PUT", IT, event("it")).status == 201


def test_an_object_over_the_limit_and_a_body_over_what_is_read(studio: Studio) -> None:
    limit = studio.bridge.settings.max_resource_bytes
    assert (
        int(
            studio.anna.props(BOOKINGS, "C:max-resource-size").xml.findtext(f".//{CALDAV}max-resource-size")
            or 0
        )
        == limit
    )

    over = studio.anna.put(IT, b"x" * (limit + 1))
    assert (over.status, over.precondition) == (403, "max-resource-size")
    far_over = studio.anna.put(IT, b"x" * (2 * limit))
    assert (far_over.status, far_over.precondition) == (413, "max-resource-size")


def test_uids_stay_what_they_are(studio: Studio) -> None:
    studio.anna.put(BOOKINGS + "a.ics", event("a"))

    changed = studio.anna.put(BOOKINGS + "a.ics", event("b"))
    assert (changed.status, changed.precondition) == (403, "no-uid-conflict")

    taken = studio.anna.put(BOOKINGS + "other.ics", event("a"))
    assert (taken.status, taken.precondition) == (403, "no-uid-conflict")
    assert taken.xml.findtext(f".//{DAV}href") == "/dav/anna%40studio.example/bookings/a.ics"


def test_the_bookings_are_neither_replaced_nor_removed(studio: Studio) -> None:
    studio.anna.put(IT, event("it"))
    for path in (BOOKINGS, BOOKINGS.rstrip("/"), HOME, "/"):
        assert studio.anna.put(path, event("other")).status == 403
        assert studio.anna("DELETE", path).status == 403
        assert studio.anna("MOVE", path, Destination=f"http://bridge.example/dav{HOME}moved/").status == 403
    assert studio.anna("GET", IT).status == 200


def test_of_many_who_write_at_once_on_one_version_one_wins(studio: Studio) -> None:
    def write(number: int) -> int:
        text = event("it", summary=f"From device {number}")
        return studio.anna.put(IT, text, If_None_Match="*").status

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(write, range(16)))

    assert sorted(statuses) == [201] + [412] * 15
    etag = studio.anna("GET", IT).etag or ""
    with ThreadPoolExecutor(8) as pool:
        updates = list(
            pool.map(
                lambda n: studio.anna.put(IT, event("it", summary=f"v{n}"), If_Match=etag).status, range(16)
            )
        )
    assert sorted(updates) == [204] + [412] * 15


def test_what_does_not_exist(studio: Studio) -> None:
    assert studio.anna("GET", HOME + "nowhere/").status == 404
    assert studio.anna.props(HOME + "nowhere/", "D:getetag").status == 404
    assert studio.anna.put(HOME + "nowhere/a.ics", event("a")).status == 409
    assert studio.anna("DELETE", HOME + "nowhere/a.ics").status == 404
    assert studio.anna.put(BOOKINGS + "deep/a.ics", event("a")).status == 404
    for method in ("COPY", "LOCK", "ACL", "PATCH", "TRACE"):
        answer = studio.anna(method, IT)
        assert answer.status == 405
        assert "PUT" in answer.headers["Allow"]


def test_a_read_only_mirror_refuses_every_write(studio: Studio) -> None:
    studio.imported(studio.mirror("family", editable=False), "x.ics", event("x"))
    path = HOME + "family/x.ics"

    for answer in (
        studio.anna.put(path, event("x", summary="Mine")),
        studio.anna.put(HOME + "family/new.ics", event("new")),
        studio.anna.put(path, "not even a calendar"),
        studio.anna("DELETE", path),
        studio.anna("MOVE", path, Destination=f"/dav{BOOKINGS}x.ics"),
    ):
        assert (answer.status, answer.precondition) == (403, "need-privileges")
    colour = (
        '<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><D:displayname>M</D:displayname></D:prop></D:set>'
        "</D:propertyupdate>"
    )
    assert studio.anna("PROPPATCH", HOME + "family/", colour).status == 403
    assert studio.anna("GET", path).body == event("x").encode()


def test_an_editable_mirror_takes_them(studio: Studio) -> None:
    mirror = studio.mirror("shared", editable=True)
    studio.imported(mirror, "x.ics", event("x"))

    assert studio.anna.put(HOME + "shared/x.ics", event("x", summary="Mine")).status == 204
    assert studio.anna("DELETE", HOME + "shared/x.ics").status == 204
    assert studio.anna("GET", HOME + "shared/x.ics").status == 404
    assert studio.woken == [mirror, mirror]


def test_name_and_colour_of_the_bookings_can_be_set_and_move_the_ctag(studio: Studio) -> None:
    before = studio.anna.props(BOOKINGS, "CS:getctag").body

    answer = studio.anna(
        "PROPPATCH",
        BOOKINGS,
        '<D:propertyupdate xmlns:D="DAV:" xmlns:I="http://apple.com/ns/ical/"><D:set><D:prop>'
        "<D:displayname>Shoots</D:displayname><I:calendar-color>#FF2968FF</I:calendar-color>"
        "</D:prop></D:set></D:propertyupdate>",
    )

    assert answer.status == 207
    found = studio.anna.props(BOOKINGS, "D:displayname", "I:calendar-color").xml
    assert found.findtext(f".//{DAV}displayname") == "Shoots"
    assert found.findtext(".//{http://apple.com/ns/ical/}calendar-color") == "#FF2968FF"
    assert studio.anna.props(BOOKINGS, "CS:getctag").body != before


def test_what_the_server_claims_to_be(studio: Studio) -> None:
    for path in ("/", HOME, BOOKINGS):
        answer = studio.anna("OPTIONS", path)
        assert answer.headers["DAV"] == "1, 3, calendar-access, extended-mkcol"
        assert "LOCK" not in answer.headers["Allow"]
    assert studio.anna.props(BOOKINGS, "D:getetag").headers["DAV"] == "1, 3, calendar-access, extended-mkcol"


def test_names_of_any_kind_survive(studio: Studio) -> None:
    for number, name in enumerate(
        ("Müller%20%26%20Söhne.ics", "a%3Ab%2Cc%27d%2A.ics", "%40home%3F.ics", "%E5%86%99.ics")
    ):
        assert studio.anna.put(BOOKINGS + name, event(f"n{number}")).status == 201
        assert studio.anna("GET", BOOKINGS + name).body == event(f"n{number}").encode()
        found = studio.anna.multiget(BOOKINGS, name).statuses()
        assert {unquote(href): status for href, status in found.items()} == {unquote(name): 200}
    assert len(studio.anna.sync(BOOKINGS).statuses()) == 4


def test_an_event_can_be_renamed_and_moved_to_a_calendar_that_takes_it(studio: Studio) -> None:
    studio.mirror("shared", editable=True)
    etag = studio.anna.put(IT, event("it")).etag

    renamed = studio.anna("MOVE", IT, Destination=f"http://bridge.example/dav{BOOKINGS}new.ics")
    assert renamed.status == 201
    assert studio.anna("GET", BOOKINGS + "new.ics").etag == etag
    assert studio.anna("GET", IT).status == 404

    across = studio.anna("MOVE", BOOKINGS + "new.ics", Destination=f"/dav{HOME}shared/new.ics")
    assert across.status == 201
    assert studio.anna("GET", BOOKINGS + "new.ics").status == 404
    assert studio.anna("GET", HOME + "shared/new.ics").body == event("it").encode()


@pytest.mark.parametrize(
    ("destination", "status"),
    [
        (None, 400),
        ("http://elsewhere.example/dav/anna@studio.example/bookings/x.ics", 403),
        ("http://[broken/x", 400),
        ("http://bridge.example:notaport/dav/anna@studio.example/bookings/x.ics", 201),
        ("/other/place.ics", 403),
        ("/dav/anna@studio.example/../berta@elsewhere.example/bookings/x.ics", 400),
        ("/dav/berta@elsewhere.example/bookings/x.ics", 403),
        ("/dav/anna@studio.example/nowhere/x.ics", 409),
        ("/dav/anna@studio.example/bookings/", 403),
    ],
)
def test_a_move_goes_nowhere_else(studio: Studio, destination: str | None, status: int) -> None:
    studio.anna.put(IT, event("it"))
    headers = {} if destination is None else {"Destination": destination}
    assert studio.anna("MOVE", IT, **headers).status == status


def test_a_move_overwrites_only_the_same_event_and_only_if_allowed(studio: Studio) -> None:
    studio.mirror("shared", editable=True)
    studio.anna.put(IT, event("it"))
    studio.anna.put(BOOKINGS + "other.ics", event("other"))
    studio.anna.put(HOME + "shared/it.ics", event("it", summary="Older copy"))
    there = f"/dav{HOME}shared/it.ics"

    clash = studio.anna("MOVE", IT, Destination=f"/dav{BOOKINGS}other.ics")
    assert (clash.status, clash.precondition) == (403, "no-uid-conflict")
    assert studio.anna("MOVE", IT, Destination=there, Overwrite="F").status == 412
    assert studio.anna("MOVE", IT, Destination=there, Overwrite="T").status == 204
    assert studio.anna("GET", HOME + "shared/it.ics").body == event("it").encode()


def test_the_application_keeps_to_wsgi(studio: Studio) -> None:
    strict = Client(validated(studio.app), studio.anna.login, studio.anna.password)
    studio.anna.put(IT, event("it"))
    assert strict.put(IT, event("it", summary="New")).status == 204
    assert strict("GET", IT).status == 200
    assert strict.props(BOOKINGS, "D:getetag", depth="1").status == 207
    assert strict("DELETE", IT).status == 204
    assert strict("GET", "/../x").status == 400
