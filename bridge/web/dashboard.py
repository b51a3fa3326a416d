"""The dashboard: what comes next, how the sync is, what waits; and the ways to everything else."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from bridge.service import agenda
from bridge.store import accounts, links, notices
from bridge.web import health_words
from bridge.web.agenda import color
from bridge.web.security import the_bridge
from bridge.web.session import now, visitor

pages = Blueprint("dashboard", __name__, url_prefix="/dashboard")

AHEAD = timedelta(days=60)
SHOWN = 5


@pages.get("")
def show() -> ResponseReturnValue:
    """The next sessions and the state of everything."""
    me, at = visitor(), now()
    local = at.astimezone(me.zone)
    with the_bridge().db.reading() as tx:
        coming = agenda.between(tx, me.user.id, at, at + AHEAD, me.zone)
        mine = accounts.of_user(tx, me.user.id)
        sync = health_words.of_all(mine, links.of_user(tx, me.user.id), at, me.zone)
        told = notices.standing(tx, me.user.id)
    sessions = [one for one in coming if one.kind == "booking" and one.told.status != "CANCELLED"]
    return render_template(
        "dashboard.html",
        sessions=sessions[:SHOWN],
        more=max(0, len(sessions) - SHOWN),
        colors={one.calendar.id: color(one.calendar) for one in sessions},
        sync=sync,
        connected=bool(mine),
        notices=told,
        today=local.date(),
        now=at,
        zone=me.zone,
    )
