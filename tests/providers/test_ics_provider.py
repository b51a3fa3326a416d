"""A published calendar on good days and bad ones, over a real web server."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.errors import (
    Blocked,
    CalendarGone,
    Invalid,
    NotACalendarServer,
    NotPermitted,
    ProviderError,
    RetryLater,
    SignInNeeded,
)
from bridge.ports import Provider
from bridge.providers import SignedIn, connect, sign_in
from bridge.providers.ics.address import Address
from bridge.providers.ics.provider import CALENDAR
from tests.contracts.samples import calendar, event
from tests.servers.feed import Published, Publisher


@pytest.fixture
def site() -> Iterator[Publisher]:
    with Publisher() as publisher:
        yield publisher


@pytest.fixture
def work(site: Publisher) -> Published:
    made = site.publish("work", title="Work")
    for number in range(3):
        made.put(f"{number}", event(f"e{number}", f"Event {number}"))
    return made


def signed(site: Publisher, password: str = "", url: str = "") -> SignedIn:
    return sign_in("ics", url or f"{site.url}work.ics", "anna", password, {site.host_and_port})


def provider(site: Publisher, profile: dict[str, Any] | None = None, **more: Any) -> Provider:
    account = SimpleNamespace(provider="ics", url="", username="")
    address = f"{site.url}work.ics"
    return connect(account, address, allow_hosts={site.host_and_port}, profile=profile, **more)


# --- addresses ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("webcal://p12-caldav.icloud.com/published/2/abc", "https://p12-caldav.icloud.com/published/2/abc"),
        ("WEBCAL://example.com/a.ics", "https://example.com/a.ics"),
        ("webcals://example.com/a.ics", "https://example.com/a.ics"),
        (" https://example.com/a.ics ", "https://example.com/a.ics"),
        ("example.com/a.ics?key=1&b=2", "https://example.com/a.ics?key=1&b=2"),
        ("https://anna:p%40ss@example.com/a.ics", "https://example.com/a.ics"),
    ],
)
def test_an_address_is_read_as_people_paste_it(typed: str, url: str):
    address = Address.read(typed)
    assert address.url == url
    assert Address.read(address.secret) == address


def test_what_is_shown_of_an_address_is_no_secret():
    one = Address.read("https://anna:geheim@calendar.example/private-abc/basic.ics")
    other = Address.read("https://calendar.example/private-def/basic.ics")
    assert (one.username, one.password) == ("anna", "geheim")
    assert one.shown.startswith("https://calendar.example/#")
    assert one.shown != other.shown
    assert "private" not in one.shown and "geheim" not in one.shown


@pytest.mark.parametrize(
    "typed", ["ftp://example.com/a.ics", "file:///etc/passwd", "http://10.0.0.1/a.ics", "https://"]
)
def test_what_is_no_address_of_a_calendar_is_refused(typed: str):
    with pytest.raises((Blocked, Invalid)):
        sign_in("ics", typed, "", "")


# --- signing in -----------------------------------------------------------------------------------------


def test_the_first_look_lists_one_calendar_that_is_read_only(site: Publisher, work: Published):
    found = signed(site)
    (shown,) = found.calendars
    assert (shown.id, shown.name, shown.writable, shown.events) == (CALENDAR, "Work", False, True)
    assert found.label == "Work at 127.0.0.1"
    assert found.secret == f"{site.url}work.ics"
    assert "work.ics" not in found.home_url


def test_a_password_goes_with_the_address(site: Publisher, work: Published):
    found = signed(site, "geheim")
    assert all(headers["Authorization"].startswith("Basic ") for _, headers in site.asked)
    again = connect(
        SimpleNamespace(provider="ics", url="", username=""),
        found.secret or "",
        allow_hosts={site.host_and_port},
    )
    again.calendars()
    assert site.asked[-1][1]["Authorization"] == site.asked[0][1]["Authorization"]


def test_a_renewed_address_takes_the_place_of_a_password(site: Publisher, work: Published):
    old = signed(site)
    site.calendars["new"] = site.calendars.pop("work")
    with pytest.raises(Invalid, match="new address"):
        sign_in("ics", old.home_url, "anna", "geheim", {site.host_and_port})
    renewed = sign_in("ics", old.home_url, "anna", f"{site.url}new.ics", {site.host_and_port})
    assert renewed.secret == f"{site.url}new.ics"


def test_uids_that_do_not_last_are_found_out_at_once(site: Publisher, work: Published, monkeypatch):
    numbers = iter(range(99))
    plain = Published.text.fget  # type: ignore[attr-defined]

    def text(self: Published) -> str:
        return plain(self).replace("UID:", f"UID:fetch-{next(numbers)}-")

    monkeypatch.setattr(Published, "text", property(text))
    found = signed(site)
    assert found.profile == {"keys": "content"}
    first = provider(site, found.profile).changes(CALENDAR, None)
    later = provider(site, found.profile).changes(CALENDAR, first.cursor)
    assert (list(later.entries), later.complete) == ([], False)


def test_uids_that_stop_lasting_later_are_learnt(site: Publisher, work: Published):
    learnt: list[Any] = []
    cursor = provider(site).changes(CALENDAR, None).cursor
    for number in range(3):
        work.put(f"{number}", event(f"new-{number}", f"Event {number}"))
    changes = provider(site, learnt=learnt.append).changes(CALENDAR, cursor)
    assert learnt == [{"keys": "content"}]
    assert len(changes.entries) == 3


# --- asking again ---------------------------------------------------------------------------------------


def test_an_unchanged_calendar_is_not_sent_again(site: Publisher, work: Published):
    cursor = provider(site).changes(CALENDAR, None).cursor
    assert not provider(site).changes(CALENDAR, cursor).complete
    assert "If-None-Match" in site.asked[-1][1]


def test_a_server_without_versions_is_compared_by_content(site: Publisher, work: Published):
    work.tells = False
    cursor = provider(site).changes(CALENDAR, None).cursor
    again = provider(site).changes(CALENDAR, cursor)
    assert (list(again.entries), again.complete, again.cursor) == ([], False, cursor)
    work.delete("0")
    assert len(provider(site).changes(CALENDAR, cursor).entries) == 2


def test_the_publishers_pace_is_passed_on_also_when_nothing_is_new(site: Publisher, work: Published):
    work.head = ("REFRESH-INTERVAL;VALUE=DURATION:PT6H",)
    first = provider(site).changes(CALENDAR, None)
    assert (first.rest, provider(site).changes(CALENDAR, first.cursor).rest) == (21600, 21600)
    work.head = ("X-PUBLISHED-TTL:P9W",)
    assert provider(site).changes(CALENDAR, None).rest == 86400


# --- bad days -------------------------------------------------------------------------------------------

WHOLE = calendar(*("X-LINE:x" for _ in range(50)))


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, "<!doctype html><title>Sign in</title>", NotACalendarServer),
        (200, "\ufeff\r\n <html>", NotACalendarServer),
        (200, "", NotACalendarServer),
        (200, '{"error": "no"}', NotACalendarServer),
        (200, WHOLE[:200], RetryLater),
        (200, WHOLE[:-6], RetryLater),
        (200, event("a")[:150], RetryLater),
        (204, "", NotACalendarServer),
        (206, WHOLE, NotACalendarServer),
        (304, "", NotACalendarServer),
        (401, "", SignInNeeded),
        (403, "", NotPermitted),
        (404, "", CalendarGone),
        (410, "", CalendarGone),
        (429, "", RetryLater),
        (500, WHOLE, RetryLater),
        (503, "", RetryLater),
    ],
)
def test_what_is_no_whole_calendar_is_never_an_empty_one(
    site: Publisher, work: Published, status: int, body: str, error: type[ProviderError]
):
    first = provider(site).changes(CALENDAR, None)
    work.serve(status, body)
    for cursor in (None, first.cursor) if status != 304 else (None,):
        with pytest.raises(error) as caught:
            provider(site).changes(CALENDAR, cursor)
        assert "." in str(caught.value)


def test_an_empty_calendar_is_a_listing_for_the_guard_to_judge(site: Publisher, work: Published):
    work.parts.clear()
    changes = provider(site).changes(CALENDAR, None)
    assert (list(changes.entries), changes.complete) == ([], True)


def test_too_much_is_not_read_to_its_end(site: Publisher, work: Published):
    work.serve(200, gzip.compress(bytes(64 * 1024 * 1024)), Content_Encoding="gzip")
    with pytest.raises(Blocked, match="MB"):
        provider(site).changes(CALENDAR, None)


def test_redirects_are_followed_so_far(site: Publisher, work: Published):
    site.publish("old").serve(301, Location="/work.ics")
    assert signed(site, url=f"{site.url}old.ics").calendars[0].name == "Work"
    work.serve(302, Location="/work.ics")
    with pytest.raises(Blocked, match="without end"):
        signed(site)


@pytest.mark.parametrize("place", ["http://169.254.169.254/", "https://127.0.0.1:1/", "file:///etc/passwd"])
def test_a_redirect_into_the_private_network_is_not_followed(site: Publisher, work: Published, place: str):
    work.serve(302, Location=place)
    with pytest.raises(Blocked):
        signed(site)


def test_a_file_in_an_older_character_set_is_read(site: Publisher, work: Published):
    body = event("a", "Müller").encode("latin-1")
    work.serve(200, body, Content_Type="text/calendar; charset=ISO-8859-1")
    (entry,) = provider(site).changes(CALENDAR, None).entries
    assert "SUMMARY:Müller" in (entry.text or "")


def test_nothing_is_ever_written(site: Publisher, work: Published):
    spoke = provider(site)
    assert not spoke.capabilities.writes
    with pytest.raises(NotPermitted):
        spoke.put(CALENDAR, spoke.new_href(CALENDAR, "x"), event("x"), None)
    with pytest.raises(NotPermitted):
        spoke.delete(CALENDAR, "e0", "tag")
