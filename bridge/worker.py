"""The worker: finds links whose time has come, puts them on the queue, and runs passes from it.

One thread looks once a second for what is due (``bridge.store.turns``), or at once when this process was
told of a change or has nothing left to do; consumer threads take the jobs. Only a little is queued ahead,
so that a change made now never waits behind an hour's backlog. What a pass does, and what its failures mean
for the account, is the engine's business; when a calendar is looked at again, and a failing account tried
again, is decided here.
"""

from __future__ import annotations

import itertools
import logging
import random
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from bridge import logs, metrics, traces
from bridge.errors import BridgeError, NotFound
from bridge.queue import Jobs
from bridge.service import (
    clashes,
    client_booking,
    client_mail,
    clock_set_back,
    first_sync,
    housekeeping,
    light,
    push,
    webhooks,
)
from bridge.store import accounts, links, turns
from bridge.wiring import Bridge

if TYPE_CHECKING:
    from huey.consumer import Consumer

    from bridge.sync.report import Report

log = logging.getLogger("picsello_bridge.worker")

LOOK_SECONDS = 1.0
#: Between two looks, however much there is to do.
LEAST_SECONDS = 0.02
#: Jobs queued ahead, for each thread that takes them.
AHEAD = 4
#: How often what is due but can't run is put off.
PUT_OFF_SECONDS = 30.0
#: What need not be kept is dropped this often.
FORGET_SECONDS = 3600.0
#: How long running passes may go on after we were asked to stop. A pass cut off goes on next time.
GRACE_SECONDS = 8.0
#: Somebody was at it so recently that more may follow; the least time between two looks, in seconds; and how
#: much longer than usual a quiet calendar is left alone.
BUSY = timedelta(minutes=10)
SHORTEST = 10.0
LONGEST_FACTOR = 3.0
FIRST_DELAY = 30.0
#: So that everybody agrees again within ten minutes after a provider comes back, however long it was away.
LONGEST_DELAY = 480.0
#: The counts of a pass that had something to do.
ACTIVE = ("pulled", "pushed", "deleted")


def delay(failures: int, chance: float) -> float:
    """Seconds to wait after so many failures in a row: 30 s, doubling to eight minutes, less up to a quarter
    by ``chance`` (0 to 1), so that accounts that failed together do not all come back together."""
    full: float = min(FIRST_DELAY * 2.0 ** min(max(failures - 1, 0), 16), LONGEST_DELAY)
    return full * (1 - chance / 4)


def interval(poll: float, quiet: timedelta | None, chance: float) -> timedelta:
    """How long a calendar is left alone after a pass. ``poll``: the usual time, in seconds; ``quiet``: since
    when nothing was to be done, None: never was. A fifth of it while somebody is at it, three times as long
    where nothing happens for days; up to a tenth more or less by ``chance`` (0 to 1), so that calendars that
    were looked at together do not stay together."""
    factor = 1.0
    if quiet is not None:
        days = quiet / timedelta(days=1)
        factor = 0.2 if quiet < BUSY else min(max(days, 1.0), LONGEST_FACTOR)
    return timedelta(seconds=max(poll * factor, SHORTEST) * (0.9 + 0.2 * chance))


class _NotOurs(Exception):
    """The job's link was taken by somebody else, removed, or put off."""


@dataclass(slots=True)
class _Job:
    """A link that was taken until then: what a worker has to say within the transactions of its pass."""

    bridge: Bridge
    link_id: int
    until: datetime
    turn: turns.Turn | None = None

    @property
    def provider(self) -> str:
        """Of the link's account; known once the pass began."""
        return self.turn.provider if self.turn else "none"

    def begin(self, tx: Connection) -> None:
        """Raises _NotOurs."""
        self.turn = turns.ours(tx, self.link_id, self.until, self.bridge.clock.now())
        if self.turn is None:
            raise _NotOurs

    def end(self, tx: Connection, report: Report) -> None:
        """The pass is done: when to look again."""
        now, active = self.bridge.clock.now(), any(getattr(report, name) for name in ACTIVE)
        last = now if active or self.turn is None else self.turn.active_at
        quiet = None if last is None else now - last
        again = now + interval(self.bridge.settings.poll_seconds, quiet, random.random())  # noqa: S311 - no secret
        turns.rest(tx, self.link_id, self.until, again, active=now if active else None)


