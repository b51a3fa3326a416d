"""Calendars that people make in their app, beside the bookings: tasks, journals, private events."""

from __future__ import annotations

import pytest

from bridge.service import availability
from bridge.store.people import user_by_email
from tests.plugin.conftest import CALDAV, DAV, Studio, event

HOME = "/anna@studio.example/"
OWN = HOME + "private/"
TASK = event("tax", summary="Tax return").replace("VEVENT", "VTODO")
NAMESPACES = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:I="http://apple.com/ns/ical/"'


def mkcalendar(props: str = "") -> str:
    said = f"<D:set><D:prop>{props}</D:prop></D:set>" if props else ""
    return f"<C:mkcalendar {NAMESPACES}>{said}</C:mkcalendar>"


def mkcol(*types: str, props: str = "") -> str:
    kinds = "".join(f"<{name}/>" for name in types)
    kind = f"<D:resourcetype>{kinds}</D:resourcetype>"
    return f"<D:mkcol {NAMESPACES}><D:set><D:prop>{kind}{props}</D:prop></D:set></D:mkcol>"


def holds(*names: str) -> str:
    comps = "".join(f'<C:comp name="{name}"/>' for name in names)
    return f"<C:supported-calendar-component-set>{comps}</C:supported-calendar-component-set>"


def test_one_is_made_filled_seen_and_deleted(studio: Studio) -> None:
    props = "<D:displayname>Tasks</D:displayname><I:calendar-color>#00ff00ff</I:calendar-color>"
    assert studio.anna("MKCALENDAR", OWN, mkcalendar(props + holds("VTODO"))).status == 201

    found = studio.anna.props(
        OWN, "D:displayname", "I:calendar-color", "C:supported-calendar-component-set", "D:resourcetype"
    ).xml
    assert found.findtext(f".//{DAV}displayname") == "Tasks"
    assert found.findtext(".//{http://apple.com/ns/ical/}calendar-color") == "#00ff00ff"
    assert [comp.get("name") for comp in found.iter(CALDAV + "comp")] == ["VTODO"]
    assert found.find(f".//{CALDAV}calendar") is not None
    assert b"private" in studio.anna.props(HOME, "D:resourcetype", depth="1").body

    assert studio.anna.put(OWN + "tax.ics", TASK).status == 201
    assert studio.anna("GET", OWN + "tax.ics").body.decode() == TASK
    refused = studio.anna.put(OWN + "party.ics", event("party"))
    assert (refused.status, refused.precondition) == (403, "supported-calendar-component")
    assert "tasks only" in refused.body.decode()

    assert studio.anna("DELETE", OWN).status == 204
    assert studio.anna("GET", OWN + "tax.ics").status == 404
    assert studio.anna("DELETE", OWN).status == 404


@pytest.mark.parametrize("path", [OWN, OWN.rstrip("/"), HOME + "Zoë’s%20plans/"])
def test_without_a_word_it_is_for_everything(studio: Studio, path: str) -> None:
    assert studio.anna("MKCALENDAR", path).status == 201
    found = studio.anna.props(path, "C:supported-calendar-component-set").xml
    assert [comp.get("name") for comp in found.iter(CALDAV + "comp")] == ["VEVENT", "VTODO", "VJOURNAL"]
    for number, text in enumerate((event("a"), TASK, event("b").replace("VEVENT", "VJOURNAL"))):
        assert studio.anna.put(path.rstrip("/") + f"/{number}.ics", text).status == 201


