"""A studio between its clients and its providers, and the engine's passes.

Every commit and every request is a *step*, at which the process may die or people may act (see ``world``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Self

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from bridge.errors import StoreError
from bridge.ports import Provider
from bridge.providers.ics.provider import CALENDAR
from bridge.store import accounts, calendars, installation, links, pairings, people
from bridge.store.db import Database
from bridge.store.failures import explained
from bridge.sync.engine import Engine
from bridge.sync.report import Report
from tests.simulation.far_feed import feed
from tests.simulation.far_provider import FarProvider
from tests.simulation.far_side import Dial, FarCalendar, FarSide
from tests.simulation.ledger import Ledger
from tests.simulation.profiles import Profile


class Crash(BaseException):
    """The process is gone. Nothing may catch it."""


class ConnectionLost(Exception):
    """The process lives, and its connection to the database server breaks at a commit."""


@dataclass(slots=True)
class SimClock:
    time: datetime = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        self.time += timedelta(milliseconds=1)
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class SteppingDatabase(Database):
    """A database whose commits are steps. A server's connection breaks where the process dies, and may break
    where it lives on: then the commit fails, or it is done and its answer lost."""

    step: Callable[[str], None] | None = None

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        if self.step is not None:
            self.step("before transaction")
        with super().writing() as tx:
            try:
                yield tx
                if self.step is not None:
                    self.step("before commit")
            except ConnectionLost:
                self._end_session(tx)
            except Crash:
                if not self.on_sqlite:
                    tx.invalidate()  # the dead take no leave
                raise
        try:
            if self.step is not None:
                self.step("after commit")
        except ConnectionLost as lost:
            with explained():
                raise OperationalError("COMMIT", None, psycopg.OperationalError("no answer")) from lost

    def _end_session(self, tx: Connection) -> None:
        """As the server does when it is stopped; whoever uses it next is told."""
        own = tx.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with self.reading() as other:
            other.execute(text("SELECT pg_terminate_backend(:own, 10000)"), {"own": own})

    def left(self) -> None:
        """Its process died."""
        if not self.on_sqlite:
            self.close()


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
    learnt: dict[str, object] = field(default_factory=dict)  # what its provider found out

    @property
    def remote(self) -> FarCalendar:
        return self.far.calendars[self.remote_id]


@dataclass(slots=True)
class Ground:
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
    lose_at: int | None = None  # at the first commit from this step on, the database's connection breaks
    lost: int = 0  # connections
    dead: bool = False
    meddle: float = 0.0  # how likely people act at a step of a pass
    on_step: Callable[[str], None] | None = None  # told each step, before anything happens at it
    _busy: bool = False

    @classmethod
    def opened(cls, url: str, random: Random, dial: Dial) -> Self:
        """A studio in an empty store."""
        db = SteppingDatabase(url)
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
        remote_id = CALENDAR if profile.feed else f"/far{number}/"
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
        if self.on_step is not None:
            self.on_step(where)
        if self.crash_at is not None and self.steps >= self.crash_at:
            self.trace.append(f"crash {where}")
            self.crash_at = None
            self.dead = True
            raise Crash
        if self.lose_at is not None and self.steps >= self.lose_at and where.endswith("commit"):
            self.trace.append(f"connection lost {where}")
            self.lose_at = None
            self.lost += 1
            raise ConnectionLost
        if where in ("request", "after write", "before transaction") and self.random.random() < self.meddle:
            self.somebody_acts()

    def provider(self, link: Link) -> Provider:
        """A sign-in at the far side of a link."""
        if link.far.profile.feed:
            return feed(link.far, self.dial, self.step, link.learnt)
        return FarProvider(link.far, self.dial, self.step)

    def somebody_acts(self) -> None:
        """One random thing that a person does, here or there."""
        raise NotImplementedError

    def run_pass(self, link: Link, *, confirm: bool = False, by_hand: bool = False) -> Report | None:
        """A pass in a process of its own; None if it crashed."""
        engine = Engine(
            self.db,
            self.clock,
            lambda _account: self.provider(link),
            self.uid,
            holder=f"process {self.steps}",
            sleep=self.clock.sleep,
            threads=False,
        )
        lost = self.lost
        try:
            report = engine.run(link.id, confirm=confirm, by_hand=by_hand)
        except Crash:
            self.dead = False
            self.db.left()
            self.clock.sleep(20)  # the lease of a dead process runs out
            return None
        except StoreError:
            if self.lost == lost:
                raise
            self.clock.sleep(20)
            return None
        self.trace.append(f"pass {link.id} {report.counts()} {report.held} {report.errors}")
        return report

    def agreed(self, link: Link) -> int:
        """How many objects both sides of a link agree on."""
        with self.db.reading() as tx:
            return pairings.count_agreed(tx, link.id)
