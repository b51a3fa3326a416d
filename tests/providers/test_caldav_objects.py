"""Texts and writes as servers really treat them: CDATA, missing names, weak tags, refusals of many kinds."""

from __future__ import annotations

from xml.sax.saxutils import escape

import pytest

from bridge.errors import (
    NotPermitted,
    ObjectGone,
    ObjectRefused,
    ProviderError,
    RetryLater,
    TagMismatch,
    UnknownOutcome,
)
from tests.contracts.samples import AWKWARD, event
from tests.providers.answers import IS_CALENDAR, data, error, etag, found, multistatus, status, xml
from tests.providers.conftest import CALENDAR, Connect
from tests.servers import fault
from tests.servers.fault import FaultProxy

HREF = CALENDAR + "a.ics"
CDATA = AWKWARD.replace("]]>", "]]]]><![CDATA[>")


@pytest.mark.parametrize(
    "body",
    [
        data(escape(AWKWARD)),
        data(escape(AWKWARD).replace("\r\n", "\n")),
        data(escape(AWKWARD).replace("\r", "&#13;")),
        data(f"<![CDATA[{CDATA}]]>"),
        data("\n      " + escape(AWKWARD)),
    ],
    ids=["raw", "line feeds", "escaped CR", "CDATA", "indented"],
)
def test_however_xml_wraps_it_the_text_arrives_byte_for_byte(
    server: FaultProxy, connected: Connect, body: str
):
    server.fault("REPORT", multistatus(found(HREF, etag("1"), body)))
    (entry,) = connected().fetch(CALENDAR, [HREF])
    assert (entry.href, entry.tag, entry.text) == (HREF, '"1"', AWKWARD)


def test_what_is_sent_is_what_was_given(server: FaultProxy, connected: Connect):
    server.fault("PUT", fault.answer(201, headers={"ETag": '"1"'}))
    entry = connected().put(CALENDAR, HREF, AWKWARD, None)
    (put,) = server.log
    assert put.body == AWKWARD.encode()
    assert put.headers["If-None-Match"] == "*"
    assert put.headers["Content-Length"] == str(len(AWKWARD.encode()))
    assert "Transfer-Encoding" not in put.headers
    assert put.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert put.headers["User-Agent"].startswith("picsello-bridge/")
    assert put.path == HREF
    assert (entry.tag, entry.text) == ('"1"', None)


def test_hrefs_are_sent_as_the_server_spelt_them(server: FaultProxy, connected: Connect):
    hrefs = [
        CALENDAR + name for name in ("a%40b.ics", "a@b.ics", "%C3%BC%20x.ics", "a+b&amp.ics", "a%2Bb.ics")
    ]
    server.fault("GET", fault.answer(200, event("x").encode(), {"ETag": '"1"'}), times=9)
    server.fault("REPORT", fault.answer(501))
    assert [entry.href for entry in connected().fetch(CALENDAR, hrefs)] == hrefs
    assert [seen.path for seen in server.log if seen.method == "GET"] == hrefs


def test_two_spellings_of_one_name_in_the_answer_find_what_was_asked(server: FaultProxy, connected: Connect):
    server.fault("REPORT", multistatus(found("/home/anna/work/a%40b.ics", etag("1"), data("X"))))
    (entry,) = connected().fetch(CALENDAR, [CALENDAR + "a@b.ics"])
    assert entry.href == CALENDAR + "a@b.ics"


def test_a_report_that_fails_as_a_whole_is_made_up_by_single_reads(server: FaultProxy, connected: Connect):
    server.fault("REPORT", fault.answer(404))
    server.fault("GET", fault.answer(200, event("a").encode(), {"ETag": '"1"'}), path="a.ics")
    server.fault("GET", fault.answer(404), path="b.ics")
    (entry,) = connected().fetch(CALENDAR, [HREF, CALENDAR + "b.ics"])
    assert (entry.tag, entry.text) == ('"1"', event("a"))


def test_one_object_that_breaks_the_xml_does_not_hide_the_others(server: FaultProxy, connected: Connect):
    bad = found(HREF, etag("1"), data("SUMMARY:\x0b"))
    server.fault("REPORT", multistatus(bad, found(CALENDAR + "b.ics", etag("2"), data("X"))))
    server.fault("GET", fault.answer(200, b"SUMMARY:\x0b\r\n", {"ETag": '"1"'}), path="a.ics")
    server.fault("GET", fault.answer(200, b"X\r\n", {"ETag": '"2"'}), path="b.ics")
    texts = [entry.text for entry in connected().fetch(CALENDAR, [HREF, CALENDAR + "b.ics"])]
    assert texts == ["SUMMARY:\x0b\r\n", "X\r\n"]


def test_a_nul_is_left_out_since_no_calendar_may_hold_one(server: FaultProxy, connected: Connect):
    server.fault("REPORT", multistatus(found(HREF, etag("1"), data("SUMMARY:A\0nna"))))
    server.fault("GET", fault.answer(200, b"SUMMARY:A\0nna\r\n", {"ETag": '"1"'}), path="a.ics")
    (entry,) = connected().fetch(CALENDAR, [HREF])
    assert entry.text == "SUMMARY:Anna\r\n"


def test_missing_names_are_gone_whether_said_or_left_out(server: FaultProxy, connected: Connect):
    server.fault("REPORT", multistatus(status(HREF, 404), found(CALENDAR + "c.ics", etag("1"), data("X"))))
    hrefs = [HREF, CALENDAR + "b.ics", CALENDAR + "c.ics"]
    assert [entry.href for entry in connected().fetch(CALENDAR, hrefs)] == [CALENDAR + "c.ics"]


