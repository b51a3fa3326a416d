"""Listings and deltas as servers really give them: cut, doubled, respelt, without tokens, without tags."""

from __future__ import annotations

import json

import pytest

from bridge.errors import CalendarGone, CursorLost, NotACalendarServer, NotPermitted, RetryLater
from tests.providers.answers import IS_CALENDAR, IS_FOLDER, error, etag, found, multistatus, status, xml
from tests.providers.conftest import CALENDAR, Connect
from tests.servers import fault
from tests.servers.fault import FaultProxy

TOKEN = json.dumps({"token": "t1"})


def test_calendars_are_told_from_what_looks_like_them(server: FaultProxy, connected: Connect):
    def comps(*names: str) -> str:
        inner = "".join(f'<c:comp name="{name}"/>' for name in names)
        return f"<c:supported-calendar-component-set>{inner}</c:supported-calendar-component-set>"

    def kind(*names: str) -> str:
        return f"<d:resourcetype><d:collection/>{''.join(f'<{n}/>' for n in names)}</d:resourcetype>"

    reading = (
        "<d:current-user-privilege-set><d:privilege><d:read/></d:privilege></d:current-user-privilege-set>"
    )
    server.fault(
        "PROPFIND",
        multistatus(
            found("/home/anna/", IS_FOLDER),
            found(
                "/home/anna/work/",
                IS_CALENDAR,
                "<d:displayname>Arbeit</d:displayname>",
                comps("VEVENT", "VTODO"),
            ),
            found("/home/anna/tasks/", IS_CALENDAR, comps("VTODO")),
            found("/home/anna/inbox/", kind("c:calendar", "c:schedule-inbox")),
            found("/home/anna/outbox/", kind("c:schedule-outbox")),
            found("/home/anna/notes/", kind("s:notification")),
            found(
                "/home/anna/a%40b/", IS_CALENDAR, reading, "<a:calendar-color>#FF2968FF</a:calendar-color>"
            ),
            found(f"{server.url}home/anna/feed/", kind("c:calendar", "s:subscribed")),
        ),
    )
    listed = {c.id: c for c in connected().calendars()}
    assert list(listed) == ["/home/anna/work/", "/home/anna/a%40b/", "/home/anna/feed/"]
    assert listed["/home/anna/work/"].name == "Arbeit"
    assert listed["/home/anna/a%40b/"].name == "a@b"
    assert listed["/home/anna/a%40b/"].color == "#FF2968FF"
    assert [c.writable for c in listed.values()] == [True, False, False]


def test_a_report_cut_short_is_read_on_page_by_page(server: FaultProxy, connected: Connect):
    server.fault(
        "REPORT",
        multistatus(
            found(CALENDAR + "a.ics", etag("1")),
            found(CALENDAR + "b.ics", etag("1")),
            status(CALENDAR, 507),
            token="t2",
        ),
    )
    server.fault(
        "REPORT",
        multistatus(status(CALENDAR + "a.ics", 404), found(CALENDAR + "c.ics", etag("2")), token="t3"),
    )
    changes = connected().changes(CALENDAR, TOKEN)
    assert {entry.href for entry in changes.entries} == {CALENDAR + "b.ics", CALENDAR + "c.ics"}
    assert changes.gone == {CALENDAR + "a.ics"}
    assert changes.cursor == json.dumps({"token": "t3"})
    assert [b"t1" in server.log[0].body, b"t2" in server.log[1].body] == [True, True]


def test_a_report_that_is_cut_for_ever_is_given_up(server: FaultProxy, connected: Connect):
    server.fault("REPORT", multistatus(status(CALENDAR, 507), token="t1"), times=99)
    with pytest.raises(CursorLost):
        connected().changes(CALENDAR, TOKEN)
    assert len(server.log) == 1


def test_the_collection_listed_as_a_member_is_skipped(server: FaultProxy, connected: Connect):
    server.fault(
        "REPORT",
        multistatus(
            found(CALENDAR.rstrip("/"), etag("0")),
            found(CALENDAR + "sub/", etag("0")),
            found(CALENDAR + "a.ics", etag("1")),
            token="t2",
        ),
    )
    (entry,) = connected().changes(CALENDAR, None).entries
    assert (entry.href, entry.tag) == (CALENDAR + "a.ics", '"1"')


@pytest.mark.parametrize(
    "reply",
    [
        xml(error("d:valid-sync-token"), 403),
        xml(error("d:valid-sync-token"), 409),
        xml(error("d:valid-sync-token"), 412),
        fault.answer(400),
        fault.answer(500),
    ],
)
def test_a_token_that_is_refused_is_a_lost_cursor(server: FaultProxy, connected: Connect, reply: fault.Fault):
    server.fault("REPORT", reply, times=2)
    with pytest.raises(CursorLost):
        connected().changes(CALENDAR, TOKEN)


