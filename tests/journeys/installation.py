"""Our side of a story: the real command in processes of its own, over a data folder of its own."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.servers.dav import Outside, Server
from tests.servers.process import free_port, running

ROOT = Path(__file__).parents[2]
EMAIL = "anna@studio.example"
ZONE = "Europe/Berlin"


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Installation:
    """One data folder and the command over it. ``allow`` opens loopback providers, as an administrator
    would."""

    data: Path
    allow: list[str] = field(default_factory=list)
    port: int = 0

    @classmethod
    def of_anna(cls, data: Path, *providers: Server) -> Installation:
        """With one user, as after the first steps of the README."""
        made = cls(data, [provider.host_and_port for provider in providers])
        made.run("user", "add", EMAIL, "--time-zone", ZONE)
        return made

    @property
    def environment(self) -> dict[str, str]:
        own = {"PICSELLO_BRIDGE_ALLOW_HOSTS": ",".join(self.allow), "PYTHONPATH": str(ROOT)}
        return {**os.environ, **own}

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "bridge.cli", "--data", str(self.data), *words]

    def try_(self, *words: str, stdin: str = "") -> Done:
        """Run the command, whatever comes of it."""
        done = subprocess.run(
            self.command(*words),
            input=stdin,
            capture_output=True,
            text=True,
            env=self.environment,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def run(self, *words: str, stdin: str = "") -> Done:
        """Run the command; it must succeed, and say nothing on standard error beyond progress."""
        done = self.try_(*words, stdin=stdin)
        assert done.code == 0, (words, done)
        return done

    def json(self, *words: str, stdin: str = "") -> Any:
        return self.run(*words, "--json", stdin=stdin).json

    @contextlib.contextmanager
    def serving(self) -> Iterator[str]:
        """``serve`` as a process, until the block ends; gives its origin."""
        self.port = self.port or free_port()
        command = self.command("serve", "--port", str(self.port))
        with running(command, self.port, self.data / "serve.log", env=self.environment):
            yield f"http://127.0.0.1:{self.port}"

    # --- the first steps ---------------------------------------------------------------------------

    def book(self, title: str, start: str, minutes: int = 60, **more: str) -> str:
        """A booking by command; gives its UID."""
        words = [word for name, value in more.items() for word in (f"--{name}", value)]
        added = self.json(
            "booking", "add", EMAIL, "--title", title, "--start", start, "--duration", str(minutes), *words
        )
        return str(added["uid"])

    def connect(self, provider: Server) -> int:
        """An account at the provider; gives its number."""
        words = ["account", "add", EMAIL, "caldav", "--url", provider.url]
        words += ["--username", provider.user or "anna", "--password-stdin"]
        return int(self.json(*words, stdin=(provider.password or "none") + "\n")["account"])

    def select(self, account: int, *, read: tuple[Outside, ...] = (), write: Outside | None = None) -> None:
        """Choose calendars and let the first sync go ahead."""
        words = [word for outside in read for word in ("--read", self.remote_id(account, outside))]
        if write is not None:
            words += ["--write", self.remote_id(account, write)]
        self.run("account", "select", str(account), *words, "--yes")

    def remote_id(self, account: int, outside: Outside) -> str:
        """The calendar's id as ``account calendars`` gives it."""
        known = self.json("account", "calendars", str(account))
        return next(row["id"] for row in known if row["id"].rstrip("/").endswith(outside.path.rstrip("/")))

    def sync(self) -> list[dict[str, Any]]:
        """One pass over everything; no error and nothing held. Gives the rows of linked calendars."""
        rows = self.json("sync")["links"]
        assert not any(row["errors"] or row["held"] for row in rows), rows
        return [row for row in rows if row["link"] is not None]
