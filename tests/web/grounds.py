"""The studios that the scenes are set in, each made and served when a scene first needs it.

``fresh`` (nobody yet), ``empty`` (Anna, nothing else), ``full`` (something of everything), ``shop`` (booking
pages), ``running`` (a first sync), ``stopped``, ``linked`` (bookings come from Picsello's link), ``picsello``
(from its database), ``locked`` and ``unlocked`` (with a second step of signing in, and where one may be
turned on), ``shown`` (a good week, for the README).
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from flask import Flask

from bridge.config import Settings
from bridge.service import (
    booking_events,
    booking_plans,
    client_booking,
    feeds,
    password_reset,
    people,
    receipts,
    second_step,
    sources,
    tokens,
    webhooks,
)
from bridge.service.clients import Client
from bridge.store import accounts, calendars, conflicts, links, notices, passes, places, suggestions
from bridge.store.people import UserRow
from bridge.web import device_setup, make_app, progress
from bridge.wiring import Bridge
from tests.servers.feed import Publisher
from tests.servers.postgres import postgres
from tests.servers.radicale import radicale
from tests.sources.picsello import Picsello
from tests.web import browser as plain
from tests.web import studio
from tests.web.chromium import served
from tests.web.conftest import ANNA, NOON, Clock
from tests.web.studio import event

Running = TypeVar("Running")
PASSWORD = "a good password"
#: A Saturday on which a booking page offers sessions.
SATURDAY = date(2026, 12, 5)


def _at_rest() -> None:
    """There is nothing to do first."""


@dataclass(frozen=True)
class Ground:
    """A studio that is being served. ``names``: what addresses of scenes may mention; ``ready``: called
    before somebody comes to it."""

    base: str
    bridge: Bridge
    names: dict[str, str] = field(default_factory=dict)
    ready: Callable[[], None] = _at_rest


class Grounds:
    """The studios, each made and served when a scene first needs it. Close it at the end."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._open = ExitStack()
        self._made: dict[str, Ground] = {}
        lasts, progress.LASTS_SECONDS = (
            progress.LASTS_SECONDS,
            0.1,
        )  # a page is at rest when no stream is open
        self._open.callback(setattr, progress, "LASTS_SECONDS", lasts)

    def __getitem__(self, name: str) -> Ground:
        if name not in self._made:
            settings = Settings(self._folder / name, allow_hosts=frozenset({"127.0.0.1"}))
            if name != "fresh":
                settings = replace(settings, smtp_url="smtp://127.0.0.1:9", mail_from=ANNA)
            bridge = Bridge.open(settings, Clock())
            self._open.callback(bridge.db.close)
            app, names, ready = make_app(bridge), dict[str, str](), _at_rest
            if name != "fresh":
                anna = people.add_user(
                    bridge, ANNA, time_zone="Europe/Berlin", password=PASSWORD, studio="anna"
                )
                names = _FURNISH[name](self, bridge, anna, app)
                if name in _READY:
                    ready = partial(_READY[name], bridge, anna, names)
            base = self._open.enter_context(served(app))
            self._made[name] = Ground(base, bridge, names, ready)
        return self._made[name]

    def folder(self, name: str) -> Path:
        """A place for a server of a studio's."""
        return self._folder / name

    def keep(self, server: AbstractContextManager[Running]) -> Running:
        """Start it, and end it with the rest."""
        return self._open.enter_context(server)

    def close(self) -> None:
        """End every server."""
        self._open.close()


def _empty(_grounds: Grounds, bridge: Bridge, anna: UserRow, _app: Flask) -> dict[str, str]:
    return {"reset": password_reset.token(bridge, anna)}


def _running(_grounds: Grounds, bridge: Bridge, anna: UserRow, _app: Flask) -> dict[str, str]:
    account = studio.account(bridge, anna, "anna at cloud.example.com")
    link = studio.link(bridge, account, "Family", "#d9480f", reads=True, due_at=bridge.clock.now())
    studio.link(bridge, account, "Work", writes=True, due_at=bridge.clock.now())
    with bridge.db.writing() as tx:
        links.acquire(tx, link, "somebody", bridge.clock.now(), 60)
        links.set_(tx, link, done=812, to_do=1204)
    return {}


def _stopped(_grounds: Grounds, bridge: Bridge, anna: UserRow, _app: Flask) -> dict[str, str]:
    link = studio.link(bridge, studio.account(bridge, anna), "Family", "#d9480f", reads=True)
    with bridge.db.writing() as tx:
        links.stop(tx, link)
    return {}


def _at_google(_grounds: Grounds, bridge: Bridge, anna: UserRow, _app: Flask) -> dict[str, str]:
    """A sign-in of the ordinary kind."""
    with bridge.db.writing() as tx:
        label, now = "anna@gmail.com at Google Calendar", bridge.clock.now()
        number = accounts.create(tx, anna.id, "google", label=label, username="anna@gmail.com", now=now)
    return {"google": str(number)}