def test_large_objects_come_in_smaller_batches(server: FaultProxy, connected: Connect):
    hrefs = [f"{CALENDAR}{number}.ics" for number in range(30)]
    large = "X" * 1_000_000

    def report(seen: fault.Seen, _forward: fault.Forward) -> fault.Reply | None:
        asked = [href for href in hrefs if f">{href}<".encode() in seen.body]
        return multistatus(*(found(href, etag("1"), data(large)) for href in asked))(seen, _forward)

    server.fault("REPORT", report, times=99)
    assert len(list(connected().fetch(CALENDAR, hrefs))) == 30
    sizes = [seen.body.count(b".ics") for seen in server.log]
    assert sizes[0] <= 20
    assert max(sizes[1:]) <= 2


# --- after a write ------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{}, {"ETag": 'W/"weak"'}], ids=["no tag", "a weak tag"])
def test_a_write_without_a_strong_tag_is_read_back(
    server: FaultProxy, connected: Connect, headers: dict[str, str]
):
    server.fault("PUT", fault.answer(201, headers=headers))
    server.fault("GET", fault.answer(200, event("a", "Rewritten").encode(), {"ETag": '"strong"'}))
    entry = connected().put(CALENDAR, HREF, event("a"), None)
    assert (entry.tag, entry.text) == ('"strong"', event("a", "Rewritten"))


def test_a_write_that_was_taken_and_is_not_shown_is_unknown(server: FaultProxy, connected: Connect):
    server.fault("PUT", fault.answer(201))
    server.fault("GET", fault.answer(404))
    with pytest.raises(UnknownOutcome):
        connected().put(CALENDAR, HREF, event("a"), None)


def test_a_write_that_was_taken_and_may_not_be_read_back_is_no_refusal(
    server: FaultProxy, connected: Connect
):
    server.fault("PUT", fault.answer(201))
    server.fault("GET", fault.answer(403), times=2)
    with pytest.raises(UnknownOutcome):
        connected().put(CALENDAR, HREF, event("a"), None)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (fault.answer(412), TagMismatch),
        (fault.answer(404), ObjectGone),
        (fault.answer(410), ObjectGone),
        (xml(error("d:need-privileges"), 403), NotPermitted),
        (fault.answer(405), NotPermitted),
        (fault.answer(423), NotPermitted),
        (fault.answer(507), NotPermitted),
        (fault.answer(400), ObjectRefused),
        (fault.answer(409), ObjectRefused),
        (fault.answer(413), ObjectRefused),
        (fault.answer(415), ObjectRefused),
        (fault.answer(422), ObjectRefused),
        (xml(error("c:no-uid-conflict"), 403), ObjectRefused),
        (xml(error("c:valid-calendar-data"), 412), ObjectRefused),
        (xml(error("c:max-resource-size"), 403), ObjectRefused),
        (fault.answer(500), RetryLater),
        (fault.answer(503), RetryLater),
        (fault.answer(429), RetryLater),
        (fault.answer(502), UnknownOutcome),
        (fault.answer(504), UnknownOutcome),
    ],
)
def test_each_refusal_of_a_write_has_its_meaning(
    server: FaultProxy, connected: Connect, reply: fault.Fault, kind: type[ProviderError]
):
    server.fault("PUT", reply, times=9)
    with pytest.raises(kind) as caught:
        connected().put(CALENDAR, HREF, event("a"), '"1"')
    assert type(caught.value) is kind
    assert "127.0.0.1" in str(caught.value)
    assert server.log[0].headers["If-Match"] == '"1"'


@pytest.mark.parametrize(("privilege", "kind"), [("write", ObjectRefused), ("read", NotPermitted)])
def test_an_unexplained_403_is_explained_by_the_calendar(
    server: FaultProxy, connected: Connect, privilege: str, kind: type[ProviderError]
):
    rights = (
        f"<d:current-user-privilege-set><d:privilege><d:{privilege}/></d:privilege>"
        "</d:current-user-privilege-set>"
    )
    server.fault("PUT", fault.answer(403), times=9)
    server.fault("PROPFIND", multistatus(found(CALENDAR, IS_CALENDAR, rights)))
    with pytest.raises(kind):
        connected().put(CALENDAR, HREF, event("a"), None)


def test_deleting_names_the_version_and_tells_gone_from_changed(server: FaultProxy, connected: Connect):
    for code, kind in ((412, TagMismatch), (404, ObjectGone)):
        server.fault("DELETE", fault.answer(code))
        with pytest.raises(kind):
            connected().delete(CALENDAR, HREF, '"v 1"')
    assert {seen.headers["If-Match"] for seen in server.log} == {'"v 1"'}
    assert all(seen.body == b"" for seen in server.log)


def test_new_names_are_the_same_for_the_same_key_and_harmless(connected: Connect):
    provider = connected()
    assert provider.new_href(CALENDAR, "shoot_12") == CALENDAR + "shoot_12.ics"
    odd = provider.new_href(CALENDAR, "shoot_1@picsello.com/../ü")
    assert odd == provider.new_href(CALENDAR, "shoot_1@picsello.com/../ü")
    assert odd.removeprefix(CALENDAR).removesuffix(".ics").isalnum()
    assert odd != provider.new_href(CALENDAR, "shoot_2@picsello.com/../ü")
