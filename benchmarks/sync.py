"""A pass beside vdirsyncer's, in one run: ``python -m benchmarks.sync [--events N] [--repeat K]``.

The same calendar of N events on stock Radicale and on Xandikos, through a relay that counts requests and
bytes. Measured per tool: the first import, a pass with nothing new (median of K, interleaved), and a pass
after ten edits on each side. ``worker`` is our pass inside a running process. Times are wall seconds, CPU is
user + system of the whole process; other load on the machine shows in both. Both tools run as installed: with
their bytecode.
"""

from __future__ import annotations

import argparse
import compileall
import contextlib
import json
import os
import resource
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import bridge as package
from bridge.config import Settings
from bridge.wiring import Bridge
from tests.journeys.installation import Installation
from tests.journeys.phones import Vdirsyncer
from tests.servers import radicale as radicale_server
from tests.servers import xandikos as xandikos_server
from tests.servers.dav import Outside, Server
from tests.simulation.ledger import new_text, with_edit


@dataclass
class Relay:
    """Forwards one port to another, and counts."""

    target: tuple[str, int]
    port: int = 0
    requests: int = 0
    bytes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextlib.contextmanager
    def running(self) -> Iterator[Relay]:
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.port = server.getsockname()[1]
            threading.Thread(target=self._accept, args=(server,), daemon=True).start()
            yield self

    def _accept(self, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = server.accept()
                far = socket.create_connection(self.target)
                for end in (client, far):  # a relay that waits for more to send would be measured, not they
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for pair in ((client, far, True), (far, client, False)):
                    threading.Thread(target=self._pump, args=pair, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, outward: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                with self._lock:
                    self.bytes += len(data)
                    self.requests += data.count(b" HTTP/1.1\r\n") if outward else 0
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@dataclass(frozen=True)
class Cost:
    """What one run took."""

    seconds: float
    cpu: float
    requests: int
    kilobytes: float


def measured(relay: Relay, run: Callable[[], object], who: int = resource.RUSAGE_CHILDREN) -> Cost:
    """Run it and count; the CPU is that of ended children, or of this process."""
    before, at, requests, size = resource.getrusage(who), time.monotonic(), relay.requests, relay.bytes
    run()
    seconds, after = time.monotonic() - at, resource.getrusage(who)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(seconds, cpu, relay.requests - requests, (relay.bytes - size) / 1000)


def median(costs: list[Cost]) -> Cost:
    return Cost(*(statistics.median(getattr(c, name) for c in costs) for name in Cost.__dataclass_fields__))


def started(kind: str, folder: Path) -> contextlib.AbstractContextManager[Server]:
    """One of the providers. Radicale does not wait for the disk, where nothing is lost that matters."""
    if kind == "radicale":
        return radicale_server.radicale(folder, hurried=True)
    return xandikos_server.xandikos(folder)


def fill(server: Server, calendar: Outside, folder: Path, events: int, *, untouched: bool) -> None:
    """Put them there behind the server's back, and let it look at all of them once: Radicale parses and
    caches what it has not seen before, and that belongs to nobody's first import. So does the history that
    it begins, a file for each object, when a device first asks for a token, but if ``untouched``."""
    texts = {f"e{n}.ics": new_text(f"e{n}", n) for n in range(events)}
    if server.user:
        radicale_server.seed(folder, server, calendar.path, texts)
        if not untouched:
            assert server.request("PROPFIND", calendar.path, _TOKEN, {"Depth": "0"}).status == 207
    else:
        xandikos_server.seed(folder, calendar.path, texts)


_TOKEN = b"<d:propfind xmlns:d='DAV:'><d:prop><d:sync-token/></d:prop></d:propfind>"


def edits_there(calendar: Outside, numbers: range) -> None:
    for number in numbers:
        name = f"e{number}.ics"
        calendar.put(name, with_edit(calendar.get(name) or "", "title", 20000 + number), calendar.etag(name))


def compare(kind: str, events: int, repeat: int, *, untouched: bool) -> dict[str, dict[str, Cost]]:
    with tempfile.TemporaryDirectory() as name, started(kind, Path(name) / "provider") as server:
        folder = Path(name)
        calendar = server.make_calendar("work", title="Work")
        fill(server, calendar, folder / "provider", events, untouched=untouched)
        host, port = server.host_and_port.split(":")
        relay = Relay((host, int(port)))
        with relay.running():
            counted = replace(server, url=f"http://127.0.0.1:{relay.port}/")
            return _compare(counted, relay, calendar, folder, repeat)


def _compare(
    server: Server, relay: Relay, calendar: Outside, folder: Path, repeat: int
) -> dict[str, dict[str, Cost]]:
    theirs = Vdirsyncer(
        server.url + server.home.lstrip("/"), server.user or "anna", server.password or "x", folder / "vdir"
    )
    anna = Installation.of_anna(folder / "data", server)
    account = anna.connect(server)
    remote = anna.remote_id(account, calendar)
    anna.run("account", "select", str(account), "--edit", remote, "--yes")
    environment = {"PICSELLO_BRIDGE_ALLOW_HOSTS": server.host_and_port}
    bridge = Bridge.open(Settings.load(str(anna.data), None, environment))
    with bridge.db.reading() as tx:
        from bridge.store import links

        link = links.of_account(tx, account)[0].id
    found: dict[str, dict[str, Cost]] = {"ours": {}, "vdirsyncer": {}, "worker": {}}
    theirs._run("discover")
    found["vdirsyncer"]["first import"] = measured(relay, lambda: theirs._run("sync"))
    found["ours"]["first import"] = measured(relay, anna.sync)
    quiet: dict[str, list[Cost]] = {"ours": [], "vdirsyncer": [], "worker": []}
    bridge.engine().run(link)
    for _ in range(repeat):
        quiet["ours"].append(measured(relay, anna.sync))
        quiet["vdirsyncer"].append(measured(relay, lambda: theirs._run("sync")))
        quiet["worker"].append(measured(relay, lambda: bridge.engine().run(link), resource.RUSAGE_SELF))
    for who, costs in quiet.items():
        found[who]["nothing new"] = median(costs)
    edits_there(calendar, range(10))
    for number in range(10, 20):
        edit_files(folder, number)
        edit_store(bridge, link, number + 10)
    found["vdirsyncer"]["10 + 10 edits"] = measured(relay, lambda: theirs._run("sync"))
    found["ours"]["10 + 10 edits"] = measured(relay, anna.sync)
    return found


def edit_files(folder: Path, number: int) -> None:
    file = folder / "vdir" / "calendars" / "work" / f"e{number}.ics"
    file.write_bytes(with_edit(file.read_bytes().decode(), "place", 20000 + number).encode())


def edit_store(bridge: Bridge, link: int, number: int) -> None:
    from bridge.store import links, objects

    with bridge.db.writing() as tx:
        mirror = links.get(tx, link).mirror_id
        assert mirror is not None
        stored = objects.by_uid(tx, mirror, f"e{number}")
        assert stored is not None
        text = with_edit(stored.text, "place", 20000 + number)
        objects.put(tx, mirror, stored.href, text, actor="device:1", now=bridge.clock.now())


def main() -> None:
    parser = argparse.ArgumentParser(description="Our passes beside vdirsyncer's.")
    parser.add_argument("--events", type=int, default=5000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--untouched", action="store_true", help="no device has ever synced the calendar")
    parser.add_argument("--servers", nargs="+", default=["radicale", "xandikos"])
    wish = parser.parse_args()
    everything = {}
    for folder in package.__path__:
        compileall.compile_dir(folder, quiet=1)
    for kind in wish.servers:
        found = compare(kind, wish.events, wish.repeat, untouched=wish.untouched)
        everything[kind] = {who: {k: vars(c) for k, c in costs.items()} for who, costs in found.items()}
        print(f"\n{kind}, {wish.events} events ({os.cpu_count()} cores)", file=sys.stderr)
        print(
            "| pass | tool | seconds | CPU | requests | kB |\n| --- | --- | --: | --: | --: | --: |",
            file=sys.stderr,
        )
        for what in ("first import", "nothing new", "10 + 10 edits"):
            for who in ("vdirsyncer", "ours", "worker"):
                if cost := found[who].get(what):
                    print(
                        f"| {what} | {who} | {cost.seconds:.2f} | {cost.cpu:.2f} | {cost.requests:.0f} "
                        f"| {cost.kilobytes:.1f} |",
                        file=sys.stderr,
                    )
    if wish.json:
        print(json.dumps(everything))


if __name__ == "__main__":
    main()
