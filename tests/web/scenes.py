"""Every page there is to see, in each of its states: looked at by axe, photographed for whoever reviews them.

A ``Scene`` says which studio, which address and what to do there first. ``Grounds`` makes the studios:
``fresh`` (nobody yet), ``empty`` (Anna, nothing else), ``full`` (something of everything), ``running`` (a
first sync) and ``stopped``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from bridge.config import Settings
from bridge.service import feeds, password_reset, people
from bridge.store import accounts, calendars, conflicts, links, notices, passes, suggestions
from bridge.store.people import UserRow
from bridge.web import make_app, progress
from bridge.wiring import Bridge
from tests.servers.radicale import radicale
from tests.web import browser as plain
from tests.web import studio
from tests.web.chromium import Visit, served, visit
from tests.web.conftest import ANNA, NOON, Clock
from tests.web.studio import event

PASSWORD = "a good password"


@dataclass(frozen=True)
class Ground:
    """A studio that is being served. ``names``: what addresses of scenes may mention."""

    base: str
    bridge: Bridge
    names: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Scene:
    """One page in one state."""

    name: str
    path: str
    ground: str = "full"
    signed_in: bool = True
    act: Callable[[Page], None] | None = None
    only: str = ""  # desktop or phone, where the other has no such thing


def _press(words: str, **typed: str) -> Callable[[Page], None]:
    """Fill in fields by their label, and press."""

    def act(page: Page) -> None:
        for label, text in typed.items():
            page.get_by_label(label.replace("_", " "), exact=True).first.fill(text)
        page.get_by_role("button", name=words, exact=True).first.click()
        page.wait_for_load_state("networkidle")

    return act


def _view(words: str) -> Callable[[Page], None]:
    def act(page: Page) -> None:
        page.get_by_role("button", name=words, exact=True).click()
        page.wait_for_load_state("networkidle")

    return act


def _event(page: Page) -> None:
    page.locator(".fc-event", has_text=re.compile("Smith")).first.click()
    page.get_by_role("dialog").wait_for()


def _block(page: Page) -> None:
    page.get_by_role("link", name="Block time").click()
    page.get_by_role("dialog").wait_for()


def _new_device(page: Page) -> None:
    number = page.get_by_role("button", name="Remove").count()
    _press("Create its password", Name_of_the_device=f"My iPad {number}")(page)


def _preview(page: Page) -> None:
    page.get_by_role("group", name="Calendars to read").get_by_label("Private", exact=True).check()
    page.get_by_role("group", name="Calendar to write").get_by_label("Work").check()
    _press("Save")(page)


SCENES = (
    Scene("welcome", "/welcome", "fresh", False),
    Scene("welcome-refused", "/welcome", "fresh", False, _press("Begin")),
    Scene("sign-in", "/sign-in", "empty", False),
    Scene("sign-in-refused", "/sign-in", "empty", False, _press("Sign in", Password="wrong")),
    Scene("forgotten", "/sign-in/forgotten", "empty", False),
    Scene("new-password", "/sign-in/new-password/{reset}", "empty", False),
    Scene("nothing-here", "/nowhere", "empty", False),
    Scene("calendar-empty", "/", "empty"),
    Scene("dashboard-empty", "/dashboard", "empty"),
    Scene("settings-empty", "/calendar/settings", "empty"),
    Scene("feeds-empty", "/calendar/feeds", "empty"),
    Scene("devices-empty", "/devices", "empty"),
    Scene("history-empty", "/history", "empty"),
    Scene("decisions-empty", "/conflicts", "empty"),
    Scene("month", "/", act=_view("Month")),
    Scene("week", "/", act=_view("Week"), only="desktop"),
    Scene("day", "/", act=_view("Day"), only="desktop"),
    Scene("list", "/", act=_view("List")),
    Scene("event", "/", act=_event),
    Scene("event-page", "/calendar/events/1"),
    Scene("block", "/", act=_block),
    Scene("block-page", "/calendar/block?start=2026-11-25T09:00&end=2026-11-25T10:00"),
    Scene("dashboard", "/dashboard"),
    Scene("settings", "/calendar/settings"),
    Scene("settings-running", "/calendar/settings", "running"),
    Scene("settings-stopped", "/calendar/settings", "stopped"),
    Scene("connect", "/calendar/settings/connect"),
    Scene("connect-found", "/calendar/settings/connect?address=anna@icloud.com"),
    Scene("connect-icloud", "/calendar/settings/connect/icloud"),
    Scene("connect-caldav", "/calendar/settings/connect/caldav"),
    Scene(
        "connect-refused",
        "/calendar/settings/connect/caldav",
        act=_press("Sign in and list calendars", Server_address="https://10.0.0.1/", Password="x"),
    ),
    Scene("connect-google", "/calendar/settings/connect/google"),
    Scene("roles", "/calendar/settings/accounts/{radicale}/calendars"),
    Scene("preview", "/calendar/settings/accounts/{radicale}/calendars", act=_preview),
    Scene("disconnect", "/calendar/settings/accounts/{radicale}/disconnect"),
    Scene("source", "/calendar/settings/source"),
    Scene("feeds", "/calendar/feeds"),
    Scene("devices", "/devices"),
    Scene("device-added", "/devices", act=_new_device),
    Scene("history", "/history"),
    Scene("decisions", "/conflicts"),
    Scene("help", "/help"),
    Scene("profile", "/profile"),
    Scene("second-step", "/profile/second-step"),
    Scene("programs", "/programs"),
    Scene("access-log", "/programs/log"),
)


def parties(
    browser: Browser, grounds: Grounds, scenes: Sequence[Scene], size: tuple[int, int], **more: Any
) -> Iterator[tuple[Visit, Iterator[tuple[Scene, Page]]]]:
    """A visitor for each studio, signed in or not, and the scenes they come to, each when it is asked for."""
    for ground, signed_in in dict.fromkeys((scene.ground, scene.signed_in) for scene in scenes):
        home = grounds[ground]
        with visit(browser, home.base, size=size, **more) as at:
            if signed_in:
                at.sign_in(ANNA, PASSWORD)
            here = [scene for scene in scenes if (scene.ground, scene.signed_in) == (ground, signed_in)]
            yield at, ((scene, _come_to(at, scene, home)) for scene in here)


def _come_to(at: Visit, scene: Scene, home: Ground) -> Page:
    page = at.open(scene.path.format_map(home.names))
    if scene.act:
        scene.act(page)
    return page


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
            bridge = Bridge.open(Settings(self._folder / name, allow_hosts=frozenset({"127.0.0.1"})), Clock())
            self._open.callback(bridge.db.close)
            names: dict[str, str] = {}
            if name != "fresh":
                anna = people.add_user(bridge, ANNA, time_zone="Europe/Berlin", password=PASSWORD)
                names = _FURNISH[name](self, bridge, anna)
            base = self._open.enter_context(served(make_app(bridge)))
            self._made[name] = Ground(base, bridge, names)
        return self._made[name]

    def folder(self, name: str) -> Path:
        """A place for a server of a studio's."""
        return self._folder / name

    def keep(self, server: ExitStack) -> None:
        """Close it with the rest."""
        self._open.push(server)

    def close(self) -> None:
        """End every server."""
        self._open.close()


