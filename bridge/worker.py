"""The worker: finds links whose time has come, puts them on the queue, and runs passes from it.

One thread looks once a second, by index, for what is due (``bridge.store.links``), or at once when this
process was told of a change; consumer threads take the jobs. What a pass does, and what its failures mean for
the account, is the engine's business; when a failing account is tried again is decided here.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from bridge import logs, metrics
from bridge.errors import BridgeError, NotFound
from bridge.queue import Jobs
from bridge.service import clashes, client_booking, client_mail, first_sync, push, webhooks
from bridge.store import accounts, links
from bridge.wiring import Bridge

if TYPE_CHECKING:
    from huey.consumer import Consumer

log = logging.getLogger("picsello_bridge.worker")

LOOK_SECONDS = 1.0
#: How long running passes may go on after we were asked to stop. A pass cut off goes on next time.
GRACE_SECONDS = 8.0
FIRST_DELAY = 30.0
LONGEST_DELAY = 3600.0


def delay(failures: int, chance: float) -> float:
    """Seconds to wait after so many failures in a row: 30 s, doubling to an hour, less up to a quarter by
    ``chance`` (0 to 1), so that accounts that failed together do not all come back together."""
    full: float = min(FIRST_DELAY * 2.0 ** min(max(failures - 1, 0), 16), LONGEST_DELAY)
    return full * (1 - chance / 4)


class Worker:
    """Passes in the background. ``start`` returns at once; ``stop`` waits for what is running."""

    def __init__(self, bridge: Bridge):
        self._bridge = bridge
        self._jobs = Jobs(bridge.settings.queue_url, self._run)
        self._stop = threading.Event()
        self._looker = threading.Thread(target=self._look_until_stopped, name="due links", daemon=True)
        self._consumer: Consumer | None = None

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
        while not self._stop.is_set():
            self._bridge.due.clear()
            try:
                self.look()
                self.tidy()
            except Exception:  # the database may be away for a moment: the next look may succeed
                log.exception("could not look for due links")
                self._stop.wait(5 * LOOK_SECONDS)
            self._bridge.due.wait(LOOK_SECONDS)

    def look(self) -> int:
        """Put every due link on the queue, each once; returns how many."""
        db, now = self._bridge.db, self._bridge.clock.now()
        with db.reading() as tx:
            found = links.due(tx, now)
        if not found:
            return 0
        again = now + timedelta(seconds=self._bridge.settings.poll_seconds)
        with db.writing() as tx:
            claimed = [link_id for link_id in found if links.claim(tx, link_id, now, again)]
        for link_id in claimed:
            self._jobs.put(link_id)
        return len(claimed)

    def tidy(self) -> None:
        """What is left to time: holds that ran out, mails that wait, webhooks that are behind."""
        client_booking.release_expired(self._bridge)
        client_mail.soon(self._bridge)
        webhooks.soon(self._bridge)

    def _run(self, link_id: int) -> None:
        """One job: a pass, and what it means for the account's next try."""
        with self._bridge.db.reading() as tx:
            try:
                provider = links.get(tx, link_id).provider
            except NotFound:
                return  # disconnected meanwhile
        with logs.about(link=link_id):
            self._pass(link_id, provider)

    def _pass(self, link_id: int, provider: str) -> None:
        started = time.monotonic()
        try:
            report = self._bridge.engine().run(link_id, progress=first_sync.Counter(self._bridge, link_id))
        except BridgeError as error:
            log.warning("the pass could not be run: %s", error)
            metrics.failed(provider, type(error).__name__)
            self._back_off(link_id)
            return
        except Exception as error:
            log.exception("the pass broke off")
            metrics.failed(provider, type(error).__name__)
            self._back_off(link_id)
            return
        if report.busy:
            self._soon(link_id)
            return
        seconds = time.monotonic() - started
        outcome = (
            "failed" if report.failed else "held" if report.held else "errors" if report.errors else "done"
        )
        counts = report.counts()
        metrics.passed(provider, outcome, seconds, counts.pop("requests"), counts)
        # of single objects only how many went wrong: what is said about them names them
        what = {"pass": report.pass_id, "outcome": outcome, "ms": round(seconds * 1000), **report.counts()}
        log.info("a pass ended", extra={"what": what | {"errors": len(report.errors)}})
        clashes.look(self._bridge, link_id)
        if report.failed:
            metrics.failed(provider, report.failure)
            log.warning("the calendar could not be synced (%s)", report.failure, extra={"what": what})
        if report.failed and not report.alone:
            self._back_off(link_id, report.after or 0.0)
        elif not report.failed:
            push.tend(self._bridge, link_id)

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
