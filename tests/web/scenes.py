"""Every page there is to see, in each of its states: looked at by axe, photographed for whoever reviews them.

A ``Scene`` says which studio (``grounds``), which address and what to do there first.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Page

from bridge.service import second_step
from tests.web.chromium import Until, Visit, visit
from tests.web.conftest import ANNA, NOON
from tests.web.grounds import PASSWORD, Ground, Grounds


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
    page.evaluate("document.querySelectorAll('details').forEach(guide => guide.open = true)")


def _preview(page: Page) -> None:
    page.get_by_role("group", name="Calendars to read").get_by_label("Private", exact=True).check()
    page.get_by_role("group", name="Calendar to write").get_by_label("Work").check()
    _press("Save")(page)


def _sent_anyway(page: Page) -> None:
    """A form that the browser itself would not send yet."""
    page.locator("form#times").evaluate("form => form.noValidate = true")
    page.get_by_role("button", name="Hold this time").click()
    page.wait_for_load_state("networkidle")


def _twice(first: Callable[[Page], None], second: Callable[[Page], None]) -> Callable[[Page], None]:
    def act(page: Page) -> None:
        first(page)
        second(page)

    return act


def _opened(words: str) -> Callable[[Page], None]:
    """Unfold the first place that says so."""

    def act(page: Page) -> None:
        page.locator("summary", has_text=words).first.click()

    return act


def _turn_on(page: Page) -> None:
    """The second step, with the right digits."""
    page.locator("summary", has_text="Or type the secret").click()
    key = base64.b32decode(page.locator("#secret-text").inner_text().strip())
    digits = second_step.code(key, int(NOON.timestamp()) // second_step.STEP_SECONDS)
    page.get_by_label("Code", exact=True).fill(digits)
    page.get_by_role("button", name="Turn it on").click()
    page.wait_for_load_state("networkidle")


_SIGN_IN = _press("Sign in", **{"E-mail address": ANNA, "Password": PASSWORD})
_DAY = "/booking-pages/{page}/days/2026-12-05"
_CONNECT = "/calendar/settings/connect"
_WHY = "/calendar/why?from=2026-11-25T14:00&to=2026-11-25T"

SCENES = (
    Scene("welcome", "/welcome", "fresh", False),
    Scene("welcome-refused", "/welcome", "fresh", False, _press("Begin")),
    Scene("sign-in", "/sign-in", "empty", False),
    Scene("sign-in-refused", "/sign-in", "empty", False, _press("Sign in", Password="wrong")),
    Scene("forgotten", "/sign-in/forgotten", "empty", False),
    Scene("forgotten-unset", "/sign-in/forgotten", "fresh", False),
    Scene(
        "forgotten-sent",
        "/sign-in/forgotten",
        "empty",
        False,
        _press("Send me the link", **{"E-mail address": "x@y.example"}),
    ),
    Scene("sign-in-code", "/sign-in", "locked", False, _SIGN_IN),
    Scene("sign-in-code-refused", "/sign-in", "locked", False, _twice(_SIGN_IN, _press("Sign in"))),
    Scene("new-password", "/sign-in/new-password/{reset}", "empty", False),
    Scene(
        "new-password-refused",
        "/sign-in/new-password/{reset}",
        "empty",
        False,
        _press("Set the password", New_password="short"),
    ),
    Scene("new-password-too-late", "/sign-in/new-password/nothing", "empty", False),
    Scene("came-back-refused", "/oauth/google/callback?error=access_denied&state=x", "empty", False),
    Scene("nothing-here", "/nowhere", "empty", False),
    Scene("calendar-empty", "/", "empty"),
    Scene("dashboard-empty", "/dashboard", "empty"),
    Scene("settings-empty", "/calendar/settings", "empty"),
    Scene("feeds-empty", "/calendar/feeds", "empty"),
    Scene("devices-empty", "/devices", "empty"),
    Scene("history-empty", "/history", "empty"),
    Scene("decisions-empty", "/conflicts", "empty"),
    Scene("booking-pages-empty", "/booking-pages", "empty"),
    Scene("places-empty", "/booking-pages/places", "empty"),
    Scene("programs-empty", "/programs", "empty"),
    Scene("leftovers-empty", "/calendar/settings/leftovers", "empty"),
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
    Scene("connect-published", f"{_CONNECT}/ics"),
    Scene("connect-microsoft", f"{_CONNECT}/microsoft"),
    Scene("connect-nobody", f"{_CONNECT}?address=nonsense"),
    Scene("connect-caldav", "/calendar/settings/connect/caldav"),
    Scene(
        "connect-refused",
        "/calendar/settings/connect/caldav",
        act=_press("Sign in and list calendars", Server_address="https://10.0.0.1/", Password="x"),
    ),
    Scene("connect-google", "/calendar/settings/connect/google"),
    Scene("roles", "/calendar/settings/accounts/{radicale}/calendars"),
    Scene("roles-allow", "/calendar/settings/accounts/{google}/new-calendar", "google"),
    Scene("preview", "/calendar/settings/accounts/{radicale}/calendars", act=_preview),
    Scene("disconnect", "/calendar/settings/accounts/{radicale}/disconnect"),
    Scene("source", "/calendar/settings/source"),
    Scene("source-refused", "/calendar/settings/source", act=_press("Read this link")),
    Scene("source-linked", "/calendar/settings/source", "linked"),
    Scene("source-picsello", "/calendar/settings/source", "picsello"),
    Scene("picsello-events", "/booking-pages/picsello", "picsello"),
    Scene("picsello-event", "/booking-pages/picsello/{number}", "picsello"),
    Scene("leftovers", "/calendar/settings/leftovers"),
    Scene("leftovers-none-ticked", "/calendar/settings/leftovers", act=_press("Remove")),
    Scene("feeds", "/calendar/feeds"),
    Scene("devices", "/devices"),
    Scene("device-added", "/devices", act=_new_device),
    Scene("device-setup", "/devices/setup/{device}", signed_in=False),
    Scene("device-too-late", "/devices/setup/nothing", signed_in=False),
    Scene("history", "/history"),
    Scene("decisions", "/conflicts"),
    Scene("help", "/help"),
    Scene("profile", "/profile"),
    Scene("profile-refused", "/profile", act=_press("Change the password")),
    Scene("second-step", "/profile/second-step"),
    Scene("second-step-refused", "/profile/second-step", act=_press("Turn it on")),
    Scene("second-step-codes", "/profile/second-step", "unlocked", act=_turn_on),
    Scene("second-step-on", "/profile/second-step", "locked"),
    Scene("programs", "/programs"),
    Scene("programs-refused", "/programs", act=_press("Make the token")),
    Scene("webhook-refused", "/programs", act=_press("Add the webhook")),
    Scene("access-log", "/programs/log"),
    Scene("booking-pages", "/booking-pages", "shop"),
    Scene("booking-pages-archived", "/booking-pages?show=archived", "shop"),
    Scene("booking-page-new", "/booking-pages/new", "shop"),
    Scene("booking-page-refused", "/booking-pages/new", "shop", act=_press("Make the booking page")),
    Scene("booking-page", "/booking-pages/{page}", "shop"),
    Scene("booking-page-aside", "/booking-pages/{aside}", "shop"),
    Scene("booking-page-edit", "/booking-pages/{page}/edit", "shop"),
    Scene("booking-day", _DAY, "shop"),
    Scene("booking-day-reserve", _DAY, "shop", act=_opened("Reserve")),
    Scene("booking-sheet", f"{_DAY}/sheet", "shop"),
    Scene("booking-move", "/booking-pages/{page}/sessions/{session}/move", "shop"),
    Scene("opening-hours", "/booking-pages/opening-hours", "shop"),
    Scene("places", "/booking-pages/places", "shop"),
    Scene("place-change", "/booking-pages/places?change=1", "shop"),
    Scene("why", "/calendar/why", "shop"),
    Scene("why-taken", f"{_WHY}16:00", "shop"),
    Scene("why-free", "/calendar/why?from=2026-12-20T12:00&to=2026-12-20T14:00", "shop"),
    Scene("why-refused", f"{_WHY}10:00", "shop"),
    Scene("public-studio", "/book/anna", "shop", False),
    Scene("public-event", "/book/anna/spring-minis?day=2026-12-05", "shop", False),
    Scene("public-closed", "/book/anna/autumn-portraits", "shop", False),
    Scene(
        "public-refused",
        "/book/anna/spring-minis?day=2026-12-05",
        "shop",
        signed_in=False,
        act=_sent_anyway,
    ),
    Scene("public-nothing", "/book/anna/nothing", "shop", False),
    Scene("receipt-held", "/book/anna/spring-minis/receipt/{held}", "shop", False),
    Scene("receipt", "/book/anna/spring-minis/receipt/{receipt}", "shop", False),
    Scene("receipt-move", "/book/anna/spring-minis/receipt/{receipt}?move=1", "shop", False),
)


def parties(
    browser: Browser, grounds: Grounds, scenes: Sequence[Scene], size: tuple[int, int], **more: Any
) -> Iterator[tuple[Visit, Iterator[tuple[Scene, Page]]]]:
    """A visitor for each studio, signed in or not, and the scenes they come to, each when it is asked for."""
    for ground, signed_in in dict.fromkeys((scene.ground, scene.signed_in) for scene in scenes):
        home = grounds[ground]
        with visit(browser, home.base, size=size, **more) as at:
            home.ready()
            if signed_in:
                at.sign_in(ANNA, PASSWORD)
                if "code" in home.names:
                    _press("Sign in", Code=home.names["code"])(at.page)
            here = [scene for scene in scenes if (scene.ground, scene.signed_in) == (ground, signed_in)]
            yield at, ((scene, _come_to(at, scene, home)) for scene in here)


def _come_to(at: Visit, scene: Scene, home: Ground) -> Page:
    # the calendar alone asks for more when it is there
    until: Until = "networkidle" if scene.path == "/" else "load"
    page = at.open(scene.path.format_map(home.names), until)
    if scene.act:
        scene.act(page)
    return page
