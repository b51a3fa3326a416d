"""Several processes behind one port: none of them tells another story, and the end of one is no end."""

from __future__ import annotations

import errno
import gc
import http.client
import os
import re
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bridge import prefork
from tests.cli.conftest import Call
from tests.cli.test_serve import Process, _signed, started
from tests.service.conftest import TODAY, event

PROCESSES = 3
CTAG = b'<D:propfind xmlns:D="DAV:" xmlns:S="http://calendarserver.org/ns/"><D:prop><S:getctag/></D:prop></D:propfind>'


@pytest.fixture(autouse=True)
def several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICSELLO_BRIDGE_SERVER_PROCESSES", str(PROCESSES))


@pytest.fixture
def signed(call: Call, anna: str) -> str:
    return _signed(anna, str(call("device", "add", anna, "phone").out.strip()))


@dataclass
class Line:
    """A kept-alive connection, which is to one process as long as it lasts."""

    connection: http.client.HTTPConnection
    signed: str
    process: int = field(default=0, init=False)

    def __call__(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
        self.connection.request(method, path, body, {"Authorization": self.signed, **headers})
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def ctag(self, home: str) -> bytes:
        status, body = self("PROPFIND", home, CTAG, Depth="0")
        assert status == 207
        found = re.search(rb"getctag>([^<]+)<", body)
        assert found
        return found[1]


@contextmanager
def lines(served: Process, signed: str) -> Iterator[list[Line]]:
    """One to each of the processes that answer."""
    with ExitStack() as stack:
        found: dict[int, Line] = {}
        patience = time.monotonic() + 20
        while len(found) < PROCESSES:
            assert time.monotonic() < patience, "not every process takes connections"
            connection = http.client.HTTPConnection(served.netloc, timeout=20)
            stack.callback(connection.close)
            line = Line(connection, signed)
            assert line("GET", "/healthz")[0] == 200
            line.process = holder(served, connection.sock.getsockname()[1])
            found.setdefault(line.process, line)
        yield list(found.values())


def children(served: Process) -> list[int]:
    process = served.process.pid
    return [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def holder(served: Process, port: int) -> int:
    """Which process has the other end of our connection from that port."""
    wanted = [f"{int(number):04X}" for number in (served.netloc.rpartition(":")[2], port)]
    rows = (row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:])
    [socket] = [row[9] for row in rows if [end.rpartition(":")[2] for end in row[1:3]] == wanted]
    for process in children(served):
        for file in Path(f"/proc/{process}/fd").iterdir():
            if _leads_to(file) == f"socket:[{socket}]":
                return process
    raise AssertionError("nobody has it")


def _leads_to(file: Path) -> str:
    try:
        return os.readlink(file)
    except OSError:
        return ""


def until(true: Callable[[], bool]) -> None:
    patience = time.monotonic() + 20
    while not true():
        assert time.monotonic() < patience
        time.sleep(0.01)


def test_what_one_process_saved_every_other_shows_at_once(data: Path, anna: str, signed: str) -> None:
    home = f"/dav/{anna}/bookings/"
    with started(data, "serve", "--port", "0", announces=2) as served, lines(served, signed) as each:
        for number in range(3 * PROCESSES):
            writer = each[number % PROCESSES]
            before = {line.ctag(home) for line in each}
            text = event(f"{number % 2}@phone", f"Version {number}", TODAY).encode()
            assert writer("PUT", f"{home}{number % 2}.ics", text)[0] in (201, 204)
            after = {line.ctag(home) for line in each}
            assert len(before) == len(after) == 1 and before != after
            assert [line("GET", f"{home}{number % 2}.ics") for line in each] == [(200, text)] * PROCESSES


def test_who_was_shown_the_door_finds_it_shut_everywhere(
    data: Path, anna: str, signed: str, call: Call
) -> None:
    tablet = _signed(anna, str(call("device", "add", anna, "tablet").out.strip()))
    home = f"/dav/{anna}/"
    with started(data, "dav", "--port", "0", announces=1) as served, lines(served, signed) as each:

        def seen(by: str) -> list[int]:
            return [line("PROPFIND", home, CTAG, Depth="0", Authorization=by)[0] for line in each]

        assert seen(tablet) == seen(signed) == [207] * PROCESSES
        assert call("device", "revoke", anna, "tablet").code == 0
        assert (seen(tablet), seen(signed)) == ([401] * PROCESSES, [207] * PROCESSES)
        assert call("user", "remove", anna).code == 0
        assert seen(signed) == [401] * PROCESSES


def test_killed_processes_are_replaced_and_nothing_that_was_saved_is_lost(
    data: Path, anna: str, signed: str
) -> None:
    """Whoever talked to the killed one finds the line cut, and gets the right answer at the next try."""
    home = f"/dav/{anna}/bookings/"
    kept: dict[str, bytes] = {}
    wrong: list[tuple[int, bytes]] = []
    stop = threading.Event()

    def edit(writer: int) -> None:
        number = 0
        while not stop.is_set():
            path, number = f"{home}{writer}.ics", number + 1
            text = event(f"{writer}@phone", f"Version {number}", TODAY).encode()
            try:
                status, _, body = served.ask("PUT", path, text, Authorization=signed)
                if status not in (201, 204):
                    wrong.append((status, body))
                kept[path] = text
                status, _, body = served.ask("GET", path, Authorization=signed)
                if (status, body) != (200, text):
                    wrong.append((status, body))
            except (OSError, http.client.HTTPException):
                kept.pop(path, None)  # it may be saved or not: nobody was told

    with started(data, "serve", "--port", "0", announces=2) as served:
        writers = [threading.Thread(target=edit, args=(number,)) for number in range(4)]
        for thread in writers:
            thread.start()
        until(lambda: len(kept) == 4)
        for _ in range(2):
            family = children(served)
            assert len(family) == PROCESSES + 1
            for process in family:  # the worker's too
                os.kill(process, signal.SIGKILL)
                until(lambda gone=process: gone not in children(served))  # type: ignore[misc]
            until(lambda: len(children(served)) == PROCESSES + 1)
        until(lambda: len(kept) == 4)
        stop.set()
        for thread in writers:
            thread.join()
        assert wrong == []
        for path, text in kept.items():
            assert served.ask("GET", path, Authorization=signed)[::2] == (200, text)
        assert served.end() < 10
        assert served.process.stderr is not None
        assert served.process.stderr.read().count("it is started again") == 2 * (PROCESSES + 1)


def test_requests_that_run_are_answered_before_the_end(data: Path, anna: str, signed: str) -> None:
    """Each process has a change under way that waits for its turn when the end is announced."""
    text = event("slow@phone", "Slow", TODAY).encode()
    with started(data, "serve", "--port", "0", announces=2) as served, lines(served, signed) as each:
        other = sqlite3.connect(data / "bridge.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        for number, line in enumerate(each):
            line.connection.request(
                "PUT",
                f"/dav/{anna}/bookings/{number}.ics",
                text.replace(b"slow@", b"slow%d@" % number),
                {"Authorization": signed},
            )
        time.sleep(0.2)  # they are being answered; if one is not yet, it is cut off, and the test tells
        served.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        other.execute("ROLLBACK")
        other.close()
        assert [line.connection.getresponse().status for line in each] == [201] * PROCESSES
        assert served.process.wait(15) == 0


def test_a_killed_parent_takes_its_processes_along_and_frees_the_port(
    data: Path, anna: str, signed: str
) -> None:
    with started(data, "serve", "--port", "0", announces=2) as served:
        port, family = served.netloc.rpartition(":")[2], children(served)
        served.process.kill()
        served.process.wait(10)
        with started(data, "serve", "--port", port, announces=2) as again:
            assert again.ask("PROPFIND", f"/dav/{anna}/", Depth="0", Authorization=signed)[0] == 207
            until(lambda: not any(Path(f"/proc/{process}").exists() for process in family))
            assert len(children(again)) == PROCESSES + 1
            assert again.end() < 10


def test_one_process_is_enough_if_the_settings_say_so(
    data: Path, anna: str, signed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PICSELLO_BRIDGE_SERVER_PROCESSES", "1")
    with started(data, "serve", "--port", "0", announces=2) as served:
        assert served.ask("PROPFIND", f"/dav/{anna}/", Depth="0", Authorization=signed)[0] == 207
        assert children(served) == []
        assert served.end() < 10


def test_a_process_that_cannot_be_started_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    told = []

    def fork() -> int:
        told.append("fork")
        if told.count("fork") == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        raise BlockingIOError(errno.EAGAIN, "no more processes")

    monkeypatch.setattr(prefork, "REST_SECONDS", 0.01)
    monkeypatch.setattr("os.fork", fork)
    part = prefork.Part("Process 1", lambda _stop: None)
    try:
        prefork.keep([part], lambda: told.append("begin"), lambda: told.append("end"))
    finally:
        gc.unfreeze()
    assert told == ["begin", "fork", "fork", "fork", "end"]
    assert caplog.messages == ["Process 1 could not be started (no more processes); it is tried again"] * 3
