"""The calendar settings: what each state of an account and a calendar looks like, and its buttons."""

from __future__ import annotations

from datetime import timedelta

from bridge.store import accounts, links
from bridge.store.people import UserRow
from bridge.wiring import Bridge
from tests.web import studio
from tests.web.browser import Browser
from tests.web.conftest import NOON, Clock


def test_without_an_account_there_is_one_thing_to_do(at_annas: Browser) -> None:
    at_annas.open("/calendar/settings")
    assert "2-way sync" in at_annas.text
    at_annas.follow("Connect a calendar")
    assert "Where is the calendar you already use?" in at_annas.text


def test_agreement_is_told_with_its_age(
    at_annas: Browser, bridge: Bridge, anna: UserRow, clock: Clock
) -> None:
    number = studio.account(bridge, anna)
    studio.link(bridge, number, "Family", reads=True, agreed_at=NOON)
    clock.pass_(minutes=3)
    at_annas.open("/calendar/settings")
    assert "Apple iCloud Connected" in at_annas.text
    assert "Family Its events appear here. In agreement 3 minutes ago" in at_annas.text


def test_what_is_held_is_listed_with_its_reason_and_a_button(
    at_annas: Browser, bridge: Bridge, anna: UserRow
) -> None:
    studio.link(
        bridge,
        studio.account(bridge, anna),
        "Work",
        writes=True,
        state="held",
        held=["12 of 30 events disappeared."],
    )
    at_annas.open("/calendar/settings")
    assert "Work Your bookings go there. Waits for your OK 12 of 30 events disappeared." in at_annas.text
    assert any("That is right, go on" in b.text_content() for b in at_annas.document.iter("button"))


def test_an_account_whose_password_died_asks_for_the_new_one_right_there(
    at_annas: Browser, bridge: Bridge, anna: UserRow
) -> None:
    number = studio.account(bridge, anna, state="needs-sign-in", state_reason="iCloud refuses the password.")
    studio.link(bridge, number, "Family", reads=True, agreed_at=NOON - timedelta(days=1))
    at_annas.open("/calendar/settings")
    assert "Needs you to sign in again" in at_annas.text
    assert "iCloud refuses the password. New app-specific password" in at_annas.text
    assert "Last in agreement yesterday at 12:00. Waits for the sign-in" in at_annas.text
    assert "Sync now" not in at_annas.text
    at_annas.press("Sign in again", password="")
    assert at_annas.beside("password") == "Please type the password."


def test_an_account_in_trouble_says_why_and_when_it_is_tried_again(
    at_annas: Browser, bridge: Bridge, anna: UserRow
) -> None:
    studio.account(
        bridge, anna, state="retrying", state_reason="iCloud is busy.", next_try=NOON + timedelta(minutes=30)
    )
    at_annas.open("/calendar/settings")
    assert "Having trouble" in at_annas.text
    assert "iCloud is busy. We try again by ourselves today at 12:30." in at_annas.text


def test_sync_now_makes_every_calendar_of_the_account_due_and_ends_its_rest(
    at_annas: Browser, bridge: Bridge, anna: UserRow
) -> None:
    number = studio.account(bridge, anna, state="retrying", next_try=NOON + timedelta(hours=1))
    link = studio.link(
        bridge, number, "Family", reads=True, agreed_at=NOON, due_at=NOON + timedelta(minutes=5)
    )
    at_annas.open("/calendar/settings").press("Sync now")
    assert "Syncing now." in at_annas.text
    assert bridge.due.is_set()
    with bridge.db.reading() as tx:
        assert links.get(tx, link).due_at == NOON
        assert accounts.get(tx, number).next_try is None


def test_a_choice_that_never_started_leads_to_its_plan(
    at_annas: Browser, bridge: Bridge, anna: UserRow
) -> None:
    studio.link(bridge, studio.account(bridge, anna), "Family", reads=True, state="new", released=False)
    at_annas.open("/calendar/settings")
    assert "Nothing has been written to your calendar yet." in at_annas.text
    assert any(a.get("href").endswith("/preview") for a in at_annas.document.iter("a"))


