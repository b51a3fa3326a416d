"""Properties: what resources say of themselves, and what clients may hang on a calendar."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from tests.plugin.conftest import CALDAV, DAV, Answer, Client, Studio, event

HOME = "/anna@studio.example/"
BOOKINGS = HOME + "bookings/"
ICAL = "{http://apple.com/ns/ical/}"
NS = (
    'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:I="http://apple.com/ns/ical/" '
    'xmlns:CS="http://calendarserver.org/ns/" xmlns:X="urn:x"'
)


def proppatch(client: Client, changes: str, path: str = BOOKINGS, **headers: str) -> Answer:
    return client("PROPPATCH", path, f"<D:propertyupdate {NS}>{changes}</D:propertyupdate>", **headers)


def setting(*props: str) -> str:
    return "".join(f"<D:set><D:prop>{prop}</D:prop></D:set>" for prop in props)


def found(answer: Answer) -> dict[str, ET.Element]:
    """The properties with status 200."""
    return {
        prop.tag: prop
        for propstat in answer.xml.iter(DAV + "propstat")
        if " 200 " in (propstat.findtext(DAV + "status") or "")
        for prop in propstat.find(DAV + "prop") or ()
    }


def statuses(answer: Answer) -> dict[str, int]:
    return {
        prop.tag: int((propstat.findtext(DAV + "status") or "").split()[1])
        for propstat in answer.xml.iter(DAV + "propstat")
        for prop in propstat.find(DAV + "prop") or ()
    }


def test_a_property_with_elements_and_attributes_comes_back_whole(studio: Studio) -> None:
    answer = proppatch(
        studio.anna,
        setting(
            "<C:schedule-calendar-transp><C:transparent/></C:schedule-calendar-transp>",
            '<I:calendar-color symbolic-color="green">#00ff00ff</I:calendar-color>',
            "<X:plain>xml:looks structured &amp; is not</X:plain>",
        ),
    )
    assert set(statuses(answer).values()) == {200}

    props = found(
        studio.anna.props(
            BOOKINGS, "C:schedule-calendar-transp", "I:calendar-color", 'x:plain xmlns:x="urn:x"'
        )
    )
    assert props[CALDAV + "schedule-calendar-transp"].find(CALDAV + "transparent") is not None
    assert props[ICAL + "calendar-color"].get("symbolic-color") == "green"
    assert props[ICAL + "calendar-color"].text == "#00ff00ff"
    assert props["{urn:x}plain"].text == "xml:looks structured & is not"


def test_all_changes_are_made_or_none(studio: Studio) -> None:
    answer = proppatch(
        studio.anna, setting("<D:displayname>Shoots</D:displayname>", "<CS:getctag>1</CS:getctag>")
    )

    assert statuses(answer) == {DAV + "displayname": 424, "{http://calendarserver.org/ns/}getctag": 403}
    assert answer.xml.find(f".//{DAV}cannot-modify-protected-property") is not None
    assert found(studio.anna.props(BOOKINGS, "D:displayname"))[DAV + "displayname"].text == "Bookings"


def test_the_last_word_on_a_property_counts(studio: Studio) -> None:
    remove = "<D:remove><D:prop><X:mine/></D:prop></D:remove>"
    proppatch(studio.anna, setting("<X:mine>1</X:mine>"))
    proppatch(studio.anna, remove + setting("<X:mine>2</X:mine>"))
    assert found(studio.anna.props(BOOKINGS, 'x:mine xmlns:x="urn:x"'))["{urn:x}mine"].text == "2"
    proppatch(studio.anna, setting("<X:mine>3</X:mine>") + remove)
    assert "{urn:x}mine" not in found(studio.anna.props(BOOKINGS, 'x:mine xmlns:x="urn:x"'))


def test_a_change_of_properties_moves_the_ctag_and_a_refused_one_does_not(studio: Studio) -> None:
    def ctag() -> str | None:
        return next(iter(found(studio.anna.props(BOOKINGS, "CS:getctag")).values())).text

    before = ctag()
    proppatch(studio.anna, setting("<D:getetag>1</D:getetag>"))
    assert ctag() == before
    proppatch(studio.anna, setting("<X:mine>1</X:mine>"))
    assert ctag() != before


def test_a_read_only_calendar_keeps_its_properties(studio: Studio) -> None:
    studio.mirror("family", editable=False)
    answer = proppatch(studio.anna, setting("<X:mine>1</X:mine>"), HOME + "family/")
    assert (answer.status, answer.precondition) == (403, "need-privileges")


def test_each_client_keeps_its_own_colour(studio: Studio) -> None:
    from bridge.service import people

    tablet = people.add_device(studio.bridge, "anna@studio.example", "Tablet")
    other = Client(studio.app, "anna@studio.example", tablet.password)

    def colour(client: Client) -> str | None:
        return found(client.props(BOOKINGS, "I:calendar-color"))[ICAL + "calendar-color"].text

    proppatch(studio.anna, setting("<I:calendar-color>#111111</I:calendar-color>"))
    assert colour(other) == "#111111"
    proppatch(other, setting("<I:calendar-color>#222222</I:calendar-color>"))
    assert (colour(studio.anna), colour(other)) == ("#111111", "#222222")


def test_a_time_zone_must_be_one(studio: Studio) -> None:
    answer = proppatch(studio.anna, setting("<C:calendar-timezone>Berlin</C:calendar-timezone>"))
    assert statuses(answer) == {CALDAV + "calendar-timezone": 403}
    assert answer.xml.find(f".//{CALDAV}valid-calendar-data") is not None
    answer = proppatch(studio.anna, setting("<C:calendar-timezone-id>Mars/Olympus</C:calendar-timezone-id>"))
    assert statuses(answer) == {CALDAV + "calendar-timezone-id": 403}


def test_dates_are_read_in_the_zone_that_the_calendar_or_the_query_names(studio: Studio) -> None:
    """A day in Berlin begins at 22:00 UTC, one in Tokyo at 15:00."""
    text = event("day").replace(";TZID=Europe/Berlin:20260610T100000", ";VALUE=DATE:20260610")
    studio.anna.put(BOOKINGS + "day.ics", text.replace("DURATION:PT1H", "DURATION:P1D"))
    asked = '<C:time-range start="20260609T160000Z" end="20260609T170000Z"/>'
    assert not studio.anna.query(BOOKINGS, asked).texts()

    proppatch(studio.anna, setting("<C:calendar-timezone-id>Asia/Tokyo</C:calendar-timezone-id>"))
    assert studio.anna.query(BOOKINGS, asked).texts()

    proppatch(studio.anna, "<D:remove><D:prop><C:calendar-timezone-id/></D:prop></D:remove>")
    zone = studio.anna.props(BOOKINGS, "C:calendar-timezone")
    assert "TZID:Europe/Berlin" in (found(zone)[CALDAV + "calendar-timezone"].text or "")
    assert not studio.anna.query(BOOKINGS, asked).texts()


def test_a_principal_can_be_told_among_the_guests(studio: Studio) -> None:
    props = found(
        studio.anna.props(HOME, "C:calendar-user-address-set", "D:displayname", "D:quota-used-bytes")
    )

    addresses = [href.text for href in props[CALDAV + "calendar-user-address-set"]]
    assert "mailto:anna@studio.example" in addresses
    assert props[DAV + "displayname"].text == "anna@studio.example"
    assert props[DAV + "quota-used-bytes"].text == "0"


@pytest.mark.parametrize(("match", "hits"), [("ANNA", 1), ("berta", 0), ("", 1), ("studio.example", 1)])
def test_people_find_themselves_and_nobody_else(studio: Studio, match: str, hits: int) -> None:
    answer = studio.anna(
        "REPORT",
        "/",
        f"<D:principal-property-search {NS}><D:property-search><D:prop><D:displayname/></D:prop>"
        f"<D:match>{match}</D:match></D:property-search><D:prop><D:displayname/></D:prop>"
        "</D:principal-property-search>",
    )
    assert len(answer.xml.findall(DAV + "response")) == hits


def test_a_search_as_python_caldav_writes_it(studio: Studio) -> None:
    answer = studio.anna(
        "REPORT",
        "/",
        f"<D:principal-property-search {NS}><D:prop/><C:calendar-home-set/></D:principal-property-search>",
    )
    assert found(answer)[CALDAV + "calendar-home-set"][0].text == "/dav/anna%40studio.example/"


def test_what_can_be_searched_is_said(studio: Studio) -> None:
    answer = studio.anna("REPORT", "/", f"<D:principal-search-property-set {NS}/>")
    assert answer.status == 200
    assert answer.xml.find(f".//{DAV}displayname") is not None


def test_reports_are_advertised_where_they_are_answered_and_nowhere_else(studio: Studio) -> None:
    def reports(path: str) -> set[str]:
        answer = studio.anna.props(path, "D:supported-report-set")
        return {report[0].tag.partition("}")[2] for report in answer.xml.iter(DAV + "report")}

    assert reports(BOOKINGS) == {"calendar-query", "calendar-multiget", "free-busy-query", "sync-collection"}
    assert reports(HOME) == {"principal-property-search", "principal-search-property-set"}
    studio.anna.put(BOOKINGS + "it.ics", event("it"))
    assert reports(BOOKINGS + "it.ics") == set()


def test_an_object_keeps_its_identity_and_birthday(studio: Studio) -> None:
    def seen(name: str) -> dict[str, str]:
        props = found(
            studio.anna.props(BOOKINGS + name, "D:resource-id", "D:creationdate", "D:getcontentlength")
        )
        return {tag: "".join(prop.itertext()) for tag, prop in props.items()}

    studio.anna.put(BOOKINGS + "it.ics", event("it"))
    before = seen("it.ics")
    studio.clock.pass_(hours=1)
    studio.anna.put(BOOKINGS + "it.ics", event("it", summary="A longer title"))
    studio.anna("MOVE", BOOKINGS + "it.ics", Destination=f"/dav{BOOKINGS}there.ics")
    after = seen("there.ics")

    assert before[DAV + "resource-id"].startswith("urn:uuid:")
    assert before[DAV + "creationdate"] == "2026-06-01T09:00:00Z"
    assert int(after.pop(DAV + "getcontentlength")) > int(before.pop(DAV + "getcontentlength"))
    assert before == after
