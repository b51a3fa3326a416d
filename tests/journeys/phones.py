"""The photographer's clients: python-caldav and vdirsyncer, each in an environment of its own.

A phone shows calendars by their display name or path segment, and the objects in them by UID.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.servers.venvs import program


class Phone(Protocol):
    def objects(self, calendar: str) -> dict[str, str]:
        """UID to text of everything in a calendar, after looking for news."""

    def edit(self, calendar: str, uid: str, change: Callable[[str], str]) -> None:
        """Change one object's text."""

    def create(self, calendar: str, text: str) -> None: ...

    def delete(self, calendar: str, uid: str) -> None: ...


def uid_of(text: str) -> str:
    return re.search(r"(?m)^UID:(.*?)\r?$", text)[1]  # type: ignore[index]


_CALDAV = r"""
import json, sys
import caldav
wish = json.load(sys.stdin)
client = caldav.DAVClient(url=wish["url"], username=wish["user"], password=wish["password"])
calendars = {c.url.path.rstrip("/").rsplit("/", 1)[-1]: c for c in client.principal().calendars()}
calendar = calendars[wish["calendar"]]
found = {}
for event in calendar.events():
    event.load()
    found[str(event.icalendar_component["uid"])] = event
match wish["do"]:
    case "objects":
        print(json.dumps({uid: event.data for uid, event in found.items()}))
    case "edit":
        event = found[wish["uid"]]
        event.data = wish["text"]
        event.save()
    case "create":
        calendar.save_event(wish["text"])
    case "delete":
        found[wish["uid"]].delete()
"""


@dataclass(frozen=True)
class PythonCaldav:
    """python-caldav: every call is a program run of its own."""

    url: str
    user: str
    password: str

    def _run(self, calendar: str, do: str, **more: str) -> str:
        python = program("caldav-client", "caldav>=3.6,<4") / "python"
        wish = {"url": self.url, "user": self.user, "password": self.password, "calendar": calendar, "do": do}
        done = subprocess.run(
            [python, "-c", _CALDAV],
            input=json.dumps(wish | more),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    def objects(self, calendar: str) -> dict[str, str]:
        return dict(json.loads(self._run(calendar, "objects")))

    def edit(self, calendar: str, uid: str, change: Callable[[str], str]) -> None:
        self._run(calendar, "edit", uid=uid, text=change(self.objects(calendar)[uid]))

    def create(self, calendar: str, text: str) -> None:
        self._run(calendar, "create", text=text)

    def delete(self, calendar: str, uid: str) -> None:
        self._run(calendar, "delete", uid=uid)


@dataclass(frozen=True)
class Vdirsyncer:
    """vdirsyncer: a folder of files, synchronised before and after every act."""

    url: str
    user: str
    password: str
    folder: Path

    def _run(self, *words: str) -> None:
        config = self.folder / "config"
        if not config.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            config.write_text(
                f'[general]\nstatus_path = "{self.folder}/status"\n'
                '[pair phone]\na = "here"\nb = "there"\ncollections = ["from b"]\n'
                'conflict_resolution = "b wins"\n'
                f'[storage here]\ntype = "filesystem"\npath = "{self.folder}/calendars"\nfileext = ".ics"\n'
                f'[storage there]\ntype = "caldav"\nurl = "{self.url}"\n'
                f'username = "{self.user}"\npassword = "{self.password}"\n'
            )
        command = [program("vdirsyncer", "vdirsyncer>=0.20,<0.22") / "vdirsyncer", "-c", config, *words]
        done = subprocess.run(command, input="y\n" * 20, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]

    def _files(self, calendar: str) -> dict[str, Path]:
        self._run("discover")
        self._run("sync")
        files = sorted((self.folder / "calendars" / calendar).glob("*.ics"))
        return {uid_of(file.read_bytes().decode()): file for file in files}

    def objects(self, calendar: str) -> dict[str, str]:
        return {uid: file.read_bytes().decode() for uid, file in self._files(calendar).items()}

    def edit(self, calendar: str, uid: str, change: Callable[[str], str]) -> None:
        file = self._files(calendar)[uid]
        file.write_bytes(change(file.read_bytes().decode()).encode())
        self._run("sync")

    def create(self, calendar: str, text: str) -> None:
        self._files(calendar)
        (self.folder / "calendars" / calendar / "new.ics").write_bytes(text.encode())
        self._run("sync")

    def delete(self, calendar: str, uid: str) -> None:
        self._files(calendar)[uid].unlink()
        self._run("sync")
