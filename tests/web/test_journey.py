"""The photographer's first day, with a real Radicale as provider and no JavaScript: connect, choose, look at
the plan, start, see both sides, lose the password, disconnect."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.service import bookings
from bridge.store import accounts, links, notices, turns
from bridge.store.people import UserRow
from bridge.wiring import Bridge
from tests.servers.dav import Outside, Server
from tests.servers.radicale import radicale
from tests.web.browser import Browser
from tests.web.conftest import ANNA, BERT, Clock
from tests.web.studio import event

DENTIST = event("dentist", "Dentist", "DTSTART:20261124T080000Z|DTEND:20261124T090000Z")


@pytest.fixture(scope="module")
def newcomers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Iterator[Server]]:
    """One running provider, as seen by one user after the other, each without a calendar."""
    names = [f"anna{number}" for number in range(40)]
    with radicale(tmp_path_factory.mktemp("radicale"), users=dict.fromkeys(names, "geheim")) as server:
        yield (dataclasses.replace(server, user=name, home=f"/{name}/") for name in names)


@pytest.fixture
def server(newcomers: Iterator[Server]) -> Server:
    return next(newcomers)


@pytest.fixture
def private(server: Server) -> Outside:
    calendar = server.make_calendar("private", title="Private", color="#d9480f")
    calendar.put("dentist.ics", DENTIST)
    return calendar


@pytest.fixture
def work(server: Server) -> Outside:
    return server.make_calendar("work", title="Work")


def booking(bridge: Bridge, anna: UserRow, title: str, start: str) -> str:
    with bridge.db.writing() as tx:
        uid, _ = bookings.add(tx, anna, title, start, 60, "Old Mill", "", "confirmed", bridge.clock.now())
    return uid


def let_the_worker_work(bridge: Bridge, *, idle: bool = False) -> None:
    """Run what is due, as the worker does, until nothing is. A page that should have asked for a pass, and
    did not, is found here; ``idle``: one that should not have."""
    due = _taken(bridge)
    assert bool(due) is not idle, "nothing is due" if not due else "something is due"
    while due:
        for link in due:
            bridge.engine().run(link)
        due = _taken(bridge)


def _taken(bridge: Bridge) -> list[int]:
    with bridge.db.writing() as tx:
        due = list(turns.due(tx, bridge.clock.now()))
        for link in due:
            links.set_(tx, link, due_at=None)
    return due


def connect(browser: Browser, server: Server, password: str | None = None) -> Browser:
    browser.open("/calendar/settings").follow("Connect a calendar")
    browser.follow("Connect Another calendar server (CalDAV)")
    return browser.press(
        "Sign in and list calendars",
        url=server.url,
        username=server.user,
        password=server.password if password is None else password,
    )


def test_from_connecting_to_both_sides_in_agreement(
    at_annas: Browser,
    bridge: Bridge,
    anna: UserRow,
    server: Server,
    private: Outside,
    work: Outside,
    clock: Clock,
) -> None:
    uid = booking(bridge, anna, "Smith wedding", "2026-11-25T14:00")

    connect(at_annas, server)
    assert "Connected to" in at_annas.text
    assert "Private" in at_annas.text
    assert "#d9480f" in at_annas.html

    at_annas.press("Save", read=[private.path], write=work.path)
    assert "Calendar settings saved." in at_annas.text
    assert "Add “Smith wedding” there." in at_annas.text
    assert "Add “Dentist” here." in at_annas.text
    assert "1 booking will be written there." in at_annas.text
    let_the_worker_work(bridge, idle=True)
    assert work.texts() == {}, "nothing is written before the word is given"
    assert "Nothing has been written to your calendar yet." in at_annas.open("/calendar/settings").text

    at_annas.follow("See the plan and start").press("Start syncing")
    assert "Syncing has started." in at_annas.text
    assert "First sync is coming up" in at_annas.text
    let_the_worker_work(bridge)
    assert "SUMMARY:Smith wedding" in (work.by_uid(uid) or "")
    clock.pass_(minutes=3)
    at_annas.open("/calendar/settings")
    assert "Private Its events appear here. In agreement 3 minutes ago" in at_annas.text
    assert "Work Your bookings go there. In agreement 3 minutes ago" in at_annas.text
    page = at_annas.open("/").text
    assert "09:00 – 10:00 Dentist Private" in page
    assert "14:00 – 15:00 Smith wedding Bookings · Old Mill" in page
    history = at_annas.open("/history").text
    assert "Added Dentist in Private, by sync" in history
    assert "Added Smith wedding in Work, by sync" in history

    at_annas.open("/calendar/settings").follow("Choose calendars")
    boxes = [box for box in at_annas.document.iter("input") if box.name == "read"]
    chosen = {box.get("value"): box.checked for box in boxes}
    assert chosen == {private.path: True, work.path: False}


def test_a_booking_deleted_over_there_comes_back_with_an_offer_to_cancel_it(
    at_annas: Browser, bridge: Bridge, anna: UserRow, server: Server, work: Outside
) -> None:
    uid = booking(bridge, anna, "Smith wedding", "2026-11-25T14:00")
    connect(at_annas, server).press("Save", write=work.path).press("Start syncing")
    let_the_worker_work(bridge)
    work.delete(work.name_of(uid))
    at_annas.press("Sync now")
    let_the_worker_work(bridge)
    assert work.by_uid(uid), "restored"
    at_annas.open("/").press("Cancel this booking")
    assert "The booking is cancelled." in at_annas.text
    assert "Smith wedding" not in at_annas.text, "gone from every calendar"
    with bridge.db.reading() as tx:
        assert notices.standing(tx, anna.id) == []
    let_the_worker_work(bridge)
    assert work.by_uid(uid) is None


@pytest.mark.parametrize(
    ("fields", "where", "says"),
    [
        ({"password": "wrong"}, "password", "password"),
        ({"url": "http://127.0.0.1:1/"}, "url", "127.0.0.1"),
        ({"url": "nonsense"}, "url", "nonsense"),
        ({"url": "https://10.0.0.1/"}, "url", "10.0.0.1"),
        ({"url": ""}, "url", "Please type the address"),
        ({"username": ""}, "username", "Please type the user name."),
    ],
)
def test_what_is_wrong_with_a_sign_in_stands_beside_its_field(
    at_annas: Browser,
    bridge: Bridge,
    anna: UserRow,
    server: Server,
    fields: dict[str, str],
    where: str,
    says: str,
) -> None:
    typed = {"url": server.url, "username": server.user, "password": server.password} | fields
    at_annas.open("/calendar/settings/connect/caldav").press("Sign in and list calendars", **typed)
    assert at_annas.status == 422
    assert says in at_annas.beside(where)
    assert at_annas.field("url").get("value") == typed["url"]
    assert at_annas.field("username").get("value") == typed["username"]
    assert at_annas.field("password").get("value") is None
    with bridge.db.reading() as tx:
        assert accounts.of_user(tx, anna.id) == []


def test_the_same_account_is_not_connected_twice(at_annas: Browser, server: Server) -> None:
    connect(at_annas, server)
    at_annas.open("/calendar/settings/connect/caldav").press(
        "Sign in and list calendars", url=server.url, username=server.user, password=server.password
    )
    assert "connected already" in at_annas.beside("username")


def test_a_password_that_stopped_working_is_renewed_on_the_spot(
    at_annas: Browser, bridge: Bridge, anna: UserRow, server: Server, private: Outside
) -> None:
    connect(at_annas, server).press("Save", read=[private.path]).press("Start syncing")
    let_the_worker_work(bridge)
    with bridge.db.writing() as tx:
        (account,) = accounts.of_user(tx, anna.id)
        accounts.set_(tx, account.id, secret=bridge.vault.seal("outdated", accounts.bind(account.id)))
    at_annas.open("/calendar/settings").press("Sync now")
    let_the_worker_work(bridge)
    assert "Needs you to sign in again" in at_annas.open("/calendar/settings").text
    at_annas.press("Sign in again", password="wrong again")
    assert at_annas.status == 422
    assert "password" in at_annas.beside("password")
    at_annas.press("Sign in again", password=server.password)
    assert "Syncing goes on." in at_annas.text
    let_the_worker_work(bridge)
    assert "In agreement just now" in at_annas.open("/calendar/settings").text


def test_a_provider_that_is_away_hides_no_event_and_is_named(
    at_annas: Browser, bridge: Bridge, tmp_path: Path
) -> None:
    with radicale(tmp_path / "away") as server:
        private = server.make_calendar("private", title="Private")
        private.put("dentist.ics", DENTIST)
        connect(at_annas, server).press("Save", read=[private.path]).press("Start syncing")
        let_the_worker_work(bridge)
    assert "Dentist" in at_annas.open("/").text
    at_annas.open("/calendar/settings").press("Sync now")
    let_the_worker_work(bridge)
    assert "Having trouble" in at_annas.open("/calendar/settings").text
    at_annas.follow("Choose calendars")
    assert at_annas.path == "/calendar/settings"
    assert server.host_and_port.partition(":")[0] in at_annas.text
    assert "Dentist" in at_annas.open("/").text


def test_hostile_names_at_the_provider_stay_text(
    at_annas: Browser, bridge: Bridge, server: Server, private: Outside
) -> None:
    hostile = "<script>alert(1)</script>"
    named = server.make_calendar("evil", title=hostile.replace("<", "&lt;"), color="#123456")
    named.put("x.ics", event("x", hostile, "DTSTART:20261124T080000Z|DURATION:PT1H"))
    connect(at_annas, server)
    assert hostile in at_annas.text
    at_annas.press("Save", read=[named.path])
    assert f"Add “{hostile}” here." in at_annas.text
    assert hostile not in at_annas.html
    at_annas.press("Start syncing")
    let_the_worker_work(bridge)
    for path in ("/", "/calendar/settings", "/history"):
        assert hostile in at_annas.open(path).text
        assert hostile not in at_annas.html


@pytest.mark.parametrize(("choice", "left"), [("keep", 2), ("remove-future", 1), ("remove-all", 0)])
def test_disconnecting_does_to_the_bookings_there_what_was_chosen(
    at_annas: Browser, bridge: Bridge, anna: UserRow, server: Server, work: Outside, choice: str, left: int
) -> None:
    booking(bridge, anna, "Last week", "2026-11-15T14:00")
    booking(bridge, anna, "Next week", "2026-11-29T14:00")
    work.put("mine.ics", DENTIST)
    connect(at_annas, server).press("Save", write=work.path).press("Start syncing")
    let_the_worker_work(bridge)
    at_annas.open("/calendar/settings").follow("Disconnect…")
    assert "2 bookings stay as now" in at_annas.text
    assert "1 coming booking will be deleted there" in at_annas.text
    assert "2 bookings will be deleted there" in at_annas.text
    at_annas.press("Disconnect", pushed=choice)
    assert "is disconnected." in at_annas.text
    assert "2-way sync" in at_annas.text, "as before the first account"
    assert len(work.texts()) == left + 1
    assert work.get("mine.ics")
    assert "Next week" in at_annas.open("/").text


def test_berts_pages_show_nothing_of_annas_account(
    at_annas: Browser, app: object, bridge: Bridge, server: Server, private: Outside
) -> None:
    connect(at_annas, server).press("Save", read=[private.path]).press("Start syncing")
    let_the_worker_work(bridge)
    at_berts = Browser(at_annas.client.application).sign_in(BERT)
    for path in ("/", "/calendar/settings", "/history", "/devices"):
        page = at_berts.open(path).text
        assert not any(word in page for word in ("Dentist", "Private", "127.0.0.1", ANNA))


def test_many_deletions_over_there_wait_for_a_word_with_the_list_to_look_at(
    at_annas: Browser, bridge: Bridge, server: Server, private: Outside
) -> None:
    for number in range(9):
        private.put(
            f"{number}.ics", event(f"u{number}", f"Lesson {number}", "DTSTART:20261124T080000Z|DURATION:PT1H")
        )
    connect(at_annas, server).press("Save", read=[private.path]).press("Start syncing")
    let_the_worker_work(bridge)
    for number in range(9):
        private.delete(f"{number}.ics")
    at_annas.open("/calendar/settings").press("Sync now")
    let_the_worker_work(bridge)
    at_annas.open("/calendar/settings")
    assert "Waits for your OK" in at_annas.text
    assert "9 of 10 events disappeared" in at_annas.text
    at_annas.follow("See the list")
    assert "What waits for your OK" in at_annas.text
    assert all(f"Delete “Lesson {number}” here." in at_annas.text for number in range(9))
    assert "Lesson 3" in at_annas.open("/").text
    at_annas.open("/calendar/settings").press("That is right, go on")
    assert "“Private” is going on." in at_annas.text
    assert "In agreement just now" in at_annas.text
    page = at_annas.open("/").text
    assert "Lesson" not in page
    assert "Dentist" in page


def test_the_bookings_move_when_another_calendar_is_chosen_for_them(
    at_annas: Browser, bridge: Bridge, anna: UserRow, server: Server, private: Outside, work: Outside
) -> None:
    uid = booking(bridge, anna, "Smith wedding", "2026-11-25T14:00")
    connect(at_annas, server).press("Save", write=work.path).press("Start syncing")
    let_the_worker_work(bridge)
    assert work.by_uid(uid)
    at_annas.open("/calendar/settings").follow("Choose calendars")
    at_annas.press("Save", write=private.path)
    assert "Delete “Smith wedding” there." in at_annas.text
    assert "Add “Smith wedding” there." in at_annas.text
    at_annas.press("Start syncing")
    let_the_worker_work(bridge)
    assert work.by_uid(uid) is None
    assert private.by_uid(uid)
    page = at_annas.open("/calendar/settings").text
    assert "Private Your bookings go there." in page
    assert "Work" not in page


def test_a_calendar_that_is_no_longer_read_takes_its_events_with_it(
    at_annas: Browser, bridge: Bridge, server: Server, private: Outside
) -> None:
    connect(at_annas, server).press("Save", read=[private.path]).press("Start syncing")
    let_the_worker_work(bridge)
    assert "Dentist" in at_annas.open("/").text
    at_annas.open("/calendar/settings").follow("Choose calendars")
    at_annas.press("Save", read=[])
    assert "Calendar settings saved." in at_annas.text
    assert "Dentist" not in at_annas.open("/").text
    assert private.by_uid("dentist"), "over there nothing happens to it"
    assert "no calendar is chosen yet" in at_annas.open("/calendar/settings").text


def test_a_calendar_that_bookings_no_longer_go_to_is_cleaned_when_the_word_is_given(
    at_annas: Browser, bridge: Bridge, anna: UserRow, server: Server, work: Outside
) -> None:
    uid = booking(bridge, anna, "Smith wedding", "2026-11-25T14:00")
    work.put("mine.ics", DENTIST)
    connect(at_annas, server).press("Save", write=work.path).press("Start syncing")
    let_the_worker_work(bridge)
    at_annas.open("/calendar/settings").follow("Choose calendars")
    at_annas.press("Save", write="")
    let_the_worker_work(bridge, idle=True)
    assert work.by_uid(uid), "the word was not given yet"
    at_annas.open("/calendar/settings")
    assert "Work No longer chosen: what we put there will be taken back." in at_annas.text
    at_annas.follow("See the plan and start").press("Start syncing")
    assert list(work.texts()) == ["mine.ics"]
    assert "no calendar is chosen yet" in at_annas.open("/calendar/settings").text


def test_a_calendar_is_made_for_the_bookings_and_they_move_into_it(
    at_annas: Browser, bridge: Bridge, anna: UserRow, server: Server, work: Outside
) -> None:
    uid = booking(bridge, anna, "Smith wedding", "2026-11-25T14:00")
    connect(at_annas, server).press("Save", write=work.path).press("Start syncing")
    let_the_worker_work(bridge)
    at_annas.open("/calendar/settings").follow("Choose calendars")
    assert "A new calendar, “Picsello”, for them alone" in at_annas.text
    at_annas.press("Save", write="a new calendar")
    assert "1 booking will be written there." in at_annas.text
    assert "1 event will be deleted." in at_annas.text
    at_annas.press("Start syncing")
    let_the_worker_work(bridge)
    assert work.by_uid(uid) is None
    assert (
        "Picsello Your bookings go there. In agreement just now" in at_annas.open("/calendar/settings").text
    )
    at_annas.follow("Choose calendars")
    assert "A new calendar" not in at_annas.text, "there is one already"
    at_annas.press("Save", write="a new calendar")
    assert "Calendar settings saved." in at_annas.text
    at_annas.open("/calendar/settings").follow("Choose calendars")
    choices = [box for box in at_annas.document.iter("input") if box.name == "write"]
    assert len(choices) == 3, "Work, Picsello and none: no second one was made"


def test_an_account_without_any_calendar_gets_its_first_one(
    at_annas: Browser, bridge: Bridge, anna: UserRow, server: Server
) -> None:
    connect(at_annas, server)
    assert "Show events from" not in at_annas.text
    at_annas.press("Save", write="a new calendar").press("Start syncing")
    booking(bridge, anna, "Smith wedding", "2026-11-25T14:00")
    let_the_worker_work(bridge)
    assert "In agreement just now" in at_annas.open("/calendar/settings").text
