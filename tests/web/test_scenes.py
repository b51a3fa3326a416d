"""Every page in every state, on a desktop and on a phone, in both themes: what axe-core finds, whether it
fits, whether the console says anything, and whether everything on it can be reached by keyboard."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.web.chromium import DESKTOP, PHONE, chromium
from tests.web.grounds import Grounds
from tests.web.scenes import SCENES, parties


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def grounds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grounds]:
    made = Grounds(tmp_path_factory.mktemp("grounds"))
    yield made
    made.close()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_page_in_every_state_is_accessible_in_both_themes_and_fits(
    browser: Browser, grounds: Grounds, size: tuple[int, int]
) -> None:
    name = "desktop" if size == DESKTOP else "phone"
    scenes = [scene for scene in SCENES if scene.only in ("", name)]
    found: dict[str, list[str]] = {}
    for at, some in parties(browser, grounds, scenes, size, bypass_csp=True):
        for scene, _ in some:
            found[scene.name] = at.violations()
    assert len(found) == len(scenes)
    assert {name: each for name, each in found.items() if each} == {}


#: What of the page in view can be used, what of it the Tab key comes to, and where no outline would show it.
WALK = """() => {
  const seen = (e) => e.checkVisibility() && !e.closest("[inert]");
  const all = "a[href], button, input, select, summary, [tabindex='0']";
  const usable = [...document.querySelectorAll(all)]
    .filter((e) => seen(e) && !e.disabled && e.type !== "hidden" && e.tabIndex >= 0);
  // one stop for a group
  const radios = (e) => e.type === "radio" ? `radio ${e.form?.action} ${e.name}` : null;
  return new Set(usable.map((e) => radios(e) ?? e)).size;
}"""
STEP = """() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const look = getComputedStyle(e);
  const own = e.type?.startsWith("date"); // the browser walks through its parts and marks each
  const shown = own || look.outlineStyle !== "none" && parseFloat(look.outlineWidth) >= 2;
  const key = [...document.querySelectorAll("*")].indexOf(e);
  const name = e.type === "radio" ? `radio ${e.form?.action} ${e.name}` : String(key);
  return [name, shown, e.outerHTML.slice(0, 90)];
}"""


def test_everything_is_reached_by_keyboard_and_one_sees_where_one_is(
    browser: Browser, grounds: Grounds
) -> None:
    wanted = ("sign-in", "welcome", "dashboard", "settings", "connect-found", "roles", "disconnect", "feeds")
    wanted += ("devices", "decisions", "profile", "block-page", "event-page", "month")
    scenes = [scene for scene in SCENES if scene.name in wanted]
    assert len(scenes) == len(wanted)
    for _, some in parties(browser, grounds, scenes, DESKTOP):
        for scene, page in some:
            page.evaluate("document.activeElement.blur()")
            there, reached = page.evaluate(WALK), set()
            for _ in range(2 * there + 30):
                page.keyboard.press("Tab")
                step = page.evaluate(STEP)
                if step is None:
                    continue  # round the corner: it began where the last click was
                assert step[1], f"{scene.name}: no outline on {step[2]}"
                reached.add(step[0])
            assert len(reached) >= there, f"{scene.name}: {len(reached)} of {there} are reached"