def _empty(_grounds: Grounds, bridge: Bridge, anna: UserRow) -> dict[str, str]:
    return {"reset": password_reset.token(bridge, anna)}


def _running(_grounds: Grounds, bridge: Bridge, anna: UserRow) -> dict[str, str]:
    account = studio.account(bridge, anna, "anna at cloud.example.com")
    link = studio.link(bridge, account, "Family", "#d9480f", reads=True, due_at=bridge.clock.now())
    studio.link(bridge, account, "Work", writes=True, due_at=bridge.clock.now())
    with bridge.db.writing() as tx:
        links.acquire(tx, link, "somebody", bridge.clock.now(), 60)
        links.set_(tx, link, done=812, to_do=1204)
    return {}


def _stopped(_grounds: Grounds, bridge: Bridge, anna: UserRow) -> dict[str, str]:
    link = studio.link(bridge, studio.account(bridge, anna), "Family", "#d9480f", reads=True)
    with bridge.db.writing() as tx:
        links.stop(tx, link)
    return {}


def _shown(_grounds: Grounds, bridge: Bridge, anna: UserRow) -> dict[str, str]:
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


def _full(grounds: Grounds, bridge: Bridge, anna: UserRow) -> dict[str, str]:
    icloud = studio.account(bridge, anna)
    family = studio.link(
        bridge, icloud, "Family", "#d9480f", reads=True, agreed_at=NOON - timedelta(minutes=3)
    )
    studio.link(
        bridge, icloud, "Old calendar", reads=True, state="gone", state_reason="It was deleted there."
    )
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
    server = grounds.folder("radicale")
    stack = ExitStack()
    there = stack.enter_context(radicale(server))
    grounds.keep(stack)
    private = there.make_calendar("private", title="Private", color="#d9480f")
    private.put("dentist.ics", event("x", "Parents' evening", "DTSTART:20261203T180000Z|DURATION:PT1H"))
    there.make_calendar("work", title="Work")
    by_hand = plain.Browser(make_app(bridge)).sign_in(ANNA)
    by_hand.open("/calendar/settings/connect/caldav")
    by_hand.press("Sign in and list calendars", url=there.url, username=there.user, password=there.password)
    with bridge.db.reading() as tx:
        (ours,) = [row.id for row in accounts.of_user(tx, anna.id) if row.provider == "caldav"]
    return {"radicale": str(ours)}


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


_FURNISH = {"empty": _empty, "full": _full, "running": _running, "stopped": _stopped, "shown": _shown}
