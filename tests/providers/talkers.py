"""Processes that talk for one account at once, to a server that counts.

``python -m tests.providers.talkers ACCOUNT REQUESTS SECONDS`` is one of them: it says when it is ready,
and begins at a line on standard input.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from bridge.config import Settings
from bridge.errors import ProviderError
from bridge.providers import pace
from bridge.store import accounts, people
from bridge.wiring import Bridge


def talk_together(folder: Path, *, processes: int, requests: int, seconds: float) -> list[float]:
    """When each of their requests arrived."""
    arrivals: list[float] = []

    class Counting(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PROPFIND(self) -> None:
            arrivals.append(time.monotonic())
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Counting)
    Thread(target=server.serve_forever, daemon=True).start()
    started: list[subprocess.Popen[str]] = []
    try:
        account = _account(folder, f"http://127.0.0.1:{server.server_port}/home/anna/")
        call = (sys.executable, "-m", __name__, str(account), str(requests), str(seconds))
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        environment = {**os.environ, "PICSELLO_BRIDGE_DATA": str(folder)}
        started += [subprocess.Popen(call, env=environment, **pipes) for _ in range(processes)]
        for process in started:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in started:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        assert [process.wait(60) for process in started] == [0] * processes
    finally:
        for process in started:
            process.kill()
            process.communicate()
        server.shutdown()
        server.server_close()
    return arrivals


def _bridge(folder: Path | None = None) -> Bridge:
    """In this folder, else where the environment says."""
    environ = {**os.environ, "PICSELLO_BRIDGE_ALLOW_HOSTS": "127.0.0.1"}
    return Bridge.open(Settings.load(str(folder) if folder else None, None, environ))


def _account(folder: Path, url: str) -> int:
    bridge = _bridge(folder)
    now = bridge.clock.now()
    with bridge.db.writing() as tx:
        studio = people.add_studio(tx, "anna", "Anna", now)
        user = people.add_user(tx, studio, "anna@example.org", time_zone="Europe/Berlin", now=now)
        account = accounts.create(tx, user, "caldav", label="Work", url=url, username="anna", now=now)
        accounts.set_(tx, account, secret=bridge.vault.seal("geheim", accounts.bind(account)))
    return account


def main(account: str, requests: str, seconds: str) -> None:
    pace._table = lambda: {"127.0.0.1": pace.every(float(seconds))}  # type: ignore[assignment]
    provider = _bridge().connect(int(account))
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(int(requests)):
        with suppress(ProviderError):
            provider.calendars()
    provider.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
