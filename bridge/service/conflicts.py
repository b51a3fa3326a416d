"""Conflicts: what both sides had changed at once, and putting back the one that lost.

Who wins at first is decided by ``bridge.sync.plan``. Resolving writes the chosen value here; the next pass
carries it to the other side like any edit.
"""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Connection

from bridge.errors import NotFound, Refused
from bridge.ical import build
from bridge.ical.facts import facts
from bridge.ical.fields import COMPONENT, GroupKey, Reading, changed
from bridge.ical.transfer import with_groups
from bridge.ical.words import group_name, group_text
from bridge.service import Bridge
from bridge.store import conflicts, links, objects, pairings, people
from bridge.store.conflicts import ConflictRow
from bridge.sync import lease


def list_(bridge: Bridge, email: str) -> list[dict[str, Any]]:
    """The user's open conflicts, newest first. ``winner`` ``ask``: both sides stay as they are until it is
    resolved. ``ours`` and ``theirs`` are the two values, for people."""
    with bridge.db.reading() as tx:
        user = people.user_by_email(tx, email)
        names = {link.id: link.name for link in links.of_user(tx, user.id)}
        rows = conflicts.of_user(tx, user.id)
    return [_shown(row, names.get(row.link_id, "")) for row in rows]


def _shown(row: ConflictRow, calendar: str) -> dict[str, Any]:
    ours, theirs = Reading(row.ours), Reading(row.theirs)
    return {
        "id": row.id,
        "uid": row.uid,
        "title": facts(row.ours).summary,
        "date": row.instance,
        "field": group_name(row.group),
        "ours": group_text(ours, row.instance, row.group),
        "theirs": group_text(theirs, row.instance, row.group),
        "winner": row.winner,
        "calendar": calendar,
        "at": row.at,
    }


def resolve(bridge: Bridge, conflict_id: int, choice: str, *, user_id: int | None = None) -> str:
    """Let ``ours`` (the value here) or ``theirs`` hold on both sides; returns a sentence.

    ``user_id`` None: whoever's it is, for the administrator. Raises NotFound, Refused."""
    with bridge.db.reading() as tx:
        row = conflicts.get(tx, user_id, conflict_id)
    if row.resolved == conflicts.SUPERSEDED:
        raise Refused("Both sides have changed this again since. Look at the new values, then decide.")
    if row.resolved is not None:
        raise Refused(f"Conflict {conflict_id} is resolved already: {row.resolved}.")
    with lease.held(
        bridge.db, bridge.clock, row.link_id, lease.name(), wait=True, sleep=time.sleep, heartbeat=True
    ) as fence:
        if fence is None:
            raise Refused("This calendar is being synced right now. Try again in a minute.")
        with bridge.db.writing() as tx:
            if not links.still_mine(tx, row.link_id, fence):
                raise Refused("This calendar is being synced right now. Try again in a minute.")
            _put(bridge, tx, row, choice)
            conflicts.resolve(tx, row.id, choice)
            links.make_due(tx, row.link_id, bridge.clock.now())
    bridge.enqueue(row.link_id)
    name = group_name(row.group)
    return f"The {name} of “{facts(row.ours).summary}” is settled; the next sync brings it to both sides."


def _put(bridge: Bridge, tx: Connection, row: ConflictRow, choice: str) -> None:
    """The chosen value into our object; and if the other side holds another one, count it as changed here."""
    objects.lock(tx, row.calendar_id)
    stored = objects.by_uid(tx, row.calendar_id, row.uid, with_hidden=True)
    if stored is None:
        raise NotFound("This event no longer exists here, so there is nothing to settle.")
    chosen, other = (row.ours, row.theirs) if choice == "ours" else (row.theirs, row.ours)
    text = _taken(stored.text, chosen, row)
    paired = pairings.by_uid(tx, row.link_id, row.calendar_id, row.uid)
    behind = paired is not None and _key(row) in changed(paired.base_remote or text, text)
    if not behind and not changed(stored.text, text):
        return
    if paired is not None and paired.base_hub is not None and _key(row) not in changed(paired.base_hub, text):
        in_flight = paired.flight_hub and _taken(paired.flight_hub, other, row)
        pairings.rebase(tx, paired.id, _taken(paired.base_hub, other, row), in_flight)
    now = bridge.clock.now()
    objects.put(
        tx,
        row.calendar_id,
        stored.href,
        build.bumped(text, now),
        actor=f"user:{row.user_id}",
        now=now,
        hidden=stored.hidden,
        loser=stored.text if changed(stored.text, text) else None,
    )


def _key(row: ConflictRow) -> GroupKey:
    return (row.instance, row.group)


def _taken(text: str, source: str, row: ConflictRow) -> str:
    """The text with the conflict's group as the source has it; as it is where that date is gone."""
    there, here = Reading(source).instances, Reading(text).instances
    if row.group != COMPONENT and (row.instance not in there or row.instance not in here):
        return text
    return with_groups(text, source, [_key(row)])