def test_extended_mkcol_makes_calendars_and_nothing_else(studio: Studio) -> None:
    wanted = mkcol("D:collection", "C:calendar", props=holds("VEVENT"))
    assert studio.anna("MKCOL", OWN, wanted).status == 201
    refused = studio.anna("MKCOL", HOME + "folder/", mkcol("D:collection"))
    assert (refused.status, refused.precondition) == (403, "valid-resourcetype")
    assert studio.anna("MKCOL", HOME + "folder/").status == 403
    assert studio.anna("MKCOL", OWN, wanted).status == 405
    again = studio.anna("MKCALENDAR", OWN)
    assert (again.status, again.precondition) == (403, "resource-must-be-null")


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    {
        "inside of a calendar": ("MKCALENDAR", HOME + "bookings/inner/", "", 403),
        "inside of nothing": ("MKCALENDAR", HOME + "nothing/inner/", "", 409),
        "far below a calendar": ("MKCOL", HOME + "bookings/a/b/", "", 409),
        "over the bookings": ("MKCALENDAR", HOME + "bookings/", "", 403),
        "in another's home": ("MKCALENDAR", "/berta@elsewhere.example/mine/", "", 403),
        "over one's own home": ("MKCALENDAR", HOME, "", 403),
        "of a kind that nobody knows": ("MKCALENDAR", OWN, mkcalendar(holds("VPOLL")), 403),
        "of no kind": ("MKCALENDAR", OWN, mkcalendar(holds()), 403),
        "with a token of one's own": ("MKCALENDAR", OWN, mkcalendar("<D:sync-token>1</D:sync-token>"), 207),
        "by something else": ("MKCALENDAR", OWN, mkcol("C:calendar"), 400),
        "with a name that is too long": ("MKCALENDAR", HOME + "x" * 300 + "/", "", 400),
    }.values(),
)
def test_what_is_refused_makes_nothing(
    studio: Studio, method: str, path: str, body: str, status: int
) -> None:
    before = studio.anna.props(HOME, "D:resourcetype", depth="1").body
    assert studio.anna(method, path, body).status == status
    assert studio.anna.props(HOME, "D:resourcetype", depth="1").body == before


def test_what_to_make_is_said_in_xml(studio: Studio) -> None:
    assert studio.anna("MKCOL", OWN, "a poem", Content_Type="text/plain").status == 415
    assert studio.anna("MKCALENDAR", OWN, mkcalendar(), Content_Type="application/xml").status == 201


def test_only_ones_own_calendars_are_deleted(studio: Studio) -> None:
    studio.anna("MKCALENDAR", OWN)
    studio.mirror("family", editable=True)
    for name in ("bookings", "family"):
        refused = studio.anna("DELETE", f"{HOME}{name}/")
        assert refused.status == 403
        assert "can't be deleted in a calendar app" in refused.body.decode()
    assert studio.berta("DELETE", OWN).status == 403
    assert studio.anna("DELETE", OWN, If_Match='"stale"').status == 412
    etag = studio.anna.props(OWN, "D:getetag").xml.findtext(f".//{DAV}getetag") or ""
    assert studio.anna("DELETE", OWN, If_Match=etag).status == 204


def test_what_is_in_it_is_synced_and_stays_out_of_the_bookings(studio: Studio) -> None:
    studio.anna("MKCALENDAR", OWN)
    token = studio.anna.sync(OWN).xml.findtext(DAV + "sync-token") or ""
    studio.anna.put(OWN + "a.ics", event("a"))
    assert set(studio.anna.sync(OWN, token).statuses()) == {"a.ics"}
    assert studio.anna("DELETE", OWN + "a.ics").status == 204
    assert studio.anna.sync(OWN, token).statuses() == {"a.ics": 404}

    studio.anna.put(OWN + "b.ics", event("b"))
    assert studio.anna.query(HOME + "bookings/").texts() == {}
    with studio.bridge.db.reading() as tx:
        anna = user_by_email(tx, "anna@studio.example")
        assert availability.busy_between(tx, anna, 0, 2**33) == []

    assert studio.anna("MOVE", OWN + "b.ics", Destination=f"/dav{HOME}bookings/b.ics").status == 201
    with studio.bridge.db.reading() as tx:
        assert [one.source.kind for one in availability.busy_between(tx, anna, 0, 2**33)] == ["block"]
    studio.anna.put(OWN + "tax.ics", TASK)
    refused = studio.anna("MOVE", OWN + "tax.ics", Destination=f"/dav{HOME}bookings/tax.ics")
    assert (refused.status, refused.precondition) == (403, "supported-calendar-component")


