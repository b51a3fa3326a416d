"""The history: what was changed, where, when and by whom, newest first; and taking a pass back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bridge.errors import BridgeError, Invalid
from bridge.ical.facts import facts
from bridge.ical.fields import Reading, changed
from bridge.ical.words import group_name, group_text
from bridge.service import undo
from bridge.store import calendars, links, passes, people
from bridge.store.passes import JournalRow
from bridge.web import words
from bridge.web.moved import moved
from bridge.web.security import the_bridge
from bridge.web.session import now, visitor

pages = Blueprint("history", __name__, url_prefix="/history")

PAGE = 100

VERBS = {"create": "Added", "update": "Changed", "delete": "Deleted", "restore": "Put back"}


@dataclass(frozen=True, slots=True)
class Line:
    """One change, in words."""

    verb: str
    title: str
    what: str  # "from … to …"; empty where the whole object came or went
    where: str
    who: str
    at: datetime
    overruled: bool
    reached: Sequence[str] = ()  # where the sync took it, and how soon


@dataclass(frozen=True, slots=True)
class Group:
    """What one pass did, or one change that no pass made. ``undo``: the pass, if it can be taken back."""

    lines: Sequence[Line]
    undo: int | None
    undone: bool


@pages.get("")
def show() -> ResponseReturnValue:
    """The last changes."""
    me = visitor()
    limit = min(max(request.args.get("show", PAGE, type=int), PAGE), 10 * PAGE)
    with the_bridge().db.reading() as tx:
        rows = passes.journal_of(tx, me.user.id, limit=limit + 1)
        ours = {row.id: row.title for row in calendars.of_user(tx, me.user.id)}
        theirs = {row.id: row.name for row in links.of_user(tx, me.user.id)}
        devices = {str(row.id): row.name for row in people.devices(tx, me.user.id)}
        finished = {row.id: row for row in passes.of_user(tx, me.user.id, limit=limit)}
    reached = _reached(rows, theirs)
    groups = []
    for number, some in groupby(rows[:limit], key=lambda row: row.pass_id):
        lines = [replace(_line(row, ours, theirs, devices), reached=reached.get(row.id, ())) for row in some]
        done = finished.get(number) if number is not None else None
        if done is None:
            groups += [Group([line], None, False) for line in lines]
        else:
            groups.append(
                Group(lines, done.id if done.finished and not done.undone else None, done.undone is not None)
            )
    more = limit + PAGE if len(rows) > limit and limit < 10 * PAGE else None
    return render_template("history.html", groups=groups, more=more, now=now(), zone=me.zone)


@pages.post("/passes/<int:number>/undo")
def take_back(number: int) -> ResponseReturnValue:
    """Put both sides back to what they held before that pass."""
    try:
        undone = undo.undo(the_bridge(), number, user_id=visitor().user.id)
    except BridgeError as error:
        flash(str(error), "bad")
    else:
        flash(f"{words.count(len(undone.put_back), 'event is', 'events are')} as before that sync.")
        for sentence in undone.left[:5]:
            flash(sentence, "warn")
    return redirect(url_for("history.show"), 303)


def _reached(rows: Sequence[JournalRow], theirs: dict[int, str]) -> dict[int, list[str]]:
    """By journal row, newest first: each change here, with the first write of its event to every calendar
    elsewhere that came after it and before the next change here."""
    found: dict[int, list[str]] = {}
    since: dict[str, dict[int, datetime]] = {}
    for row in rows:
        if row.side == "remote" and row.link_id in theirs:
            since.setdefault(row.uid, {})[row.link_id] = row.at
        elif row.side == "hub":
            found[row.id] = [
                f"{theirs[link]} {words.later(at - row.at)}" for link, at in since.pop(row.uid, {}).items()
            ]
    return found


def _line(row: JournalRow, ours: dict[int, str], theirs: dict[int, str], devices: dict[str, str]) -> Line:
    remote = theirs.get(row.link_id or 0, "a calendar that is no longer linked")
    where = (
        remote
        if row.side == "remote"
        else ours.get(row.calendar_id or 0, "a calendar that is no longer here")
    )
    by = words.who(row.actor, devices)
    verb, what = _what(row.before, row.after)
    return Line(
        verb or VERBS.get(row.action, row.action.capitalize()),
        _title(row.after or row.before),
        what,
        where,
        f"{by} with {remote}" if by == "sync" and where != remote else by,
        row.at,
        row.loser is not None,
    )


def _title(text: str | None) -> str:
    try:
        return (facts(text).summary if text else None) or "(no title)"
    except Invalid:
        return "(not readable)"


def _what(before: str | None, after: str | None) -> tuple[str, str]:
    """Which fields changed; of a single one also from what to what, with a verb of its own if it has one."""
    if before is None or after is None:
        return "", ""
    try:
        old, new = Reading(before), Reading(after)
        keys = sorted(changed(old, new), key=str)
        if len(keys) == 1 and keys[0][1] in ("when", "title", "place", "status"):
            instance, group = keys[0]
            if group == "when" and (times := moved(old, new, now(), visitor().zone)):
                return "Moved", times
            values = group_text(old, instance, group), group_text(new, instance, group)
            return "", f"{group_name(group)} from {values[0]} to {values[1]}"
    except Invalid:
        return "", ""
    known = ("when", "title", "place", "notes", "status", "busy", "alarms", "guests", "component")
    names = sorted({group_name(group) if group in known else "other details" for _, group in keys})
    return "", " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
