"""A fleet behind nginx, as our sample sets it up: restarted part by part while phones write; none notices."""

from __future__ import annotations

import http.client
import re
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import Call, anna, call, data
from tests.cli.test_serve import _signed, started
from tests.servers.process import free_port, running
from tests.service.conftest import TODAY, event

#: Fixtures of the command line, used here too.
__all__ = ["anna", "call", "data"]

SAMPLE = Path(__file__).parents[2] / "config" / "nginx.conf"


@contextmanager
def nginx(folder: Path, ports: list[int]) -> Iterator[int]:
    """Our sample site, without TLS, before these ports; the port it listens on."""
    front = free_port()
    site = SAMPLE.read_text().replace("http://127.0.0.1:5232", "http://fleet")
    site = re.sub(r"^ *(listen \[|ssl_certificate).*\n", "", site, flags=re.MULTILINE)
    site = site.replace("listen 443 ssl;", f"listen 127.0.0.1:{front};")
    site = site.replace("listen 80;", f"listen 127.0.0.1:{free_port()};")
    fleet = "".join(f"server 127.0.0.1:{port} max_fails=1 fail_timeout=1s;" for port in ports)
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = folder / "nginx.conf"
    whole.write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log; events {{}}\n"
        f"http {{ access_log off; {temporary} upstream fleet {{ {fleet} }}\n{site}}}\n"
    )
    with running(["nginx", "-c", str(whole), "-p", str(folder)], front, folder / "nginx.out"):
        yield front


@pytest.fixture
def signed(call: Call, anna: str) -> str:
    return _signed(anna, call("device", "add", anna, "phone").out.strip())


def ask(port: int, method: str, path: str, body: bytes = b"", **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body, {"Host": "calendar.example.com", **headers})
        answer = connection.getresponse()
        answer.read()
        return answer
    finally:
        connection.close()


def test_a_rolling_restart_fails_no_request(data: Path, anna: str, signed: str, tmp_path: Path) -> None:
    headers = {"Authorization": signed, "Content-Type": "text/calendar"}
    ports, stop = [free_port(), free_port()], threading.Event()
    statuses: list[int] = []

    def write(port: int, writer: int) -> None:
        number = 0
        while not stop.is_set():
            uid = f"{writer}-{number}@phone"
            text = event(uid, "Written", TODAY).encode()
            path = f"/dav/{anna.replace('@', '%40')}/bookings/{uid}.ics"
            statuses.append(ask(port, "PUT", path, text, **headers).status)
            number += 1

    with ExitStack() as parts:
        fleet = [
            parts.enter_context(started(data, "dav", "--port", str(port), announces=1)) for port in ports
        ]
        front = parts.enter_context(nginx(tmp_path, ports))
        found = ask(front, "PROPFIND", "/.well-known/caldav")
        assert (found.status, found.headers["Location"].endswith("/dav/")) == (301, True)
        assert ask(front, "GET", "/metrics").status == 404
        writers = [threading.Thread(target=write, args=(front, writer)) for writer in range(2)]
        for thread in writers:
            thread.start()
        try:
            for old, port in zip(fleet, ports, strict=True):
                before = len(statuses)
                assert old.end() < 12
                parts.enter_context(started(data, "dav", "--port", str(port), announces=1))
                time.sleep(1.5)  # nginx leaves alone for a second what did not answer (fail_timeout)
                deadline = time.monotonic() + 20
                while len(statuses) < before + 20 and time.monotonic() < deadline:
                    time.sleep(0.05)
        finally:
            stop.set()
            for thread in writers:
                thread.join()
    assert len(statuses) > 40
    assert set(statuses) == {201}
