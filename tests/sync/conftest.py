"""Anna's installation driven by the command, and a stock Radicale as her provider."""

from __future__ import annotations

import io
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from bridge.cli import main
from bridge.config import Settings
from bridge.service import client_writes
from bridge.store import calendars, links, notices, objects, people
from bridge.store.calendars import CalendarRow
from bridge.store.objects import StoredObject
from bridge.store.people import UserRow
from bridge.wiring import Bridge
from tests.cli.conftest import Answer, Call, call, data  # noqa: F401
from tests.servers.dav import Outside, Server
from tests.servers.radicale import radicale
from tests.service.conftest import TODAY, event

ANNA = "anna@studio.example"


@pytest.fixture(scope="session")
def radicales(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Server]]:
    """A running provider, and the folder it keeps its calendars in."""
    folder = tmp_path_factory.mktemp("provider")
    with radicale(folder) as server:
        yield folder / "collections" / "collection-root", server


@dataclass
class Story:
    """Anna at the keyboard, and the same people at her provider. Passes run when ``sync`` is called."""

    call: Call
    server: Server
    home: Path  # the provider's folder of her calendars
    work: Outside
    private: Outside
    account: str
    data: Path
    allow: Callable[[str], None]  # which hosts the administrator opens

    def select(self, *roles: str) -> None:
        """``select("--write", story.work.path)``; begins at once."""
        assert self.call("account", "select", self.account, *roles, "--yes").code == 0

    def held(self, *options: str) -> dict[str, Any]:
        """The row of the one pass that waits for Anna's word."""
        answer = self.try_sync(*options)
        assert answer.code == 1, answer
        (row,) = [row for row in answer.json["links"] if row["held"]]
        return dict(row)

    def sync(self, *options: str) -> list[dict[str, Any]]:
        """One pass over everything, without trouble; the rows of linked calendars."""
        answer = self.try_sync(*options)
        assert answer.code == 0, answer
        return [row for row in answer.json["links"] if row["link"]]

    def try_sync(self, *options: str) -> Answer:
        return self.call("sync", *options, "--json")

    def rest(self) -> None:
        """Nothing is left to do: the next pass writes nothing on either side."""
        for row in self.sync():
            assert [row[name] for name in ("pulled", "pushed", "merged", "conflicts", "deleted")] == [
                0
            ] * 5, row

    def settle(self) -> None:
        """Let edits travel until all is quiet."""
        for _ in range(3):
            self.sync()
        self.rest()

    def json(self, *words: str) -> Any:
        answer = self.call(*words, "--json")
        assert answer.code == 0, answer
        return answer.json

    def book(self, title: str, start: str = "2027-05-08T14:30", **more: str) -> str:
        """A booking of an hour; its UID."""
        words = [word for name, value in more.items() for word in (f"--{name}", value)]
        return str(
            self.json("booking", "add", ANNA, "--title", title, "--start", start, "--duration", "60", *words)[
                "uid"
            ]
        )

    def booking(self, uid: str) -> dict[str, Any]:
        """The booking as ``booking list`` shows it."""
        return next(row for row in self.json("booking", "list", ANNA) if row["uid"] == uid)

    def edit_there(self, uid: str, change: Callable[[str], str], where: Outside | None = None) -> None:
        """Somebody changes an object at the provider."""
        calendar = where or self.work
        name = calendar.name_of(uid)
        before = calendar.get(name) or ""
        after = change(before)
        assert after != before
        calendar.put(name, after, calendar.etag(name))

    def retitle_there(self, uid: str, title: str, where: Outside | None = None) -> None:
        self.edit_there(uid, lambda text: re.sub(r"SUMMARY:.*?\r\n", f"SUMMARY:{title}\r\n", text), where)

    def title_there(self, uid: str, where: Outside | None = None) -> str:
        return title(there) if (there := (where or self.work).by_uid(uid)) else ""

    def last_pass(self) -> int:
        """The number of the pass that changed something last."""
        return int(next(row["pass"] for row in self.json("journal", ANNA) if row["pass"]))

    def notices(self) -> list[tuple[str, str]]:
        """What the app tells Anna: kind and sentence."""
        bridge = self.bridge()
        with bridge.db.reading() as tx:
            user = people.user_by_email(tx, ANNA)
            return [(row.kind, row.message) for row in notices.standing(tx, user.id)]

    def look_at_everything(self) -> None:
        """The next passes list everything, as they do once a day."""
        with self.bridge().db.writing() as tx:
            for link in links.of_account(tx, int(self.account)):
                links.set_(tx, link.id, listed_at=None)

    # --- a calendar app ----------------------------------------------------------------------------

    def bridge(self) -> Bridge:
        return Bridge.open(Settings(data=self.data))

    def edit_here(self, uid: str, change: Callable[[str], str], *, mirror: bool = False) -> None:
        """A calendar app changes an object, by the rules for clients."""
        bridge = self.bridge()
        with bridge.db.writing() as tx:
            user, calendar, stored = self._find(tx, uid, mirror)
            text = change(stored.text)
            assert text != stored.text
            client_writes.put(tx, user, calendar, stored.href, text, actor="device:1", now=bridge.clock.now())

    def retitle_here(self, uid: str, to: str, *, mirror: bool = False) -> None:
        self.edit_here(
            uid, lambda text: text.replace(f"SUMMARY:{title(text)}", f"SUMMARY:{to}"), mirror=mirror
        )

    def add_here(self, uid: str, text: str) -> None:
        """A calendar app makes an event in the bookings: a block."""
        bridge = self.bridge()
        with bridge.db.writing() as tx:
            user = people.user_by_email(tx, ANNA)
            calendar = calendars.bookings(tx, user.id)
            client_writes.put(
                tx, user, calendar, f"{uid}.ics", text, actor="device:1", now=bridge.clock.now()
            )

    def delete_here(self, uid: str, *, mirror: bool = False) -> None:
        bridge = self.bridge()
        with bridge.db.writing() as tx:
            user, calendar, stored = self._find(tx, uid, mirror)
            client_writes.delete(tx, user, calendar, stored.href, actor="device:1", now=bridge.clock.now())

    def seen_here(self, *, mirror: bool = False) -> dict[str, str]:
        """What calendar apps see in the bookings, or in the one mirror: UID to text."""
        with self.bridge().db.reading() as tx:
            _, calendar = self._calendar(tx, mirror)
            return {row.uid: row.text for row in objects.all_objects(tx, calendar.id)}

    def _find(self, tx: Connection, uid: str, mirror: bool) -> tuple[UserRow, CalendarRow, StoredObject]:
        user, calendar = self._calendar(tx, mirror)
        stored = objects.by_uid(tx, calendar.id, uid)
        assert stored is not None
        return user, calendar, stored

    def _calendar(self, tx: Connection, mirror: bool) -> tuple[UserRow, CalendarRow]:
        user = people.user_by_email(tx, ANNA)
        if not mirror:
            return user, calendars.bookings(tx, user.id)
        return user, next(row for row in calendars.of_user(tx, user.id) if row.kind == "mirror")