def _shown(_grounds: Grounds, bridge: Bridge, anna: UserRow, _app: Flask) -> dict[str, str]:
    """A week in which all is well, for the README."""
    icloud = studio.account(bridge, anna)
    agreed = NOON - timedelta(minutes=3)
    family = studio.link(bridge, icloud, "Family", "#d9480f", reads=True, agreed_at=agreed)
    studio.link(bridge, icloud, "Work", "#7a6a1f", writes=True, agreed_at=agreed)
    _sessions(bridge, anna)
    _family(bridge, family)
    across = event("b", "Editing", "DTSTART:20261125T140000Z|DURATION:PT2H")
    studio.book(bridge, anna, across, kind="block")
    return {}


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


def _full(grounds: Grounds, bridge: Bridge, anna: UserRow, app: Flask) -> dict[str, str]:
    icloud = studio.account(bridge, anna)
    family = studio.link(
        bridge, icloud, "Family", "#d9480f", reads=True, agreed_at=NOON - timedelta(minutes=3)
    )
    gone = {"state": "gone", "state_reason": "It was deleted there."}
    studio.link(bridge, icloud, "Old calendar", reads=True, **gone)
    held = ["12 of 30 events in “Work” disappeared at once. Is that right?"]
    work = studio.link(bridge, icloud, "Work", writes=True, held=held)
    studio.account(bridge, anna, "Nextcloud", state="needs-sign-in", state_reason="The password was refused.")
    _sessions(bridge, anna)
    across = event("b", "Editing", "DTSTART:20261125T140000Z|DURATION:PT2H")
    studio.book(bridge, anna, across, kind="block")
    _family(bridge, family)
    feeds.add(bridge, ANNA, "Second shooter")
    feeds.add(bridge, ANNA, "My husband", feeds.Shows("busy", 1, 3))
    phone = people.add_device(bridge, ANNA, "My iPhone")
    people.add_device(bridge, ANNA, "The studio's iMac")
    _to_decide(bridge, anna, work, phone.device_id)
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
    return {"radicale": str(ours), **_office(bridge, app)}


def _family(bridge: Bridge, family: int) -> None:
    for uid, title, when in (
        ("h", "School holidays", "DTSTART;VALUE=DATE:20261123|DTEND;VALUE=DATE:20261128"),
        ("d", "Dentist", "DTSTART:20261124T080000Z|DURATION:PT1H"),
        ("y", "Yoga", "DTSTART:20261103T170000Z|DURATION:PT1H|RRULE:FREQ=WEEKLY"),
    ):
        more = ["TRANSP:TRANSPARENT"] if uid == "h" else []
        studio.mirrored(bridge, family, event(uid, title, when, *more))


def _sessions(bridge: Bridge, anna: UserRow) -> None:
    for day, at, title, place, more in SESSIONS:
        when = f"DTSTART;TZID=Europe/Berlin:202611{day}T{at}00|DURATION:PT90M"
        lines = [f"LOCATION:{place}"]
        if more == "NOTES":
            lines.append("DESCRIPTION:Call Jo Miller first: +1 555 0100\\n\\nRing lights\\, second shooter")
        elif more:
            lines.append(more)
        studio.book(bridge, anna, event(f"s{day}", title, when, *lines), actor=f"user:{anna.id}")


def _to_decide(bridge: Bridge, anna: UserRow, work: int, phone: int) -> None:
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


def _shop(_grounds: Grounds, bridge: Bridge, anna: UserRow, _app: Flask) -> dict[str, str]:
    """Two booking pages, one of them put aside, with a session of each kind; and the address book."""
    now = bridge.clock.now()
    family = studio.link(bridge, studio.account(bridge, anna), "Family", "#d9480f", reads=True, agreed_at=now)
    _sessions(bridge, anna)
    _family(bridge, family)
    with bridge.db.writing() as tx:
        garden = places.create(tx, anna.id, name="Botanic garden", address="Garden Row 4", light=True)
        places.create(tx, anna.id, name="The old mill", address="Mill Lane 3")
        plan = booking_plans.Plan(
            "Spring minis",
            60,
            gap=15,
            dates=[SATURDAY.isoformat()],
            blocks=["09:00-13:00", "14:00-18:00"],
            breaks=["11:30-12:00"],
            place_id=garden,
            description="Forty-five minutes among the early flowers, ten pictures to choose from.",
            hold=20,
        )
        page = booking_events.add(tx, anna, plan, now)
        plan = booking_plans.Plan("Autumn portraits", 45, dates=["2026-12-12"], blocks=["10:00-12:00"])
        aside = booking_events.add(tx, anna, plan, now)
        booking_events.set_status(tx, aside.id, "disabled")
    client = Client("Mary Jane", "mary@client.example", "+1 555 0100", "America/Denver")
    held = client_booking.take(bridge, page, anna, _on_saturday(9), client)
    booked = client_booking.take(bridge, page, anna, _on_saturday(10, 15), replace(client, name="Lena Berg"))
    booked = client_booking.confirm(bridge, booked.row.id)
    kept = Client("Jo Miller", "", "")
    client_booking.take(bridge, page, anna, _on_saturday(15, 15), kept, owner=True)
    return {
        "page": str(page.id),
        "aside": str(aside.id),
        "held": receipts.token(bridge, held),
        "receipt": receipts.token(bridge, booked),
        "session": str(booked.row.id),
    }


