"""``python -m tests.web.screenshots [--into FOLDER] [--only WORD]``: every page and state as a picture, on a
desktop and on a phone, in the light and in the dark; ``--chosen``: those that the README shows.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.web.chromium import DESKTOP, PHONE, chromium
from tests.web.grounds import Grounds
from tests.web.scenes import SCENES, Scene, parties

SIZES = {"desktop": DESKTOP, "phone": PHONE}
README = Path(__file__).parents[2] / "docs" / "screenshots"

#: What the README shows: scene, size and theme of each of its pictures.
CHOSEN = {
    "month": ("month", "desktop", "light"),
    "event": ("event", "desktop", "light"),
    "settings": ("settings", "desktop", "light"),
    "phone": ("list", "phone", "dark"),
}


def main(arguments: list[str]) -> None:
    """Take them."""
    parser = argparse.ArgumentParser(prog="tests.web.screenshots")
    parser.add_argument("--into", type=Path, default=Path("screenshots"), help="the folder for the pictures")
    parser.add_argument("--only", default="", help="scenes with this word in their name")
    parser.add_argument("--chosen", action="store_true", help="those of the README, into docs/screenshots")
    options = parser.parse_args(arguments)
    wanted = [scene for scene in SCENES if options.only in scene.name]
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        grounds = Grounds(Path(folder))
        try:
            if options.chosen:
                by_name = {scene.name: scene for scene in SCENES}
                for file, (name, size, theme) in CHOSEN.items():
                    scene = replace(by_name[name], ground="shown")
                    shoot(browser, grounds, [scene], size, theme, README, lambda _, f=file: f)
                return
            options.into.mkdir(parents=True, exist_ok=True)
            for size in SIZES:
                for theme in ("light", "dark"):
                    shoot(
                        browser,
                        grounds,
                        [scene for scene in wanted if scene.only in ("", size)],
                        size,
                        theme,
                        options.into,
                        lambda scene, where=f"{size}-{theme}": f"{scene.name}-{where}",
                    )
        finally:
            grounds.close()


def shoot(
    browser: Browser,
    grounds: Grounds,
    scenes: list[Scene],
    size: str,
    theme: str,
    into: Path,
    name: Callable[[Scene], str],
) -> None:
    """Each scene, whole page."""
    for at, some in parties(browser, grounds, scenes, SIZES[size], color_scheme=theme):
        at.quiet = True
        for scene, page in some:
            picture(page, into / f"{name(scene)}.png")
            print(f"{name(scene)}.png", flush=True)


def picture(page: Page, file: Path) -> None:
    """The page to its end (Chromium's own way waits for ever on the calendar); a dialog, and what is for the
    README, as the screen shows it."""
    page.wait_for_timeout(350)  # what arrives has arrived
    screen = page.viewport_size or {"width": 0, "height": 0}
    if page.locator("dialog[open]").count() == 0 and file.parent != README:
        height = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": screen["width"], "height": max(height, screen["height"])})
    page.screenshot(path=file, animations="disabled")
    page.set_viewport_size(screen)


if __name__ == "__main__":
    main(sys.argv[1:])