@pytest.mark.parametrize("code", [403, 405, 415, 501])
def test_without_sync_collection_ctag_and_tags_do(server: FaultProxy, connected: Connect, code: int):
    server.fault("REPORT", fault.answer(code), times=2)
    own = multistatus(found(CALENDAR, IS_CALENDAR, "<s:getctag>c1</s:getctag>"))
    server.fault("PROPFIND", own)
    server.fault(
        "PROPFIND",
        multistatus(
            found(CALENDAR, IS_CALENDAR),
            found(CALENDAR + "folder", IS_FOLDER),
            found(CALENDAR + "a.ics", etag("1")),
        ),
    )
    provider = connected()
    changes = provider.changes(CALENDAR, None)
    assert [entry.href for entry in changes.entries] == [CALENDAR + "a.ics"]
    assert changes.complete
    assert changes.cursor == json.dumps({"ctag": "c1"})
    assert not provider.capabilities.sync_token

    server.heal()
    server.fault("PROPFIND", own)
    again = connected(**provider.profile)
    nothing = again.changes(CALENDAR, changes.cursor)
    assert (list(nothing.entries), nothing.complete, nothing.cursor) == ([], False, changes.cursor)
    assert again.requests == 1


def test_a_server_without_token_and_ctag_is_listed_every_time(server: FaultProxy, connected: Connect):
    server.fault("PROPFIND", multistatus(found(CALENDAR, IS_CALENDAR)))
    server.fault("PROPFIND", multistatus(found(CALENDAR + "a.ics", etag("1"))))
    changes = connected(sync=False).changes(CALENDAR, None)
    assert (len(changes.entries), changes.complete, changes.cursor) == (1, True, None)


def test_an_object_without_a_tag_is_never_taken_for_unchanged(server: FaultProxy, connected: Connect):
    server.fault("REPORT", multistatus(found(CALENDAR + "a.ics"), token="t2"), times=2)
    provider = connected()
    first, second = (provider.changes(CALENDAR, None).entries[0].tag for _ in range(2))
    assert first != second


def test_hrefs_are_the_calendars_spelling_and_the_names_spelling(server: FaultProxy, connected: Connect):
    """The report spells the home otherwise than the home listing did; each object still has one href."""
    calendar = "/home/anna/a%40b/"
    server.fault(
        "REPORT",
        multistatus(
            found("/home/anna/a@b/x%40y.ics", etag("1")),
            found(f"{server.url}home/anna/a%40b/x@y.ics", etag("2")),
            found("/home/anna/a%40b/%C3%BC%20z.ics", etag("3")),
            token="t2",
        ),
    )
    hrefs = [entry.href for entry in connected().changes(calendar, None).entries]
    assert hrefs == [calendar + "x%40y.ics", calendar + "x@y.ics", calendar + "%C3%BC%20z.ics"]


def test_a_calendar_that_was_replaced_by_something_else_is_gone(server: FaultProxy, connected: Connect):
    server.fault("PROPFIND", multistatus(status(CALENDAR, 404)))
    with pytest.raises(CalendarGone):
        connected(sync=False).changes(CALENDAR, None)


def test_a_calendar_that_may_not_be_read_any_more_is_no_deletion(server: FaultProxy, connected: Connect):
    for method in ("REPORT", "PROPFIND"):
        server.fault(method, fault.answer(403), times=9)
    with pytest.raises(NotPermitted):
        connected().changes(CALENDAR, None)


def test_trouble_at_the_server_is_no_verdict(server: FaultProxy, connected: Connect):
    for method in ("REPORT", "PROPFIND"):
        server.fault(method, fault.answer(500), times=9)
    with pytest.raises(RetryLater):
        connected().changes(CALENDAR, None)


def test_a_pause_may_be_named_by_a_date(server: FaultProxy, connected: Connect):
    headers = {"Date": "Sun, 22 Nov 2026 10:00:00 GMT", "Retry-After": "Sun, 22 Nov 2026 10:02:00 GMT"}
    server.fault("REPORT", fault.answer(503, headers=headers))
    with pytest.raises(RetryLater) as caught:
        connected().changes(CALENDAR, None)
    assert caught.value.after == 120


@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE html><html><body>Please sign in</body></html>",
        b"<html><head><title>Webmail</title></head><body><p>Hello<br></body></html>",
        b"",
        b"{}",
        b"<d:multistatus xmlns:d='DAV:'><d:response>",
        b"<?xml version='1.0'?><other/>",
        b'<!DOCTYPE m [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
        b"<d:multistatus xmlns:d='DAV:'><d:sync-token>&e;</d:sync-token></d:multistatus>",
        b'<!DOCTYPE m [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
        b"<d:multistatus xmlns:d='DAV:'><d:sync-token>&b;</d:sync-token></d:multistatus>",
    ],
)
def test_a_listing_that_is_no_multistatus_is_never_an_empty_calendar(
    server: FaultProxy, connected: Connect, body: bytes
):
    for method in ("REPORT", "PROPFIND"):
        server.fault(method, xml(body), times=9)
    with pytest.raises(NotACalendarServer) as caught:
        connected().changes(CALENDAR, None)
    assert "root:" not in str(caught.value)


def test_fifty_thousand_names_are_one_answer(server: FaultProxy, connected: Connect):
    responses = (found(f"{CALENDAR}{number}.ics", etag(str(number))) for number in range(50_000))
    server.fault("REPORT", multistatus(*responses, token="t2"))
    provider = connected()
    assert len(provider.changes(CALENDAR, None).entries) == 50_000
    assert provider.requests == 1
