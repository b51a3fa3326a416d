"""Two real servers, random edits, passes killed at random: ``python -m benchmarks.soak [--minutes M]``.

Two studios, each with its bookings in one server and a calendar of its own in the other (Radicale, Xandikos),
both behind proxies that lose requests and answers, refuse, cut short and take their time. In each round
people edit, add, delete and cancel on both sides while ``picsello-bridge sync`` runs, in processes that are
killed (SIGKILL) at a random request or moment. Then the network heals, passes run to their end, and the
invariants of the simulation must hold for everything that was ever edited. Progress goes to standard error;
the last line on standard output is one JSON object; exit 1 if anything was violated.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess as Process
from pathlib import Path
from random import Random
from typing import Any

from bridge.cli import main as main_of_command
from bridge.config import Settings
from bridge.ical.facts import facts
from bridge.store import calendars as calendar_rows
from bridge.store import links, objects, pairings, passes, people
from bridge.wiring import Bridge
from tests.journeys.installation import Installation
from tests.servers import fault
from tests.servers.dav import Outside, Server
from tests.servers.fault import FaultProxy
from tests.servers.radicale import radicale
from tests.servers.xandikos import xandikos
from tests.simulation.far_side import Dial, FarCalendar, FarSide
from tests.simulation.ground import Link
from tests.simulation.invariants import PASSES_TO_AGREE, violations
from tests.simulation.ledger import GROUPS, new_text, shown, uid_of, with_edit
from tests.simulation.profiles import Profile
from tests.simulation.world import World

#: The share of requests to which something happens.
FAULTY = 0.12
QUIET = ("pulled", "pushed", "merged", "conflicts", "deleted")


#: Processes that begin with the program loaded: what is killed is the pass, not the loading.
PROCESSES = multiprocessing.get_context("forkserver")


def _sync(data: str, email: str) -> tuple[int, str]:
    """``picsello-bridge sync``; how it ended, and what it said."""
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()):
        code = main_of_command(["--data", data, "sync", email, "--confirm", "--json"])
    return code, out.getvalue()


@dataclass
class WallClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class BadDay(FaultProxy):
    """A proxy to which something happens at random; ``victim`` is killed once ``patience`` requests came."""

    def __init__(self, target: str, chance: Random):
        super().__init__(target)
        self.chance = chance
        self.rate = 0.0
        self.faulty = self.requests = 0
        self.victim: Process | None = None
        self.patience = 0

    def _next(self, _seen: fault.Seen) -> fault.Fault | None:
        with self._lock:
            self.requests += 1
            self.log.clear()
            self.patience -= 1
            victim = self.victim if self.patience == 0 else None
            if victim is not None:
                return _killing(victim, first=self.chance.random() < 0.5)
            if self.chance.random() >= self.rate:
                return None
            self.faulty += 1
            return self.chance.choice(
                [
                    fault.lose_request,
                    fault.lose_answer,
                    fault.answer(503),
                    fault.answer(500),
                    fault.answer(401, headers={"WWW-Authenticate": 'Basic realm="x"'}),
                    fault.answer(403),
                    _cut_short,
                    fault.slowly(0.3),
                ]
            )


def _cut_short(_seen: fault.Seen, forward: fault.Forward) -> fault.Reply:
    """Half a listing. (Half an object would not pass: its length is told before it.)"""
    reply = forward()
    if reply.status == 207:
        reply.body = reply.body[: len(reply.body) // 2]
    return reply


def _killing(victim: Process, *, first: bool) -> fault.Fault:
    """The process dies before or after the server has carried the request out."""

    def strike(_seen: fault.Seen, forward: fault.Forward) -> None:
        if first:
            victim.kill()
        forward()
        victim.kill()

    return strike


@dataclass
class Studio:
    """One user: where the bookings go, the calendar that is read and edited, and the ledger of both."""

    email: str
    installation: Installation
    world: World
    places: list[tuple[Link, Outside]]

    def act(self) -> None:
        """One random thing that somebody does."""
        chance, world = self.world.random, self.world
        link, outside = chance.choice(self.places)
        word = chance.choice(
            ("book", "here", "there", "here", "there", "here", "there", "add", "block", "gone", "gone there")
        )
        if word in ("book", "block"):
            world.add_here("booking" if word == "book" else "block")
        elif word == "add" and not link.writes:
            uid = f"foreign-{len(world.ledger.stories)}"
            number = world.ledger.created(uid, "foreign", world.links.index(link), "far")
            outside.put(f"{uid}.ics", new_text(uid, number))
        elif word in ("here", "gone"):
            self._here(link, gone=word == "gone")
        else:
            self._there(link, outside, gone=word == "gone there")

    def _here(self, link: Link, *, gone: bool) -> None:
        world = self.world
        calendar_id = world.bookings_id if link.writes else link.mirror_id
        assert calendar_id is not None
        with world.db.writing() as tx:  # the row as it is now: nobody comes between looking and writing
            found = [o for o in objects.all_objects(tx, calendar_id) if o.uid in world.ledger.stories]
            if not found:
                return
            stored, now = world.random.choice(found), world.clock.now()
            story = world.ledger.stories[stored.uid]
            if not gone:
                group = world.random.choice(GROUPS)
                number = world.ledger.edited(stored.uid, group, shown(stored.text), "hub")
                text = with_edit(stored.text, group, number)
                objects.put(tx, calendar_id, stored.href, text, actor="device:1", now=now)
            elif stored.kind != "booking":
                world.ledger.deleted(stored.uid, shown(stored.text))
                objects.delete(tx, calendar_id, stored.href, actor="device:1", now=now)
            elif world.random.random() < 0.3:
                story.cancelled = True
                text = stored.text.replace("END:VEVENT", "STATUS:CANCELLED\r\nEND:VEVENT", 1)
                objects.put(tx, calendar_id, stored.href, text, hidden=True, actor="command", now=now)

    def _there(self, link: Link, outside: Outside, *, gone: bool) -> None:
        world = self.world
        names = sorted(outside.list())
        if not names:
            return
        name = world.random.choice(names)
        reply = outside.server.request("GET", outside.at(name))
        if reply.status != 200:
            return
        text, condition = reply.body.decode(), {"If-Match": reply.headers["etag"]}
        uid, group = uid_of(text), world.random.choice(GROUPS)
        if uid not in world.ledger.stories:
            return
        self._note_blindness(link, uid)
        if gone:
            if outside.server.request("DELETE", outside.at(name), headers=condition).status in (200, 204):
                world.ledger.deleted(uid, shown(text))
            return
        body = with_edit(text, group, world.ledger.count + 1).encode()
        headers = {"Content-Type": "text/calendar; charset=utf-8", **condition}
        if outside.server.request("PUT", outside.at(name), body, headers).status in (200, 201, 204):
            world.ledger.edited(uid, group, shown(text), "far")

    def _note_blindness(self, link: Link, uid: str) -> None:
        """Somebody acts over there while the outcome of a write of ours may be unknown."""
        calendar_id = self.world.bookings_id if link.writes else link.mirror_id
        with self.world.db.reading() as tx:
            row = pairings.by_uid(tx, link.id, calendar_id or 0, uid)
        if row is not None and row.flight is not None:
            self.world.ledger.stories[uid].blind = True

    def settle(self) -> list[str]:
        """Passes to their end; what is wrong then."""
        for _ in range(PASSES_TO_AGREE):
            code, out = _sync(str(self.installation.data), self.email)
            rows = json.loads(out)["links"]
            if code == 0 and not any(row[name] for row in rows for name in QUIET):
                break
        else:
            troubled = [text for row in rows for text in row["errors"]]
            known = [o.text for o in self._mine() if any(facts(o.text).summary in text for text in troubled)]
            return [f"I1 no agreement after {PASSES_TO_AGREE} passes: {rows} {known}"]
        for link, outside in self.places:
            there = {name: (tag, outside.get(name) or "") for name, tag in outside.list().items()}
            link.far.calendars[link.remote_id] = FarCalendar(there)
        return [f"{sentence}{self._known(sentence)}" for sentence in violations(self.world)]

    def _mine(self) -> list[objects.StoredObject]:
        calendar_ids = [self.world.bookings_id, *(link.mirror_id for link in self.world.links)]
        with self.world.db.reading() as tx:
            return [o for i in calendar_ids if i for o in objects.all_objects(tx, i, with_hidden=True)]

    def _known(self, sentence: str) -> str:
        """Everything that is known about the object which a sentence names."""
        uid = next((word for word in sentence.split() if word in self.world.ledger.stories), "")
        with self.world.db.reading() as tx:
            rows = passes.journal_of(tx, self.world.user_id, limit=100_000)
            journal = [(r.at.isoformat(), r.actor, r.side, r.action) for r in rows if r.uid == uid]
            paired = [pairings.by_uid(tx, link.id, self.world.bookings_id, uid) for link in self.world.links]
        return f"\n  {self.world.ledger.stories.get(uid)}\n  {journal}\n  {paired}"


@dataclass
class Soak:
    """All of it, under way."""

    installation: Installation
    chance: Random
    proxies: Sequence[BadDay]
    studios: Sequence[Studio]
    counts: Counter[str] = field(default_factory=Counter)
    found: list[str] = field(default_factory=list)
    whole: float = 2.0  # seconds of a pass that nobody kills

    def round(self) -> None:
        for proxy in self.proxies:
            proxy.rate = FAULTY
        for _ in range(4):
            for studio in self.studios:
                for _ in range(self.chance.randrange(1, 5)):
                    studio.act()
            self._pass(self.chance.choice(self.studios))
        for proxy in self.proxies:
            proxy.rate, proxy.victim = 0.0, None
        for studio in self.studios:
            self.found += [f"{studio.email} {sentence}" for sentence in studio.settle()]
        self.counts["rounds"] += 1

    def _pass(self, studio: Studio) -> None:
        """One pass in a process of its own, while people go on; killed at a request, at a moment, or not."""
        started = time.monotonic()
        process = PROCESSES.Process(target=_sync, args=(str(self.installation.data), studio.email))
        process.start()
        how = self.chance.choice(("at a request", "at a request", "at a moment", "not"))
        if how == "at a request":
            proxy = self.chance.choice(self.proxies)
            proxy.victim, proxy.patience = process, self.chance.randrange(1, 12)
        end = started + (self.chance.uniform(0.3, 1.1) * self.whole if how == "at a moment" else 60)
        while process.is_alive() and time.monotonic() < end:
            time.sleep(self.chance.uniform(0.02, 0.3))
            if self.chance.random() < 0.3:
                studio.act()
        process.kill()
        self.counts["passes"] += 1
        process.join()
        if process.exitcode == -signal.SIGKILL:
            self.counts["killed"] += 1
        else:
            self.whole = 0.7 * self.whole + 0.3 * (time.monotonic() - started)


@contextlib.contextmanager
def begun(folder: Path, seed: int) -> Iterator[Soak]:
    """Two servers, two proxies, two studios, all connected."""
    chance = Random(seed)  # noqa: S311 - which edit comes next is no secret
    with (
        radicale(folder / "radicale") as first,
        xandikos(folder / "xandikos") as second,
        BadDay(first.url, chance) as one,
        BadDay(second.url, chance) as two,
    ):
        installation = Installation(folder / "data", [one.host_and_port, two.host_and_port])
        os.environ |= installation.environment
        PROCESSES.set_forkserver_preload(["bridge.cli", "bridge.wiring", "bridge.sync.engine", __name__])
        studios = [
            _studio(installation, chance, "anna@studio.example", (first, one), (second, two)),
            _studio(installation, chance, "ben@studio.example", (second, two), (first, one)),
        ]
        yield Soak(installation, chance, (one, two), studios)


def _studio(
    installation: Installation,
    chance: Random,
    email: str,
    work: tuple[Server, BadDay],
    life: tuple[Server, BadDay],
) -> Studio:
    installation.run("user", "add", email, "--time-zone", "Europe/Berlin")
    name = email.partition("@")[0]
    roles = [("--write", work, f"{name}-work"), ("--edit", life, f"{name}-life")]
    outsides = [server.make_calendar(calendar, title=calendar) for _, (server, _), calendar in roles]
    accounts = []
    for (role, (server, proxy), _), outside in zip(roles, outsides, strict=True):
        words = ["account", "add", email, "caldav", "--url", proxy.url + server.home.lstrip("/")]
        words += ["--username", server.user or "anna", "--password-stdin"]
        secret = (server.password or "none") + "\n"
        account = int(installation.json(*words, stdin=secret)["account"])
        known = installation.json("account", "calendars", str(account))
        remote_id = next(
            row["id"] for row in known if row["id"].rstrip("/").endswith(outside.path.rstrip("/"))
        )
        installation.run("account", "select", str(account), role, remote_id, "--yes")
        accounts.append((account, remote_id))
    settings = Settings.load(str(installation.data), None, installation.environment)
    world = _world(Bridge.open(settings), email, chance)
    places = []
    with world.db.reading() as tx:
        for (account, remote_id), outside in zip(accounts, outsides, strict=True):
            row = next(row for row in links.of_account(tx, account) if row.remote_id == remote_id)
            far = FarSide(Profile(), {remote_id: FarCalendar()})
            link = Link(row.id, account, far, remote_id, row.mirror_id, row.reads, row.edits, row.writes)
            places.append((link, outside))
    world.links = [link for link, _ in places]
    return Studio(email, installation, world, places)


def _world(bridge: Bridge, email: str, chance: Random) -> World:
    with bridge.db.reading() as tx:
        user = people.user_by_email(tx, email)
        bookings = calendar_rows.bookings(tx, user.id)
    world = World(bridge.db, chance, Dial(chance), uid=bridge.installation)  # type: ignore[arg-type]
    world.clock = WallClock()  # type: ignore[assignment]
    world.user_id, world.bookings_id = user.id, bookings.id
    return world


def run(minutes: float, seed: int, rounds: int = 1_000_000) -> dict[str, Any]:
    """Soak for that long, or for that many rounds; the summary."""
    with tempfile.TemporaryDirectory() as folder, begun(Path(folder), seed) as soak:
        started = time.monotonic()
        while time.monotonic() - started < minutes * 60 and soak.counts["rounds"] < rounds and not soak.found:
            soak.round()
            edits = sum(studio.world.ledger.count for studio in soak.studios)
            spent = time.monotonic() - started
            line = f"{spent / 60:.1f} min, {edits} edits, {dict(soak.counts)}, {len(soak.found)} violations"
            print(f"\r{line}", end="", file=sys.stderr)
        print(file=sys.stderr)
        for sentence in soak.found:
            print(sentence, file=sys.stderr)
        return {
            "minutes": round((time.monotonic() - started) / 60, 1),
            "seed": seed,
            "edits": sum(studio.world.ledger.count for studio in soak.studios),
            "objects": sum(len(studio.world.ledger.stories) for studio in soak.studios),
            **soak.counts,
            "requests": sum(proxy.requests for proxy in soak.proxies),
            "faulty_requests": sum(proxy.faulty for proxy in soak.proxies),
            "violations": dict(Counter(sentence.split(" ")[1] for sentence in soak.found)),
        }


def main() -> int:
    parser = argparse.ArgumentParser(description="Soak the sync in random edits, faults and kills.")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=1)
    wish = parser.parse_args()
    summary = run(wish.minutes, wish.seed)
    print(json.dumps(summary))
    return 1 if summary["violations"] else 0


if __name__ == "__main__":
    sys.exit(main())
