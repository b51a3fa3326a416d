"""What Radicale's own tests hold of a storage, told anew: every fact over ours, for the fast answers and for
Radicale's handlers alike (``quick`` and ``slow``). Where ours differs on purpose, the story says so.

Not told: its file system (folders, caches, hooks, links), address books, and whole calendars that are put or
replaced at once; bookings are never replaced as a whole.
"""

from __future__ import annotations

import pytest

from tests.plugin.conftest import DAV, Client, Studio, event

BOOKINGS = "/anna@studio.example/bookings/"
NS = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:I="http://apple.com/ns/ical/"'


@pytest.fixture(params=["quick", "slow"])
def client(request: pytest.FixtureRequest, studio: Studio) -> Client:
    return studio.anna if request.param == "quick" else request.getfixturevalue("slow")


def act(client: Client, *words: str) -> None:
    """``put a``, ``put a newer``, ``delete a``, ``move a b``."""
    for word in words:
        what, name, *more = word.split()
        path = f"{BOOKINGS}{name}.ics"
        match what:
            case "put":
                answer = client.put(path, event(name, summary=more[0] if more else name))
            case "delete":
                answer = client("DELETE", path)
            case _:
                answer = client("MOVE", path, Destination=f"/dav{BOOKINGS}{more[0]}.ics")
        assert answer.status in (200, 201, 204), (word, answer.status)


def token(client: Client) -> str:
    return client.sync(BOOKINGS).xml.findtext(DAV + "sync-token") or ""


@pytest.mark.parametrize(
    ("before", "after", "told"),
    {
        "nothing": (["put a"], [], {}),
        "one is there for the first time": ([], ["put a"], {"a": 200}),
        "one beside another": (["put a"], ["put b"], {"b": 200}),
        "one is gone": (["put a", "put b"], ["delete a"], {"a": 404}),
        "one came and went": ([], ["put a", "delete a"], {"a": 404}),
        "one went and came back": (["put a"], ["delete a", "put a"], {"a": 200}),
        "one is another": (["put a"], ["put a newer"], {"a": 200}),
        "one is another and then gone": (["put a"], ["put a newer", "delete a"], {"a": 404}),
        "one is another, and a guest came and went": (
            ["put a"],
            ["put a newer", "put b", "delete b"],
            {"a": 200, "b": 404},
        ),
        "one is elsewhere": (["put a"], ["move a b"], {"a": 404, "b": 200}),
        "one was elsewhere and is back": (["put a"], ["move a b", "move b a"], {"a": 200, "b": 404}),
        "all are gone": (["put a", "put b"], ["delete a", "delete b"], {"a": 404, "b": 404}),
    }.values(),
)
def test_a_sync_tells_what_became_of_each(
    client: Client, before: list[str], after: list[str], told: dict[str, int]
) -> None:
    act(client, *before)
    begun = token(client)
    act(client, *after)
    answer = client.sync(BOOKINGS, begun)
    assert answer.statuses() == {f"{name}.ics": status for name, status in told.items()}
    assert (answer.xml.findtext(DAV + "sync-token") == begun) == (not after)
    assert client.sync(BOOKINGS, answer.xml.findtext(DAV + "sync-token") or "").statuses() == {}


def test_a_sync_of_the_same_token_twice_says_the_same_twice(client: Client) -> None:
    begun = token(client)
    act(client, "put a", "put b", "delete b")
    assert client.sync(BOOKINGS, begun).statuses() == client.sync(BOOKINGS, begun).statuses()


def test_a_first_sync_lists_all_and_no_tombstones(client: Client) -> None:
    act(client, "put a", "put b", "delete b")
    assert client.sync(BOOKINGS).statuses() == {"a.ics": 200}


def test_the_token_of_the_properties_is_the_token_of_the_sync(client: Client) -> None:
    act(client, "put a")
    found = client.props(BOOKINGS, "D:sync-token").xml.findtext(f".//{DAV}sync-token")
    assert found == token(client)
    assert client.props(BOOKINGS, "D:sync-token").xml.findtext(f".//{DAV}sync-token") == found


@pytest.mark.parametrize(
    "wrong", ["INVALID", "urn:x", "urn:picsello-bridge:sync:1", "http://radicale.org/ns/sync/1"]
)
def test_a_token_that_is_none_is_refused(client: Client, wrong: str) -> None:
    answer = client.sync(BOOKINGS, wrong)
    assert (answer.status, answer.precondition) == (403, "valid-sync-token")


