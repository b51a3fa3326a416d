"""What a client would rather have: nothing it knows already, less of an answer, or more."""

from __future__ import annotations

import gzip

import pytest

from tests.plugin.conftest import CALDAV, DAV, Answer, Studio, event
from tests.store.studio import forget_changes

BOOKINGS = "/anna@studio.example/bookings/"
IT = BOOKINGS + "it.ics"


@pytest.mark.parametrize("said", ["{now}", "W/{now}", '"other", {now}', "*"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_a_client_has_is_not_sent_again(studio: Studio, said: str, method: str) -> None:
    etag = studio.anna.put(IT, event("it")).etag or ""

    answer = studio.anna(method, IT, If_None_Match=said.replace("{now}", etag))

    assert (answer.status, answer.body, answer.etag) == (304, b"", etag)
    assert studio.anna("GET", IT, If_None_Match='"old"').status == 200
    assert studio.anna("GET", IT, If_Match='"old"').status == 412


def test_a_calendar_that_has_not_changed_is_not_sent_again(studio: Studio) -> None:
    studio.anna.put(IT, event("it"))
    etag = studio.anna("GET", BOOKINGS).etag or ""
    assert studio.anna("GET", BOOKINGS, If_None_Match=etag).status == 304
    studio.anna.put(IT, event("it", summary="New"))
    assert studio.anna("GET", BOOKINGS, If_None_Match=etag).status == 200


@pytest.mark.parametrize("headers", [{"Prefer": "respond-async, return=minimal"}, {"Brief": "t"}])
def test_a_minimal_answer_leaves_out_what_is_missing(studio: Studio, headers: dict[str, str]) -> None:
    asked = (
        '<D:propfind xmlns:D="DAV:"><D:prop><D:displayname/><D:nonsense/></D:prop></D:propfind>',
        '<D:propfind xmlns:D="DAV:"><D:prop><D:nonsense/></D:prop></D:propfind>',
    )
    for body in asked:
        answer = studio.anna("PROPFIND", BOOKINGS, body, Depth="0", **headers)
        assert answer.headers["Preference-Applied"] == "return=minimal"
        assert [status.text for status in answer.xml.iter(DAV + "status")] == ["HTTP/1.1 200 OK"]

    change = (
        '<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><D:displayname>S</D:displayname></D:prop></D:set>'
        "</D:propertyupdate>"
    )
    answer = studio.anna("PROPPATCH", BOOKINGS, change, **headers)
    assert (answer.status, answer.body) == (200, b"")


def test_a_write_can_be_answered_with_what_is_there(studio: Studio) -> None:
    wish = {"Prefer": "return=representation"}
    made = studio.anna.put(IT, event("it"), **wish)
    assert (made.status, made.body.decode()) == (201, event("it"))
    assert made.headers["Content-Location"] == "/dav/anna%40studio.example/bookings/it.ics"
    assert made.etag == studio.anna("GET", IT).etag

    refused = studio.anna.put(IT, event("it", summary="Mine"), If_Match='"old"', **wish)
    assert (refused.status, refused.body.decode(), refused.etag) == (412, event("it"), made.etag)
    assert studio.anna.put(IT, event("it", summary="Mine"), **wish).status == 200


def test_long_answers_are_compressed_for_who_takes_it(studio: Studio) -> None:
    for number in range(20):
        studio.anna.put(f"{BOOKINGS}{number}.ics", event(f"{number}@x", "DESCRIPTION:" + "words " * 100))
    plain = studio.anna("GET", BOOKINGS)

    packed = studio.anna("GET", BOOKINGS, Accept_Encoding="br, gzip;q=0.5")

    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) == len(packed.body) < len(plain.body) / 5
    assert gzip.decompress(packed.body) == plain.body
    assert packed.etag == f"W/{plain.etag}"
    assert plain.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding"
    assert studio.anna("GET", BOOKINGS, If_None_Match=packed.etag or "").status == 304
    for refused in ("", "br", "gzip;q=0", "identity"):
        assert "Content-Encoding" not in studio.anna("GET", BOOKINGS, Accept_Encoding=refused).headers
    assert "Content-Encoding" not in studio.anna("GET", BOOKINGS + "1.ics", Accept_Encoding="gzip").headers


def sync(studio: Studio, token: str, limit: int | None = None, prop: str = "<D:getetag/>") -> Answer:
    limited = "" if limit is None else f"<D:limit><D:nresults>{limit}</D:nresults></D:limit>"
    return studio.anna(
        "REPORT",
        BOOKINGS,
        f'<D:sync-collection xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:sync-token>{token}'
        f"</D:sync-token><D:sync-level>1</D:sync-level>{limited}<D:prop>{prop}</D:prop></D:sync-collection>",
    )


def portions(studio: Studio, token: str, limit: int) -> tuple[dict[str, int], str, int]:
    """All portions: statuses by name (the last one told), the last token, how many."""
    told: dict[str, int] = {}
    for count in range(1, 50):
        answer = sync(studio, token, limit)
        token = answer.xml.findtext(DAV + "sync-token") or ""
        statuses = answer.statuses()
        more = statuses.pop("", None)
        assert len(statuses) <= limit
        told |= statuses
        if more is None:
            return told, token, count
        assert more == 507
        assert answer.xml.find(f".//{DAV}number-of-matches-within-limits") is not None
    raise AssertionError("there is no end")


def test_a_first_sync_in_portions_tells_each_object_once(studio: Studio) -> None:
    for number in range(7):
        studio.anna.put(f"{BOOKINGS}{number}.ics", event(f"{number}@x"))
    studio.anna("DELETE", BOOKINGS + "3.ics")

    told, token, count = portions(studio, "", 2)

    assert told == {f"{number}.ics": 200 for number in (0, 1, 2, 4, 5, 6)}
    assert count == 3
    assert sync(studio, token).statuses() == {}


def test_what_happens_between_two_portions_is_told_in_the_end(studio: Studio) -> None:
    for number in range(6):
        studio.anna.put(f"{BOOKINGS}{number}.ics", event(f"{number}@x"))
    first = sync(studio, "", 3)
    studio.anna("DELETE", BOOKINGS + "0.ics")  # told already
    studio.anna("DELETE", BOOKINGS + "5.ics")  # not told yet
    studio.anna.put(BOOKINGS + "1.ics", event("1@x", summary="New"))

    told, token, _ = portions(studio, first.xml.findtext(DAV + "sync-token") or "", 2)

    there = {name for name, status in (first.statuses() | told).items() if status == 200 and name}
    assert there == {"1.ics", "2.ics", "3.ics", "4.ics"}
    assert told["0.ics"] == 404
    assert sync(studio, token).statuses() == {}


def test_a_log_that_was_pruned_does_not_end_a_first_sync(studio: Studio) -> None:
    from datetime import timedelta

    for number in range(4):
        studio.anna.put(f"{BOOKINGS}{number}.ics", event(f"{number}@x"))
    with studio.bridge.db.writing() as tx:
        forget_changes(tx, studio.clock.now() + timedelta(seconds=1))

    told, _, _ = portions(studio, "", 1)

    assert set(told) == {"0.ics", "1.ics", "2.ics", "3.ics"}


@pytest.mark.parametrize("limit", ["0", "-1", "many", "9" * 40, "٣"])
def test_a_limit_is_a_number(studio: Studio, limit: str) -> None:
    body = (
        '<D:sync-collection xmlns:D="DAV:"><D:sync-token/><D:sync-level>1</D:sync-level><D:limit><D:nresults>'
        f"{limit}</D:nresults></D:limit><D:prop><D:getetag/></D:prop></D:sync-collection>"
    )
    assert studio.anna("REPORT", BOOKINGS, body).status == (207 if limit == "9" * 40 else 400)


def test_a_delta_can_bring_the_texts_along(studio: Studio) -> None:
    token = sync(studio, "").xml.findtext(DAV + "sync-token") or ""
    studio.anna.put(IT, event("it"))
    answer = sync(studio, token, prop="<D:getetag/><D:getlastmodified/><C:calendar-data/>")
    assert answer.texts() == {"it.ics": event("it")}
    assert answer.xml.find(f".//{CALDAV}calendar-data") is not None
    assert answer.xml.findtext(f".//{DAV}getlastmodified") == "Mon, 01 Jun 2026 09:00:00 GMT"
