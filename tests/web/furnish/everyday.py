"""Studios of every day: an empty one, some whose sync is in one state or another, and one of everything."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import TYPE_CHECKING

from flask import Flask

from bridge.service import (
    feeds,
    password_reset,
    people,
    second_step,
    tokens,
    webhooks,
)
from bridge.store import accounts, calendars, conflicts, links, notices, passes, suggestions
from bridge.store.people import UserRow
from bridge.web import device_setup, make_app
from bridge.wiring import Bridge
from tests.servers.radicale import radicale
from tests.web import browser as plain
from tests.web import studio
from tests.web.conftest import ANNA, NOON
from tests.web.studio import event

if TYPE_CHECKING:
    from tests.web.grounds import Grounds

#: Day of the month, hour, title, place, more lines.
SESSIONS = (
    (23, "1000", "Smith family", "Old Mill", ""),
    (24, "0900", "Headshots Aerts & Co", "Studio", ""),
    (25, "1400", "Wedding Miller", "Castle Park", "NOTES"),
    (26, "1600", "Newborn Lopez", "Client's home", "STATUS:TENTATIVE"),
    (27, "1100", "Mini session Novak", "Studio", ""),
    (28, "1500", "Engagement Rossi", "Lakeside", "STATUS:CANCELLED"),
    (30, "1300", "Maternity Chen", "Studio", ""),
)


def empty(_grounds: Grounds, bridge: Bridge, anna: UserRow, _app: Flask) -> dict[str, str]:
    return {"reset": password_reset.token(bridge, anna)}


def nothing(_grounds: Grounds, _bridge: Bridge, _anna: UserRow, _app: Flask) -> dict[str, str]:
    return {}


def running(_grounds: Grounds, bridge: Bridge, anna: UserRow, _app: Flask) -> dict[str, str]:
    account = studio.account(bridge, anna, "anna at cloud.example.com")
    link = studio.link(bridge, account, "Family", "#d9480f", reads=True, due_at=bridge.clock.now())
    studio.link(bridge, account, "Work", writes=True, due_at=bridge.clock.now())
    with bridge.db.writing() as tx:
        links.acquire(tx, link, "somebody", bridge.clock.now(), 60)
        links.set_(tx, link, done=812, to_do=1204)
    return {}


def stopped(_grounds: Grounds, bridge: Bridge, anna: UserRow, _app: Flask) -> dict[str, str]:
    link = studio.link(bridge, studio.account(bridge, anna), "Family", "#d9480f", reads=True)
    with bridge.db.writing() as tx:
        links.stop(tx, link)
    return {}


def at_google(_grounds: Grounds, bridge: Bridge, anna: UserRow, _app: Flask) -> dict[str, str]:
    """A sign-in of the ordinary kind."""
    with bridge.db.writing() as tx:
        label, now = "anna@gmail.com at Google Calendar", bridge.clock.now()
        number = accounts.create(tx, anna.id, "google", label=label, username="anna@gmail.com", now=now)
    return {"google": str(number)}


def shown(_grounds: Grounds, bridge: Bridge, anna: UserRow, _app: Flask) -> dict[str, str]:
    """A week in which all is well, for the README."""
    icloud = studio.account(bridge, anna)
    agreed = NOON - timedelta(minutes=3)
    family = studio.link(bridge, icloud, "Family", "#d9480f", reads=True, agreed_at=agreed)
    studio.link(bridge, icloud, "Work", "#7a6a1f", writes=True, agreed_at=agreed)
    sessions(bridge, anna)
    family_events(bridge, family)
    across = event("b", "Editing", "DTSTART:20261125T140000Z|DURATION:PT2H")
    studio.book(bridge, anna, across, kind="block")
    return {}


def full(grounds: Grounds, bridge: Bridge, anna: UserRow, app: Flask) -> dict[str, str]:
    icloud = studio.account(bridge, anna)
    family = studio.link(
        bridge, icloud, "Family", "#d9480f", reads=True, agreed_at=NOON - timedelta(minutes=3)
    )
    gone = {"state": "gone", "state_reason": "It was deleted there."}
    studio.link(bridge, icloud, "Old calendar", reads=True, **gone)
    held = ["12 of 30 events in “Work” disappeared at once. Is that right?"]
    work = studio.link(bridge, icloud, "Work", writes=True, held=held)
    studio.account(bridge, anna, "Nextcloud", state="needs-sign-in", state_reason="The password was refused.")
    sessions(bridge, anna)
    across = event("b", "Editing", "DTSTART:20261125T140000Z|DURATION:PT2H")
    studio.book(bridge, anna, across, kind="block")
    family_events(bridge, family)
    feeds.add(bridge, ANNA, "Second shooter")
    feeds.add(bridge, ANNA, "My husband", feeds.Shows("busy", 1, 3))
    phone = people.add_device(bridge, ANNA, "My iPhone")
    people.add_device(bridge, ANNA, "The studio's iMac")
    to_decide(bridge, anna, work, phone.device_id)
    there = grounds.keep(radicale(grounds.folder("radicale")))
    private = there.make_calendar("private", title="Private", color="#d9480f")
    private.put("dentist.ics", event("x", "Parents' evening", "DTSTART:20261203T180000Z|DURATION:PT1H"))
    there.make_calendar("work", title="Work")
    by_hand = plain.Browser(make_app(bridge)).sign_in(ANNA)
    by_hand.open("/calendar/settings/connect/caldav")
    by_hand.press("Sign in and list calendars", url=there.url, username=there.user, password=there.password)
    with bridge.db.reading() as tx:
        (ours,) = [row.id for row in accounts.of_user(tx, anna.id) if row.provider == "caldav"]
    old = event(
        "relay", "Wedding Miller", "DTSTART:20261125T130000Z|DURATION:PT90M", "DESCRIPTION:[From Picsello]"
    )
    studio.mirrored(bridge, family, old)
    return {"radicale": str(ours), **office(bridge, app)}


def family_events(bridge: Bridge, family: int) -> None:
    for uid, title, when in (
        ("h", "School holidays", "DTSTART;VALUE=DATE:20261123|DTEND;VALUE=DATE:20261128"),
        ("d", "Dentist", "DTSTART:20261124T080000Z|DURATION:PT1H"),
        ("y", "Yoga", "DTSTART:20261103T170000Z|DURATION:PT1H|RRULE:FREQ=WEEKLY"),
    ):
        more = ["TRANSP:TRANSPARENT"] if uid == "h" else []
        studio.mirrored(bridge, family, event(uid, title, when, *more))


def sessions(bridge: Bridge, anna: UserRow) -> None:
    for day, at, title, place, more in SESSIONS:
        when = f"DTSTART;TZID=Europe/Berlin:202611{day}T{at}00|DURATION:PT90M"
        lines = [f"LOCATION:{place}"]
        if more == "NOTES":
            lines.append("DESCRIPTION:Call Jo Miller first: +1 555 0100\\n\\nRing lights\\, second shooter")
        elif more:
            lines.append(more)
        studio.book(bridge, anna, event(f"s{day}", title, when, *lines), actor=f"user:{anna.id}")


def to_decide(bridge: Bridge, anna: UserRow, work: int, phone: int) -> None:
    before = event("s25", "Wedding Miller", "DTSTART;TZID=Europe/Berlin:20261125T140000|DURATION:PT90M")
    after = before.replace("T140000", "T160000")
    now = bridge.clock.now()
    with bridge.db.writing() as tx:
        bookings = calendars.bookings(tx, anna.id).id
        suggestions.add(
            tx,
            anna.id,
            calendar_id=bookings,
            uid="s25",
            before=before,
            after=after,
            actor=f"device:{phone}",
            now=now,
        )
        conflicts.add(
            tx,
            anna.id,
            link_id=work,
            calendar_id=bookings,
            pass_id=passes.start(tx, work, anna.id, now),
            uid="s23",
            instance=None,
            group="when",
            ours=before,
            theirs=after,
            winner="ours",
            now=now,
        )
        notices.add(
            tx,
            anna.id,
            "booking-restored",
            "“Newborn Lopez” was deleted in Apple Calendar. It is still booked, so it was put back.",
            now=now,
            uid="s26",
        )


def office(bridge: Bridge, app: Flask) -> dict[str, str]:
    """Programs that may call us, a webhook, and a device that waits to be set up."""
    tokens.add(bridge, ANNA, "Website", ["availability", "write"], days=90)
    tokens.add(bridge, ANNA, "Accounting", ["read"])
    webhooks.add(bridge, ANNA, "https://127.0.0.1:9/hooks/bridge")
    device = people.add_device(bridge, ANNA, "The old iPad")
    with app.app_context():
        return {"device": device_setup.token(device)}


def lock(bridge: Bridge, anna: UserRow, names: dict[str, str]) -> None:
    """Turn the second step on anew; ``code`` of ``names`` is good for one sign-in."""
    secret = second_step.new_secret()
    key, step = base64.b32decode(secret), int(bridge.clock.now().timestamp()) // second_step.STEP_SECONDS
    second_step.turn_on(bridge, anna.id, secret, second_step.code(key, step))
    names["code"] = second_step.code(key, step + 1)


def unlock(bridge: Bridge, anna: UserRow) -> None:
    second_step.turn_off(bridge, anna.id)
