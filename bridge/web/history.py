"""The history: what was changed, where, when and by whom, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from bridge.errors import Invalid
from bridge.ical.facts import facts
from bridge.ical.fields import changed
from bridge.store import calendars, links, passes, people
from bridge.store.passes import JournalRow
from bridge.web.security import the_bridge
from bridge.web.session import now, visitor

pages = Blueprint("history", __name__, url_prefix="/history")

PAGE = 100

VERBS = {"create": "Added", "update": "Changed", "delete": "Deleted", "restore": "Put back"}
#: Field groups as people call them; each other property is of "other details".
GROUPS = {
    "when": "time",
    "title": "title",
    "place": "place",
    "notes": "notes",
    "status": "status",
    "busy": "free or busy",
    "alarms": "alarms",
    "guests": "guests",
    "component": "one date of the series",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One change, in words."""

    verb: str
    title: str
    what: str  # "time and place"; empty where the whole object came or went
    where: str
    who: str
    at: datetime
    overruled: bool


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
    lines = [_line(row, ours, theirs, devices) for row in rows[:limit]]
    more = limit + PAGE if len(rows) > limit and limit < 10 * PAGE else None
    return render_template("history.html", lines=lines, more=more, now=now(), zone=me.zone)


def _line(row: JournalRow, ours: dict[int, str], theirs: dict[int, str], devices: dict[str, str]) -> Line:
    remote = theirs.get(row.link_id or 0, "a calendar that is no longer linked")
    where = (
        remote
        if row.side == "remote"
        else ours.get(row.calendar_id or 0, "a calendar that is no longer here")
    )
    return Line(
        VERBS.get(row.action, row.action.capitalize()),
        _title(row.after or row.before),
        _what(row.before, row.after),
        where,
        _who(row, where, remote, devices),
        row.at,
        row.loser is not None,
    )


def _title(text: str | None) -> str:
    try:
        return (facts(text).summary if text else None) or "(no title)"
    except Invalid:
        return "(not readable)"


def _what(before: str | None, after: str | None) -> str:
    if before is None or after is None:
        return ""
    try:
        groups = {group for _, group in changed(before, after)}
    except Invalid:
        return ""
    names = sorted({GROUPS.get(group, "other details") for group in groups})
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def _who(row: JournalRow, where: str, remote: str, devices: dict[str, str]) -> str:
    kind, _, number = row.actor.partition(":")
    match kind:
        case "device":
            return devices.get(number, "a device that was removed")
        case "user":
            return "you, on these pages"
        case "pass":
            return "sync" if where == remote else f"sync with {remote}"
        case _:
            return "the command line"
