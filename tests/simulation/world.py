"""A studio between its clients and its providers: what people can do on either side, and the engine's passes.

People edit through the store's one write module, as the plugin does, and straight on the far sides. Every
commit and every request is a *step*, at which the schedule may crash the process or let people act.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TypeVar

from sqlalchemy import Connection

from bridge.ical.build import with_status
from bridge.store import accounts, calendars, installation, links, objects, pairings, people
from bridge.store.db import Database
from bridge.sync.engine import Engine
from bridge.sync.report import Report
from tests.simulation.far_side import Dial, FarCalendar, FarProvider, FarSide, Profile
from tests.simulation.ledger import GROUPS, Ledger, new_text, shown, with_edit

T = TypeVar("T")


class Crash(BaseException):
    """The process is gone. Nothing may catch it."""


@dataclass(slots=True)
class SimClock:
    time: datetime = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        self.time += timedelta(milliseconds=1)
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class SteppingDatabase(Database):
    """A database whose commits are steps."""

    step: Callable[[str], None] | None = None

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        if self.step is not None:
            self.step("before transaction")
        with super().writing() as tx:
            yield tx
            if self.step is not None:
                self.step("before commit")
        if self.step is not None:
            self.step("after commit")


@dataclass(slots=True)
class Link:
    """One linked calendar: its far side, roles and our rows."""

    id: int
    account_id: int
    far: FarSide
    remote_id: str
    mirror_id: int | None
    reads: bool
    edits: bool
    writes: bool

    @property
    def remote(self) -> FarCalendar:
        return self.far.calendars[self.remote_id]


@dataclass(slots=True)
class World:
    db: SteppingDatabase
    random: Random
    dial: Dial
    clock: SimClock = field(default_factory=SimClock)
    ledger: Ledger = field(default_factory=Ledger)
    links: list[Link] = field(default_factory=list)
    user_id: int = 0
    bookings_id: int = 0
    uid: str = "simulation"  # in our markers; a real one is random
    trace: list[str] = field(default_factory=list)
    steps: int = 0
    crash_at: int | None = None
    dead: bool = False
    meddle: float = 0.0  # how likely people act at a step of a pass
    _busy: bool = False

    @classmethod
    def opened(cls, path: Path, random: Random, dial: Dial) -> World:
        db = SteppingDatabase(f"sqlite:///{path}")
        world = cls(db, random, dial)
        now = world.clock.now()
        with db.writing() as tx:
            installation.ensure(tx, now)
            studio = people.add_studio(tx, "anna", "Anna", now)
            world.user_id = people.add_user(
                tx, studio, "anna@studio.example", time_zone="Europe/Berlin", now=now
            )
            world.bookings_id = calendars.create(
                tx, world.user_id, "bookings", kind="bookings", title="Bookings", now=now
            )
        db.step = world.step
        return world

    def add_link(self, profile: Profile, *, reads: bool, edits: bool, writes: bool) -> Link:
        number = len(self.links)
        remote_id = f"/far{number}/"
        far = FarSide(profile, {remote_id: FarCalendar()})
        now = self.clock.now()
        with self.db.writing() as tx:
            account_id = accounts.create(tx, self.user_id, "caldav", label=f"far {number}", now=now)
            link_id = links.create(
                tx, account_id, remote_id, name=f"far {number}", color=None, writable=True, now=now
            )
            mirror_id = None
            if reads:
                mirror_id = calendars.create(
                    tx,
                    self.user_id,
                    f"mirror{number}",
                    kind="mirror",
                    title="Mirror",
                    now=now,
                    editable=edits,
                )
            links.set_(
                tx, link_id, reads=reads, edits=edits, writes=writes, mirror_id=mirror_id, released=True
            )
        link = Link(link_id, account_id, far, remote_id, mirror_id, reads, edits, writes)
        self.links.append(link)
        return link

    # --- steps ----------------------------------------------------------------------------------

    def step(self, where: str) -> None:
        """A moment at which the process may die or people may act."""
        if self.dead:
            raise Crash
        if self._busy:
            return
        self.steps += 1
        if self.crash_at is not None and self.steps >= self.crash_at:
            self.trace.append(f"crash {where}")
            self.crash_at = None
            self.dead = True
            raise Crash
        if where in ("request", "after write", "before transaction") and self.random.random() < self.meddle:
            self.somebody_acts()

    def run_pass(self, link: Link, *, confirm: bool = False, by_hand: bool = False) -> Report | None:
        """A pass in a process of its own; None if it crashed."""
        engine = Engine(
            self.db,
            self.clock,
            lambda _account: FarProvider(link.far, self.dial, self.step),
            self.uid,
            holder=f"process {self.steps}",
            sleep=self.clock.sleep,
            heartbeat=False,
        )
        try:
            report = engine.run(link.id, confirm=confirm, by_hand=by_hand)
        except Crash:
            self.dead = False
            self.clock.sleep(20)  # the lease of a dead process runs out
            return None
        self.trace.append(f"pass {link.id} {report.counts()} {report.held} {report.errors}")
        return report

    def agreed(self, link: Link) -> int:
        """How many objects both sides of a link agree on."""
        with self.db.reading() as tx:
            return pairings.count_agreed(tx, link.id)

    # --- people -----------------------------------------------------------------------------------

    def somebody_acts(self) -> None:
        """One random thing that a person does, here or there."""
        self._busy = True
        try:
            link = self.random.choice(self.links)
            acts = [self.book, self.edit_here, self.edit_there, self.edit_here, self.edit_there]
            acts += [self.delete_there, self.delete_here, self.add_there, self.add_block, self.cancel]
            acts += [self.rename_there] if self.random.random() < 0.3 else []
            acts += [self.poison_there] if self.random.random() < 0.1 else []
            self.random.choice(acts)(link)
        finally:
            self._busy = False

    def book(self, _link: Link) -> None:
        self._add_here("booking")

    def add_block(self, _link: Link) -> None:
        self._add_here("block")

    def _add_here(self, kind: str) -> None:
        uid = f"{kind}-{len(self.ledger.stories)}"
        number = self.ledger.created(uid, kind, None, "hub")
        self._put(self.bookings_id, f"{uid}.ics", new_text(uid, number), kind)

    def add_there(self, link: Link) -> None:
        uid = f"foreign-{len(self.ledger.stories)}"
        number = self.ledger.created(uid, "foreign", self.links.index(link), "far")
        link.far.store(link.remote_id, f"{link.remote_id}{uid}.ics", new_text(uid, number))
        self.trace.append(f"add there {uid}")

    def edit_here(self, link: Link) -> None:
        where = self.bookings_id
        if link.edits and link.mirror_id is not None and self.random.random() < 0.5:
            where = link.mirror_id
        with self.db.reading() as tx:
            found = [o for o in objects.all_objects(tx, where) if o.uid in self.ledger.stories]
        if not found:
            return
        stored = self._one_of_few(found)
        group = self.random.choice(GROUPS)
        number = self.ledger.edited(stored.uid, group, shown(stored.text), "hub")
        self._put(where, stored.href, with_edit(stored.text, group, number), None)
        self.trace.append(f"edit here {stored.uid} {group} {number}")

    def edit_there(self, link: Link) -> None:
        held = [(h, t) for h, (_, t) in link.remote.objects.items() if _uid(t) in self.ledger.stories]
        if not held:
            return
        href, text = self._one_of_few(held)
        uid, group = _uid(text), self.random.choice(GROUPS)
        number = self.ledger.edited(uid, group, shown(text), "far")
        self._note_blindness(link, href, uid)
        link.far.store(link.remote_id, href, with_edit(text, group, number))
        self.trace.append(f"edit there {uid} {group} {number}")

    def delete_there(self, link: Link) -> None:
        held = [(h, t) for h, (_, t) in link.remote.objects.items() if _uid(t) in self.ledger.stories]
        if not held:
            return
        href, text = self._one_of_few(held)
        self.ledger.deleted(_uid(text), shown(text))
        self._note_blindness(link, href, _uid(text))
        link.far.remove(link.remote_id, href)
        self.trace.append(f"delete there {_uid(text)}")

    def _note_blindness(self, link: Link, href: str, uid: str) -> None:
        """Somebody acted over there while the outcome of a write of ours was unknown."""
        with self.db.reading() as tx:
            row = pairings.by_href(tx, link.id, href) or pairings.by_uid(tx, link.id, self.bookings_id, uid)
        if row is not None and row.flight is not None:
            self.ledger.stories[uid].blind = True

    def rename_there(self, link: Link) -> None:
        """The same object under another href, as after a server's migration."""
        held = [(h, t) for h, (_, t) in link.remote.objects.items() if _uid(t) in self.ledger.stories]
        if not held:
            return
        href, text = self._one_of_few(held)
        link.far.remove(link.remote_id, href)
        link.far.store(link.remote_id, f"{link.remote_id}moved-{link.far.versions}.ics", text)
        self.trace.append(f"rename there {_uid(text)}")

    def poison_there(self, link: Link) -> None:
        """Something that is no iCalendar at all."""
        link.far.store(
            link.remote_id, f"{link.remote_id}poison.ics", f"UID:poison\r\nThis is {link.far.versions}."
        )
        self.trace.append("poison there")

    def delete_here(self, link: Link) -> None:
        """A block, or an event of a mirror that may be edited; bookings are cancelled, not deleted."""
        where = link.mirror_id if link.edits and link.mirror_id is not None else self.bookings_id
        with self.db.reading() as tx:
            found = [
                o
                for o in objects.all_objects(tx, where)
                if o.kind != "booking" and o.uid in self.ledger.stories
            ]
        if not found:
            return
        stored = self._one_of_few(found)
        self.ledger.deleted(stored.uid, shown(stored.text))
        with self.db.writing() as tx:
            objects.delete(tx, where, stored.href, actor="device:1", now=self.clock.now())
        self.trace.append(f"delete here {stored.uid}")

    def cancel(self, _link: Link) -> None:
        if self.random.random() < 0.6:
            return  # people book more than they cancel
        with self.db.reading() as tx:
            found = [o for o in objects.all_objects(tx, self.bookings_id) if o.kind == "booking"]
        if not found:
            return
        stored = self._one_of_few(found)
        self.ledger.stories[stored.uid].cancelled = True
        now = self.clock.now()
        with self.db.writing() as tx:
            text = with_status(stored.text, "CANCELLED", now)
            objects.put(
                tx, self.bookings_id, stored.href, text, kind="booking", hidden=True, actor="command", now=now
            )
        self.trace.append(f"cancel {stored.uid}")

    def _one_of_few(self, found: list[T]) -> T:
        """A third of all edits hit the same few objects."""
        if self.random.random() < 0.5:
            found = found[:3]
        return self.random.choice(found)

    def _put(self, calendar_id: int, href: str, text: str, kind: str | None) -> None:
        with self.db.writing() as tx:
            objects.put(tx, calendar_id, href, text, kind=kind, actor="device:1", now=self.clock.now())


def _uid(text: str) -> str:
    start = text.index("UID:") + 4
    return text[start : text.index("\r\n", start)]