def title(text: str) -> str:
    """The SUMMARY of the first event."""
    return re.search(r"(?m)^SUMMARY:(.*?)\r?$", text)[1]  # type: ignore[index]


def private_event(uid: str, title: str = "Dentist", days: int = 0) -> str:
    """An event that is nobody's booking."""
    return event(uid, title, _day(days))


def _day(days: int) -> datetime:
    return TODAY + timedelta(days=days)


@pytest.fixture(scope="session")
def connected(tmp_path_factory: pytest.TempPathFactory, radicales: tuple[Path, Server]) -> Path:
    """A data folder with Anna and her account, whose calendars have no roles yet: made once, copied often."""
    folder, server = tmp_path_factory.mktemp("anna") / "data", radicales[1]
    account = ["account", "add", ANNA, "caldav", "--url", server.url, "--username", server.user]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PICSELLO_BRIDGE_ALLOW_HOSTS", server.host_and_port)
        for words in (["user", "add", ANNA, "--time-zone", "Europe/Berlin"], [*account, "--password-stdin"]):
            patch.setattr(sys, "stdin", io.StringIO(f"{server.password}\n"))
            assert main(["--data", str(folder), *words]) == 0
    return folder


@pytest.fixture
def story(
    call: Call,  # noqa: F811
    data: Path,  # noqa: F811
    connected: Path,
    radicales: tuple[Path, Server],
    monkeypatch: pytest.MonkeyPatch,
) -> Story:
    """An empty provider, and Anna connected to it."""
    folder, server = radicales
    shutil.rmtree(folder / server.user, ignore_errors=True)
    shutil.copytree(connected, data)
    allow = partial(monkeypatch.setenv, "PICSELLO_BRIDGE_ALLOW_HOSTS")
    allow(server.host_and_port)
    work, private = (server.make_calendar(name.lower(), title=name) for name in ("Work", "Private"))
    (account,) = call("account", "list", "--json").json
    return Story(call, server, folder / server.user, work, private, str(account["account"]), data, allow)
