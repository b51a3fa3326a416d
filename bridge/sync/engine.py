"""A pass: observe, plan, apply, remember, from lease to agreement.

The engine knows the order of things; it leaves finding what changed to ``survey``, looking at it to
``observe``, deciding to ``plan``, writing to ``apply``, and how a link stands afterwards to ``standing``.
Time, providers and the database are handed in, so that a simulation can run it in one thread, with every
fault there is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import Connection

from bridge.errors import NotPermitted, ProviderError, RetryLater, SignInNeeded
from bridge.ports import Clock, Provider
from bridge.store import links, objects, pairings, passes
from bridge.store.db import Database
from bridge.store.links import LinkRow
from bridge.sync import context as contexts
from bridge.sync import lease, standing
from bridge.sync.ahead import InTurn
from bridge.sync.apply import Applier, LeaseLost
from bridge.sync.context import Context
from bridge.sync.observe import Looked, Looker
from bridge.sync.plan import Decision, decide, guard
from bridge.sync.preview import preview
from bridge.sync.report import Progress, Report
from bridge.sync.sign_in import SignIn
from bridge.sync.survey import Observation, Sight, survey_sides

#: How often a pass looks again at objects whose ground moved.
ROUNDS = 6
#: A listing of everything finds what deltas did not tell (providers.md section 4, consequence 1).
FULL_LISTING = timedelta(days=1)
FULL_LISTING_WHERE_TOKENS_LIE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Wish:
    """How a pass is to be run."""

    dry_run: bool = False
    confirm: bool = False
    by_hand: bool = False
    progress: Progress | None = None


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
    ) -> Report:
        """Run one link. ``confirm`` lets a plan go on that waits for the user; ``by_hand`` waits for a
        running pass
        and tries again what was given up. Failures are in the report, not raised. Raises NotFound."""
        with self.db.reading() as tx:
            row = links.get(tx, link_id)
        sign_in = SignIn(self.connect, row.account_id)
        try:
            return self._run(row, sign_in, _Wish(dry_run, confirm, by_hand, progress), {})
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
        sign_in = SignIn(self.connect, account_id)
        wish = _Wish(dry_run, confirm, True, progress)
        states: Mapping[str, str] = {}
        try:
            if len(rows) > 1:
                try:
                    states = sign_in.provider().survey() or {}
                except ProviderError:
                    states = {}  # each link finds out, and says, for itself
            surveyed = sign_in.requests()
            reports = [self._run(row, sign_in, wish, states) for row in rows]
            if reports:
                reports[0].requests += surveyed
            return reports
        finally:
            sign_in.renew()

    def _has_work(self, row: LinkRow) -> bool:
        return row.reads or row.writes or row.source or row.state != "new"

    # --- one link -----------------------------------------------------------------------------------

    def _run(self, row: LinkRow, sign_in: SignIn, wish: _Wish, states: Mapping[str, str]) -> Report:
        link_id = row.id
        report = Report(link_id, row.account_id, row.name)
        before = sign_in.requests()
        with lease.held(
            self.db,
            self.clock,
            link_id,
            self.holder,
            wait=wish.by_hand,
            sleep=self.sleep,
            heartbeat=self.threads,
        ) as fence:
            if fence is None:
                report.busy = True
                return report
            try:
                self._try_twice(link_id, sign_in, wish, fence, report, states)
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
        self,
        link_id: int,
        sign_in: SignIn,
        wish: _Wish,
        fence: int,
        report: Report,
        states: Mapping[str, str],
    ) -> None:
        """A single 401 or 403 proves nothing: it is confirmed by a second try over a new sign_in."""
        try:
            self._pass(link_id, sign_in.provider(), wish, fence, report, states)
        except (SignInNeeded, NotPermitted):
            sign_in.renew()
            self._pass(link_id, sign_in.provider(), wish, fence, report, {})

    def _pass(
        self,
        link_id: int,
        provider: Provider,
        wish: _Wish,
        fence: int,
        report: Report,
        states: Mapping[str, str],
        *,
        full: bool = False,
    ) -> None:
        with self.db.reading() as tx:
            context = contexts.load(tx, link_id, self.installation)
        asked_in_full, full = full, full or self._wants_full_listing(context, provider)
        state = None if full else states.get(context.link.remote_id)
        observation = survey_sides(self.db, context, provider, full=full, by_hand=wish.by_hand, state=state)
        reasons = [] if wish.confirm else self._reasons_to_wait(context, observation)
        if self.threads:
            provider = InTurn(provider)
        vanished = {sight.pairing_id: sight for sight in observation.gone if sight.pairing_id}
        looker = Looker(self.db, context, provider, vanished, ahead=self.threads)
        if wish.dry_run or reasons:
            preview(looker, observation, report)
            if not wish.dry_run:
                self._hold(context, fence, report, reasons)
            return
        if wish.confirm:
            self._release(context, fence)
        applier = Applier(self.db, self.clock, context, provider, fence, report)
        unsettled = self._apply(looker, applier, observation, wish.progress)
        if looker.missing and not asked_in_full:
            # something was not where it should be: only a listing of everything tells a deletion from a
            # rename
            self._pass(link_id, provider, wish, fence, report, {}, full=True)
            return
        self._remember(context, applier, observation, report, unsettled or looker.missing)

    def _wants_full_listing(self, context: Context, provider: Provider) -> bool:
        if not provider.capabilities.lists_everything:
            return False
        listed = context.link.listed_at
        trusts = provider.capabilities.trusts_token and provider.capabilities.tells_all
        every = FULL_LISTING if trusts else FULL_LISTING_WHERE_TOKENS_LIE
        return listed is None or self.clock.now() - listed >= every

    def _reasons_to_wait(self, context: Context, observation: Observation) -> list[str]:
        if context.link.restored and context.link.held:
            return list(context.link.held)
        if not context.link.released:
            return ["The first sync waits for your word: look at what it would do, then confirm."]
        if not observation.gone and not observation.listing_empty:
            return []
        with self.db.reading() as tx:
            deletions = sum(_would_delete(tx, context, sight) for sight in observation.gone)
        return guard(deletions, observation.agreed, listing_empty=observation.listing_empty)

    def _apply(
        self, looker: Looker, applier: Applier, observation: Observation, progress: Progress | None
    ) -> bool:
        """Carry the plan out; True if some objects would not settle."""
        done, to_do = 0, len(observation.sights) + len(looker.vanished)
        if progress is not None:
            progress(0, to_do)

        def carry_out(sights: Sequence[Sight]) -> None:
            nonlocal done
            for looked, left_out in looker.portions(sights):
                decisions = [(one, decide(one.item, looker.context.policy)) for one in looked]
                applier.carry_out([(one, d) for one, d in decisions if _matters(one, d)], left_out)
                done += len(looked) + len(left_out)
                if progress is not None:
                    progress(min(done, to_do), to_do)

        carry_out(observation.sights)
        if not looker.missing:  # else what seems to have vanished may only have moved
            carry_out(list(looker.vanished.values()))
        looker.vanished.clear()
        for _ in range(ROUNDS):
            if not applier.again:
                return False
            sights, applier.again = _distinct(applier.again), []
            carry_out(sights)
        return bool(applier.again)

    # --- what stays -----------------------------------------------------------------------------------

    def _hold(self, context: Context, fence: int, report: Report, reasons: list[str]) -> None:
        report.held = reasons
        with self.db.writing() as tx:
            if links.still_mine(tx, context.link.id, fence):
                standing.held(tx, context.link.id, reasons)

    def _release(self, context: Context, fence: int) -> None:
        """The user's word is kept even if this pass does not come to its end."""
        if context.link.released and not context.link.held:
            return
        with self.db.writing() as tx:
            if links.still_mine(tx, context.link.id, fence):
                links.set_(tx, context.link.id, released=True, held=None)

    def _remember(
        self, context: Context, applier: Applier, observation: Observation, report: Report, unsettled: bool
    ) -> None:
        now = self.clock.now()
        with self.db.writing() as tx:
            applier.hold_lease(tx)
            standing.done(tx, context, observation, applier.not_permitted, now, unsettled=unsettled)
            if not unsettled and observation.proven:
                pairings.proven(tx, set(observation.proven) - applier.made)
            if report.pass_id is not None:
                passes.finish(tx, report.pass_id, outcome="done", counts=report.counts(), now=now)

    def _remember_failure(self, link_id: int, fence: int, error: ProviderError, report: Report) -> None:
        now = self.clock.now()
        with self.db.writing() as tx:
            if not links.still_mine(tx, link_id, fence):
                return
            report.alone = standing.failed(tx, link_id, error, now)
            if report.pass_id is not None:
                passes.finish(tx, report.pass_id, outcome="failed", counts=report.counts(), now=now)


def _matters(looked: Looked, decision: Decision) -> bool:
    """Whether there is anything to do or to remember: also that an object with a problem is well again."""
    row = looked.pairing
    return bool(decision.actions) or decision.arrived or looked.instead_of is not None or _was_ill(row)


def _was_ill(row: pairings.PairingRow | None) -> bool:
    return row is not None and row.problem_kind is not None


def _would_delete(tx: Connection, context: Context, sight: Sight) -> bool:
    """Whether this absence over there would delete something here (a restore does not)."""
    if context.policy.is_source:
        stored = objects.by_uid(tx, context.bookings.id, sight.uid or "", with_hidden=True)
        return stored is not None and stored.status != "CANCELLED"
    if sight.calendar_id != context.bookings.id:
        return True
    if context.policy.on_delete == "cancel":
        return True
    stored = objects.by_uid(tx, context.bookings.id, sight.uid or "", with_hidden=True)
    return stored is not None and stored.kind != "booking"


def _distinct(sights: Sequence[Sight]) -> list[Sight]:
    return list({(s.pairing_id, s.href, s.uid): s for s in sights}.values())
