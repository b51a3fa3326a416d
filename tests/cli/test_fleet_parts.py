"""The parts of a fleet apart, on PostgreSQL: what one learns all know, and the end of one is nobody's end."""

from __future__ import annotations

import http.client
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlencode

import pytest

from radicale_plugin.gate import PER_USER
from tests.cli.conftest import Call
from tests.cli.test_serve import Process, _signed, started
from tests.servers.postgres import Cluster
from tests.service.conftest import TODAY, event

POLL = b'<D:propfind xmlns:D="DAV:"><D:prop><D:sync-token/></D:prop></D:propfind>'


@pytest.fixture(autouse=True)
def on_postgresql(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    name = cluster.create()
    monkeypatch.setenv("PICSELLO_BRIDGE_DATABASE_URL", cluster.url(name))
    monkeypatch.setenv("PICSELLO_BRIDGE_SERVER_PROCESSES", "1")
    yield
    cluster.drop(name)


def parts(stack: ExitStack, data: Path, part: str, count: int) -> list[Process]:
    return [stack.enter_context(started(data, part, "--port", "0", announces=1)) for _ in range(count)]


def guess(served: Process, email: str, password: str) -> int:
    return served.ask("PROPFIND", f"/dav/{email}/", POLL, Depth="0", Authorization=_signed(email, password))[
        0
    ]


def test_who_guesses_app_passwords_at_four_processes_has_no_more_guesses_than_at_one(
    data: Path, anna: str, call: Call
) -> None:
    phone = call("device", "add", anna, "phone").out.strip()
    with ExitStack() as stack:
        doors = parts(stack, data, "dav", 4)

        def in_a_row() -> tuple[int, list[int]]:
            """Guesses at three of them, until it is enough, and one at the fourth; all in one minute."""
            while True:
                minute = int(time.time()) // 60
                statuses = [guess(doors[n % 3], anna, f"wrong-{minute}-{n}") for n in range(PER_USER)]
                last = guess(doors[3], anna, "its first guess")
                if int(time.time()) // 60 == minute:
                    return last, statuses

        last, statuses = in_a_row()
        assert statuses == [401] * PER_USER
        assert last == 429, "what the others counted holds here"
        assert [guess(door, anna, phone) for door in doors] == [207] * 4, "the right one is let in"


def test_guessers_at_once_at_four_processes_are_counted_as_one(data: Path, anna: str, call: Call) -> None:
    call("device", "add", anna, "phone")
    statuses: list[int] = []
    with ExitStack() as stack:
        doors = parts(stack, data, "dav", 4)

        def storm(door: Process, number: int) -> None:
            for n in range(PER_USER):
                statuses.append(guess(door, anna, f"{number}-{n}"))

        begun = int(time.time()) // 60
        guessers = [threading.Thread(target=storm, args=(door, n)) for n, door in enumerate(doors)]
        for guesser in guessers:
            guesser.start()
        for guesser in guessers:
            guesser.join()
        minutes = int(time.time()) // 60 - begun + 1
    seen = Counter(statuses)
    assert len(statuses) == 4 * PER_USER == seen[401] + seen[429]
    # each may have had one under way when the bound was reached
    assert seen[401] <= minutes * (PER_USER + len(doors) - 1)


def test_a_killed_dav_process_loses_nothing_and_the_other_goes_on(data: Path, anna: str, call: Call) -> None:
    signed = _signed(anna, call("device", "add", anna, "phone").out.strip())
    home, kept = f"/dav/{anna}/bookings/", dict[str, bytes]()
    with ExitStack() as stack:
        first, other = parts(stack, data, "dav", 2)

        def write() -> None:
            for number in range(1000):
                text = event(f"{number}@phone", "Written", TODAY).encode()
                try:
                    status, _, _ = first.ask("PUT", f"{home}{number}.ics", text, Authorization=signed)
                except (OSError, http.client.HTTPException):
                    return
                assert status == 201
                kept[f"{home}{number}.ics"] = text

        phone = threading.Thread(target=write)
        phone.start()
        while len(kept) < 10:
            assert phone.is_alive()
            time.sleep(0.01)
        first.process.kill()
        phone.join()
        assert kept
        for path, text in kept.items():
            assert other.ask("GET", path, Authorization=signed)[::2] == (200, text)
        path, text = next(iter(kept.items()))
        assert other.ask("PUT", path, text.replace(b"Written", b"Later"), Authorization=signed)[0] == 204


def test_who_signed_in_at_a_web_process_that_is_killed_stays_signed_in_at_the_other(
    data: Path, anna: str, call: Call
) -> None:
    assert call("user", "set", anna, "--password-stdin", stdin="a good password\n").code == 0
    with ExitStack() as stack:
        first, other = parts(stack, data, "web", 2)
        _, headers, page = first.ask("GET", "/sign-in")
        token = re.search(rb'name="csrf_token"[^>]* value="([^"]+)"', page)
        assert token
        form = {"csrf_token": token[1].decode(), "email": anna, "password": "a good password"}
        status, headers, _ = first.ask(
            "POST",
            "/sign-in",
            urlencode(form).encode(),
            Cookie=headers["set-cookie"].partition(";")[0],
            **{"Content-Type": "application/x-www-form-urlencoded"},
        )
        assert (status, headers["location"]) == (303, "/")
        cookie = headers["set-cookie"].partition(";")[0]
        assert first.ask("GET", "/devices", Cookie=cookie)[0] == 200
        first.process.kill()
        first.process.wait()
        assert other.ask("GET", "/devices", Cookie=cookie)[0] == 200
        assert other.ask("GET", "/devices")[0] == 302
