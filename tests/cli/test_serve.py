"""``serve``, ``web``, ``dav``, ``worker`` as processes: they announce, answer, and end in good order."""

from __future__ import annotations

import base64
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.cli.conftest import Call
from tests.service.conftest import TODAY, event


@dataclass
class Process:
    """A server process and the addresses it announced, by name."""

    process: subprocess.Popen[str]
    addresses: dict[str, str]

    def ask(
        self, method: str, path: str, body: bytes | Iterator[bytes] = b"", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection(self.netloc, timeout=20)
        try:
            connection.request(method, path, body, headers, encode_chunked="Transfer-Encoding" in headers)
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    @property
    def netloc(self) -> str:
        return urlsplit(next(iter(self.addresses.values()))).netloc

    def end(self) -> float:
        """SIGTERM; returns the seconds until it was over. It must end well."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(15) == 0, self.process.stderr and self.process.stderr.read()
        return time.monotonic() - begun


@contextmanager
def started(data: Path, *arguments: str, announces: int) -> Iterator[Process]:
    """The call, until its addresses are printed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bridge.cli", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PICSELLO_BRIDGE_DATA": str(data)},
    )
    try:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(announces)]
        if not all(lines):
            raise AssertionError(process.communicate(timeout=10)[1])
        yield Process(process, dict(line.strip().split(": ", 1) for line in lines))
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def _signed(email: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{email}:{password}".encode()).decode()


@pytest.fixture
def password(call: Call, anna: str) -> str:
    return str(call("device", "add", anna, "phone").out.strip())


def test_one_process_serves_the_whole_origin(data: Path, anna: str, password: str) -> None:
    with started(data, "serve", "--port", "0", announces=2) as served:
        assert served.addresses["CalDAV"] == served.addresses["Pages"] + "dav/"
        assert served.ask("GET", "/healthz")[0] == 200
        assert served.ask("GET", "/readyz")[0] == 200
        status, headers, _ = served.ask("PROPFIND", "/.well-known/caldav")
        assert (status, headers["location"]) == (301, "/dav/")
        assert served.ask("GET", "/")[0] in (200, 302, 303)
        assert served.ask("PROPFIND", f"/dav/{anna}/", Depth="0")[0] == 401
        signed = _signed(anna, password)
        assert served.ask("PROPFIND", f"/dav/{anna}/", Depth="0", Authorization=signed)[0] == 207
        assert served.end() < 10


def test_links_carry_the_address_of_the_last_serve(data: Path, anna: str, call: Call) -> None:
    with started(data, "serve", "--port", "0", announces=2) as served:
        url = call("device", "add", anna, "tablet", "--json").json["url"]
        assert url == f"{served.addresses['CalDAV']}{anna}/"


@pytest.mark.parametrize(("part", "path"), [("web", "/sign-in"), ("dav", "/dav/")])
def test_the_parts_of_a_fleet_say_how_they_are(data: Path, anna: str, part: str, path: str) -> None:
    with started(data, part, "--port", "0", announces=1) as served:
        assert served.ask("GET", "/healthz")[0] == 200
        assert served.ask("GET", "/readyz")[0] == 200
        assert served.ask("GET", path)[0] in (200, 207, 302, 401)
        assert served.ask("GET", "/nowhere")[0] == 404
        assert served.end() < 10


def test_a_worker_ends_when_it_is_told_to(data: Path, anna: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "bridge.cli", "worker"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PICSELLO_BRIDGE_DATA": str(data)},
    )
    assert process.stderr is not None
    try:
        assert "The worker runs" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    finally:
        process.kill()
        process.communicate()


def test_a_taken_port_is_refused_in_one_line(data: Path, call: Call) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"port {port}" in call("serve", "--port", port).refusal
    assert "port 99999" in call("dav", "--port", "99999").refusal


def test_a_chunked_upload_arrives_whole(data: Path, anna: str, password: str) -> None:
    text = event("chunked@phone", "In pieces", TODAY).encode()
    with started(data, "dav", "--port", "0", announces=1) as served:
        path = f"/dav/{anna}/bookings/chunked.ics"
        pieces = (text[start : start + 50] for start in range(0, len(text), 50))
        headers = {
            "Authorization": _signed(anna, password),
            "Content-Type": "text/calendar",
            "Transfer-Encoding": "chunked",
        }
        assert served.ask("PUT", path, pieces, **headers)[0] == 201
        status, _, body = served.ask("GET", path, Authorization=headers["Authorization"])
        assert (status, body) == (200, text)


def test_nothing_that_was_promised_is_lost_when_it_ends(data: Path, anna: str, password: str) -> None:
    """Writes go on until the very end: each that was answered is there after the next start."""
    kept: list[str] = []
    stop = threading.Event()
    headers = {"Authorization": _signed(anna, password), "Content-Type": "text/calendar"}

    def write(served: Process, writer: int) -> None:
        number = 0
        while not stop.is_set():
            uid = f"{writer}-{number}@phone"
            try:
                status, _, _ = served.ask(
                    "PUT", f"/dav/{anna}/bookings/{uid}.ics", event(uid, "Written", TODAY).encode(), **headers
                )
            except (OSError, http.client.HTTPException):
                return
            assert status == 201
            kept.append(uid)
            number += 1

    with started(data, "serve", "--port", "0", announces=2) as served:
        writers = [threading.Thread(target=write, args=(served, writer)) for writer in range(3)]
        for thread in writers:
            thread.start()
        while len(kept) < 30:
            time.sleep(0.01)
        assert served.end() < 12
        stop.set()
        for thread in writers:
            thread.join()
    with started(data, "dav", "--port", "0", announces=1) as served:
        for uid in kept:
            assert served.ask("GET", f"/dav/{anna}/bookings/{uid}.ics", **headers)[0] == 200, uid