class Worker:
    """Passes in the background. ``start`` returns at once; ``stop`` waits for what is running."""

    def __init__(self, bridge: Bridge):
        self._bridge = bridge
        self._jobs = Jobs(bridge.settings.queue_url, self._run)
        self._stop = threading.Event()
        self._clock = clock_set_back.SetBack(bridge.clock.now)
        self._forget_at = 0.0
        self._looker = threading.Thread(target=self._look_until_stopped, name="due links", daemon=True)
        self._consumer: Consumer | None = None
        self._ended = itertools.count(1)
        self._put_off_next = 0.0
        self._lit: int | None = None  # the hour in which the Light calendars were last brought up to date

    def start(self) -> None:
        """Begin to look and to run."""
        from huey.consumer import Consumer

        class QuietConsumer(Consumer):  # type: ignore[misc]
            """Leaves the signals to whoever owns the process."""

            def _set_signal_handlers(self) -> None:
                pass

        logging.getLogger("huey").setLevel(logging.WARNING)
        self._consumer = QuietConsumer(
            self._jobs.huey,
            workers=self._bridge.settings.worker_threads,
            periodic=False,
            initial_delay=0.05,
            max_delay=LOOK_SECONDS / 2,
            shutdown_timeout=GRACE_SECONDS,
        )
        self._consumer.start()
        self._looker.start()

    def stop(self) -> None:
        """Stop looking, let running passes finish for ``GRACE_SECONDS``, return."""
        self._stop.set()
        self._bridge.due.set()
        if self._consumer is not None:
            self._consumer.stop(graceful=True)
        if self._looker.is_alive():
            self._looker.join(LOOK_SECONDS)

    def _look_until_stopped(self) -> None:
        tidied = 0.0
        while not self._stop.is_set():
            self._bridge.due.clear()
            try:
                self.look()
                if time.monotonic() - tidied >= LOOK_SECONDS:
                    self.tidy()
                    tidied = time.monotonic()
            except Exception:  # the database may be away for a moment: the next look may succeed
                log.exception("could not look for due links")
                self._stop.wait(5 * LOOK_SECONDS)
            self._stop.wait(LEAST_SECONDS)
            self._bridge.due.wait(LOOK_SECONDS)

    def look(self) -> int:
        """Put due links on the queue, each once and as many as are soon run; returns how many."""
        room = AHEAD * self._bridge.settings.worker_threads - self._jobs.waiting()
        if room <= 0:
            return 0
        db, now = self._bridge.db, self._bridge.clock.now()
        with db.reading() as tx:
            found = turns.due(tx, now, room)
        if not found:
            return 0
        until = now.replace(microsecond=0) + turns.TAKEN
        with db.writing() as tx:
            taken = turns.take(tx, found, now, until)
        for link_id in taken:
            self._jobs.put(link_id, int(until.timestamp()))
        return len(taken)

    def tidy(self) -> None:
        """What is left to time: holds that ran out, mails that wait, webhooks that are behind, each day's
        light; now and then what is due but can't run is put off, so that looking stays cheap. And what a
        wrong clock put off."""
        if back := self._clock.by():
            clock_set_back.put_right(self._bridge, back)
        if time.monotonic() >= self._put_off_next:
            self._put_off_next = time.monotonic() + PUT_OFF_SECONDS
            with self._bridge.db.writing() as tx:
                turns.put_off(tx, self._bridge.clock.now())
        client_booking.release_expired(self._bridge)
        client_mail.soon(self._bridge)
        webhooks.soon(self._bridge)
        hour = int(self._bridge.clock.now().timestamp()) // 3600
        if hour != self._lit:  # it is midnight somewhere
            self._lit = hour
            light.refresh_everybody(self._bridge)
        if time.monotonic() >= self._forget_at:
            self._forget_at = time.monotonic() + FORGET_SECONDS
            housekeeping.hourly(self._bridge)

    def _run(self, link_id: int, taken: int) -> None:
        """One job: a pass, and when it is the link's turn again. A job that somebody else has taken over,
        because it lay too long, is left to them."""
        try:
            with logs.about(link=link_id), traces.passing(link_id) as span:
                self._pass(_Job(self._bridge, link_id, datetime.fromtimestamp(taken, UTC)), span)
        finally:
            # asking the queue costs as much as a statement, and several jobs lie ahead
            threads = self._bridge.settings.worker_threads
            if next(self._ended) % max(threads // 2, 1) == 0 and self._jobs.waiting() < threads:
                self._bridge.due.set()

    def _pass(self, job: _Job, span: traces.Span) -> None:
        link_id, started = job.link_id, time.monotonic()
        progress = first_sync.Counter(self._bridge, link_id)
        try:
            report = self._bridge.engine().run(link_id, progress=progress, begin=job.begin, end=job.end)
        except _NotOurs:
            span.say(outcome="not ours")
            return
        except Exception as error:
            if isinstance(error, BridgeError):
                log.warning("the pass could not be run: %s", error)
            else:
                log.exception("the pass broke off")
            metrics.failed(job.provider, type(error).__name__)
            span.say(provider=job.provider, outcome="broke off")
            span.failed(type(error).__name__)
            self._back_off(link_id)
            return
        if report.busy:
            span.say(outcome="busy")
            self._soon(link_id)
            return
        provider, seconds = job.provider, time.monotonic() - started
        outcome = (
            "failed" if report.failed else "held" if report.held else "errors" if report.errors else "done"
        )
        counts = report.counts()
        metrics.passed(provider, outcome, seconds, counts.pop("requests"), counts)
        # of single objects only how many went wrong: what is said about them names them
        what = {"pass": report.pass_id, "outcome": outcome, "ms": round(seconds * 1000), **report.counts()}
        log.info("a pass ended", extra={"what": what | {"errors": len(report.errors)}})
        span.say(provider=provider, errors=len(report.errors), **{**what, "ms": None})
        if not report.ended:
            with self._bridge.db.writing() as tx:
                job.end(tx, report)
        if self._may_clash(report):
            clashes.look(self._bridge, link_id)
        if report.failed:
            metrics.failed(provider, report.failure)
            span.failed(report.failure)
            log.warning("the calendar could not be synced (%s)", report.failure, extra={"what": what})
        if report.failed and not report.alone:
            self._back_off(link_id, report.after or 0.0)
        elif not report.failed and push.can_tell(provider):
            push.tend(self._bridge, link_id)

    def _may_clash(self, report: Report) -> bool:
        """Whether bookings and events may lie over each other otherwise than after the link's last pass:
        something changed; or a new hour began, in which some are over and others come into sight."""
        if not report.unchanged or report.agreed_before is None:
            return True
        now = self._bridge.clock.now().replace(minute=0, second=0, microsecond=0)
        return report.agreed_before < now

    def _soon(self, link_id: int) -> None:
        """Somebody is at work in its account: it is its turn when they are done."""
        with self._bridge.db.writing() as tx:
            links.make_due(tx, link_id, self._bridge.clock.now())

    def _back_off(self, link_id: int, at_least: float = 0.0) -> None:
        """Leave the link's account alone for a while, as long as its provider asked at least (seconds), then
        begin with this link."""
        now = self._bridge.clock.now()
        with self._bridge.db.writing() as tx:
            try:
                account = accounts.get(tx, links.get(tx, link_id).account_id)
            except NotFound:
                return  # disconnected meanwhile
            failures = account.failures + 1
            rest = max(delay(failures, random.random()), at_least)  # noqa: S311 - no secret
            next_try = now + timedelta(seconds=rest)
            accounts.set_(tx, account.id, failures=failures, next_try=next_try)
            links.make_due(tx, link_id, next_try)