def test_an_event_is_put_read_replaced_and_deleted(client: Client) -> None:
    act(client, "put a")
    first = client("GET", BOOKINGS + "a.ics")
    assert first.status == 200
    assert first.etag
    assert b"UID:a" in first.body
    act(client, "put a newer")
    second = client("GET", BOOKINGS + "a.ics")
    assert b"SUMMARY:newer" in second.body
    assert second.etag != first.etag
    assert client("GET", BOOKINGS).body.count(b"BEGIN:VEVENT") == 1
    act(client, "delete a")
    assert client("GET", BOOKINGS + "a.ics").status == 404
    assert client("DELETE", BOOKINGS + "a.ics").status == 404


def test_a_uid_belongs_to_one_address(client: Client) -> None:
    act(client, "put a", "put b")
    assert client.put(BOOKINGS + "c.ics", event("a")).status in (403, 409)
    assert client.put(BOOKINGS + "b.ics", event("a")).status in (403, 409)
    assert set(client.sync(BOOKINGS).statuses()) == {"a.ics", "b.ics"}


def test_a_move_needs_a_place_and_leave_to_replace(client: Client) -> None:
    act(client, "put a", "put b")
    there = f"/dav{BOOKINGS}b.ics"
    assert client("MOVE", BOOKINGS + "a.ics", Destination=there, Overwrite="F").status in (403, 412)
    assert client("MOVE", BOOKINGS + "none.ics", Destination=there).status == 404
    nowhere = "/dav/anna@studio.example/none/a.ics"
    assert client("MOVE", BOOKINGS + "a.ics", Destination=nowhere).status in (403, 404, 409)
    abroad = "http://elsewhere.example" + there
    assert 400 <= client("MOVE", BOOKINGS + "a.ics", Destination=abroad).status < 600
    assert set(client.sync(BOOKINGS).statuses()) == {"a.ics", "b.ics"}


def test_conditions_hold_a_write_back(client: Client) -> None:
    path = BOOKINGS + "a.ics"
    assert client.put(path, event("a"), If_Match='"none"').status == 412
    assert client.put(path, event("a"), If_None_Match="*").status == 201
    assert client.put(path, event("a", summary="b"), If_None_Match="*").status == 412
    etag = client("GET", path).etag or ""
    assert client.put(path, event("a", summary="c"), If_Match='"other"').status == 412
    assert client.put(path, event("a", summary="c"), If_Match=etag).status in (201, 204)
    assert client("DELETE", path, If_Match=etag).status == 412
    assert client("DELETE", path, If_Match=client("GET", path).etag or "").status in (200, 204)


def test_a_property_is_set_read_and_removed(client: Client) -> None:
    def patch(body: str) -> int:
        return client("PROPPATCH", BOOKINGS, f"<D:propertyupdate {NS}>{body}</D:propertyupdate>").status

    color = "{http://apple.com/ns/ical/}calendar-color"
    assert patch("<D:set><D:prop><I:calendar-color>#BADA55</I:calendar-color></D:prop></D:set>") == 207
    assert client.props(BOOKINGS, "I:calendar-color").xml.findtext(f".//{color}") == "#BADA55"
    assert patch("<D:remove><D:prop><I:calendar-color/></D:prop></D:remove>") == 207
    found = client.props(BOOKINGS, "I:calendar-color")
    assert found.xml.findtext(f".//{color}") in (None, "")
    assert b"404" in found.body


