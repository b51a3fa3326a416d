"""A pass: observe, plan, apply, remember, from lease to agreement.

The engine knows the order of things and what a failure means; it leaves looking to ``observe``, deciding to
``plan`` and writing to ``apply``. Time, providers and the database are handed in, so that a simulation can
run it in one thread, with every fault there is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bridge.errors import (
    CalendarGone,
    NotPermitted,
    ProviderError,
    RetryLater,
    SignInNeeded,
    Verdict,
    classify,
)
from bridge.ports import Clock, Provider
from bridge.store import accounts, links, objects, pairings, passes
from bridge.store.db import Database
from bridge.store.rows import batches
from bridge.sync import context as contexts
from bridge.sync import lease
from bridge.sync.apply import Applier, LeaseLost
from bridge.sync.context import Context
from bridge.sync.doubles import Doubles
from bridge.sync.observe import Looked, Looker, Observation, Sight, Unusable, survey_sides
from bridge.sync.plan import Decision, decide, describe, guard, tally
from bridge.sync.report import Progress, Report

#: Objects per portion: bounds memory, and what one transaction holds.
PORTION = 100
#: How often a pass looks again at objects whose ground moved.
ROUNDS = 6
#: A listing of everything finds what deltas did not tell (providers.md section 4, consequence 1).
FULL_LISTING = timedelta(days=1)
FULL_LISTING_WHERE_TOKENS_LIE = timedelta(hours=1)
#: Objects whose ground kept moving are looked at again this soon.
SOON = timedelta(seconds=5)
#: A right that was taken away may be given back: look again this often.
ASK_AGAIN = timedelta(hours=1)
#: How many sentences a preview shows.
PREVIEW = 50


@dataclass(slots=True)
class _Connection:
    """One account's provider, signed in when first needed, and again when it is renewed."""

    connect: Callable[[int], Provider]
    account_id: int
    _provider: Provider | None = None
    _requests_before: int = 0

    def provider(self) -> Provider:
        if self._provider is None:
            self._provider = self.connect(self.account_id)
        return self._provider

    def renew(self) -> None:
        if self._provider is not None:
            self._requests_before += self._provider.requests
            self._provider.close()
            self._provider = None

    def requests(self) -> int:
        """All that were made so far, over every sign-in."""
        return self._requests_before + (self._provider.requests if self._provider else 0)


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

    ``heartbeat`` keeps a lease alive while a pass waits for a provider; a simulation does without.
    """

    db: Database
    clock: Clock
    connect: Callable[[int], Provider]
    installation: str
    holder: str = field(default_factory=lease.name)
    sleep: Callable[[float], None] = time.sleep
    heartbeat: bool = True

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
            account_id = links.get(tx, link_id).account_id
        connection = _Connection(self.connect, account_id)
        try:
            return self._run(link_id, connection, _Wish(dry_run, confirm, by_hand, progress), {})
        finally:
            connection.renew()

    def run_account(
        self,
        account_id: int,
        *,
        dry_run: bool = False,
        confirm: bool = False,
        progress: Progress | None = None,
    ) -> list[Report]:
        """Run every link of an account by hand, over one connection. Where the provider tells the state of
        all its calendars in one request, those with nothing new cost none of their own."""
        with self.db.reading() as tx:
            rows = [row for row in links.of_account(tx, account_id) if self._has_work(row)]
        connection = _Connection(self.connect, account_id)
        wish = _Wish(dry_run, confirm, True, progress)
        states: Mapping[str, str] = {}
        try:
            if len(rows) > 1:
                try:
                    states = connection.provider().survey() or {}
                except ProviderError:
                    states = {}  # each link finds out, and says, for itself
            surveyed = connection.requests()
            reports = [self._run(row.id, connection, wish, states) for row in rows]
            if reports:
                reports[0].requests += surveyed
            return reports
        finally:
            connection.renew()

    def _has_work(self, row: links.LinkRow) -> bool:
        return row.reads or row.writes or row.source or row.state != "new"

    # --- one link -----------------------------------------------------------------------------------

    def _run(self, link_id: int, connection: _Connection, wish: _Wish, states: Mapping[str, str]) -> Report:
        with self.db.reading() as tx:
            row = links.get(tx, link_id)
        report = Report(link_id, row.account_id, row.name)
        before = connection.requests()
        with lease.held(
            self.db,
            self.clock,
            link_id,
            self.holder,
            wait=wish.by_hand,
            sleep=self.sleep,
            heartbeat=self.heartbeat,
        ) as fence:
            if fence is None:
                report.busy = True
                return report
            try:
                self._try_twice(link_id, connection, wish, fence, report, states)
            except LeaseLost as error:
                if wish.by_hand:
                    report.errors.append(str(error))
            except ProviderError as error:
                report.failed, report.failure = True, type(error).__name__
                report.after = error.after if isinstance(error, RetryLater) else None
                report.errors.append(str(error))
                self._remember_failure(link_id, fence, error, report)
        report.requests += connection.requests() - before
        return report

    def _try_twice(
        self,
        link_id: int,
        connection: _Connection,
        wish: _Wish,
        fence: int,
        report: Report,
        states: Mapping[str, str],
    ) -> None:
        """A single 401 or 403 proves nothing: it is confirmed by a second try over a new connection."""
        try:
            self._pass(link_id, connection.provider(), wish, fence, report, states)
        except (SignInNeeded, NotPermitted):
            connection.renew()
            self._pass(link_id, connection.provider(), wish, fence, report, {})

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
        looker = Looker(
            self.db, context, provider, {s.pairing_id: s for s in observation.gone if s.pairing_id}
        )
        if wish.dry_run or reasons:
            self._preview(looker, observation, report)
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
        if not context.link.released:
            return ["The first sync waits for your word: look at what it would do, then confirm."]
        with self.db.reading() as tx:
            deletions = sum(_would_delete(tx, context, sight) for sight in observation.gone)
        return guard(deletions, observation.agreed, listing_empty=observation.listing_empty)

    def _preview(self, looker: Looker, observation: Observation, report: Report) -> None:
        """The plan as counts and sentences; nothing is written on either side."""
        doubles = Doubles(ZoneInfo(looker.context.user.time_zone))
        for looked, left_out in self._look(looker, observation.sights):
            self._describe(looked, looker, report, doubles)
            for stranger in left_out:
                if stranger.text is not None:
                    doubles.note_theirs(stranger.text)
        for looked, _ in self._look(looker, list(looker.vanished.values())):
            self._describe(looked, looker, report, doubles)
        report.plan += doubles.sentences()[: max(0, PREVIEW - len(report.plan))]
        if (more := sum(tally_of(report).values()) - len(report.plan)) > 0 and len(report.plan) >= PREVIEW:
            report.plan.append(f"… and {more} more.")

    def _describe(self, looked: Sequence[Looked], looker: Looker, report: Report, doubles: Doubles) -> None:
        for one in looked:
            decision = decide(one.item, looker.context.policy)
            for name, number in tally(decision.actions).items():
                setattr(report, name, getattr(report, name) + number)
            report.merged += decision.merged
            report.conflicts += bool(decision.conflicts)
            doubles.note(decision)
            report.plan += describe(decision)[: max(0, PREVIEW - len(report.plan))]

    def _apply(
        self, looker: Looker, applier: Applier, observation: Observation, progress: Progress | None
    ) -> bool:
        """Carry the plan out; True if some objects would not settle."""
        done, to_do = 0, len(observation.sights) + len(looker.vanished)
        if progress is not None:
            progress(0, to_do)

        def carry_out(sights: Sequence[Sight]) -> None:
            nonlocal done
            for looked, left_out in self._look(looker, sights):
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

    def _look(self, looker: Looker, sights: Sequence[Sight]) -> Iterator[tuple[list[Looked], list[Unusable]]]:
        for portion in batches(sights, PORTION):
            yield looker.items(portion)

    # --- what stays -----------------------------------------------------------------------------------

    def _hold(self, context: Context, fence: int, report: Report, reasons: list[str]) -> None:
        report.held = reasons
        with self.db.writing() as tx:
            if links.still_mine(tx, context.link.id, fence):
                links.set_(
                    tx, context.link.id, held=reasons, state="held", state_reason=reasons[0], due_at=None
                )

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
            values: dict[str, object] = {
                "held": None,
                "released": True,
                "state": "healthy",
                "state_reason": None,
            }
            if not unsettled:
                values["cursor"] = observation.cursor
                values["bookings_seq"] = observation.bookings_seq
                values["mirror_seq"] = observation.mirror_seq
                if observation.complete:
                    values["listed_at"] = now
                if not pairings.problems(tx, context.link.id):
                    values["agreed_at"] = now
                elif applier.not_permitted or context.link.state == "read-only":
                    values["state"] = "read-only"
                    values["state_reason"] = applier.not_permitted or context.link.state_reason
            if observation.rest and not context.link.writes and not context.link.edits:
                due = links.get(tx, context.link.id).due_at if context.link.source else None
                if due is None or due > now:  # nothing here made it due meanwhile
                    values["due_at"] = now + timedelta(seconds=observation.rest)
            links.set_(tx, context.link.id, **values)
            if unsettled:
                links.make_due(tx, context.link.id, now + SOON)
            if context.account.state != "healthy" or context.account.failures:
                accounts.set_(
                    tx,
                    context.account.id,
                    state="healthy",
                    state_reason=None,
                    state_since=now,
                    failures=0,
                    next_try=None,
                )
            if report.pass_id is not None:
                passes.finish(tx, report.pass_id, outcome="done", counts=report.counts(), now=now)

    def _remember_failure(self, link_id: int, fence: int, error: ProviderError, report: Report) -> None:
        now = self.clock.now()
        with self.db.writing() as tx:
            if not links.still_mine(tx, link_id, fence):
                return
            link = links.get(tx, link_id)
            account = accounts.get(tx, link.account_id)
            if isinstance(error, CalendarGone):
                links.set_(tx, link_id, state="gone", state_reason=str(error), due_at=None)
                report.alone = True
            elif isinstance(error, NotPermitted):
                state = "read-only" if link.writes or link.edits else "retrying"
                links.set_(tx, link_id, state=state, state_reason=str(error), due_at=now + ASK_AGAIN)
                report.alone = True
            else:
                links.set_(tx, link_id, state="retrying", state_reason=str(error))
                state = "needs-sign-in" if classify(error) is Verdict.SIGN_IN else "retrying"
                since = account.state_since if account.state == state else now
                accounts.set_(tx, account.id, state=state, state_reason=str(error), state_since=since)
            if report.pass_id is not None:
                passes.finish(tx, report.pass_id, outcome="failed", counts=report.counts(), now=now)


def tally_of(report: Report) -> dict[str, int]:
    """The writes that a report counts."""
    return {"pulled": report.pulled, "pushed": report.pushed, "deleted": report.deleted}


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