def test_tasks_are_found_by_time_and_expanded(studio: Studio) -> None:
    studio.anna("MKCALENDAR", OWN)
    once = TASK.replace("UID:tax", "UID:once")
    studio.anna.put(OWN + "weekly.ics", TASK.replace("SUMMARY", "RRULE:FREQ=WEEKLY;COUNT=3\r\nSUMMARY"))
    studio.anna.put(OWN + "once.ics", once)

    def found(first: int, data: str = "<C:calendar-data/>") -> dict[str, str]:
        window = f'start="202606{first:02}T000000Z" end="202606{first + 7:02}T000000Z"'
        inner = f'<C:comp-filter name="VTODO"><C:time-range {window}/></C:comp-filter>'
        filters = f'<C:filter><C:comp-filter name="VCALENDAR">{inner}</C:comp-filter></C:filter>'
        body = f"<D:prop>{data.format(window)}</D:prop>{filters}"
        return studio.anna("REPORT", OWN, f"<C:calendar-query {NAMESPACES}>{body}</C:calendar-query>").texts()

    expand = "<C:calendar-data><C:expand {}/></C:calendar-data>"
    assert set(found(7)) == {"weekly.ics", "once.ics"}
    assert set(found(14)) == {"weekly.ics"}
    assert found(1) == {}
    [instance] = found(14, expand).values()
    assert "DTSTART:20260617T080000Z\r\nDUE:20260617T090000Z\r\nRECURRENCE-ID:20260617T080000Z" in instance
    assert "RRULE" not in instance
    assert found(7, expand)["once.ics"] == once


def test_an_event_is_found_by_when_its_alarm_rings(studio: Studio) -> None:
    alarm = ("BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT15M", "END:VALARM")
    studio.anna.put(HOME + "bookings/a.ics", event("a", *alarm))

    def rings(window: str) -> bool:
        rule = f'<C:comp-filter name="VALARM"><C:time-range {window}/></C:comp-filter>'
        return bool(studio.anna.query(HOME + "bookings/", rule).texts())

    assert rings('start="20260610T074000Z" end="20260610T075000Z"')
    assert not rings('start="20260610T080000Z" end="20260610T090000Z"')
    assert rings('end="20260610T075000Z"')
    assert not rings('start="20260610T075000Z"')


def test_a_made_again_calendar_knows_no_old_token(studio: Studio) -> None:
    studio.anna("MKCALENDAR", OWN)
    token = studio.anna.sync(OWN).xml.findtext(DAV + "sync-token") or ""
    studio.anna("DELETE", OWN)
    studio.anna("MKCALENDAR", OWN)
    stale = studio.anna.sync(OWN, token)
    assert (stale.status, stale.precondition) == (403, "valid-sync-token")


def test_its_name_may_be_changed_and_its_kind_may_not(studio: Studio) -> None:
    studio.anna("MKCALENDAR", OWN, mkcalendar(holds("VTODO")))

    def set_(prop: str) -> bytes:
        body = f"<D:propertyupdate {NAMESPACES}><D:set><D:prop>{prop}</D:prop></D:set></D:propertyupdate>"
        return studio.anna("PROPPATCH", OWN, body).body

    assert b"200 OK" in set_("<D:displayname>Chores</D:displayname>")
    assert b"403 Forbidden" in set_(holds("VEVENT"))
    found = studio.anna.props(OWN, "D:displayname", "C:supported-calendar-component-set").xml
    assert found.findtext(f".//{DAV}displayname") == "Chores"
    assert [comp.get("name") for comp in found.iter(CALDAV + "comp")] == ["VTODO"]


def test_an_app_sees_that_calendars_can_be_made_in_the_home(studio: Studio) -> None:
    assert studio.anna.props(HOME, "D:current-user-privilege-set").xml.find(f".//{DAV}bind") is not None
    answer = studio.anna("OPTIONS", HOME)
    assert "MKCALENDAR" in answer.headers["Allow"]
    assert "extended-mkcol" in answer.headers["DAV"]