def _on_saturday(hour: int, minute: int = 0) -> int:
    """Of a wall clock in Berlin, in winter."""
    return int(datetime(2026, 12, 5, hour - 1, minute, tzinfo=UTC).timestamp())


def _office(bridge: Bridge, app: Flask) -> dict[str, str]:
    """Programs that may call us, a webhook, and a device that waits to be set up."""
    tokens.add(bridge, ANNA, "Website", ["availability", "write"], days=90)
    tokens.add(bridge, ANNA, "Accounting", ["read"])
    webhooks.add(bridge, ANNA, "https://127.0.0.1:9/hooks/bridge")
    device = people.add_device(bridge, ANNA, "The old iPad")
    with app.app_context():
        return {"device": device_setup.token(device)}


def _linked(grounds: Grounds, bridge: Bridge, anna: UserRow, _app: Flask) -> dict[str, str]:
    site = grounds.keep(Publisher())
    text = event("shoot-1", "Smith wedding", "DTSTART:20261125T130000Z|DURATION:PT2H")
    site.publish("calendar").serve(200, text)
    sources.set_(bridge, ANNA, "feed", url=f"{site.url}calendar.ics", options={"edits": "refuse"})
    _read_source(bridge, anna)
    return {}


def _read_source(bridge: Bridge, anna: UserRow) -> None:
    source = sources.of_user(bridge, anna.id)
    assert source is not None
    bridge.engine().run(source.id, by_hand=True)


def _picsello(grounds: Grounds, bridge: Bridge, anna: UserRow, _app: Flask) -> dict[str, str]:
    cluster = grounds.keep(postgres())
    name = cluster.create()
    there = Picsello.made(cluster.url(name), 2)
    organization = there.studio(ANNA, zone="Europe/Berlin")
    there.shoot(there.job(organization, client="Mary Jane"), datetime(2026, 11, 25, 13))
    number = there.booking_event(organization)
    told = {"organization_id": organization, "package_template_id": None, "duration_minutes": 45}
    there.set("booking_events", number, **told)
    status = {"10": "booked", "11": "break", "15": "hidden"}
    slots = [
        {"slot_start": f"{at}:00:00", "slot_end": f"{at}:45:00", "status": status.get(at, "open")}
        for at in ("09", "10", "11", "12", "15")
    ]
    there.day(number, SATURDAY, slots)
    there.connection.close()
    account, agreed = studio.account(bridge, anna), bridge.clock.now()
    family = studio.link(bridge, account, "Family", "#d9480f", reads=True, agreed_at=agreed)
    lunch = event("lunch", "Lunch", "DTSTART;TZID=Europe/Berlin:20261205T121500|DURATION:PT1H")
    studio.mirrored(bridge, family, lunch)
    database = f"postgresql://postgres@/{name}?host={cluster.folder}"
    sources.set_(bridge, ANNA, "picsello", url=database, options={"contact": True})
    _read_source(bridge, anna)
    return {"number": str(number)}


def _lock(bridge: Bridge, anna: UserRow, names: dict[str, str]) -> None:
    """Turn the second step on anew; ``code`` of ``names`` is good for one sign-in."""
    secret = second_step.new_secret()
    key, step = base64.b32decode(secret), int(bridge.clock.now().timestamp()) // second_step.STEP_SECONDS
    second_step.turn_on(bridge, anna.id, secret, second_step.code(key, step))
    names["code"] = second_step.code(key, step + 1)


def _unlock(bridge: Bridge, anna: UserRow) -> None:
    second_step.turn_off(bridge, anna.id)


def _nothing(_grounds: Grounds, _bridge: Bridge, _anna: UserRow, _app: Flask) -> dict[str, str]:
    return {}


#: What is in each studio, and what is done before somebody comes to it.
_FURNISH = {
    "empty": _empty,
    "full": _full,
    "shop": _shop,
    "running": _running,
    "google": _at_google,
    "stopped": _stopped,
    "linked": _linked,
    "picsello": _picsello,
    "locked": _nothing,
    "unlocked": _nothing,
    "shown": _shown,
}
_READY: dict[str, Callable[[Bridge, UserRow, dict[str, str]], None]] = {
    "locked": _lock,
    "unlocked": lambda bridge, anna, _names: _unlock(bridge, anna),
}