def test_a_running_pass_is_shown_and_watched(at_annas: Browser, bridge: Bridge, anna: UserRow) -> None:
    link = studio.link(bridge, studio.account(bridge, anna), "Family", reads=True, agreed_at=NOON)
    with bridge.db.writing() as tx:
        assert links.acquire(tx, link, "somebody", NOON)
    at_annas.open("/calendar/settings")
    assert "Syncing…" in at_annas.text
    assert 'data-busy="yes"' in at_annas.html


def test_disconnecting_says_first_what_it_would_do(at_annas: Browser, bridge: Bridge, anna: UserRow) -> None:
    family = studio.link(bridge, studio.account(bridge, anna), "Family", reads=True)
    studio.mirrored(bridge, family, studio.event("d", "Dentist", "DTSTART:20261123T090000Z|DURATION:PT1H"))
    at_annas.open("/calendar/settings").follow("Disconnect…")
    assert "1 event of its calendars disappears from here." in at_annas.text
    assert "none of them are over there" in at_annas.text
    at_annas.press("Disconnect", pushed="everything")
    assert at_annas.status == 422
    at_annas.press("Disconnect", pushed="keep")
    assert "Apple iCloud is disconnected." in at_annas.text
    assert "Dentist" not in at_annas.open("/").text


# --- finding the provider -----------------------------------------------------------------------------


def test_an_address_tells_its_provider_and_can_be_overruled(at_annas: Browser) -> None:
    at_annas.open("/calendar/settings/connect?address=anna@icloud.com")
    assert "This is Apple iCloud" in at_annas.text
    at_annas.follow("Continue with Apple iCloud")
    assert at_annas.field("username").get("value") == "anna@icloud.com"
    at_annas.open("/calendar/settings/connect?address=anna@icloud.com").follow("Connect Fastmail")
    assert "Fastmail" in at_annas.text


def test_what_is_no_address_is_said_beside_the_field(at_annas: Browser) -> None:
    at_annas.open("/calendar/settings/connect?address=anna")
    assert "not an e-mail address" in at_annas.beside("address")


# --- the dashboard and the help -----------------------------------------------------------------------


def test_the_dashboard_leads_to_the_calendar_and_shows_what_comes(
    at_annas: Browser, bridge: Bridge, anna: UserRow
) -> None:
    at_annas.open("/dashboard")
    assert "No session in the next two months." in at_annas.text
    assert "Connect a calendar" in at_annas.text
    when = "DTSTART:20261123T130000Z|DURATION:PT1H"
    studio.book(bridge, anna, studio.event("w", "Wedding", when, "LOCATION:Mill"))
    at_annas.open("/dashboard")
    assert "Wedding Tomorrow, 14:00 – 15:00 · Mill" in at_annas.text
    assert at_annas.follow("View calendar").path == "/"


def test_every_state_that_needs_a_word_is_explained(at_annas: Browser, bridge: Bridge, anna: UserRow) -> None:
    account = studio.account(bridge, anna, state="needs-sign-in", state_reason="The password changed.")
    fine = studio.account(bridge, anna, "Fine")
    studio.link(bridge, account, "Family", reads=True)
    studio.link(bridge, fine, "Held", reads=True, held=["Too many deletions."])
    studio.link(bridge, fine, "Gone", reads=True, state="gone")
    studio.link(bridge, fine, "Locked", writes=True, state="read-only")
    studio.link(bridge, fine, "Shaky", reads=True, state="retrying")
    studio.link(bridge, fine, "New", reads=True, released=False)
    studio.account(bridge, anna, "Parked", state="parked", state_reason="Blocked.")
    studio.account(bridge, anna, "Slow", state="retrying", state_reason="No answer.")
    at_annas.open("/calendar/settings")
    needy = [e for e in at_annas.document.find_class("state") if {"bad", "warn"} & set(e.classes)]
    linked = [element.get("href") for element in needy]
    assert len(linked) == 9
    at_annas.open("/help")
    for address in linked:
        assert at_annas.document.get_element_by_id(address.partition("#")[2]) is not None
