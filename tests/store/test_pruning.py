"""What is old is forgotten a portion at a time, and nothing that anybody still needs."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, Table, func, select

from bridge.errors import Invalid
from bridge.store import conflicts, installation, notices, objects, passes, pruning, suggestions
from bridge.store.tables import journal, notice, pass_, suggestion
from tests.store.studio import NOW, Studio, event, forget_changes

YEAR = timedelta(days=366)
LATER = NOW + YEAR
YESTERDAY = LATER - timedelta(days=1)


def count(tx: Connection, table: Table) -> int:
    return int(tx.execute(select(func.count()).select_from(table)).scalar_one())


def changed(tx: Connection, studio: Studio, pass_id: int, at: datetime) -> None:
    passes.journal(
        tx,
        user_id=studio.user_id,
        side="remote",
        action="create",
        uid="a",
        href="/a.ics",
        before=None,
        after="text",
        actor="command",
        now=at,
        pass_id=pass_id,
    )


def disputed(tx: Connection, studio: Studio, link_id: int, pass_id: int, group: str) -> int:
    return conflicts.add(
        tx,
        studio.user_id,
        link_id=link_id,
        calendar_id=studio.bookings,
        pass_id=pass_id,
        uid="a",
        instance=None,
        group=group,
        ours="x",
        theirs="y",
        winner="ask",
        now=NOW,
    )


def test_old_changes_go_in_portions_and_a_token_between_them_is_refused_or_exact(studio: Studio) -> None:
    for number in range(7):
        studio.put(f"{number}.ics", event(str(number)))
    studio.delete("6.ics")
    in_between = studio.calendar()
    studio.now += YEAR
    studio.put("new.ics", event("new"))
    with studio.db.writing() as tx:
        assert pruning.changes(tx, studio.bookings, YESTERDAY, 3) == 3
        with pytest.raises(Invalid):
            objects.changed_since(tx, studio.bookings, 2)
        told = objects.changed_since(tx, studio.bookings, 3)
        assert [one.href for one in told.deleted] == ["6.ics"]
        assert forget_changes(tx, YESTERDAY, 3) == 5
        told = objects.changed_since(tx, studio.bookings, in_between.seq)
        assert [one.href for one in told.changed] == ["new.ics"]


def test_only_calendars_whose_log_begins_too_early_are_looked_at(studio: Studio) -> None:
    quiet, busy = studio.mirror("quiet"), studio.mirror("busy")
    studio.put("a.ics", event("a"), quiet)
    studio.now += YEAR
    studio.put("a.ics", event("a"), busy)
    with studio.db.reading() as tx:
        assert pruning.calendars_with_old_changes(tx, YESTERDAY, 0, 2) == ([quiet], quiet)
        assert pruning.calendars_with_old_changes(tx, YESTERDAY, quiet, 2) == ([], busy)
        assert pruning.calendars_with_old_changes(tx, YESTERDAY, busy, 2) == ([], None)


def test_passes_go_when_nothing_that_is_kept_belongs_to_them(studio: Studio) -> None:
    link_id = studio.link()
    with studio.db.writing() as tx:
        _empty, long, asked, young = (
            passes.start(tx, link_id, studio.user_id, at) for at in (NOW, NOW, NOW, LATER)
        )
        changed(tx, studio, long, NOW)
        changed(tx, studio, long, LATER)  # it went on for a year
        disputed(tx, studio, link_id, asked, "title")
        assert pruning.journal_rows(tx, YESTERDAY, 10) == 1
        assert pruning.passes(tx, YESTERDAY, 0, 2) == (1, long)
        assert pruning.passes(tx, YESTERDAY, long, 2) == (0, young)
        assert pruning.passes(tx, YESTERDAY, young, 2) == (0, None)
        assert list(tx.execute(select(pass_.c.id).order_by(pass_.c.id)).scalars()) == [long, asked, young]
        assert count(tx, journal) == 1
        assert len(conflicts.of_user(tx, studio.user_id)) == 1


def test_what_waits_for_an_answer_is_kept_however_old(studio: Studio) -> None:
    link_id = studio.link()
    with studio.db.writing() as tx:
        pass_id = passes.start(tx, link_id, studio.user_id, NOW)
        answered = disputed(tx, studio, link_id, pass_id, "title")
        waits = disputed(tx, studio, link_id, pass_id, "when")
        conflicts.resolve(tx, answered, "ours")
        declined, _ = (
            suggestions.add(
                tx,
                studio.user_id,
                calendar_id=studio.bookings,
                uid=uid,
                before="x",
                after="y",
                actor="command",
                now=NOW,
            )
            for uid in ("declined", "waits")
        )
        suggestions.answer(tx, declined, "declined")
        long_ago, lately, _ = (
            notices.add(tx, studio.user_id, "kind", message, now=NOW)
            for message in ("put away long ago", "put away lately", "stands")
        )
        notices.dismiss(tx, studio.user_id, long_ago, NOW)
        notices.dismiss(tx, studio.user_id, lately, LATER)
        assert pruning.settled(tx, YESTERDAY) == 3
        assert pruning.settled(tx, YESTERDAY) == 0
        assert [row.id for row in conflicts.of_user(tx, studio.user_id)] == [waits]
        assert [row.uid for row in suggestions.waiting(tx, studio.user_id)] == ["waits"]
        assert (count(tx, suggestion), count(tx, notice)) == (1, 2)


def test_one_process_a_day_keeps_house_even_if_a_clock_was_set_back(studio: Studio) -> None:
    day, hour = timedelta(days=1), timedelta(hours=1)
    with studio.db.writing() as tx:
        assert installation.claim_tidying(tx, NOW, day)
        assert not installation.claim_tidying(tx, NOW + day - hour, day)
        assert installation.claim_tidying(tx, NOW + day, day)
        assert not installation.claim_tidying(tx, NOW + day - hour, day), "an hour back is no reason"
        assert installation.claim_tidying(tx, NOW - hour, day), "another year was"
