"""What a client PUT is what every client gets, byte for byte, under the ETag that the PUT returned."""

from __future__ import annotations

import gzip
import tracemalloc

import pytest
from lxml import etree

from tests.plugin.conftest import CALDAV, DAV, ICS, Studio, event

BOOKINGS = "/anna@studio.example/bookings/"
STYLES = ["apple.ics", "google.ics", "outlook.ics", "lf-only.ics", "refused-by-vobject.ics"]


@pytest.mark.parametrize("style", STYLES)
def test_get_returns_exactly_what_put_sent(studio: Studio, style: str) -> None:
    sent = (ICS / style).read_bytes()
    put = studio.anna.put(BOOKINGS + "it.ics", sent)
    assert put.status == 201
    assert put.etag

    got = studio.anna("GET", BOOKINGS + "it.ics")

    assert got.body == sent
    assert got.etag == put.etag
    assert got.headers["Content-Type"] == "text/calendar; charset=utf-8"


@pytest.mark.parametrize("style", STYLES)
def test_a_multiget_carries_the_same_bytes_through_xml(studio: Studio, style: str) -> None:
    sent = (ICS / style).read_bytes()
    etag = studio.anna.put(BOOKINGS + "it.ics", sent).etag

    answer = studio.anna.multiget(BOOKINGS, "it.ics")

    # two parsers, for what counts is what a parser makes of it: XML turns a bare CR LF into LF
    assert answer.texts()["it.ics"].encode() == sent
    tree = etree.fromstring(answer.body)
    assert tree.findtext(f".//{CALDAV}calendar-data").encode() == sent
    assert tree.findtext(f".//{DAV}getetag") == etag


def test_a_mirror_gives_what_the_provider_gave(studio: Studio) -> None:
    given = (ICS / "outlook.ics").read_bytes()
    studio.imported(studio.mirror("family", editable=False), "x.ics", given.decode())

    assert studio.anna("GET", "/anna@studio.example/family/x.ics").body == given


def test_another_charset_is_understood_but_then_the_bytes_are_not_the_clients(studio: Studio) -> None:
    sent = event("latin", summary="Café").encode("iso-8859-1")

    put = studio.anna.put(BOOKINGS + "latin.ics", sent, Content_Type="text/calendar; charset=ISO-8859-1")

    assert put.status == 201
    assert put.etag is None  # RFC 4791 5.3.4
    assert studio.anna("GET", BOOKINGS + "latin.ics").body == event("latin", summary="Café").encode()


def test_the_etag_changes_exactly_when_the_bytes_do(studio: Studio) -> None:
    first = studio.anna.put(BOOKINGS + "e.ics", event("e"))
    again = studio.anna.put(BOOKINGS + "e.ics", event("e"))
    other = studio.anna.put(BOOKINGS + "e.ics", event("e", summary="Group picture"))

    assert (first.status, again.status, other.status) == (201, 204, 204)
    assert first.etag == again.etag != other.etag


def test_one_object_with_a_control_character_spoils_no_report(studio: Studio) -> None:
    mirror = studio.mirror("family", editable=False)
    studio.imported(mirror, "bell.ics", event("bell", summary="ding\x07dong"))
    studio.imported(mirror, "fine.ics", event("fine"))

    texts = studio.anna.multiget("/anna@studio.example/family/", "bell.ics", "fine.ics").texts()

    assert "dingdong" in texts["bell.ics"]
    assert texts["fine.ics"] == event("fine")
    assert b"ding\x07dong" in studio.anna("GET", "/anna@studio.example/family/bell.ics").body


def test_a_long_calendar_goes_out_whole_and_is_in_memory_once(studio: Studio) -> None:
    """Four megabytes: each portion is forgotten when the server has taken it over."""
    texts = [event(f"{number}@x", "DESCRIPTION:" + "x" * 20_000) for number in range(200)]
    for number, text in enumerate(texts):
        studio.book(str(number), text)
    tracemalloc.start()
    answer = studio.anna("GET", BOOKINGS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert answer.body.count(b"BEGIN:VEVENT") == 200
    assert answer.headers["Content-Length"] == str(len(answer.body))
    assert peak < 2.5 * len(answer.body)  # the test puts the portions together once more
    packed = studio.anna("GET", BOOKINGS, Accept_Encoding="gzip")
    assert gzip.decompress(packed.body) == answer.body
