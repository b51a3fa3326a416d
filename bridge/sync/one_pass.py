"""One pass over one link: observe, plan, apply, remember.

Finding what changed is left to ``survey``, looking at it to ``observe``, deciding to ``plan``, writing to
``apply``, and how a link stands afterwards to ``standing``; the lease and what failures mean to ``engine``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from bridge.ports import Clock, Provider
from bridge.store import links, objects, pairings, passes
from bridge.store.db import Database
from bridge.sync import context as contexts
from bridge.sync import standing
from bridge.sync.ahead import InTurn
from bridge.sync.apply import Applier, Work
from bridge.sync.context import Context
from bridge.sync.observe import Looked, Looker
from bridge.sync.plan import Decision, decide, guard
from bridge.sync.preview import preview
from bridge.sync.report import Progress, Report
from bridge.sync.survey import Observation, Sight, survey_sides

#: How often a pass looks again at objects whose ground moved.
ROUNDS = 6
#: A listing of everything finds what deltas did not tell (providers.md section 4, consequence 1).
FULL_LISTING = timedelta(days=1)
FULL_LISTING_WHERE_TOKENS_LIE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Wish:
    """How a pass is to be run."""

    dry_run: bool = False
    confirm: bool = False
    by_hand: bool = False
    progress: Progress | None = None
    begin: Callable[[Connection], None] | None = None
    end: Callable[[Connection, Report], None] | None = None


@dataclass(frozen=True, slots=True)
class Pass:
    """A pass that holds the lease of its link. With ``threads`` texts are read ahead."""

    db: Database
    clock: Clock
    installation: str
    link_id: int
    fence: int
    wish: Wish
    report: Report
    threads: bool

    def run(
        self,
        provider: Provider,
        states: Mapping[str, str],
        *,
        full: bool = False,
        context: Context | None = None,
    ) -> None:
        """From the survey to agreement. ``states``: the cursors that a survey of the whole account told;
        ``full``: list everything; ``context``: as it was when the lease was taken. Raises LeaseLost, and what
        the provider raises."""
        if context is None:
            with self.db.reading() as tx:
                context = contexts.load(tx, self.link_id, self.installation)
        asked_in_full, full = full, full or self._wants_full_listing(context, provider)
        state = None if full else states.get(context.link.remote_id)
        observation = survey_sides(
            self.db, context, provider, full=full, by_hand=self.wish.by_hand, state=state
        )
        reasons = [] if self.wish.confirm else self._reasons_to_wait(context, observation)
        if self.threads:
            provider = InTurn(provider)
        vanished = {sight.pairing_id: sight for sight in observation.gone if sight.pairing_id}
        looker = Looker(self.db, context, provider, vanished, ahead=self.threads)
        if self.wish.dry_run or reasons:
            preview(looker, observation, self.report)
            if not self.wish.dry_run:
                self._hold(reasons)
            return
        if self.wish.confirm:
            self._release(context)
        work = Work(self.db, self.clock, context, provider, self.fence, self.report)
        unsettled = self._apply(looker, work, observation)
        if looker.missing and not asked_in_full:
            # something was not where it should be: only a listing of everything tells a deletion from a
            # rename
            self.run(provider, {}, full=True)
            return
        self._remember(work, observation, unsettled or looker.missing)

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

    def _apply(self, looker: Looker, work: Work, observation: Observation) -> bool:
        """Carry the plan out; True if some objects would not settle."""
        applier, progress = Applier(work), self.wish.progress
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
            if not work.again:
                return False
            sights, work.again = _distinct(work.again), []
            carry_out(sights)
        return bool(work.again)

    # --- what stays -----------------------------------------------------------------------------------

    def _hold(self, reasons: list[str]) -> None:
        self.report.held = reasons
        with self.db.writing() as tx:
            if links.still_mine(tx, self.link_id, self.fence):
                standing.held(tx, self.link_id, reasons)

    def _release(self, context: Context) -> None:
        """The user's word is kept even if this pass does not come to its end."""
        if context.link.released and not context.link.held:
            return
        with self.db.writing() as tx:
            if links.still_mine(tx, self.link_id, self.fence):
                links.set_(tx, self.link_id, released=True, held=None)

    def _remember(self, work: Work, observation: Observation, unsettled: bool) -> None:
        """The pass came to its end: how the link stands from now on; and its lease is given back."""
        now, link = self.clock.now(), work.context.link
        self.report.unchanged = not unsettled and observation.nothing_new(link)
        self.report.agreed_before = link.agreed_at
        with work.writing() as tx:
            standing.done(tx, work.context, observation, work.not_permitted, now, unsettled=unsettled)
            if not unsettled and observation.proven:
                pairings.proven(tx, set(observation.proven) - work.made)
            if self.report.pass_id is not None:
                counts = self.report.counts()
                passes.finish(tx, self.report.pass_id, outcome="done", counts=counts, now=now)
            links.release(tx, self.link_id, self.fence)
            if self.wish.end is not None:
                self.wish.end(tx, self.report)
        self.report.ended = True


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
