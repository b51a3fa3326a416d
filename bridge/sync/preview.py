"""The plan as counts and sentences, for whoever wants to see it before anything is written."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from bridge.sync.doubles import Doubles
from bridge.sync.observe import Looked, Looker
from bridge.sync.plan import decide, describe, tally
from bridge.sync.report import Report
from bridge.sync.survey import Observation

#: How many sentences a preview shows.
PREVIEW = 50


def preview(looker: Looker, observation: Observation, report: Report) -> None:
    """Look at everything and fill the report; nothing is written on either side."""
    doubles = Doubles(ZoneInfo(looker.context.user.time_zone))
    for looked, left_out in looker.portions(observation.sights):
        _describe(looked, looker, report, doubles)
        for stranger in left_out:
            if stranger.text is not None:
                doubles.note_theirs(stranger.text)
    for looked, _ in looker.portions(list(looker.vanished.values())):
        _describe(looked, looker, report, doubles)
    report.plan += doubles.sentences()[: max(0, PREVIEW - len(report.plan))]
    more = report.pulled + report.pushed + report.deleted - len(report.plan)
    if more > 0 and len(report.plan) >= PREVIEW:
        report.plan.append(f"… and {more} more.")


def _describe(looked: Sequence[Looked], looker: Looker, report: Report, doubles: Doubles) -> None:
    for one in looked:
        decision = decide(one.item, looker.context.policy)
        for name, number in tally(decision.actions).items():
            setattr(report, name, getattr(report, name) + number)
        report.merged += decision.merged
        report.conflicts += bool(decision.conflicts)
        doubles.note(decision)
        report.plan += describe(decision)[: max(0, PREVIEW - len(report.plan))]
