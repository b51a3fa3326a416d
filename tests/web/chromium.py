"""A real browser for the pages: Debian's Chromium, driven by Playwright; axe-core checks what it shows."""

from __future__ import annotations

import fcntl
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Literal

import waitress.server
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from bridge import web
from tests.servers import venvs

#: When a page is there.
Until = Literal["load", "networkidle"]
DESKTOP, PHONE = (1280, 900), (390, 844)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser; nothing it is asked to load comes from outside of this machine."""
    program = shutil.which("chromium")
    assert program is not None, "Chromium is missing: `make test` installs it."
    arguments = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-dev-shm-usage",
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()


@contextmanager
def served(app: Flask, port: int = 0) -> Iterator[str]:
    """The pages on that port, or on a free one; yields their address."""
    server = waitress.server.create_server(
        app, host="127.0.0.1", port=port, threads=4, asyncore_use_poll=True
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    server.close()
    thread.join(5)


class Visit:
    """One person at one screen. Whatever the console says counts as a failure of the test."""

    def __init__(self, context: BrowserContext, page: Page):
        self.context = context
        self.page = page
        self.said: list[str] = []
        self.quiet = False  # what is said does not matter: pictures are being taken
        page.on("console", lambda message: self._hear(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self._hear(f"error: {error}"))

    def _hear(self, words: str) -> None:
        """The browser reports each refusal (such as 404) as if it were a missing file; those are meant."""
        if not self.quiet and not re.search(r"status of (400|404|409|422) ", words):
            self.said.append(words[:300])

    def open(self, path: str, until: Until = "networkidle") -> Page:
        self.page.goto(path, wait_until=until)
        return self.page

    def sign_in(self, email: str, password: str = "a good password") -> Page:
        self.open("/sign-in")
        self.page.get_by_label("E-mail address").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_load_state("networkidle")
        return self.page

    def violations(self) -> list[str]:
        """What axe-core finds on the page as it is, in the dark its contrasts too; and whether the page is
        wider than the screen."""
        self.page.emulate_media(reduced_motion="reduce")  # what is still fading in has no contrast yet
        self.page.evaluate(_axe())
        found = self.page.evaluate("axe.run(document)")["violations"]
        self.page.emulate_media(color_scheme="dark")
        dark = "axe.run(document, {runOnly: ['color-contrast']})"
        found += [one | {"id": "in the dark: " + one["id"]} for one in self.page.evaluate(dark)["violations"]]
        self.page.emulate_media(color_scheme="light")
        width = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        return [
            *(f"{one['id']}: {one['help']} {[node['target'] for node in one['nodes'][:3]]}" for one in found),
            *([f"{width} pixels wider than the screen"] if width > 0 else []),
        ]


@contextmanager
def visit(browser: Browser, base: str, *, size: tuple[int, int] = DESKTOP, **more: Any) -> Iterator[Visit]:
    """A fresh profile. The page's own policy forbids scripts from elsewhere, so axe gets past it on request:
    ``bypass_csp=True``."""
    width, height = size
    context = browser.new_context(
        base_url=base,
        viewport={"width": width, "height": height},
        has_touch=size == PHONE,
        locale="en-GB",
        timezone_id="America/New_York",  # not the studio's: only the studio's may show
        **more,
    )
    context.set_default_timeout(10_000)
    at = Visit(context, context.new_page())
    yield at
    context.close()
    assert not at.said, "\n".join(at.said)


@cache
def _axe() -> str:
    """axe-core, as `make test` fetched it; fetched here otherwise."""
    folder = venvs.FOLDER / "axe"
    script = folder / "node_modules" / "axe-core" / "axe.min.js"
    venvs.FOLDER.mkdir(parents=True, exist_ok=True)
    with (venvs.FOLDER / "axe.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not script.exists():
            folder.mkdir(exist_ok=True)
            for name in ("package.json", "package-lock.json"):
                shutil.copy(Path(web.__file__).parent / name, folder)
            subprocess.run(
                ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, check=True
            )
    return script.read_text("utf-8")
