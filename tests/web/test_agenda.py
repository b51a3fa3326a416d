"""The start page: what is coming, in the user's zone, from every calendar."""

from __future__ import annotations

from bridge.store import notices
from bridge.store.people import UserRow
from bridge.wiring import Bridge
from tests.web import studio
from tests.web.browser import Browser
from tests.web.studio import event


def day(browser: Browser, name: str) -> str:
    """What stands under the day of that name."""
    sections = [s for s in browser.document.iter("section") if s.find("h2") is not None]
    found = [" ".join(s.text_content().split()) for s in sections if s.find("h2").text.strip() == name]
    assert len(found) == 1, browser.text
    return found[0]


def test_a_new_user_is_led_to_the_next_step(at_annas: Browser) -> None:
    at_annas.open("/")
    assert "Bring your calendars together" in at_annas.text
    assert at_annas.follow("Connect a calendar").path == "/calendar/settings/connect"


def test_a_booking_stands_under_its_day_in_the_users_zone(
    at_annas: Browser, bridge: Bridge, anna: UserRow
) -> None:
    studio.book(
        bridge, anna, event("a", "Wedding", "DTSTART:20261122T233000Z|DURATION:PT2H", "LOCATION:Old Mill")
    )
    assert "00:30 – 02:30 Wedding Bookings · Old Mill" in day(at_annas.open("/"), "Tomorrow")


def test_bookings_blocks_and_mirrored_events_are_told_apart(
    at_annas: Browser, bridge: Bridge, anna: UserRow
) -> None:
    family = studio.link(bridge, studio.account(bridge, anna), "Family", "#D9480FFF", reads=True)
    studio.book(
        bridge, anna, event("a", "Shoot", "DTSTART:20261122T130000Z|DURATION:PT1H", "STATUS:TENTATIVE")
    )
    studio.book(bridge, anna, event("b", "Editing", "DTSTART:20261122T150000Z|DURATION:PT1H"), kind="block")
    studio.book(
        bridge, anna, event("c", "Gone", "DTSTART:20261122T160000Z|DURATION:PT1H", "STATUS:CANCELLED")
    )
    studio.mirrored(
        bridge, family, event("d", "Holiday", "DTSTART;VALUE=DATE:20261121|DTEND;VALUE=DATE:20261125")
    )
    today = day(at_annas.open("/"), "Today")
    assert today.index("All day until 24 Nov Holiday Family") < today.index("Shoot")
    assert "14:00 – 15:00 Shoot Tentative · Bookings" in today
    assert "Editing Block · Bookings" in today
    assert "Gone Cancelled · Bookings" in today
    legend = at_annas.document.find_class("legend")[0]
    assert [item.text_content() for item in legend.iter("label")] == ["Bookings", "Family"]
    assert 'fill="#d9480f"' in at_annas.html


def test_a_changed_date_of_a_series_shows_its_own_title(
    at_annas: Browser, bridge: Bridge, anna: UserRow
) -> None:
    series = event(
        "s", "Yoga", "DTSTART;TZID=Europe/Berlin:20261122T180000|DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=3"
    )
    override = (
        "BEGIN:VEVENT\r\nUID:s\r\nRECURRENCE-ID;TZID=Europe/Berlin:20261123T180000\r\n"
        "DTSTART;TZID=Europe/Berlin:20261123T190000\r\nDURATION:PT1H\r\nSUMMARY:Pilates\r\nEND:VEVENT\r\n"
    )
    studio.book(bridge, anna, series.replace("END:VCALENDAR", override + "END:VCALENDAR"))
    at_annas.open("/")
    assert "18:00 – 19:00 Yoga" in day(at_annas, "Today")
    assert "19:00 – 20:00 Pilates" in day(at_annas, "Tomorrow")
    assert "18:00 – 19:00 Yoga" in day(at_annas, "Tuesday, 24 November")


def test_an_event_over_midnight_says_when_it_ends(at_annas: Browser, bridge: Bridge, anna: UserRow) -> None:
    studio.book(bridge, anna, event("n", "Night shoot", "DTSTART:20261122T210000Z|DURATION:PT10H"))
    assert "22:00 until 23 Nov, 08:00 Night shoot" in day(at_annas.open("/"), "Today")
    assert "until 08:00 Night shoot" in day(at_annas.open("/?from=2026-11-23"), "Tomorrow")


def test_americans_read_the_clock_in_twelve_hours(at_annas: Browser, bridge: Bridge, anna: UserRow) -> None:
    studio.book(bridge, anna, event("a", "Noon", "DTSTART:20261122T110000Z|DURATION:PT12H30M"))
    page = at_annas.client.get("/", headers={"Accept-Language": "en-US,en;q=0.9"}).get_data(as_text=True)
    assert "12:00 pm until 23 Nov, 12:30 am" in page


def test_later_and_earlier_turn_the_pages(at_annas: Browser, bridge: Bridge, anna: UserRow) -> None:
    studio.book(bridge, anna, event("x", "In winter", "DTSTART:20261224T090000Z|DURATION:PT1H"))
    assert "In winter" not in at_annas.open("/").text
    assert "In winter" in day(at_annas.follow("Later"), "Thursday, 24 December")
    assert "In winter" not in at_annas.follow("Earlier").text


def test_nonsense_in_the_address_means_today(at_annas: Browser) -> None:
    for wrong in ("yesterday", "2026-13-01", "9999-12-31", "0001-01-01", "", "2026-11-22T10:00"):
        at_annas.open(f"/?from={wrong}")
        assert (at_annas.status, "22 November to" in at_annas.text) == (200, True), wrong


def test_an_empty_month_of_a_connected_user_is_no_invitation(
    at_annas: Browser, bridge: Bridge, anna: UserRow
) -> None:
    studio.link(bridge, studio.account(bridge, anna), "Family", reads=True)
    assert "Nothing in these four weeks" in at_annas.open("/").text


def test_a_notice_can_be_put_away(at_annas: Browser, bridge: Bridge, anna: UserRow) -> None:
    with bridge.db.writing() as tx:
        notices.add(tx, anna.id, "old-subscription", "Remove the old link.", now=bridge.clock.now())
    assert "Remove the old link." in at_annas.open("/").text
    assert "Remove the old link." not in at_annas.press("Got it").text
