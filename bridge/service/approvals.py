"""Approvals: changes to bookings that wait for the photographer's word (policy ``approve``).

They come from calendar apps (``client_writes``) and from linked calendars (``bridge.sync.plan``); either side
shows the old values meanwhile.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from bridge.errors import NotAllowed, NotFound, Refused
from bridge.ical import build
from bridge.ical.facts import facts
from bridge.ical.fields import Reading, changed
from bridge.ical.merge import merge
from bridge.ical.words import group_name, group_text
from bridge.service import Bridge
from bridge.store import links, notices, objects, pairings, people, suggestions
from bridge.store.suggestions import SuggestionRow


def list_(bridge: Bridge, email: str) -> list[dict[str, Any]]:
    """The user's changes that wait, newest first; ``changes`` has each field with its two values."""
    with bridge.db.reading() as tx:
        user = people.user_by_email(tx, email)
        rows = suggestions.waiting(tx, user.id)
    return [_shown(row) for row in rows]


def _shown(row: SuggestionRow) -> dict[str, Any]:
    before, after = Reading(row.before), Reading(row.after)
    keys = sorted(changed(before, after), key=lambda key: (key[0] or "", key[1]))
    changes = [
        {
            "date": instance,
            "field": group_name(group),
            "from": group_text(before, instance, group),
            "to": group_text(after, instance, group),
        }
        for instance, group in keys
    ]
    return {
        "id": row.id,
        "uid": row.uid,
        "title": facts(row.before).summary,
        "fields": [change["field"] for change in changes],
        "changes": changes,
        "actor": row.actor,
        "at": row.at,
    }


def approve(bridge: Bridge, suggestion_id: int, *, user_id: int | None = None) -> str:
    """Carry the change out: what it changed, and nothing else, comes onto the booking as it is now.

    Returns a sentence. ``user_id`` None: whoever's it is, for the administrator. Raises NotFound, Refused,
    NotAllowed."""
    with bridge.db.writing() as tx:
        row = _unanswered(suggestions.get(tx, user_id, suggestion_id))
        objects.lock(tx, row.calendar_id)
        stored = objects.by_uid(tx, row.calendar_id, row.uid, with_hidden=True)
        if stored is None:
            raise NotFound("This booking no longer exists; decline the change.")
        if stored.status == "CANCELLED":
            raise NotAllowed("This booking is cancelled by now; decline the change.")
        now = bridge.clock.now()
        text = merge(row.before, stored.text, row.before, row.after, "theirs").hub
        objects.put(
            tx,
            row.calendar_id,
            stored.href,
            build.bumped(text, now) if text != stored.text else text,
            actor=f"user:{row.user_id}",
            now=now,
            hidden=stored.hidden,
        )
        stopped = _answered(tx, row, "approved", now)
    _wake(bridge, stopped)
    return f"“{facts(text).summary}” is changed as it was suggested."


def decline(bridge: Bridge, suggestion_id: int, *, user_id: int | None = None) -> str:
    """The booking stays as it is. Returns a sentence. Raises NotFound, Refused."""
    with bridge.db.writing() as tx:
        row = _unanswered(suggestions.get(tx, user_id, suggestion_id))
        stopped = _answered(tx, row, "declined", bridge.clock.now())
    _wake(bridge, stopped)
    return f"“{facts(row.before).summary}” stays as it is."


def _unanswered(row: SuggestionRow) -> SuggestionRow:
    if row.answer == "superseded":
        raise Refused(f"Change {row.id} was followed by a newer one of the same booking; answer that one.")
    if row.answer is not None:
        raise Refused(f"Change {row.id} is answered already: {row.answer}.")
    return row


def _answered(tx: Connection, row: SuggestionRow, answer: str, now: datetime) -> list[int]:
    """Remember it; and if the booking was left alone because the same change came again and again, go on:
    returns the links that do."""
    suggestions.answer(tx, row.id, answer)
    notices.withdraw(tx, row.user_id, "approval", now, uid=row.uid)
    stopped = pairings.look_again(tx, row.calendar_id, row.uid)
    for link_id in stopped:
        links.make_due(tx, link_id, now)
    return stopped


def _wake(bridge: Bridge, stopped: list[int]) -> None:
    for link_id in stopped:
        bridge.enqueue(link_id)
