"""``python -m benchmarks.caldav [--events N] [--servers ours,floor,cyrus] [--rounds K] [--cap SECONDS]``
``[--database postgresql] [--json FILE]``

Starts each server, fills it with the same events, and measures operation by operation, the servers in turn
within each round, so that noise on the machine hits all alike. Prints a table of medians: ratios inside it
can be trusted, milliseconds of different runs cannot be compared. A wrong answer is marked with ``!``.
With ``--database postgresql`` our server runs a second time as in a fleet: gunicorn and PostgreSQL.
``benchmarks.caldav.growth`` tells how our server grows.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.caldav.operations import OPERATIONS, POLL, Calendar, Operation
from benchmarks.caldav.servers import SERVERS, Absent, OnPostgresql, Server

#: Whose medians are divided by whose; what is wanted is said of Cyrus.
RATIOS = (("ours", "cyrus"), ("ours-postgresql", "cyrus"), ("ours-postgresql", "ours"))

_XML = {"Content_Type": "text/xml; charset=utf-8"}


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        wanted = options.servers.split(",") + ([] if options.database == "sqlite" else [OnPostgresql.name])
        servers = [SERVERS[name](Path(folder)) for name in dict.fromkeys(wanted)]
        running: list[Server] = []
        try:
            for server in servers:
                try:
                    print(f"{server.name}: filling with {options.events} events", file=sys.stderr)
                    running.append(server)
                    server.start(options.events)
                except Absent as absent:
                    running.remove(server)
                    print(f"{server.name} is left out: {absent}", file=sys.stderr)
            _measure(running, options)
        finally:
            for server in running:
                server.stop()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.caldav")
    parser.add_argument("--events", type=int, default=5000)
    parser.add_argument("--servers", default="ours,floor,cyrus,radicale,xandikos", help=", ".join(SERVERS))
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cap", type=float, default=9, help="seconds per operation and server")
    parser.add_argument("--json", help="a file for the result")
    parser.add_argument("--seconds", type=float, default=8, help="of mixed load with 8 clients")
    return parser.parse_args()


def _measure(servers: list[Server], options: argparse.Namespace) -> None:
    learned = {server.name: Calendar(server.client(), server.path, options.events) for server in servers}
    for calendar in learned.values():
        calendar.learn()
    names = list(learned)
    machine = f"{platform.platform()}, {os.cpu_count()} cores"
    print(f"{options.events} events, {time.strftime('%Y-%m-%d')}, {machine}\n")
    compared = [f"{one} / {other}" for one, other in RATIOS if {one, other} <= set(names)]
    print("| median ms | " + " | ".join([*names, *compared]) + " | wanted |")
    print("|---|" + "--:|" * (len(names) + len(compared) + 1))
    result: dict[str, dict[str, dict[str, float]]] = {"median ms": {}, "8 clients": {}}
    for operation in OPERATIONS:
        times = _timed(operation, learned, options)
        medians = {server: statistics.median(found) for server, (found, _) in times.items()}
        result["median ms"][operation.name] = medians
        print(_row(operation, times, medians), flush=True)
    if options.seconds:
        print("\n| 8 clients, 9 reads to 1 write | requests/s | p95 ms | errors |\n|---|--:|--:|--:|")
        for server in servers:
            found = _mixed(server, learned[server.name], options.seconds)
            result["8 clients"][server.name] = found
            print(
                f"| {server.name} | {found['per second']:.0f} | {found['p95 ms']:.1f} | {found['errors']} |"
            )
    if options.json:
        about = {"events": options.events, "date": time.strftime("%Y-%m-%d"), "machine": machine}
        Path(options.json).write_text(json.dumps(about | result, indent=1))


Times = dict[str, tuple[list[float], int]]


def _timed(operation: Operation, calendars: dict[str, Calendar], options: argparse.Namespace) -> Times:
    """By server: the times in ms, and how many answers were wrong."""
    times: Times = {server: ([], 0) for server in calendars}
    for _ in range(options.rounds):
        for server, calendar in calendars.items():
            found, wrong = times[server]
            until = time.perf_counter() + options.cap / options.rounds
            for _ in range(max(1, operation.times // options.rounds)):
                reply = operation.request(calendar)
                found.append(reply.seconds * 1000)
                wrong += not operation.right(calendar, reply)
                if time.perf_counter() > until:
                    break
            times[server] = (found, wrong)
    return times


def _row(operation: Operation, times: Times, medians: dict[str, float]) -> str:
    cells = [f"{medians[server]:.3g}{' !' if wrong else ''}" for server, (_, wrong) in times.items()]
    for one, other in RATIOS:
        if one in medians and other in medians:
            share = medians[one] / medians[other]
            wide = other == "cyrus" and share > operation.share
            cells.append(f"**{share:.2f}**" if wide else f"{share:.2f}")
    return f"| {operation.name} | " + " | ".join(cells) + f" | {operation.share} |"


def _mixed(server: Server, calendar: Calendar, seconds: float) -> dict[str, float]:
    """Polls, GETs and small multigets against PUTs, from 8 clients at once."""
    found: list[float] = []
    wrong: list[float] = []

    def one(seed: int) -> None:
        mine = Calendar(server.client(), calendar.path, calendar.count, random.Random(seed))  # noqa: S311
        mine.hrefs = calendar.hrefs[seed::8]
        mine.numbers = {href: calendar.numbers[href] for href in mine.hrefs}
        mine.revision = seed * 1000
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            dice = mine.dice.random()
            if dice < 0.1:
                reply = mine.update()
            elif dice < 0.55:
                reply = mine.client("PROPFIND", mine.path, POLL, Depth="0", **_XML)
            elif dice < 0.8:
                reply = mine.client("GET", mine.some())
            elif dice < 0.9:
                reply = mine.delta_of_none()
            else:
                reply = mine.multiget()
            (found if reply.status < 300 else wrong).append(reply.seconds * 1000)

    clients = [threading.Thread(target=one, args=(seed,)) for seed in range(8)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    late = statistics.quantiles(found, n=20)[-1] if len(found) > 1 else 0
    return {"per second": len(found) / seconds, "p95 ms": late, "errors": len(wrong)}


if __name__ == "__main__":
    main()