VEVENT = '<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">{}</C:comp-filter></C:comp-filter>'
SUMMARY = '<C:prop-filter name="SUMMARY">{}</C:prop-filter>'
UNKNOWN = '<C:prop-filter name="UNKNOWN">{}</C:prop-filter>'
NOT = "<C:is-not-defined/>"
ATTENDEE = (
    '<C:prop-filter name="ATTENDEE"><C:param-filter name="PARTSTAT">{}</C:param-filter></C:prop-filter>'
)
ACCEPTED = '<C:text-match collation="i;ascii-casemap">ACCEPTED</C:text-match>'


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        (['<C:comp-filter name="VCALENDAR"/>'], True),
        ([VEVENT.format("")], True),
        ([VEVENT.replace("VEVENT", "VTODO").format("")], False),
        ([VEVENT.format(NOT)], False),
        ([VEVENT.replace("VEVENT", "VTODO").format(NOT)], True),
        ([VEVENT.format(SUMMARY.format(""))], True),
        ([VEVENT.format(UNKNOWN.format(""))], False),
        ([VEVENT.format(SUMMARY.format(NOT))], False),
        ([VEVENT.format(UNKNOWN.format(NOT))], True),
        ([VEVENT.format(SUMMARY.format("") + UNKNOWN.format(NOT))], True),
        ([VEVENT.format(SUMMARY.format("<C:text-match>port</C:text-match>"))], True),
        ([VEVENT.format(SUMMARY.format("<C:text-match>PORTRAIT</C:text-match>"))], True),
        ([VEVENT.format(SUMMARY.format("<C:text-match>wedding</C:text-match>"))], False),
        ([VEVENT.format(SUMMARY.format('<C:text-match negate-condition="yes">port</C:text-match>'))], False),
        ([VEVENT.format(SUMMARY.format('<C:text-match negate-condition="yes">x</C:text-match>'))], True),
        ([VEVENT.format(ATTENDEE.format(ACCEPTED))], True),
        ([VEVENT.format(ATTENDEE.format(ACCEPTED.replace("ACCEPTED", "DECLINED")))], False),
        ([VEVENT.format(ATTENDEE.format(NOT))], False),
        ([VEVENT.format(ATTENDEE.replace("PARTSTAT", "ROLE").format(NOT))], True),
        ([VEVENT.format('<C:time-range start="20260610T000000Z" end="20260611T000000Z"/>')], True),
        ([VEVENT.format('<C:time-range start="20260611T000000Z" end="20260612T000000Z"/>')], False),
        ([VEVENT.format('<C:time-range start="20260610T083000Z" end="20260610T084000Z"/>')], True),
        ([VEVENT.format('<C:time-range start="20260610T090000Z" end="20260610T100000Z"/>')], False),
        ([VEVENT.format('<C:time-range start="20260610T000000Z"/>')], True),
        ([VEVENT.format('<C:time-range end="20260610T000000Z"/>')], False),
    ],
)
def test_a_filter_finds_what_it_describes(client: Client, rules: list[str], found: bool) -> None:
    text = event("a", "ATTENDEE;PARTSTAT=ACCEPTED;CN=B:mailto:b@example.com")
    client.put(BOOKINGS + "a.ics", text)
    filters = "".join(f"<C:filter>{rule}</C:filter>" for rule in rules)
    body = f"<C:calendar-query {NS}><D:prop><D:getetag/></D:prop>{filters}</C:calendar-query>"
    assert set(client("REPORT", BOOKINGS, body, Depth="1").statuses()) == ({"a.ics"} if found else set())


@pytest.mark.parametrize(
    ("rule", "start", "end", "found"),
    [
        ("FREQ=DAILY", "20260615", "20260616", True),
        ("FREQ=DAILY;COUNT=3", "20260612", "20260613", True),
        ("FREQ=DAILY;COUNT=3", "20260613", "20260614", False),
        ("FREQ=WEEKLY;UNTIL=20260620T000000Z", "20260617", "20260618", True),
        ("FREQ=WEEKLY;UNTIL=20260620T000000Z", "20260624", "20260625", False),
        ("FREQ=YEARLY", "20300610", "20300611", True),
        ("FREQ=YEARLY", "20300611", "20300612", False),
        ("FREQ=MONTHLY;BYDAY=2WE", "20260708", "20260709", True),
    ],
)
def test_a_series_is_found_on_its_days(client: Client, rule: str, start: str, end: str, found: bool) -> None:
    client.put(BOOKINGS + "a.ics", event("a", f"RRULE:{rule}"))
    window = f'<C:time-range start="{start}T000000Z" end="{end}T000000Z"/>'
    assert bool(client.query(BOOKINGS, window, "").statuses()) is found


def test_a_date_is_a_whole_day(client: Client) -> None:
    text = event("a").replace(";TZID=Europe/Berlin:20260610T100000", ";VALUE=DATE:20260610")
    client.put(BOOKINGS + "a.ics", text.replace("DURATION:PT1H\r\n", ""))
    for start, end, found in (("T120000Z", "T130000Z", True), ("T230000Z", "T235900Z", False)):
        window = f'<C:time-range start="20260610{start}" end="20260610{end}"/>'
        assert bool(client.query(BOOKINGS, window, "").statuses()) is found


def test_a_listing_names_the_calendar_and_its_events(client: Client) -> None:
    act(client, "put a")
    home = client.props("/anna@studio.example/", "D:resourcetype", depth="1")
    assert b"/bookings/</" in home.body
    listed = client.props(BOOKINGS, "D:getetag", depth="1").statuses()
    assert listed == {"": 200, "a.ics": 200}
    flat = client.props(BOOKINGS, "D:getetag", depth="0").statuses()
    assert flat == {"": 200}


def test_a_server_tells_what_it_can_and_answers_at_its_root(client: Client) -> None:
    assert "calendar-access" in client("OPTIONS", "/").headers["DAV"]
    assert client("HEAD", "/").status in (200, 302)
    assert client("GET", "/anna@studio.example/none/").status in (403, 404)
    assert client("PROPFIND", "/anna@studio.example/none/").status == 404
