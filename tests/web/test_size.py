"""What a first visit costs: bytes on the wire, and what a browser may keep."""

from __future__ import annotations

import gzip
import re
from datetime import timedelta

import pytest

from bridge.service import feeds
from bridge.store.people import UserRow
from bridge.wiring import Bridge
from tests.web import studio
from tests.web.browser import Browser
from tests.web.conftest import ANNA, NOON, Clock
from tests.web.studio import event

TAKES = {"Accept-Encoding": "gzip, deflate, br"}


def wire(browser: Browser, path: str) -> int:
    """Bytes of an answer's body as a browser gets it."""
    answer = browser.client.get(path, headers=TAKES, follow_redirects=True)
    assert answer.status_code == 200, path
    return len(answer.data)


def parts(browser: Browser, path: str) -> list[str]:
    """The files a page loads."""
    page = browser.client.get(path, follow_redirects=True).get_data(as_text=True)
    return re.findall(r'(?:src|href)="(/static/[^"]+)"', page)


def style(browser: Browser) -> str:
    """The style sheet's address."""
    return next(one for one in parts(browser, "/") if ".css" in one)


@pytest.fixture
def full(bridge: Bridge, anna: UserRow) -> None:
    """Three hundred sessions in the coming weeks."""
    for number in range(300):
        at = NOON + timedelta(hours=2 * number)
        when = f"DTSTART:{at:%Y%m%dT%H%M%SZ}|DURATION:PT1H"
        studio.book(bridge, anna, event(f"e{number}", f"Session {number}", when, "LOCATION:Old Mill"))


def test_a_first_view_is_small(at_annas: Browser, full: None) -> None:
    for path in ("/sign-in", "/dashboard", "/calendar/settings", "/devices", "/history", "/help"):
        loaded = wire(at_annas, path) + sum(wire(at_annas, part) for part in parts(at_annas, path))
        assert loaded <= 200_000, f"{path}: {loaded} bytes"


def test_the_calendar_with_its_script_and_its_events_is_small_enough(at_annas: Browser, full: None) -> None:
    scripts = parts(at_annas, "/")
    assert any("fullcalendar" in script for script in scripts)
    without = wire(at_annas, "/") + sum(wire(at_annas, one) for one in scripts if "fullcalendar" not in one)
    assert without <= 200_000
    events = wire(at_annas, "/api/v1/events?from=2026-10-26&to=2026-12-07")
    everything = without + events + sum(wire(at_annas, one) for one in scripts if "fullcalendar" in one)
    assert everything <= 450_000


def test_whoever_takes_no_compressed_answer_gets_none(at_annas: Browser, bridge: Bridge, full: None) -> None:
    address = feeds.add(bridge, ANNA, "x").url.split("/", 3)[3]
    for path in ("/calendar/settings", f"/{address}", style(at_annas)):
        plain, packed = at_annas.client.get(path), at_annas.client.get(path, headers=TAKES)
        assert plain.headers.get("Content-Encoding") is None
        assert packed.headers["Content-Encoding"] == "gzip"
        assert "Accept-Encoding" in plain.headers["Vary"]
        assert "Accept-Encoding" in packed.headers["Vary"]
        assert len(packed.data) < len(plain.data)
        if "settings" not in path:  # a page has a fresh token each time
            assert gzip.decompress(packed.data) == plain.data
        assert (
            at_annas.client.get(path, headers={"Accept-Encoding": "gzip;q=0"}).headers.get("Content-Encoding")
            is None
        )


def test_what_was_compressed_is_not_sent_again(at_annas: Browser, bridge: Bridge, full: None) -> None:
    address = feeds.add(bridge, ANNA, "x").url.split("/", 3)[3]
    for path in (f"/{address}", style(at_annas)):
        etag = at_annas.client.get(path, headers=TAKES).headers["ETag"]
        again = at_annas.client.get(path, headers={**TAKES, "If-None-Match": etag})
        assert again.status_code == 304
        assert again.data == b""


def test_the_length_of_a_page_tells_nothing(at_annas: Browser) -> None:
    lengths = {wire(at_annas, "/help") for _ in range(12)}
    assert len(lengths) > 4


def test_a_browser_keeps_our_files_for_a_year_and_fetches_new_ones_under_another_address(
    at_annas: Browser,
) -> None:
    for path in parts(at_annas, "/"):
        assert re.search(r"\?v=[0-9a-f]{12}$", path)
        answer = at_annas.client.get(path)
        assert "max-age=31536000" in answer.headers["Cache-Control"]
        assert "Set-Cookie" not in answer.headers, "a proxy may keep it for everybody"


def test_a_long_list_ends_with_a_day_and_goes_on_under_later(at_annas: Browser, full: None) -> None:
    page = at_annas.open("/")
    shown = [a.text_content() for a in page.document.iter("a") if a.get("class") == "title"]
    assert 80 <= len(shown) < 120
    page.follow("Later")
    following = [a.text_content() for a in page.document.iter("a") if a.get("class") == "title"]
    assert following[0] == f"Session {len(shown)}", "the next one, none left out"


def test_whoever_comes_back_within_two_weeks_stays_signed_in(at_annas: Browser, clock: Clock) -> None:
    assert "Set-Cookie" not in at_annas.client.get("/devices").headers
    clock.pass_(days=1)
    assert "Expires=" in at_annas.client.get("/devices").headers["Set-Cookie"]
