"""Passes: over which links, under which lease and sign-in, and what a failure means.

What happens in a pass is ``one_pass``. Time, providers and the database are handed in, so that a simulation
can run everything in one thread, with every fault there is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from bridge.errors import NotPermitted, ProviderError, RetryLater, SignInNeeded
from bridge.ports import Clock, Provider
from bridge.store import links, passes
from bridge.store.db import Database
from bridge.store.links import LinkRow
from bridge.sync import context as contexts
from bridge.sync import lease, standing
from bridge.sync.apply import LeaseLost
from bridge.sync.context import Context
from bridge.sync.one_pass import Pass, Wish
from bridge.sync.report import Progress, Report
from bridge.sync.sign_in import SignIn


@dataclass(slots=True)
class Engine:
    """Runs passes. ``connect`` signs in to an account; ``installation`` names us in markers.

    With ``threads`` a lease is kept alive while a pass waits for a provider, and texts are read ahead; a
    simulation does without.
    """

    db: Database
    clock: Clock
    connect: Callable[[int], Provider]
    installation: str
    holder: str = field(default_factory=lease.name)
    sleep: Callable[[float], None] = time.sleep
    threads: bool = True

    def run(
        self,
        link_id: int,
        *,
        dry_run: bool = False,
        confirm: bool = False,
        by_hand: bool = False,
        progress: Progress | None = None,
        begin: Callable[[Connection], None] | None = None,
        end: Callable[[Connection, Report], None] | None = None,
    ) -> Report:
        """Run one link. ``confirm`` lets a plan go on that waits for the user; ``by_hand`` waits for a
        running pass and tries again what was given up. ``begin`` is called in the transaction in which the
        lease is asked for, ``end`` in the last one of a pass that comes to its end, so that a worker needs
        none of its own. Failures are in the report, not raised. Raises NotFound, and what ``begin`` raises.
        """
        sign_in = SignIn(self.connect)
        try:
            return self._run(link_id, sign_in, Wish(dry_run, confirm, by_hand, progress, begin, end), {})
        finally:
            sign_in.renew()

    def run_account(
        self,
        account_id: int,
        *,
        dry_run: bool = False,
        confirm: bool = False,
        progress: Progress | None = None,
    ) -> list[Report]:
        """Run every link of an account by hand, over one sign_in. Where the provider tells the state of
        all its calendars in one request, those with nothing new cost none of their own."""
        with self.db.reading() as tx:
            rows = [row for row in links.of_account(tx, account_id) if self._has_work(row)]
        sign_in = SignIn(self.connect)
        wish = Wish(dry_run, confirm, True, progress)
        states: Mapping[str, str] = {}
        try:
            if len(rows) > 1:
                try:
                    states = sign_in.provider(account_id).survey() or {}
                except ProviderError:
                    states = {}  # each link finds out, and says, for itself
            surveyed = sign_in.requests()
            reports = [self._run(row.id, sign_in, wish, states) for row in rows]
            if reports:
                reports[0].requests += surveyed
            return reports
        finally:
            sign_in.renew()

    def _has_work(self, row: LinkRow) -> bool:
        return row.reads or row.writes or row.source or row.state != "new"

    # --- one link -----------------------------------------------------------------------------------

    def _run(self, link_id: int, sign_in: SignIn, wish: Wish, states: Mapping[str, str]) -> Report:
        report, before = Report(link_id, 0, ""), sign_in.requests()
        context: Context | None = None

        def beside(tx: Connection, fence: int | None) -> None:
            nonlocal context
            if wish.begin is not None:
                wish.begin(tx)
            context = None if fence is None else contexts.load(tx, link_id, self.installation)
            row = context.link if context else links.get(tx, link_id)
            report.account_id, report.calendar = row.account_id, row.name

        with lease.held(
            self.db,
            self.clock,
            link_id,
            self.holder,
            wait=wish.by_hand,
            sleep=self.sleep,
            heartbeat=self.threads,
            beside=beside,
            given_back=lambda: report.ended,
        ) as fence:
            if fence is None:
                report.busy = True
                return report
            one = Pass(self.db, self.clock, self.installation, link_id, fence, wish, report, self.threads)
            try:
                self._try_twice(one, sign_in, states, context)
            except LeaseLost as error:
                if wish.by_hand:
                    report.errors.append(str(error))
            except ProviderError as error:
                report.failed, report.failure = True, type(error).__name__
                report.after = error.after if isinstance(error, RetryLater) else None
                report.errors.append(str(error))
                self._remember_failure(link_id, fence, error, report)
        report.requests += sign_in.requests() - before
        return report

    def _try_twice(
        self, one: Pass, sign_in: SignIn, states: Mapping[str, str], context: Context | None
    ) -> None:
        """A single 401 or 403 proves nothing: it is confirmed by a second try over a new sign_in."""
        account_id = one.report.account_id
        try:
            one.run(sign_in.provider(account_id), states, context=context)
        except (SignInNeeded, NotPermitted):
            sign_in.renew()
            one.run(sign_in.provider(account_id), {})

    def _remember_failure(self, link_id: int, fence: int, error: ProviderError, report: Report) -> None:
        now = self.clock.now()
        with self.db.writing() as tx:
            if not links.still_mine(tx, link_id, fence):
                return
            report.alone = standing.failed(tx, link_id, error, now)
            if report.pass_id is not None:
                passes.finish(tx, report.pass_id, outcome="failed", counts=report.counts(), now=now)
